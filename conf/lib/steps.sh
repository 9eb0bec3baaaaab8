# Steps of a script that sets something up, for conf/quickstart.sh and tests/run.sh to source: each says what it does in
# a line; one that fails says which it was, why (the last lines of its log), and what to do. POSIX sh.
#
# The caller sets: program (its name, for messages), root (the checkout), logs (a folder for the steps' logs), install
# (yes or no: may packages be installed), and defines nothing else that is named step_* or package*.

# A non-root user's PATH on Debian lacks the folders that hold servers.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
step_name=start

step() { # WHAT IT DOES
    step_name=$1
    printf '==> %s\n' "$1"
}

# Ends the program. The log's last lines are the reason where there is a log.
fail() { # WHY WHAT-TO-DO [LOG]
    {
        printf '%s: this step failed: %s\n' "$program" "$step_name"
        printf '  why: %s\n' "$1"
        if [ -n "${3:-}" ] && [ -s "$3" ]; then
            printf '  the end of %s:\n' "$3"
            tail -n 15 "$3" | sed 's/^/    | /'
        fi
        printf '  what to do: %s\n' "$2"
    } >&2
    exit 1
}

usage_error() { # WHY
    printf '%s: %s (see sh %s --help)\n' "$program" "$1" "$0" >&2
    exit 2
}

# Rows "what=package": what is a command, file:PATH, or lib:NAME as pkg-config knows it. Prints the packages that lack.
packages_missing() { # ROW…
    for row; do
        what=${row%%=*}
        case $what in
        lib:*) pkg-config --exists "${what#lib:}" 2>/dev/null && continue ;;
        file:*) [ -e "${what#file:}" ] && continue ;;
        *) command -v "$what" >/dev/null 2>&1 && continue ;;
        esac
        printf '%s ' "${row#*=}"
    done
}

# "sudo" where that is needed and there, "" for root; fails where neither helps.
as_root() { # COMMAND…
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}
can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }

# Fetches the lists of packages into apt's own folder.
package_lists() { as_root apt-get update -o DPkg::Lock::Timeout=120; }

# A server package starts its service as it is installed: the policy keeps Debian's own servers off port 80, now and,
# by the disabling, at the next boot. The policy goes away again, whatever happens.
packages_fetch() ( # PACKAGE…
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" || exit 1
    command -v systemctl >/dev/null 2>&1 || return 0
    for server in lighttpd apache2 nginx squid varnish; do
        case " $* " in *" $server"[\ -]*) as_root systemctl disable "$server" || true ;; esac
    done
)

# Installs what the rows lack; says nothing to apt when nothing does.
packages() { # ROW…
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    by_hand="install these packages and run this again: $missing"
    [ "$install" = yes ] || fail "missing, and --no-install was given: $missing" "$by_hand"
    command -v apt-get >/dev/null 2>&1 || fail "missing, and there is no apt-get here: $missing" \
        "install what these Debian packages hold: $missing"
    can_be_root || fail "missing: $missing" "as root: apt-get install $missing"
    printf '    installing: %s\n' "$missing"
    package_lists >"$logs/packages.log" 2>&1 || printf '    (apt-get update failed; trying with the lists that are there)\n'
    # shellcheck disable=SC2086 # a list of words
    packages_fetch $missing >>"$logs/packages.log" 2>&1 ||
        fail 'apt-get install failed' "look at what apt says, is the network there? Or $by_hand" "$logs/packages.log"
    missing=$(packages_missing "$@")
    [ -z "$missing" ] || fail "still missing after they were installed: $missing" "$by_hand" "$logs/packages.log"
}

# What the server is built with and of.
build_packages='cc=gcc file:/usr/include/stdio.h=libc6-dev cmake=cmake ninja=ninja-build pkg-config=pkg-config
    lib:fcgi=libfcgi-dev lib:sqlite3=libsqlite3-dev lib:libsodium=libsodium-dev lib:jansson=libjansson-dev
    lib:inih=libinih-dev lib:libutf8proc=libutf8proc-dev lib:libcurl=libcurl4-openssl-dev lib:gdlib=libgd-dev'

# Builds a preset of CMakePresets.json. Configures only what is not configured yet: the generator sees to changes itself.
build_preset() { # PRESET FOLDER LOG [CMAKE OPTION…]
    preset=$1 folder=$2 log=$3
    shift 3
    version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ "$((${version% *} * 1000 + ${version#* }))" -ge 3025 ] ||
        fail "cmake 3.25 or newer is needed, this is ${version% *}.${version#* }" 'install a newer cmake (Debian 12 has one)'
    cache=$folder/CMakeCache.txt
    if [ -e "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
        rm -rf "$folder" # made for a checkout at another place
    fi
    : >"$log"
    if [ ! -e "$cache" ] || [ "$root/CMakePresets.json" -nt "$cache" ] || [ ! -e "$folder/build.ninja" ]; then
        (cd "$root" && cmake --preset "$preset" -G Ninja -B "$folder" "$@") >"$log" 2>&1 ||
            fail 'cmake cannot configure' "mend what the log names, or remove $folder and try again" "$log"
    fi
    cmake --build "$folder" >>"$log" 2>&1 ||
        fail 'it does not compile' "mend what the log names; if it should compile, remove $folder and try again" "$log"
}
