# For the operator's shell: see OPERATIONS.md.

# All instances, by their names for ssh. An instance on this machine has the name that `hostname` prints.
instances='HOST1 HOST2'

# each COMMANDS [INPUT]: runs them on every instance, as root, up to the first that fails. They may use `restart`, which
# waits until the service answers, and `reload`, which shows what the service logs.
each() {
    local host failed=0
    for host in $instances; do
        echo "== $host"
        if [ "$host" = "$HOSTNAME" ]; then
            bash -c "$on_instance$1"
        else
            ssh -o ConnectTimeout=10 "$host" "$on_instance$1"
        fi < <(printf %s "${2-}") || { echo "FAILED on $host"; failed=1; }
    done
    return "$failed"
}
on_instance='set -e
    restart() {
        systemctl daemon-reload
        systemctl restart client-keys
        curl -s -o /dev/null --retry 10 --retry-delay 1 --retry-connrefused http://127.0.0.1:3000/health ||
            { echo "the service does not answer"; false; }
    }
    reload() {
        local now=$(date +@%s.%N) line
        systemctl reload client-keys
        for _ in {1..10}; do
            sleep 1
            line=$(journalctl -u client-keys -o cat --since "$now" | grep -F CLIENT_KEYS) && break
        done
        echo "${line:-the log does not show the reload}"
        [[ $line && $line != *"stays as it was"* ]]
    }
'

# send FILE...: copies files to /etc/client-keys of every other instance, with their modes.
send() {
    local host failed=0
    for host in $instances; do
        [ "$host" = "$HOSTNAME" ] || scp -q -o ConnectTimeout=10 -p "$@" "$host:/etc/client-keys/" ||
            { echo "FAILED on $host"; failed=1; }
    done
    return "$failed"
}

# try_token: asks for a token, and shows the status with which each instance answers it.
try_token() {
    local token
    read -rsp 'Token: ' token && echo
    each 'curl -sS -o /dev/null -w "%{http_code}\n" -H @- http://127.0.0.1:3000/apps' "Authorization: Bearer $token"
}

# requests SINCE PATTERN: the log's lines on requests that match, without what differs each time: how often each occurs, and
# when (UTC) first and last.
requests() {
    each "since=$(printf %q "$1") pattern=$(printf %q "$2")"'
        journalctl -u client-keys -o cat --since "$since" | grep -F "service::authorize: " | grep -e "$pattern" |
            awk "{
                    time = substr(\$0, 1, 19); line = substr(\$0, index(\$0, \"authorize: \") + 11)
                    if (!count[line]++) first[line] = time
                    last[line] = time
                }
                END { for (line in count) print count[line], first[line], last[line], line }" | sort -k 2'
}

# fingerprints: of the secrets with which each instance runs, and of the secret in the file here.
fingerprints() {
    each 'journalctl -u client-keys -o cat "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID client-keys)" |
        grep -F fingerprint= || echo "no longer in the log"'
    echo "== client_secret of this machine"
    (printf 'client-keys fingerprint'; tr a-f A-F </etc/client-keys/client_secret | basenc -di --base16) |
        sha256sum | cut -c 1-8
}

# rotate_secret: lets every instance and `whose` accept a new secret beside the present one, and notes the old keys. Run
# again, it makes no other.
rotate_secret() (
    umask 077
    if [ -e /root/client-keys/.env ]; then
        cd /root/client-keys && { [ -s old_keys ] || {
            service list >list && awk -F '\t' 'NR > 1 && $4 == "-" { print $1 }' list >old_keys && rm list
        }; }
    else
        cd /etc/client-keys && { [ -s old_keys ] || sed -nE 's/^([0-9a-f]{30}) .*/\1/p' clients.txt >old_keys; }
    fi || exit
    grep -q ^CLIENT_SECRET_PREVIOUS .env ||
        sed -i '$a CLIENT_SECRET_PREVIOUS_FILE=/etc/client-keys/client_secret_previous' .env
    cd /etc/client-keys || exit
    [ -e client_secret_previous ] || {
        openssl rand -hex 32 >client_secret.new && cp -p client_secret client_secret_previous &&
            mv client_secret.new client_secret
    } || exit
    send client_secret client_secret_previous && each '
        mkdir -p /etc/systemd/system/client-keys.service.d
        printf "%s\n" "[Service]" \
            "LoadCredential=client_secret_previous:/etc/client-keys/client_secret_previous" \
            "Environment=CLIENT_SECRET_PREVIOUS_FILE=%d/client_secret_previous" \
            >/etc/systemd/system/client-keys.service.d/previous.conf
        restart' && echo rotating
)

# end_rotation: lets every instance accept the present secret alone, and revokes the old keys.
end_rotation() (
    [ ! -e /root/client-keys/.env ] || sed -i '/^CLIENT_SECRET_PREVIOUS/d' /root/client-keys/.env
    rm -f /etc/client-keys/client_secret_previous
    each '
        sed -i "/^CLIENT_SECRET_PREVIOUS/d" /etc/client-keys/.env
        rm -f /etc/client-keys/client_secret_previous /etc/systemd/system/client-keys.service.d/previous.conf
        restart' || exit
    if [ -e /root/client-keys/.env ]; then
        cd /root/client-keys && touch old_keys &&
            while read -r handle; do service revoke "$handle" || exit; done <old_keys >>revoked.log
    else
        cd /etc/client-keys && touch old_keys && revoke_keys $(grep -oFf old_keys clients.txt)
    fi && rm old_keys && echo ended
)

# replace_secret: lets every instance accept a new secret alone and, without a database, no key. Names stay in clients.txt.
replace_secret() (
    cd /etc/client-keys && umask 077 || exit
    openssl rand -hex 32 >client_secret.new && mv client_secret.new client_secret || exit
    rm -f client_secret_previous old_keys /root/client-keys/old_keys
    [ ! -e /root/client-keys/.env ] || sed -i '/^CLIENT_SECRET_PREVIOUS/d' /root/client-keys/.env
    if [ -e clients.txt ]; then
        grep -v '^- ' clients.txt | sed "s/^/$(date -u +%FT%TZ) /" >>revoked.txt
        sed -i 's/^[0-9a-f]* /- /' clients.txt
    fi
    # Where the new secret did not arrive, the rest is done all the same.
    local sent=0
    send client_secret || sent=1
    each '
        sed -i "s/^CLIENT_KEYS=.*/CLIENT_KEYS=/; /^CLIENT_SECRET_PREVIOUS/d" /etc/client-keys/.env
        rm -f /etc/client-keys/client_secret_previous /etc/systemd/system/client-keys.service.d/previous.conf
        restart' && [ "$sent" = 0 ] && echo replaced
)

# issue_to_all: issues a key to each line of clients.txt, and writes name, handle or id, and token to the file new_keys.
issue_to_all() (
    local end client expires new
    umask 077
    if [ -e /root/client-keys/.env ]; then
        cd /root/client-keys || exit
        sort -u clients.txt | while IFS=$'\t' read -r end client; do
            printf 'client: %s\n' "$client"
            # Without the time of day, which `--expires` does not take.
            [ "$end" = - ] && expires=() || expires=(--expires "${end%% *}")
            service issue "${expires[@]}" -- "$client" || printf '%s\t%s\n' "$end" "$client" >>clients.failed
        done >>new_keys
        if [ -e clients.failed ]; then mv clients.failed clients.txt && echo "not issued: clients.txt" && exit 1; fi
        rm clients.txt && echo issued
    else
        cd /etc/client-keys || exit
        new=$(cut -d ' ' -f 2- clients.txt | sort -u | while IFS= read -r client; do
            printf 'client: %s\n' "$client"
            service issue
        done)
        printf '%s\n' "$new" >>new_keys
        sed -i '/^- /d' clients.txt
        awk '/^client: / { client = substr($0, 9) } /^key_id: / { print $2, client }' <<<"$new" | list_keys && echo issued
    fi
)

# The next four are for the database.

# list_clients: adds the end date, or `-`, and the client's name of each key that is not revoked to clients.txt.
list_clients() (
    cd /root/client-keys && umask 077 && service list >list &&
        awk -F '\t' 'NR > 1 && $4 == "-" { print $3 "\t" $6 }' list >>clients.txt && rm list
)

# revoke_all: revokes every key, after it noted its handle in revoked.log and the client's name in clients.txt.
revoke_all() (
    list_clients && cd /root/client-keys && service list >list &&
        awk -F '\t' 'NR > 1 && $4 == "-" { print $1 }' list >>revoked.log && rm list && service revoke --all --yes
)

# send_password: hands the service's password in /etc/client-keys/password to every instance.
send_password() (
    cd /etc/client-keys && send password && each 'cd /etc/client-keys
        [ -e .env.old ] || cp -p .env .env.old
        sed -i -f <(printf "s#client_keys_service:[^@]*@#client_keys_service:%s@#" "$(cat password)") .env
        restart'
)

# check_password: whether each instance gets into the database with the new password, and not with the old one. If so, it
# removes what `send_password` left.
check_password() {
    each 'cd /etc/client-keys
        [ -e .env.old ] || { echo "checked before"; exit; }
        service list >/dev/null || { echo "NEW PASSWORD REFUSED"; false; }
        said=$(. ./.env.old; export DATABASE_URL; service list 2>&1 >/dev/null) && { echo "OLD PASSWORD ACCEPTED"; false; }
        grep -F "password authentication failed" <<<"$said" || { echo "$said"; false; }
        rm -f .env.old password' && rm -f /etc/client-keys/password && echo "changed"
}

# The rest is for a `.env` instead of a database.

# edit_keys COMMAND: changes the line CLIENT_KEYS of every instance by a command of sed, and counts the ids.
edit_keys() {
    each "command=$(printf %q "$1")"'
        cd /etc/client-keys
        echo "before: $(grep ^CLIENT_KEYS= .env | grep -oiE "[0-9a-f]{30}" | wc -l) keys"
        sed -i "/^CLIENT_KEYS=/{ $command }" .env
        reload'
}

# list_keys: reads lines of a key id and a client's name, notes them in clients.txt, and adds the ids to CLIENT_KEYS.
list_keys() (
    local id name lines='' ids='' remove=''
    cd /etc/client-keys && umask 077 && touch clients.txt || exit
    while read -r id name; do
        [[ $id =~ ^[0-9a-f]{30}$ && $name ]] || { echo "expected a key id and a name: nothing was changed"; exit 1; }
        lines+="$id $name"$'\n'
        ids+=$id,
        # Not twice, if this is run again.
        remove+="s/$id,*//gI;"
    done
    [ "$ids" ] || { echo "no key: nothing was changed"; exit 1; }
    sort -uo clients.txt clients.txt - <<<"${lines%?}" && edit_keys "$remove s/=/&$ids/"
)

# issue_key CLIENT_NAME: issues a key and lists it.
issue_key() {
    local key status=0
    key=$(cd /etc/client-keys && service issue) || return
    list_keys <<<"$(sed -n 's/^key_id: //p' <<<"$key") ${1:?}" || status=1
    echo "$key"
    return "$status"
}

# revoke_keys KEY_ID...: removes the ids from CLIENT_KEYS, and moves their lines from clients.txt to revoked.txt.
revoke_keys() (
    local id remove=''
    cd /etc/client-keys && umask 077 && touch clients.txt || exit
    for id; do
        [[ $id =~ ^[0-9a-f]{30}$ ]] && grep -qi "$id" clients.txt .env ||
            { echo "no key has the id $id: nothing was changed"; exit 1; }
        remove+="s/$id,*//gI;"
    done
    edit_keys "$remove" || exit
    for id; do
        echo "$(date -u +%FT%TZ) $(grep "^$id " clients.txt || echo "$id")" >>revoked.txt
        sed -i "/^$id /d" clients.txt
    done
)
