# Purges by bans, where there is no vmod xkey: each object is held against the list of bans when it is next asked for. Fine for
# few writes; with many, the list grows until the ban lurker has been through the cache.

sub profiled_purge_keys {
    if (req.http.xkey-purge) {
        # what an id, a handle or a hash is made of, and no more: it becomes part of an expression
        if (req.http.xkey-purge !~ "^[A-Za-z0-9._~:|@+/ -]+$") {
            return (synth(400));
        }
        # "a/b.c d/e" becomes a/b[.]c|d/e
        set req.http.xkey-purge = regsuball(req.http.xkey-purge, "[.|+]", "[\0]");
        set req.http.xkey-purge = regsuball(regsub(regsub(req.http.xkey-purge, "^ +", ""), " +$", ""), " +", "|");
        if (req.http.xkey-purge != "") {
            if (!std.ban("obj.http.xkey ~ (^|\s)(" + req.http.xkey-purge + ")(\s|$)")) {
                return (synth(500));
            }
        }
    }
    if (req.http.Profiled-Purge-All) {
        if (!std.ban("obj.status != 0")) {
            return (synth(500));
        }
    }
}
