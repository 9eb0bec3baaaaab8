#!/bin/sh
# Fetches what the Varnish module checks tokens with: the public keys and the signed list of revocations. Each file is put in
# place whole, or left as it was. Run it when Varnish starts and every so often (a systemd timer, cron, or SECONDS here); the
# module reads the files anew when they change. POSIX sh, needs curl.
# usage: PROFILED_TOKEN=… sh pull.sh BASE FOLDER [SECONDS]
#        BASE      the origin's address, http://127.0.0.1:8080; the token holds profile:admin, or: PROFILED_TOKEN_FILE=PATH
#        FOLDER    where verifier.vcl looks: jwks.json, revocations.jwt
#        SECONDS   go on, with such a pause; without it: once, and exit 1 if anything failed
set -u
umask 022
[ $# -ge 2 ] && [ $# -le 3 ] || {
    sed -n '5,8s/^# //p' "$0" >&2
    exit 2
}
base=$1 folder=$2 pause=${3:-}

fetch() { # PATH FILE TYPE
    if [ -n "${PROFILED_TOKEN_FILE:-}" ]; then
        read -r token <"$PROFILED_TOKEN_FILE"
    else
        token=${PROFILED_TOKEN:-}
    fi
    # by standard input: what stands in a command line is everybody's to read
    if printf 'Authorization: Bearer %s\n' "$token" |
        curl --noproxy '*' -fsS --max-time 20 -H @- -H "Accept: $3" -o "$folder/.$2.new" "$base$1"; then
        mv -f "$folder/.$2.new" "$folder/$2"
    else
        rm -f "$folder/.$2.new"
        return 1
    fi
}

while :; do
    good=yes
    fetch /.well-known/jwks.json jwks.json application/json || good=no
    fetch /v1/revocations revocations.jwt application/jwt || good=no
    [ -n "$pause" ] || break
    sleep "$pause"
done
[ "$good" = yes ]
