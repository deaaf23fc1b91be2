# For the operator's shell: see OPERATIONS.md.

# All instances, by their names for ssh. An instance on this machine has the name that `hostname` prints.
instances='HOST1 HOST2'

# each COMMAND: runs it on every instance, as root.
each() {
    local host
    for host in $instances; do
        echo "== $host"
        if [ "$host" = "$HOSTNAME" ]; then bash -c "$1" </dev/null; else ssh -n "$host" "$1"; fi || echo "FAILED on $host"
    done
}

# send FILE...: copies files to /etc/client-keys of every other instance, with their modes.
send() {
    local host
    for host in $instances; do
        [ "$host" = "$HOSTNAME" ] || scp -p "$@" "$host:/etc/client-keys/" || echo "FAILED on $host"
    done
}
