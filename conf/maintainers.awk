# Real people for a first start: reads Debian package lists (paragraphs of a Packages file) and prints a profile a
# person, as `profiled import` takes it: those named in Maintainer: fields, mailing lists and teams left out.
# POSIX awk; run it with LC_ALL=C. usage: cat lists… | LC_ALL=C awk -f maintainers.awk

BEGIN {
    FS = "\n"; RS = ""
    for (i = 0; i < 32; i++) control = control sprintf("%c", i)
    digits = "0123456789abcdef"
    limit = 15000 # bytes of names: attributes may have 16 KiB
}

function is_team(name, address,    n) {
    n = tolower(name)
    if (n ~ /(^|[^a-z])(teams?|maintainers|packagers|packaging|developers|devel|group|task ?force|project|list|lists|crew|gang|community|foundation|strike|qa|owners|uploaders|folks|wizards|collaboration|gurus|hackers|people|admins?|security|council|society|release|installer|openstack|kernel|gnome|kde|debian|ubuntu|bot|robot|automated|builder|toolchain|porters)([^a-z]|$)/) return 1
    return address ~ /@(.*\.)?(lists\.|tracker\.debian|packages\.debian|alioth|googlegroups|bugs\.)/ || address ~ /(^|[-.+])(team|maint|maintainers|devel|dev|list|lists|group|pkg|owner|qa|bugs|packages|packagers)([-.+]|@)/ || address ~ /@teams?\./
}

# A text as JSON. The lists are UTF-8 already.
function quote(s,    out, i, c, at) {
    gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s)
    gsub(/[\001-\037\177]/, " ", s)
    return "\"" s "\""
}

# A stable id out of the address that does not give the address away at sight: two sums over its characters.
function id_of(address,    i, a, b, n) {
    a = 7; b = 11
    for (i = 1; i <= length(address); i++) {
        n = index("abcdefghijklmnopqrstuvwxyz0123456789@._+-", substr(address, i, 1))
        a = (a * 31 + n) % 16777213
        b = (b * 131 + n) % 16777199
    }
    return sprintf("deb-%06x%06x", a, b)
}

function handle_of(address,    h, base, n) {
    h = address; sub(/@.*/, "", h)
    gsub(/[^a-z0-9_]+/, "_", h); gsub(/^_+|_+$/, "", h)
    h = substr(h, 1, 24)
    if (length(h) < 2) h = "u_" h
    base = h
    for (n = 2; h in handles; n++) h = base "_" n
    handles[h] = 1
    return h
}

{
    package = ""; maintainer = ""
    for (i = 1; i <= NF; i++) {
        if (substr($i, 1, 9) == "Package: ") package = substr($i, 10)
        else if (substr($i, 1, 12) == "Maintainer: ") maintainer = substr($i, 13)
    }
    if (package == "" || !match(maintainer, /<[^<>@ ]+@[^<>@ ]+>[ \t]*$/)) next
    name = substr(maintainer, 1, RSTART - 1)
    address = tolower(substr(maintainer, RSTART + 1)); sub(/>[ \t]*$/, "", address)
    gsub(/^[ \t"]+|[ \t"]+$/, "", name); gsub(/\\/, "", name)
    if (name == "" || address ~ /[^a-z0-9@._+-]/ || is_team(name, address)) next
    if (!(address in names)) { names[address] = name; order[++people] = address }
    if ((address, package) in seen) next
    seen[address, package] = 1
    count[address]++
    if (size[address] + length(package) + 3 <= limit) {
        size[address] += length(package) + 3
        packages[address] = packages[address] (packages[address] == "" ? "" : ",") quote(package)
    }
}

END {
    for (k = 1; k <= people; k++) {
        a = order[k]; id = id_of(a)
        if (id in ids) continue
        ids[id] = 1
        printf "{\"id\":%s,\"handle\":%s,\"name\":%s,\"email\":%s,\"attributes\":{\"packages\":[%s],\"packages_count\":%d}}\n",
            quote(id), quote(handle_of(a)), quote(names[a]), quote(a), packages[a], count[a]
    }
}
