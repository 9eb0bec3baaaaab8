#!/bin/sh
# Every test: installs what is missing, builds, runs the unit tests under the sanitizers and the scenarios against the real
# servers, and closes with a line "N passed, N failed". POSIX sh; from any directory.
# usage: sh tests/run.sh [--long] [--no-install]
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
root=$(dirname -- "$here")
install=yes
while [ $# -gt 0 ]; do
    case $1 in
    --long) PROFILED_TEST_LONG=1 && export PROFILED_TEST_LONG ;;
    --no-install) install=no ;;
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
    *)
        echo "run.sh: there is no option '$1' (--long, --no-install)" >&2
        exit 2
        ;;
    esac
    shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/profiled-tests.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

step() { printf '==> %s\n' "$*"; }

# What counts when a runner did not even run.
broken() { # WHAT LOG
    printf 'FAILED: %s\n' "$1"
    tail -n 40 "$2" | sed 's/^/    | /'
    failed=$((failed + 1))
}

finish() {
    printf '%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# ---- packages

packages='gcc g++ cmake ninja-build pkg-config libfcgi-dev libsqlite3-dev libsodium-dev libjansson-dev libinih-dev
libutf8proc-dev libcmocka-dev lighttpd curl sqlite3 procps util-linux ca-certificates nodejs npm spawn-fcgi'

missing_packages() {
    for package in $packages; do
        # a newer node than Debian's, installed by hand, is as good
        case $package in nodejs | npm) ! command -v "${package%js}" >/dev/null 2>&1 || continue ;; esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

step 'packages'
missing=$(missing_packages)
if [ -n "$missing" ]; then
    [ "$install" = yes ] || { echo "missing: $missing" >&2; exit 1; }
    sudo=''
    [ "$(id -u)" = 0 ] || sudo=sudo
    # shellcheck disable=SC2086 # a list of words
    if ! { $sudo apt-get -o DPkg::Lock::Timeout=300 update && DEBIAN_FRONTEND=noninteractive $sudo apt-get \
        -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } >"$work/packages.log" 2>&1; then
        broken "these packages could not be installed: $missing" "$work/packages.log"
        finish
    fi
fi
if [ ! -e "$here/scenario/node_modules/.package-lock.json" ] ||
    [ "$here/scenario/package-lock.json" -nt "$here/scenario/node_modules/.package-lock.json" ]; then
    step 'packages of the scenarios'
    (cd "$here/scenario" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1 ||
        { broken 'npm ci' "$work/npm.log"; finish; }
    touch "$here/scenario/node_modules/.package-lock.json"
fi

# ---- builds

cd "$root" || exit 1
for preset in release dev; do
    step "build: $preset"
    folder=build
    [ "$preset" = release ] || folder=build-dev
    generator='-G Ninja'
    [ ! -e "$folder/CMakeCache.txt" ] || generator=''
    # shellcheck disable=SC2086 # none or two words
    { cmake --preset "$preset" $generator && cmake --build "$folder"; } >"$work/build.log" 2>&1 ||
        { broken "the build $preset" "$work/build.log"; finish; }
done

# ---- unit tests: each cmocka program prints its own counts

step 'unit tests (address and undefined-behaviour sanitizers)'
(cd build-dev && ctest --timeout 120 -j2 --output-on-failure) >"$work/unit.log" 2>&1
sed -n 's/^ *[0-9]*\/[0-9]* Test.*\*\*\*.*/&/p' "$work/unit.log"
p=$(sed -n 's/.*tests passed, [0-9]* tests failed out of \([0-9]*\)$/\1/p' "$work/unit.log")
f=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of [0-9]*$/\1/p' "$work/unit.log")
if [ -z "$p" ] || [ "$p" -eq 0 ]; then
    broken 'the unit tests' "$work/unit.log"
else
    [ "$f" -eq 0 ] || tail -n 120 "$work/unit.log" | sed 's/^/    | /'
    passed=$((passed + p - f)) failed=$((failed + f))
fi

# ---- structure and scenarios: node's own test runner

node_tests() { # TITLE FILE…
    title=$1
    shift
    step "$title"
    for file; do
        node --test --test-reporter=tap "$file" >"$work/node.log" 2>&1
        status=$?
        p=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$work/node.log" | tail -n 1)
        f=$(sed -n 's/^# \(fail\|cancelled\) \([0-9]*\)$/\2/p' "$work/node.log" | awk '{ n += $1 } END { print n + 0 }')
        if [ -z "$p" ] || { [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; } || { [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; }; then
            broken "$file" "$work/node.log"
            continue
        fi
        printf '    %-24s %3s passed, %s failed\n' "$(basename "$file")" "$p" "$f"
        [ "$f" -eq 0 ] || grep -v '^#' "$work/node.log" | grep -B 2 -A 30 '^ *not ok' | head -n 150 | sed 's/^/    | /'
        passed=$((passed + p)) failed=$((failed + f))
    done
}
node_tests 'structure' "$here"/arch/*.mjs
node_tests 'scenarios (lighttpd and the pool)' "$here"/scenario/*.mjs
finish
