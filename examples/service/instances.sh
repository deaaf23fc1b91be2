# For the operator's shell: see OPERATIONS.md.

# All instances, by their names for ssh. An instance on this machine has the name that `hostname` prints.
instances='HOST1 HOST2'

# Where the operator's settings are: with a database, and without.
[ -e /root/client-keys/.env ] && home=/root/client-keys || home=/etc/client-keys

# each COMMANDS [INPUT]: runs them on every instance, as root, up to the first that fails. They may use `restart`, which
# waits until the service answers, `reload`, which shows what the service logs, and `put FILE`, which writes a secret.
each() {
    local host failed=0
    [ "$instances" ] || { echo "instances= in instances.sh names no instance"; return 1; }
    for host in $instances; do
        echo "== $host"
        if [ "$host" = "$HOSTNAME" ]; then
            bash -c "$on_instance$1"
        else
            ssh -o ConnectTimeout=10 "$host" "$on_instance$1"
        fi < <(printf '%s\n' "${2-}") || { echo "FAILED on $host"; failed=1; }
    done
    return "$failed"
}
on_instance='set -eo pipefail
    restart() {
        systemctl daemon-reload
        systemctl restart client-keys
        curl -s -o /dev/null --retry 10 --retry-delay 1 --retry-connrefused http://127.0.0.1:3000/health ||
            { echo "the service does not answer"; false; }
    }
    put() {
        local line
        read -r line && [[ $line =~ ^[0-9A-Fa-f]{64}$ ]] || { echo "no secret"; false; }
        (umask 077 && echo "$line" >"/etc/client-keys/$1.new") && mv "/etc/client-keys/$1"{.new,}
    }
    reload() {
        local now=$(date +@%s.%N)
        systemctl reload client-keys
        for _ in {1..10}; do
            sleep 1
            line=$(journalctl -u client-keys -o cat --since "$now" | grep -F CLIENT_KEYS | tail -n 1) && break
        done
        echo "${line:-the log does not show the reload}"
        [[ $line && $line != *"stays as it was"* ]]
    }
'

# try_token: asks for a token, and shows with which status each instance answers it, and what its log says.
try_token() {
    local token
    read -rsp 'Token: ' token && echo
    [[ $token =~ ^ck1_[A-Za-z0-9_-]{58}$ ]] || { echo "expected a whole token, which has 62 characters"; return 1; }
    each 'now=$(date +@%s.%N)
        curl -sS -o /dev/null -w "%{http_code}\n" -H @- -H "X-Real-IP: 2001:db8::1" http://127.0.0.1:3000/apps
        sleep 1
        journalctl -u client-keys -o cat --since "$now" |
            sed -n "s/.* service::authorize: \(.*\) address=2001:db8::1$/\1/p" | grep . || echo "the log does not say why"
    ' "Authorization: Bearer $token"
}

# requests SINCE PATTERN: the log's lines on requests that match, without what differs each time: how often each occurs, and
# when (UTC) first and last. Before them, what was searched.
requests() {
    [ $# = 2 ] || { echo "expected a time and a pattern, each in quotes"; return 1; }
    each "since=$(printf %q "$1") pattern=$(printf %q "$2")"'
        export pattern
        read -r oldest _ < <(journalctl -q -u client-keys -o short-unix) || { echo "the log is empty"; false; }
        journalctl -q -u client-keys -o cat --since "$since" | oldest=$(date -ud "@$oldest" "+%F %T") awk "
            / WARN service::log: .* lines dropped$|^Suppressed .* messages from / { lost++ }
            / service::authorize: / && \$0 ~ ENVIRON[\"pattern\"] {
                time = substr(\$0, 1, 19); line = substr(\$0, index(\$0, \"authorize: \") + 11)
                if (!count[line]++) first[line] = time
                last[line] = time
            }
            END {
                print \"log since \" ENVIRON[\"oldest\"] \": \" NR \" lines searched, \" lost + 0 \" reports of lost lines\"
                fflush()
                for (line in count) print count[line], first[line], last[line], line | \"sort -k 2\"
            }"'
}

# fingerprints: of the secrets with which each instance runs, and of the secret in the file here.
fingerprints() {
    local failed=0
    each 'systemctl is-active --quiet client-keys || { echo "the service does not run"; false; }
        journalctl -u client-keys -o cat "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID client-keys)" |
            grep -F fingerprint= || { echo "no longer in the log"; false; }' || failed=1
    echo "== client_secret of this machine"
    grep -qxE '[0-9A-Fa-f]{64}' /etc/client-keys/client_secret || { echo "no secret"; return 1; }
    (printf 'client-keys fingerprint'; tr a-f A-F </etc/client-keys/client_secret | basenc -di --base16) |
        sha256sum | cut -c 1-8
    return "$failed"
}

# rotate_secret: lets every instance and `whose` accept a new secret beside the present one, and notes the old keys. Run
# again, it makes no other.
rotate_secret() (
    umask 077
    cd /etc/client-keys || exit
    [ -e client_secret_previous ] || {
        keys '$1' >"$home/old_keys" && openssl rand -hex 32 >client_secret.new &&
            cp -p client_secret client_secret_previous && mv client_secret.new client_secret
    } || exit
    grep -q ^CLIENT_SECRET_PREVIOUS "$home/.env" ||
        sed -i '$a CLIENT_SECRET_PREVIOUS_FILE=/etc/client-keys/client_secret_previous' "$home/.env"
    each '
        put client_secret
        put client_secret_previous
        mkdir -p /etc/systemd/system/client-keys.service.d
        printf "%s\n" "[Service]" \
            "LoadCredential=client_secret_previous:/etc/client-keys/client_secret_previous" \
            "Environment=CLIENT_SECRET_PREVIOUS_FILE=%d/client_secret_previous" \
            >/etc/systemd/system/client-keys.service.d/previous.conf
        restart' "$(cat client_secret client_secret_previous)" && echo rotating
)

# end_rotation: lets every instance accept the present secret alone, and revokes the old keys.
end_rotation() (
    local accepted old key failed=0
    sed -i '/CLIENT_SECRET_PREVIOUS/d' "$home/.env"
    rm -f /etc/client-keys/client_secret_previous
    each '
        cd /etc/client-keys
        sed -i "/CLIENT_SECRET_PREVIOUS/d" .env
        rm -f client_secret_previous /etc/systemd/system/client-keys.service.d/previous.conf
        restart' || exit
    cd "$home" && accepted=$(keys '$1') && old=$(grep -xFf old_keys <<<"$accepted" || [ $? = 1 ]) || exit
    if [ "$home" = /root/client-keys ]; then
        for key in $old; do service revoke "$key" || failed=1; done >>revoked.log
    else
        [ ! "$old" ] || revoke_keys $old || failed=1
    fi
    [ "$failed" = 0 ] && rm old_keys && echo ended
)

# replace_secret: lets every instance accept a new secret alone and, without a database, no key. Names stay in clients.txt.
replace_secret() (
    cd /etc/client-keys && umask 077 || exit
    openssl rand -hex 32 >client_secret.new && mv client_secret.new client_secret || exit
    rm -f client_secret_previous "$home/old_keys"
    sed -i '/CLIENT_SECRET_PREVIOUS/d' "$home/.env"
    if [ -e clients.txt ]; then
        grep -v '^- ' clients.txt | sed "s/^/$(date -u +%FT%TZ) /" >>revoked.txt
        sed -i 's/^[0-9a-f]* /- /' clients.txt
    fi
    each '
        put client_secret
        cd /etc/client-keys
        sed -i "s/^CLIENT_KEYS=.*/CLIENT_KEYS=/; /CLIENT_SECRET_PREVIOUS/d" .env
        rm -f client_secret_previous /etc/systemd/system/client-keys.service.d/previous.conf
        restart
        [ "$(grep -v DATABASE_URL= .env | grep -ciE "[0-9a-f]{30}")" = 0 ] ||
            { echo "a key id is still in .env"; false; }' "$(cat client_secret)" && echo replaced
)

# issue_to_all: issues a key to each line of clients.txt, and writes name, handle or id, and token to the file new_keys.
issue_to_all() (
    local end client expires key new line=1 count=0 status=0
    umask 077
    set -o pipefail
    cd "$home" || exit
    [ -s clients.txt ] || { echo "clients.txt names no client"; exit 1; }
    if [ "$home" = /root/client-keys ]; then
        sed -i '/^$/d' clients.txt && sort -uo clients.txt clients.txt || exit
        while IFS=$'\t' read -r end client; do
            # Without the time of day, which `--expires` does not take.
            [ "$end" = - ] && expires=() || expires=(--expires "${end%% *}")
            if key=$(service issue "${expires[@]}" -- "$client") &&
                printf 'client: %s\n%s\n' "$client" "$key" >>new_keys; then
                # At once: nobody gets two keys if this is interrupted and run again.
                sed -i "${line}d" clients.txt
                count=$((count + 1))
            else
                line=$((line + 1))
            fi
        done <clients.txt
        if [ -s clients.txt ]; then echo "not issued: clients.txt"; status=1; else rm clients.txt; fi
    else
        new=$(sed -n 's/^[^ ]* \(.\)/\1/p' clients.txt | sort -u | while IFS= read -r client; do
            key=$(service issue) && printf 'client: %s\n%s\n' "$client" "$key" || exit
        done) && printf '%s\n' "$new" >>new_keys || exit
        count=$(grep -c '^client: ' <<<"$new")
        awk '/^client: / { client = substr($0, 9) } /^key_id: / { print $2, client }' <<<"$new" | list_keys || status=1
        [ "$count" = 0 ] || sed -i '/^- /d' clients.txt
    fi
    [ "$count" -gt 0 ] && [ "$status" = 0 ] && echo "issued $count"
)

# keys COLUMNS [TIME]: these columns, for awk, of the keys that are not revoked, or of those that were at that time. Without
# a database: the ids.
keys() (
    set -o pipefail
    cd "$home" || exit
    [ "$home" = /root/client-keys ] || { sed -nE 's/^([0-9a-f]{30}) .*/\1/p' clients.txt; exit; }
    service list | awk -F '\t' "NR > 1 && index(\$4, \"${2:--}\") == 1 { print $1 }"
)

# The next five are for the database.

# database COMMAND...: runs a command of PostgreSQL as the operator, and hides the password from other users' `ps`.
database() (
    cd /root/client-keys && . ./.env || exit
    PGPASSWORD=${DATABASE_URL#*://*:} PGPASSWORD=${PGPASSWORD%%@*}
    export PGPASSWORD
    "$@" -d "${DATABASE_URL/":$PGPASSWORD@"/@}"
)

# list_clients [TIME]: adds the end date, or `-`, and the client's name of each of these keys to clients.txt.
list_clients() (
    umask 077
    cd "$home" && keys '$3 "\t" $6' "$@" >>clients.txt && echo "clients.txt: $(sort -u clients.txt | wc -l) keys"
)

# revoke_all: revokes every key, after it noted its handle in revoked.log and the client's name in clients.txt.
revoke_all() (
    list_clients && cd "$home" && keys '$1' >>revoked.log && service revoke --all --yes
)

# send_password: hands the service's password in /etc/client-keys/password to every instance.
send_password() {
    each 'cd /etc/client-keys
        password=$(grep -xE "[0-9A-Za-z]+")
        sent() { grep -qFf <(printf "client_keys_service:%s@" "$password") .env; }
        sent || [ -e .env.old ] || cp -p .env .env.old
        sed -i -f <(printf "s#client_keys_service:[^@]*@#client_keys_service:%s@#" "$password") .env
        sent || { echo "no password of client_keys_service is in .env"; false; }
        restart' "$(cat /etc/client-keys/password)"
}

# check_password: whether each instance gets into the database with the new password, and not with the old one. If so, it
# removes what `send_password` left.
check_password() {
    each 'cd /etc/client-keys
        password=$(grep -xE "[0-9A-Za-z]+")
        grep -qFf <(printf "client_keys_service:%s@" "$password") .env || { echo "NOT SENT"; false; }
        service list >/dev/null || { echo "NEW PASSWORD REFUSED"; false; }
        [ -e .env.old ] || { echo "no old password to try"; exit; }
        said=$(. ./.env.old; export DATABASE_URL; service list 2>&1 >/dev/null) && { echo "OLD PASSWORD ACCEPTED"; false; }
        grep -F "password authentication failed" <<<"$said" || { echo "$said"; false; }
        rm -f .env.old' "$(cat /etc/client-keys/password)" && rm -f /etc/client-keys/password && echo changed
}

# The rest is for a `.env` instead of a database.

# edit_keys COMMAND: changes the line CLIENT_KEYS of every instance by a command of sed, and counts the ids.
edit_keys() {
    each "command=$(printf %q "$1")"'
        cd /etc/client-keys
        [ "$(grep -c CLIENT_KEYS .env)" = 1 ] && grep -qxE "CLIENT_KEYS=[0-9A-Fa-f,]*" .env ||
            { echo "expected one line CLIENT_KEYS=, without blanks and quotes, in .env: nothing was changed"; false; }
        count() { grep ^CLIENT_KEYS= .env | grep -oiE "[0-9a-f]{30}" | wc -l; }
        echo "before: $(count) keys"
        sed -i "/^CLIENT_KEYS=/{ $command }" .env
        reload
        [[ $line == *" count=$(count)" || $(count) = 0 ]] || { echo "expected count=$(count), as in .env"; false; }'
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
    local id listed remove=''
    cd /etc/client-keys && umask 077 && touch clients.txt || exit
    [ $# -gt 0 ] || { echo "expected a key id: nothing was changed"; exit 1; }
    listed=$(each 'grep CLIENT_KEYS /etc/client-keys/.env')
    for id; do
        [[ $id =~ ^[0-9a-f]{30}$ ]] && grep -qi "$id" clients.txt - <<<"$listed" ||
            { echo "no key has the id $id: nothing was changed"; exit 1; }
        remove+="s/$id,*//gI;"
    done
    edit_keys "$remove" || exit
    for id; do
        echo "$(date -u +%FT%TZ) $(grep "^$id " clients.txt || echo "$id")" >>revoked.txt
        sed -i "/^$id /d" clients.txt
    done
)
