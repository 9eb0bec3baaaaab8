# The way "authorise": the origin decides about each request's token, by a sub-request. Costs the origin a small request for
# each hit; in exchange nothing is known here of keys and revocations. With vmod var (Debian: varnish-modules).

import var;

sub profiled_authorise {
    call profiled_ask;
}

# ?fields=: parts of a profile, whose members may be named in any order, pass by the cache: the order is more than VCL can put
# right, and an object for each would be many. (The module keeps one.)
sub profiled_parts {
    if (req.url ~ "[?&]fields=") {
        unset req.http.Profiled-For;
        return (pass);
    }
}

# The pool's word about revocations is the origin's business here.
sub profiled_hear {
}

# An answer that was under way while its profile was purged must not be kept: a purge finds only what lies here already.
# Remembered is the last purge, of whatever: what was fetched from before it on is given to whom asked then, and not kept. It is
# looked at when the answer comes and again when it lies here, so that what came between the two goes again. (For microseconds
# it can be met; the module remembers each key's purges and leaves no such gap.)
sub profiled_fence_purge {
    var.global_set("profiled-purged", "" + std.time2real(now, 0.0));
}
sub profiled_fence_fetch {
    set bereq.http.Profiled-Fence = std.time2real(now, 0.0);
}
sub profiled_fence_response {
    if (std.real(var.global_get("profiled-purged"), 0.0) >= std.real(bereq.http.Profiled-Fence, 0.0)) {
        set beresp.http.Profiled-Outdated = "1";
    }
}
sub profiled_fence_hit {
}
sub profiled_fence_deliver {
    if (obj.hits == 0 && !obj.uncacheable &&
        std.real(var.global_get("profiled-purged"), 0.0) >= std.real(resp.http.Profiled-Fence, 0.0)) {
        set req.http.xkey-purge = resp.http.xkey;
        call profiled_purge_keys;
        unset req.http.xkey-purge;
    }
}
