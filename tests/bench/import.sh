#!/bin/sh
# How many profiles a second `profiled import` takes from JSON lines: made-up ones with all the fields that people fill in, into a
# new database at synchronous=full, everything included. Prints a line a run. usage: sh tests/bench/import.sh [PROFILES] [RUNS]
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
count=${1:-100000} runs=${2:-3}
work=$(mktemp -d "${TMPDIR:-/tmp}/profiled-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
awk -v n="$count" 'BEGIN { for (i = 0; i < n; i++) printf "{\"id\":\"user-%08d\",\"handle\":\"u%d\",\"name\":\"Given%d Family\",\"given_name\":\"Given%d\",\"family_name\":\"Family\",\"nickname\":\"G%d\",\"picture\":\"https://img.example/%d.jpg\",\"website\":\"https://u%d.example/\",\"email\":\"u%d@mail.example\",\"email_verified\":true,\"birthdate\":\"1980-02-0%d\",\"zoneinfo\":\"Europe/Berlin\",\"locale\":\"de-DE\",\"phone_number\":\"+1555%07d\",\"address\":{\"street_address\":\"%d Some Street\",\"locality\":\"Springfield\",\"postal_code\":\"12345\",\"country\":\"Exampleland\"},\"attributes\":{\"level\":%d,\"team\":\"blue\"}}\n", i, i, i, i, i, i, i, i, i % 9 + 1, i, i % 999, i % 60 }' >"$work/profiles.jsonl"
run=0
while [ "$run" -lt "$runs" ]; do
    rm -f "$work"/p.db*
    set -- -o store.url="sqlite:$work/p.db"
    "$root/build/profiled" db migrate "$@" >"$work/log"
    begin=$(date +%s%N)
    "$root/build/profiled" import "$@" "$work/profiles.jsonl" >>"$work/log"
    end=$(date +%s%N)
    echo "$count profiles in $(((end - begin) / 1000000)) ms: $((count * 1000 / ((end - begin) / 1000000))) a second"
    run=$((run + 1))
done
