#!/bin/sh
# Real data for a first start: the people named in the Maintainer: fields of this machine's own apt package lists,
# as JSON lines for `profiled import`. Lists that are compressed are read through apt's own helper.
# usage: sh conf/maintainers.sh [PACKAGES-FILE…]
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
if [ $# -eq 0 ]; then
    set -- /var/lib/apt/lists/*_Packages /var/lib/apt/lists/*_Packages.*
fi
found=0
for list in "$@"; do
    [ -r "$list" ] && found=1
done
if [ "$found" = 0 ]; then
    echo 'maintainers: this machine has no package lists (apt-get update fetches them)' >&2
    exit 1
fi
for list in "$@"; do
    [ -r "$list" ] || continue
    case $list in
    *.lz4 | *.gz | *.xz | *.bz2 | *.zst) /usr/lib/apt/apt-helper cat-file "$list" ;;
    *) cat "$list" ;;
    esac
    echo
done | LC_ALL=C awk -f "$here/maintainers.awk"
