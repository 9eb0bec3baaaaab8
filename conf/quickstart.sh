#!/bin/sh
# A working profile service by one command: what is missing is installed, the server built, a key and a database made, real
# data imported, the pool started behind a web server. See usage below; README.md tells what to do next. POSIX sh.
set -u
umask 022
program=quickstart
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
root=$(dirname -- "$here")
. "$here/lib/steps.sh"
. "$here/lib/processes.sh"
. "$here/lib/varnish.sh"

usage() {
    cat <<'END'
usage: sh conf/quickstart.sh [OPTION…]

  --port N         where the service answers on 127.0.0.1 (8080)
  --state DIR      database, keys, configuration, logs (./var)
  --store URL      the database: sqlite:PATH (in the state folder)
  --workers N      worker processes (the server's default)
  --front NAME     the web server in front: lighttpd (default), apache or nginx
  --varnish        Varnish in front of that, on the port behind it (EDGE in quickstart.env)
  --detach         return once the service answers; without it, Ctrl-C stops everything
  --stop           stop a detached one with the same --state
  --no-install     install nothing: say what is missing

Variables PROFILED_<SECTION>_<KEY> in the environment reach the server. What a program needs to talk to the service
stands in DIR/quickstart.env, for a shell to source.
END
}

# ---- options

port=8080 state=./var front=lighttpd varnish='' store='' workers='' action=foreground install=yes

whole_number() { # TEXT LEAST MOST
    case $1 in '' | *[!0-9]* | ??????*) return 1 ;; esac
    [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

read_options() {
    while [ $# -gt 0 ]; do
        option=$1 value=''
        case $option in
        --*=*) value=${option#*=} option=${option%%=*} ;;
        --port | --state | --front | --store | --workers)
            [ $# -ge 2 ] || usage_error "$option needs a value"
            value=$2
            shift
            ;;
        esac
        case $option in
        --port) port=$value ;;
        --state) state=$value ;;
        --front) front=$value ;;
        --store) store=$value ;;
        --workers) workers=$value ;;
        --detach) action=detach ;;
        --stop) action=stop ;;
        --no-install) install=no ;;
        --varnish) varnish=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) usage_error "there is no option '$option'" ;;
        esac
        shift
    done
    whole_number "$port" 1 65535 || usage_error "--port is a number from 1 to 65535, not '$port'"
    [ -z "$workers" ] || whole_number "$workers" 1 1024 || usage_error "--workers is a number from 1 to 1024, not '$workers'"
    [ -n "$state" ] || usage_error '--state needs a folder'
    [ -z "$varnish" ] || varnish_ports
    case $front in
    lighttpd | apache | nginx) ;;
    *) usage_error "--front is lighttpd, apache or nginx, not '$front'" ;;
    esac
    [ -z "$store" ] || PROFILED_STORE_URL=$store
    case ${PROFILED_STORE_URL:-sqlite:} in
    sqlite:*) ;;
    *) usage_error "--store $PROFILED_STORE_URL is not supported by this version: sqlite:PATH is" ;;
    esac
    # These characters mean something else in a configuration of a web server or of profiled.
    case $state${PROFILED_STORE_URL:-} in
    *[\"\\\;\#[:cntrl:]]*) usage_error "a path may not hold quotes, backslashes, ';', '#' or control characters" ;;
    esac
    case $front$state in
    apache*[\$%]* | nginx*[\$\{\}]*) usage_error "with --front $front the path of --state may not hold '$', '%' or braces" ;;
    esac
}

# ---- where things are

absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "${1#./}" ;; esac; }

set_paths() {
    state=$(absolute "$state")
    state=${state%/}
    run=$state/run logs=$state/log
    config=$state/profiled.conf
    environment=$state/quickstart.env
    binary=$root/build/profiled
    www=$root/www
    apache_user=www-data
    keys=${PROFILED_TOKEN_KEYS:-$state/keys}
    database=${PROFILED_STORE_URL:-sqlite:$state/data/profiled.db}
    database=$(absolute "${database#sqlite:}")
    [ -z "${PROFILED_STORE_URL:-}" ] || export PROFILED_STORE_URL="sqlite:$database"
    listen=${PROFILED_SERVER_LISTEN:-unix:$run/profiled.sock}
    socket=${listen#unix:}
    case $listen in unix:/*) ;; *) usage_error "server.listen is unix:/PATH here, not '$listen'" ;; esac
    base=http://127.0.0.1:$port
}

make_folders() {
    step "state folder: $state"
    todo='choose another folder with --state'
    [ ! -e "$state" ] || [ -d "$state" ] || fail "$state is not a folder" "$todo"
    mkdir -p "$state" "$run" "$logs" "$state/upload" && mkdir -p -m 700 "$keys" "$(dirname "$database")" ||
        fail "it cannot be made" "$todo"
    [ -w "$state" ] && [ -w "$run" ] || fail "it may not be written to by $(id -un)" "$todo"
}

# ---- stopping

stop_everything() {
    stop_varnish
    stop front 15
    stop pool 45
    if [ -r "$run/socket-folder" ]; then
        read -r folder <"$run/socket-folder"
        case $folder in /tmp/profiled.??????) rm -rf "$folder" ;; esac
        rm -f "$run/socket-folder"
    fi
}

stop_command() {
    step_name=stopping
    if ! running quickstart && ! running pool && ! running front; then
        printf 'nothing of %s is running\n' "$state"
        return 0
    fi
    step "stopping what runs on $state"
    # One in the foreground stops its own, and would take theirs for a fault otherwise.
    stop quickstart 70
    stop_everything
    printf 'stopped\n'
}

# Only one of these at a time works on a state; what it starts does not inherit the lock.
lock_state() {
    exec 9>"$run/lock" || fail "no lock: $run/lock" "see whether $(id -un) may write there"
    flock -w "$1" 9 || fail 'another quickstart.sh is at work on this state' 'wait for it, or choose another folder with --state'
}

# ---- steps

answers() { [ "$(curl --noproxy '*' -s -o /dev/null -w '%{http_code}' --max-time 5 "$1")" = 200 ]; }

check_not_running() {
    if running pool && running front; then
        base=$(sed -n "s/^BASE='\(.*\)'$/\1/p" "$environment" 2>/dev/null)
        if [ -n "$base" ] && answers "$base/readyz"; then
            printf "it runs already: %s\n  to stop it: sh %s --stop --state '%s'\n" "$base" "$0" "$state"
            exit 0
        fi
        fail "it runs already, but ${base:-nobody} does not answer" "sh $0 --stop --state '$state', and then again" "$logs/pool.log"
    fi
    stop_everything # a half that was left over
}

# Somebody listening on the port at 127.0.0.1 or everywhere: state 0A of the kernel's tables.
check_port() { # PORT
    hex=$(printf '%04X' "$1")
    ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$hex" '
        $4 == "0A" { split($2, at, ":")
            if (at[2] == port && at[1] ~ /^(0100007F|0+|0000000000000000FFFF00000100007F)$/) found = 1 }
        END { exit !found }' ||
        fail "port $1 is taken by another program" 'choose another with --port N, or stop that program'
}

build() {
    step 'server: cmake --preset release (build/profiled)'
    [ -z "$varnish" ] || want_module
    build_preset release "$root/build" "$logs/build.log"
}

# A Unix socket's path has room for 107 bytes (unix(7)), and there is one with "-changes" behind it: where the state folder's is too long, it gets a folder of its own.
choose_socket() {
    socket_folder=''
    [ "$(printf %s "$socket" | wc -c)" -le 99 ] || socket_elsewhere
}

socket_elsewhere() {
    [ -z "$socket_folder" ] || return 0
    socket_folder=$(mktemp -d /tmp/profiled.XXXXXX) || fail 'no folder for the socket in /tmp' 'choose a shorter --state'
    chmod 755 "$socket_folder"
    printf '%s\n' "$socket_folder" >"$run/socket-folder"
    socket=$socket_folder/sock
    listen=unix:$socket
}

# Runs a command as the user that the pool runs as.
as_user() {
    if [ "$(id -u)" = 0 ] && [ "$user" != root ]; then
        setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
    else
        "$@"
    fi
}

reachable() {
    for folder in "$run" "$state/upload" "$state/keys" "$state/data" "$socket_folder"; do
        [ ! -d "$folder" ] || chown -R "$user:" "$folder"
    done
    as_user sh -c 'test -w "$1" && test -w "$2" && test -r "$3" && test -x "$4" && test -x "$5"' \
        sh "$run" "$(dirname "$database")" "$keys" "$binary" "$root/www"
}

# As root the pool and lighttpd give that up, when another user can get at what they need.
choose_user() {
    user=$(id -un 2>/dev/null || id -u)
    [ "$(id -u)" = 0 ] || return 0
    user=${PROFILED_SERVER_USER:-www-data}
    if ! id "$user" >/dev/null 2>&1; then
        printf '    the server runs as root: there is no user %s\n' "$user"
    elif ! reachable; then
        printf '    the server runs as root: %s cannot get at the folders of %s and %s\n' "$user" "$state" "$root"
    else
        return 0
    fi
    user=root
    reachable || true
    unset PROFILED_SERVER_USER
    [ "$front" != apache ] || meet_apache
}

# Apache does not serve as root: all that it needs then is put where its own user can get at it.
listen_mode=''
meet_apache() {
    id "$apache_user" >/dev/null 2>&1 || fail "Apache does not serve as root, and there is no user $apache_user" \
        'choose another --front, or folders that a user www-data can get at'
    printf '    Apache does not serve as root: it runs as %s, on copies of the pages in a folder of /tmp\n' "$apache_user"
    socket_elsewhere
    # Whoever gets through the folder's door may open the socket.
    listen_mode=0666
    chmod 750 "$socket_folder" && chown ":$(id -gn "$apache_user")" "$socket_folder"
    www=$socket_folder/www
    cp -R "$root/www" "$www" && chmod -R a+rX "$www" || fail 'the pages cannot be copied' 'is there room in /tmp?'
}

write_config() {
    step "configuration: $config"
    choose_socket
    choose_user
    {
        printf '# Written by conf/quickstart.sh at each start: what is changed here is lost. Set PROFILED_<SECTION>_<KEY> in the\n'
        printf '# environment of quickstart.sh instead; profiled.conf beside it tells what there is to set.\n'
        printf '[server]\nlisten = %s\n' "$listen"
        [ "$(id -u)" != 0 ] || printf 'user = %s\n' "$user"
        [ -z "$listen_mode" ] || printf 'listen_mode = %s\n' "$listen_mode"
        [ -z "$workers" ] || printf 'workers = %s\n' "$workers"
        printf '[store]\nurl = sqlite:%s\n' "$database"
        printf '[token]\nkeys = %s\nissuer = https://quickstart.profiled.invalid\naudience = profiled\n' "$keys"
        # where the printed links lead: the pages show the server's own pictures by their own address
        printf '[http]\nbase_url = http://127.0.0.1:%s\n' "${edge_port:-$port}"
        [ -z "$varnish" ] || varnish_settings
    } >"$config.new" && mv -f "$config.new" "$config" || fail 'it cannot be written' 'is there room on the disk?'
    [ -z "$workers" ] || unset PROFILED_SERVER_WORKERS
    "$binary" config -c "$config" >"$logs/config.log" 2>&1 ||
        fail 'profiled does not take it' 'is there a wrong PROFILED_ variable in the environment?' "$logs/config.log"
}

make_key() {
    for key in "$keys"/*.jwk; do
        [ ! -e "$key" ] || return 0
    done
    step "signing key: $keys"
    as_user "$binary" key new -c "$config" >"$logs/key.log" 2>&1 ||
        fail 'profiled key new failed' "see whether $user may write there" "$logs/key.log"
}

migrate() {
    step "database: $database"
    as_user "$binary" db migrate -c "$config" >"$logs/database.log" 2>&1 ||
        fail 'profiled db migrate failed' 'see whether the folder may be written to; another database can be had by --store' "$logs/database.log"
}

# A profile that tokens can speak for: the first that is not suspended. Sets subject.
find_subject() {
    subject=$(as_user "$binary" export -c "$config" - 2>"$logs/export.log" | grep -v '"state":"suspended"' | head -n 1 |
        sed -n 's/^{"id":"\([^"]*\)".*/\1/p')
    [ -n "$subject" ]
}

import() {
    ! find_subject || return 0
    step "data: a profile for each person who maintains a package of apt's lists"
    lines=$state/upload/people.jsonl
    sh "$here/maintainers.sh" >"$lines" 2>"$logs/people.log"
    if [ ! -s "$lines" ] && [ "$install" = yes ] && command -v apt-get >/dev/null && can_be_root; then
        printf '    there are no lists here: apt-get update\n'
        package_lists >"$logs/packages.log" 2>&1
        sh "$here/maintainers.sh" >"$lines" 2>"$logs/people.log"
    fi
    if [ ! -s "$lines" ]; then
        name=$(id -un 2>/dev/null | tr -cd 'a-z0-9_' | cut -c 1-30)
        [ "${#name}" -ge 2 ] || name=someone
        printf '    no lists of apt, and none to be had: one profile alone, of %s\n' "$name"
        printf '{"id":"%s","handle":"%s","name":"%s"}\n' "$name" "$name" "$name" >"$lines"
    fi
    as_user "$binary" import -c "$config" --on-conflict skip - <"$lines" >"$logs/import.log" 2>&1
    rm -f "$lines"
    find_subject || fail 'no profile came of it' 'look at what profiled import says' "$logs/import.log"
    printf '    %s\n' "$(tail -n 1 "$logs/import.log")"
}

wait_for() { # NAME TEST…
    name=$1 turns=600
    shift
    while ! "$@" && [ "$turns" -gt 0 ]; do
        running "$name" || fail "$name ended as soon as it was started" 'mend what its log names' "$logs/$name.log"
        turns=$((turns - 1))
        sleep 0.05
    done
    [ "$turns" -gt 0 ] || fail "$name does not come up" 'see its log' "$logs/$name.log"
}

start_pool() {
    step "pool: profiled serve (log: $logs/pool.log)"
    rm -f "$socket" "$socket-changes"
    launch pool "$logs/pool.log" "$binary" serve -c "$config"
    wait_for pool test -S "$socket"
}

# The shipped configurations with this machine's values in place of their first block, each on standard output.
behind_mark() { sed '1,/^# ---- what does not/d' "$here/$1"; }

lighttpd_config() {
    printf 'var.profiled_bind = "127.0.0.1"\nvar.profiled_port = %s\nvar.profiled_user = "%s"\n' "$port" "$front_user"
    printf 'var.profiled_www = "%s"\nvar.profiled_socket = "%s"\n' "$www" "$socket"
    printf 'var.profiled_log = "%s"\nvar.profiled_upload = "%s"\n' "$logs/front.log" "$state/upload"
    behind_mark lighttpd/profiled.conf
}

apache_config() {
    as=$apache_user
    [ -z "$front_user" ] || as=$front_user
    printf 'Define profiled_%s "%s"\n' bind 127.0.0.1 port "$port" user "$as" group "$(id -gn "$as" 2>/dev/null || echo "$as")" \
        www "$www" log "$logs/front.log" run "$run" modules "$apache_modules" conf "$here/apache" socket "$socket" reuse off
    behind_mark apache/profiled.conf
}

nginx_config() {
    [ "$(id -u)" != 0 ] || printf 'user %s;\n' "${front_user:-root}"
    printf 'daemon off;\npid "%s";\nerror_log "%s" warn;\nhttp {\n' "$run/nginx.pid" "$logs/front.log"
    printf 'upstream profiled { server "unix:%s" max_fails=0; }\nfastcgi_keep_conn off;\n' "$socket"
    printf 'upstream profiled_changes { server "unix:%s-changes" max_fails=0; }\n' "$socket"
    for kind in client_body fastcgi proxy uwsgi scgi; do
        printf '%s_temp_path "%s";\n' "$kind" "$state/upload/nginx-$kind"
    done
    printf 'server {\nlisten 127.0.0.1:%s backlog=1024;\nroot "%s";\n' "$port" "$www"
    behind_mark nginx/profiled.conf
}

# Sets what the front server needs to be known by: its program, and how to test and to run a configuration.
front_commands() {
    front_config=$state/$front.conf
    case $front in
    lighttpd)
        front_program=lighttpd test_front='-tt -f' run_front='-D -f'
        ;;
    apache)
        front_program=apache2 test_front='-t -f' run_front='-DFOREGROUND -f'
        apache_modules=/usr/lib/apache2/modules
        ;;
    nginx)
        front_program=nginx test_front='-t -c' run_front='-c'
        ;;
    esac
}

start_front() {
    step "$front_program: $base (log: $logs/front.log)"
    front_user=$user
    [ "$(id -u)" = 0 ] && [ "$user" != root ] || front_user=''
    # lighttpd opens its log when it has given up being root
    : >>"$logs/front.log"
    [ -z "$front_user" ] || chown "$front_user:" "$logs/front.log" "$state/upload"
    {
        printf '# Written by conf/quickstart.sh out of the files in %s at each start.\n' "$here"
        "${front}_config"
    } >"$front_config"
    # shellcheck disable=SC2086 # words
    "$front_program" $test_front "$front_config" >"$logs/$front-test.log" 2>&1 ||
        fail "$front_program does not take its configuration" "look at $front_config" "$logs/$front-test.log"
    # shellcheck disable=SC2086
    launch front "$logs/front.log" "$front_program" $run_front "$front_config"
    wait_for front answers "$base/readyz"
}

token() { # SUBJECT SCOPES [TTL]
    "$binary" token issue -c "$config" --sub "$1" --scope "$2" --ttl "${3:-24h}" 2>"$logs/token.log" ||
        fail 'profiled token issue failed' 'see its log' "$logs/token.log"
}

write_environment() {
    step "tokens: $environment"
    token_read=$(token "$subject" 'profile:read profile:list') || exit 1
    token_write=$(token "$subject" 'profile:read profile:list profile:write') || exit 1
    token_admin=$(token quickstart-admin 'profile:admin metrics:read') || exit 1
    (
        umask 077
        while read -r name value; do
            [ -n "$name" ] || continue
            printf "%s='%s'\n" "$name" "$(printf %s "$value" | sed "s/'/'\\\\''/g")"
        done >"$environment.new" <<END
BASE $base
TOKEN_READ $token_read
TOKEN_WRITE $token_write
TOKEN_ADMIN $token_admin
SUBJECT $subject
KEYS $keys
CONFIG $config
DATABASE $database
SOCKET $socket
${varnish:+EDGE $edge}
END
        mv -f "$environment.new" "$environment"
    ) || fail 'it cannot be written' 'is there room on the disk?'
}

# Links that sign a browser in. A browser keeps addresses, so these tokens are of their own: of ten minutes, and never an
# administrator's. The page takes them out of the address before it asks for anything.
say_links() {
    link_person=$(token "$subject" 'profile:read profile:list profile:write' 10m) || exit 1
    link_pool=$(token quickstart-operator 'metrics:read' 10m) || exit 1
    [ -z "$varnish" ] || base=$edge # the pages tell then what Varnish answers by itself
    cat <<END
In a browser, within ten minutes (later, paste one of the tokens above at $base/):
  people, and your own profile   $base/#token=$link_person
  the pool, live                 $base/status.html#token=$link_pool
  the API, to try                $base/api.html

END
}

say_how() {
    tag=$(curl --noproxy '*' -s -o /dev/null -D - -H "Authorization: Bearer $token_read" "$base/v1/profiles/$subject" |
        tr -d '\r' | sed -n 's/^[Ee][Tt][Aa][Gg]: //p')
    cat <<END

profiled answers at $base

TOKEN_READ=$token_read
TOKEN_WRITE=$token_write
TOKEN_ADMIN=$token_admin

Lines to paste:
  . '$environment'
  # 200: a profile
  curl -i -H "Authorization: Bearer \$TOKEN_READ" "\$BASE/v1/profiles/\$SUBJECT"
  # 304: it has not changed
  curl -i -H "Authorization: Bearer \$TOKEN_READ" -H 'If-None-Match: $tag' "\$BASE/v1/profiles/\$SUBJECT"
  # 412: a change made to something that is not there any more is refused
  curl -i -X PATCH -H "Authorization: Bearer \$TOKEN_WRITE" -H 'Content-Type: application/merge-patch+json' \\
    -H 'If-Match: "an-older-one"' -d '{"nickname": "Lost"}' "\$BASE/v1/me"
  # 401: no token
  curl -i "\$BASE/v1/me"

END
}

# ---- in order

stay() {
    printf 'Ctrl-C stops everything.\n'
    while running pool && running front && { [ -z "$varnish" ] || running varnish; }; do
        sleep 0.5
    done
    step_name=serving
    running pool || fail 'the pool ended' 'see its log' "$logs/pool.log"
    [ -z "$varnish" ] || running varnish || fail 'Varnish ended' 'see its log' "$logs/varnish.log"
    fail "$front_program ended" 'see its log' "$logs/front.log"
}

read_options "$@"
set_paths
if [ "$action" = stop ]; then
    [ -d "$run" ] || { printf 'nothing of %s is running\n' "$state"; exit 0; }
    stop_command
    exit 0
fi

make_folders
lock_state 5
check_not_running
remember quickstart $$
trap 'trap "" HUP INT TERM; stop_everything; rm -f "$run/quickstart.pid"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
check_port "$port"
[ -z "$varnish" ] || { check_port "$edge_port" && check_port "$purge_port"; }
step 'packages'
front_commands
case $front in
lighttpd) front_package=lighttpd=lighttpd ;;
apache) front_package=apache2=apache2 ;;
nginx) front_package=nginx=nginx-light ;;
esac
# shellcheck disable=SC2086 # rows
packages $build_packages "$front_package" curl=curl ${varnish:+$varnish_packages}
build
write_config
make_key
migrate
import
start_pool
start_front
write_environment
[ -z "$varnish" ] || start_varnish
say_how
say_links
exec 9>&-
if [ "$action" = detach ]; then
    trap - EXIT
    rm -f "$run/quickstart.pid"
    printf "to stop it: sh %s --stop --state '%s'\n" "$0" "$state"
    exit 0
fi
trap 'exit 0' INT TERM HUP
stay
