# For the operator's shell: see OPERATIONS.md.

# All instances, by their names for ssh. An instance on this machine has the name that `hostname` prints.
instances='HOST1 HOST2'

# each COMMANDS: runs them on every instance, as root, up to the first that fails.
each() {
    local host failed=0
    for host in $instances; do
        echo "== $host"
        if [ "$host" = "$HOSTNAME" ]; then bash -c "set -e; $1" </dev/null; else ssh -n "$host" "set -e; $1"; fi ||
            { echo "FAILED on $host"; failed=1; }
    done
    return "$failed"
}

# send FILE...: copies files to /etc/client-keys of every other instance, with their modes.
send() {
    local host failed=0
    for host in $instances; do
        [ "$host" = "$HOSTNAME" ] || scp -p "$@" "$host:/etc/client-keys/" || { echo "FAILED on $host"; failed=1; }
    done
    return "$failed"
}
