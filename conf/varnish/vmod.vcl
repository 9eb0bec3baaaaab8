# The way "vmod": the module verifies the token here, with the server's own code. A hit costs the origin nothing.
#
# The module only ever says yes. A token that it does not accept is the origin's to answer for: its 401 or 403 has the right
# words and headers, and a key that came a second ago counts. That costs the origin a request for each bad token, as it would
# without Varnish; no answer is ever taken from the cache for one. When the module is not current (it has not heard the pool
# for max_lag, or lacks the list of revocations) the origin is asked for every request, as in the way "authorise".

import profiled;

include "./verifier.vcl";

sub profiled_authorise {
    if (verifier.current() && verifier.authorised(req.http.Authorization, "profile:read")) {
        set req.http.Profiled-Ok = "1";
    } else {
        call profiled_ask;
    }
}

# ?fields=: one object for one part of a profile, in whatever order its members are named.
sub profiled_parts {
    set req.url = profiled.address(req.url);
}

# What a PURGE says beside keys: revocations, and how far the pool has come. What cannot be kept is not confirmed.
sub profiled_hear {
    if (!verifier.hear(req.http.Profiled-Revoked, req.http.Profiled-Position, req.http.Profiled-Purge-All)) {
        return (synth(500));
    }
}

# An answer that was under way while its profile was purged must not be kept: a purge finds only what lies here already. The
# module remembers when each key was purged, and an answer when its fetch began.
sub profiled_fence_purge {
    profiled.purged(req.http.xkey-purge);
    if (req.http.Profiled-Purge-All) {
        profiled.purged_all();
    }
}
sub profiled_fence_fetch {
    set bereq.http.Profiled-Fence = profiled.fence();
}
sub profiled_fence_response {
    if (profiled.outdated(beresp.http.xkey, bereq.http.Profiled-Fence)) {
        set beresp.http.Profiled-Outdated = "1";
    }
}
sub profiled_fence_hit {
    if (profiled.outdated(obj.http.xkey, obj.http.Profiled-Fence)) {
        set req.http.Profiled-Refetch = "always";
        return (restart);
    }
}
sub profiled_fence_deliver {
}
