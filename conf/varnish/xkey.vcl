# Purges by vmod xkey (Debian: varnish-modules): an index from surrogate keys to objects, which are gone at once.

import xkey;

sub profiled_purge_keys {
    if (req.http.xkey-purge) {
        set req.http.Profiled-Purged = xkey.purge(req.http.xkey-purge);
    }
    if (req.http.Profiled-Purge-All) {
        if (!std.ban("obj.status != 0")) {
            return (synth(500));
        }
    }
}
