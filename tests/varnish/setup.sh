#!/bin/sh
# The shipped VCL with a test's own values in what depends on the machine. Called by the .vtc files.
# usage: setup.sh FOLDER authorise|vmod xkey|ban ORIGIN-PORT [JWKS REVOCATIONS]
set -eu
conf=$(CDPATH='' cd -- "$(dirname -- "$0")/../../conf/varnish" && pwd -P)
mkdir -p "$1"
cp "$conf"/*.vcl "$1"
sed -i -e "s#include \"./xkey.vcl\"#include \"./$3.vcl\"#" -e "s#include \"./authorise.vcl\"#include \"./$2.vcl\"#" "$1/profiled.vcl"
sed -i -e "s#\.port = \"8080\"#.port = \"$4\"#" -e 's#Purge-Key != ""#Purge-Key != "secret-of-the-edge"#' "$1/site.vcl"
[ $# -lt 6 ] || sed -i -e "s#\"[^\"]*/jwks.json\"#\"$5\"#" -e "s#\"[^\"]*/revocations.jwt\"#\"$6\"#" \
    -e 's#"https://profiles.example"#"https://issuer.example"#' -e 's#audience = "profiled", .*#audience = "https://profiles.example",#' \
    -e 's#leeway = 30s#leeway = 0s#' -e "s#max_lag = 30s#max_lag = ${MAX_LAG:-30s}#" -e "s#tokens = 65536#tokens = ${TOKENS:-65536}#" "$1/verifier.vcl"
