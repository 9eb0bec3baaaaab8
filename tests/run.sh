#!/bin/sh
# Every test: installs what is missing, builds with gcc and clang, runs the unit tests under the sanitizers, the structure's
# and the scenarios against the real servers, and closes with a line "N passed, N failed". POSIX sh; from any directory.
# usage: sh tests/run.sh [--long] [--no-install]
#   --long        the scenarios against the sanitized server too, the thread sanitizer, storms of a minute, a minute of fuzzing for
#                 each target, a kill after every instruction of a put, the larger models
#   --no-install  install nothing: say what is missing
set -u
program=run.sh
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
root=$(dirname -- "$here")
. "$root/conf/lib/steps.sh"
. "$root/conf/lib/varnish.sh"

install=yes long=no
for option; do
    case $option in
    --long) long=yes ;;
    --no-install) install=no ;;
    -h | --help)
        sed -n '2,7s/^# //p' "$0"
        exit 0
        ;;
    *) usage_error "there is no option '$option'" ;;
    esac
done

# ---- counting: whatever ends this script, the counts are its last line

passed=0 failed=0 finished=no
logs=$(mktemp -d "${TMPDIR:-/tmp}/profiled-tests.XXXXXX") || exit 1

finish() {
    [ "$finished" = yes ] || failed=$((failed + 1)) # a step that could not be done
    rm -rf "$logs"
    printf '%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] || exit 1
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

count() { # WHAT PASSED FAILED
    printf '    %-28s %4d passed, %d failed\n' "$1" "$2" "$3"
    passed=$((passed + $2)) failed=$((failed + $3))
}

show() { sed 's/^/    | /'; }

# A runner that crashed, or said nothing, is a failure of its own.
broken() { # WHAT LOG
    count "$1" 0 1
    tail -n 40 "$2" | show
}

# ---- what is needed

install_packages() {
    step 'packages'
    # shellcheck disable=SC2086 # rows
    packages $build_packages lib:cmocka=libcmocka-dev clang=clang lighttpd=lighttpd curl=curl sqlite3=sqlite3 python3=python3 git=git \
        node=nodejs npm=npm apache2=apache2 nginx=nginx-light squid=squid chromium=chromium \
        file:/usr/lib/apache2/modules/mod_fcgid.so=libapache2-mod-fcgid \
        file:/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so=libnginx-mod-http-brotli-filter \
        file:/usr/lib/lighttpd/mod_deflate.so=lighttpd-mod-deflate $varnish_packages
    for folder in scenario scenario/lint; do
        lock=$here/$folder/package-lock.json
        stamp=$here/$folder/node_modules/.installed
        cmp -s "$lock" "$stamp" && continue
        step "packages of tests/$folder: npm ci"
        (cd "$here/$folder" && npm ci --ignore-scripts --no-audit --no-fund) >"$logs/npm.log" 2>&1 ||
            fail 'npm ci failed' 'is the network there?' "$logs/npm.log"
        cp "$lock" "$stamp"
    done
}

builds() {
    step 'build: release (build/)'
    want_module
    build_preset release "$root/build" "$logs/build.log"
    step 'build: sanitizers, warnings are errors, unit tests (build-dev/)'
    build_preset dev "$root/build-dev" "$logs/build.log"
    step 'build: clang, warnings are errors (build-clang/)'
    build_preset dev "$root/build-clang" "$logs/build.log" -DCMAKE_C_COMPILER=clang -DPROFILED_SANITIZE=OFF
    count 'builds without a warning' 3 0
}

# ---- unit tests: one cmocka program a file; its own counts, out of ctest's account of all of them

unit_tests() {
    step 'unit tests (address and undefined-behaviour sanitizers)'
    CMOCKA_MESSAGE_OUTPUT=TAP ctest --test-dir "$root/build-dev" --timeout 180 --parallel 2 --verbose >"$logs/unit.log" 2>&1
    # Lines "12: ok 3 - name" are the program's, " 4/60 Test #12: name ... Passed" is ctest's verdict on it. A program that
    # failed in no test of its own crashed, or was stopped: that is one failure.
    counts=$(awk '
        /^[0-9]+: ok / { good[$1]++ }
        /^[0-9]+: not ok / && !/# SKIP/ { bad[$1]++ }
        /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
            n = $0; sub(/^.*#/, "", n); sub(/:.*/, ":", n); programs++
            if ($0 ~ / Passed /) { passed += good[n] ? good[n] : 1; failed += bad[n] }
            else { passed += good[n]; failed += bad[n] ? bad[n] : 1 }
        }
        END { print programs + 0, passed + 0, failed + 0 }' "$logs/unit.log")
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    if [ "$1" -eq 0 ]; then
        broken 'unit tests' "$logs/unit.log"
        return
    fi
    count "$1 programs" "$2" "$3"
    grep -E '^[0-9]+: .*# SKIP' "$logs/unit.log" | sed 's/.*# SKIP/      not run:/'
    [ "$3" -eq 0 ] || grep -E '^[0-9]+: (not ok|# [^o]|.*(ERROR|runtime error))|\*\*\*' "$logs/unit.log" | head -n 120 | show
}

# ---- what Varnish's threads share, under the thread sanitizer

thread_tests() {
    [ "$long" = yes ] || return 0
    step 'threads: what the Varnish module shares among them (build-tsan/)'
    build_preset tsan "$root/build-tsan" "$logs/build.log"
    if ctest --test-dir "$root/build-tsan" --timeout 180 --output-on-failure -R guard >"$logs/threads.log" 2>&1; then
        count 'without a race' "$(grep -c ' Passed ' "$logs/threads.log")" 0
    else
        broken 'threads' "$logs/threads.log"
    fi
}

# ---- fuzz targets: what was found once, replayed

fuzz_tests() {
    [ -n "$(find "$here/fuzz" -name 'fuzz_*.c' 2>/dev/null)" ] || return 0
    step 'fuzz targets: their corpora (build-fuzz/)'
    runtime=$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a
    packages "file:$runtime=libclang-rt-dev"
    build_preset fuzz "$root/build-fuzz" "$logs/build.log" -DPROFILED_WERROR=ON
    for target in "$root"/build-fuzz/tests/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        name=$(basename "$target")
        mkdir -p "$logs/$name"
        amount='-runs=0'
        [ "$long" = no ] || amount='-max_total_time=60'
        corpus=$here/fuzz/corpus/${name#fuzz_}
        [ -d "$corpus" ] || corpus=''
        # What is new goes to the first folder, which is not the tree's.
        if (cd "$logs" && "$target" "$amount" -timeout=10 "$logs/$name" ${corpus:+"$corpus"}) >"$logs/fuzz.log" 2>&1; then
            count "$name" 1 0
        else
            broken "$name" "$logs/fuzz.log"
        fi
    done
}

# ---- structure and scenarios: node's own test runner, a file at a time

node_tests() { # FILE…
    for file; do
        (cd "$root" && timeout --foreground 600 node --test-reporter=tap "$file") >"$logs/node.log" 2>&1
        status=$?
        # shellcheck disable=SC2046 # three numbers
        set -- $(awk '$1 == "#" && $2 == "pass" { p = $3; said = 1 } $1 == "#" && ($2 == "fail" || $2 == "cancelled") { f += $3 }
            $1 == "#" && $2 == "skipped" { s = $3 } END { print said + 0, p + 0, f + 0, s + 0 }' "$logs/node.log")
        if [ "$1" -eq 0 ] || [ "$(($2 + $3 + $4))" -eq 0 ] || { [ "$status" -ne 0 ] && [ "$3" -eq 0 ]; }; then
            broken "$(basename "$file")" "$logs/node.log"
            continue
        fi
        count "$(basename "$file")" "$2" "$3"
        sed -n 's/^ *# |/      |/p' "$logs/node.log"
        [ "$4" -eq 0 ] || grep -E '# SKIP' "$logs/node.log" | sed 's/^ */      /'
        [ "$3" -eq 0 ] || grep -A 30 -E '^ *not ok' "$logs/node.log" | head -n 200 | show
    done
}

# ---- what the unit tests do in part, in whole: a kill after every instruction, more of the protocol's interleavings

exhaustive_tests() {
    [ "$long" = yes ] || return 0
    for command in "crash_cache_put 1" "model_coherence --long"; do
        step "in whole: $command"
        # shellcheck disable=SC2086 # a program and its argument
        if "$root"/build-dev/tests/$command >"$logs/whole.log" 2>&1; then
            count "$command" 1 0
        else
            broken "$command" "$logs/whole.log"
        fi
    done
}

install_packages
builds
unit_tests
thread_tests
exhaustive_tests
fuzz_tests
step 'structure'
node_tests "$here"/arch/*.mjs
[ "$long" = no ] || export PROFILED_LONG=1
step 'scenarios: the pool behind lighttpd, and behind the other front servers'
node_tests "$here"/scenario/*.mjs
if [ "$long" = yes ]; then
    step 'scenarios: the sanitized server'
    PROFILED_BINARY=$root/build-dev/profiled
    export PROFILED_BINARY
    node_tests "$here"/scenario/*.mjs
fi
finished=yes
