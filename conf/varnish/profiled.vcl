# Varnish (7.1 or newer) in front of profiled.
#
#   varnishd -f /etc/varnish/profiled/profiled.vcl -a :80 -a purge=127.0.0.1:8443
#
# Authenticated requests and a shared cache: the public view of a profile is the same for every reader, so one object serves
# all of them, whatever their token; but nobody gets it before their own token was found good, in this very request. The
# origin's headers say the rest:
#
#   CDN-Cache-Control   how long it may lie here (max-age), be given out while a new one is fetched (stale-while-revalidate), or
#                       when the origin fails (stale-if-error). An answer without it is never kept. (RFC 9213, RFC 5861)
#   Surrogate-Key       the names that a purge knows it by. An answer without it is never kept.
#   Cache-Control       what all others may do: ask each time. It passes through.
#
# The first two end here, so that nothing beyond Varnish answers without asking. The pool tells of each write by a PURGE on the
# listener named "purge".
#
# The steps of a request, in headers that no client can set (vcl_recv clears them first):
#
#   Profiled-For        what is asked for: "view" (needs a token) or "open" (does not); others pass by the cache
#   Profiled-Ask        this pass is the sub-request to /v1/authorize, and Profiled-Url what was asked for
#   Profiled-Ok         the token was found good
#   Profiled-Refetch    the object found is too old: "fresh", take only a fresh one; "always", take none
#   Profiled-Failed     the origin failed: one within stale-if-error will do

vcl 4.1;

import std;

include "./site.vcl";       # the origin, who may purge, the key
include "./xkey.vcl";       # how purges find objects: xkey.vcl or ban.vcl
include "./authorise.vcl";  # how a request is authorised: authorise.vcl or vmod.vcl

# ---- requests

sub vcl_recv {
    if (req.restarts > 0) {
        call profiled_again;
    }
    unset req.http.Profiled-For;
    unset req.http.Profiled-Ask;
    unset req.http.Profiled-Url;
    unset req.http.Profiled-Ok;
    unset req.http.Profiled-Refetch;
    unset req.http.Profiled-Failed;
    unset req.http.Profiled-Fence;

    if (local.socket == "purge") {
        call profiled_purge;
    }
    unset req.http.Purge-Key;
    unset req.http.xkey-purge;
    unset req.http.Profiled-Purge-All;
    unset req.http.Profiled-Revoked;
    unset req.http.Profiled-Position;
    unset req.http.Range; # answers are whole, and who asks for a part may be given all (RFC 9110 section 14.2)
    if (req.method == "PURGE") {
        return (synth(405)); # not on this listener, whoever asks
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.url ~ "^/v1/profiles/[^/?]+(\?|$)") {
        set req.http.Profiled-For = "view";
    } elsif (req.url ~ "^/v1/avatars/[^/?]+(\?|$)") {
        set req.http.Profiled-For = "open";
    } else {
        return (pass);
    }
    # Rare, and the origin's to judge: preconditions of RFC 9110 section 13.1 that Varnish does not know, GET with a body.
    # Without a token the answer is the origin's 401.
    if (req.http.If-Match || req.http.If-Unmodified-Since || req.http.Content-Length || req.http.Transfer-Encoding ||
        (req.http.Profiled-For == "view" && !req.http.Authorization)) {
        unset req.http.Profiled-For;
        return (pass);
    }
    # One object whatever the order of the parameters. (What passes by keeps its order: for a batch it means something.)
    if (req.url ~ "\?") {
        set req.url = regsub(std.querysort(req.url), "\?$", "");
        call profiled_parts;
    }
    if (req.http.Profiled-For == "view") {
        call profiled_authorise;
    }
    return (hash);
}

# The sub-request. The client's Authorization goes along; vcl_deliver has the answer.
sub profiled_ask {
    set req.http.Profiled-Ask = "1";
    set req.http.Profiled-Url = req.url;
    set req.url = "/v1/authorize";
    return (pass);
}

# A request that was restarted: authorised, or in search of an object that will do.
sub profiled_again {
    if (req.http.Profiled-Refetch == "fresh") {
        set req.grace = 0s;
    } elsif (req.http.Profiled-Refetch == "always") {
        set req.hash_always_miss = true;
    } elsif (req.http.Profiled-Failed) {
        set req.grace = 365d; # whatever is left of the object's own
    }
    return (hash);
}

# A purge: from the right address, with the right key, and done before it is confirmed. Without keys it is a sign of life.
sub profiled_purge {
    if (req.method != "PURGE" || client.ip !~ profiled_purgers || !req.http.Purge-Key || req.http.Purge-Key == "") {
        return (synth(403));
    }
    call profiled_key;
    unset req.http.Purge-Key;
    call profiled_hear;
    call profiled_fence_purge;
    call profiled_purge_keys;
    return (synth(200));
}

# Neither the token nor the host is part of the key: there is one profile of that address.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_hit {
    # no way leads here without; should there be one, it ends here
    if (req.http.Profiled-For != "open" && req.http.Profiled-Ok != "1") {
        return (synth(500));
    }
    call profiled_fence_hit;
    if (obj.ttl >= 0s) {
        return (deliver);
    }
    # RFC 5861: stale while a new one is fetched, or because none is to be had
    if (req.http.Profiled-Failed || obj.ttl + std.duration(obj.http.Profiled-Revalidate, 0s) >= 0s) {
        return (deliver);
    }
    set req.http.Profiled-Refetch = "fresh";
    return (restart);
}

# ---- the origin

sub vcl_backend_fetch {
    unset bereq.http.Profiled-Url;
    unset bereq.http.Profiled-Ok;
    unset bereq.http.Profiled-Failed;
    if (bereq.http.Profiled-Ask) {
        # the question is about the token alone
        set bereq.method = "GET";
        unset bereq.http.If-None-Match;
        unset bereq.http.If-Modified-Since;
        unset bereq.http.Prefer;
    } elsif (bereq.http.Profiled-For) {
        # one object for all: nothing in it depends on who asked for it first, and its tag is that of the plain bytes
        unset bereq.http.Accept-Encoding;
        unset bereq.http.Prefer;
        unset bereq.http.Cookie;
        call profiled_fence_fetch;
    }
    return (fetch);
}

sub vcl_backend_response {
    # What others fetch anew must not suffer from one whose token ended meanwhile, nor from a fault: the old object stays.
    if (beresp.status >= 500 && (bereq.is_bgfetch || bereq.http.Profiled-Refetch == "fresh")) {
        return (abandon);
    }
    if (bereq.is_bgfetch && (beresp.status == 401 || beresp.status == 403 || beresp.status == 429)) {
        return (abandon);
    }
    std.collect(beresp.http.Cache-Status);
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    if (bereq.http.Profiled-For && !bereq.http.Profiled-Ask && (beresp.status == 200 || beresp.status == 404) &&
        beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])max-age=[1-9]" &&
        beresp.http.CDN-Cache-Control !~ "(?i)(^|[ ,])(private|no-store|no-cache)" &&
        beresp.http.Surrogate-Key && beresp.http.Surrogate-Key != "" &&
        beresp.http.Vary !~ "(?i)(\*|authorization)" && !beresp.http.Set-Cookie) {
        set beresp.http.Profiled-Fence = bereq.http.Profiled-Fence;
        call profiled_fence_response;
    } else {
        set beresp.http.Profiled-Outdated = "1";
    }
    if (beresp.http.Profiled-Outdated) {
        # Those who wait for it fetch each their own, at once; for two seconds others do likewise.
        set beresp.uncacheable = true;
        set beresp.ttl = 2s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
    } else {
        call profiled_lifetime;
        unset beresp.http.X-Request-Id;
        unset beresp.http.Server-Timing;
        unset beresp.http.RateLimit;
        unset beresp.http.RateLimit-Policy;
    }
    unset beresp.http.Profiled-Outdated;
    unset beresp.http.CDN-Cache-Control;
    unset beresp.http.Surrogate-Key;
    return (deliver);
}

# CDN-Cache-Control into Varnish's terms: grace is the longer of the two stale times, and vcl_hit tells them apart.
sub profiled_lifetime {
    set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?max-age=([0-9]+).*$", "\1s"), 0s) - beresp.age;
    set beresp.grace = 0s;
    set beresp.keep = 300s; # to ask about by its tag
    set beresp.http.Profiled-Revalidate = "0s";
    if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])stale-while-revalidate=[0-9]") {
        set beresp.http.Profiled-Revalidate =
            regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?stale-while-revalidate=([0-9]+).*$", "\1s");
        set beresp.grace = std.duration(beresp.http.Profiled-Revalidate, 0s);
    }
    if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])stale-if-error=[0-9]" &&
        std.duration(regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?stale-if-error=([0-9]+).*$", "\1s"), 0s) > beresp.grace) {
        set beresp.grace =
            std.duration(regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?stale-if-error=([0-9]+).*$", "\1s"), 0s);
    }
}

sub vcl_backend_error {
    if (bereq.is_bgfetch || bereq.http.Profiled-Refetch == "fresh") {
        return (abandon);
    }
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    set beresp.status = 503;
    set beresp.reason = "Service Unavailable";
    set beresp.http.Content-Type = "application/problem+json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "1";
    set beresp.http.X-Content-Type-Options = "nosniff";
    set beresp.body = {"{"type":"/problems.html#overloaded","title":"The server cannot be reached","status":503}"};
    return (deliver);
}

# ---- answers

sub vcl_deliver {
    if (req.http.Profiled-Ask && resp.status == 204) {
        unset req.http.Profiled-Ask;
        set req.http.Profiled-Ok = "1";
        set req.url = req.http.Profiled-Url;
        return (restart);
    }
    if (req.http.Profiled-For == "view" && !req.http.Profiled-Ask && req.http.Profiled-Ok != "1") {
        return (synth(500)); # as in vcl_hit
    }
    if (req.http.Profiled-For && !req.http.Profiled-Ask) {
        call profiled_fence_deliver;
    }
    call profiled_cache_status;
    if (req.http.Profiled-For && resp.status == 200 && req.http.If-None-Match && resp.http.ETag) {
        call profiled_if_none_match;
    }
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
    unset resp.http.CDN-Cache-Control;
    unset resp.http.Profiled-Fence;
    unset resp.http.Profiled-Revalidate;
    unset resp.http.X-Varnish;
    unset resp.http.Accept-Ranges;
    return (deliver);
}

# RFC 9110 section 13.1.2: a list, compared weakly, or "*"; and If-Modified-Since counts only without it. Varnish compares one
# tag, so it is given the one that matches, or none. A tag that a front server's compression marked is still the same.
sub profiled_if_none_match {
    std.collect(req.http.If-None-Match);
    unset req.http.If-Modified-Since;
    set req.http.If-None-Match = regsuball(req.http.If-None-Match, {"-(gzip|br|zstd|deflate)(")"}, "\2");
    if (req.http.If-None-Match == "*" || std.strstr(req.http.If-None-Match, regsub(resp.http.ETag, "^W/", ""))) {
        set req.http.If-None-Match = resp.http.ETag;
    } else {
        unset req.http.If-None-Match;
    }
}

# RFC 9211: our member behind those of whom the answer came from.
sub profiled_cache_status {
    if (req.http.Profiled-For && obj.hits > 0 && obj.ttl >= 0s && !req.http.Profiled-Ask) {
        if (resp.http.Cache-Status) {
            set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; hit; ttl=" + std.integer(duration = obj.ttl);
        } else {
            set resp.http.Cache-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl);
        }
        return;
    }
    if (!req.http.Profiled-For || req.http.Profiled-Ask) {
        set resp.http.Profiled-Status = "varnish; fwd=bypass";
        unset resp.http.Age;
    } elsif (obj.hits > 0) {
        set resp.http.Profiled-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl - 1s);
    } elsif (obj.uncacheable) {
        set resp.http.Profiled-Status = "varnish; fwd=miss";
    } elsif (req.http.Profiled-Refetch) {
        set resp.http.Profiled-Status = "varnish; fwd=stale; stored";
    } else {
        set resp.http.Profiled-Status = "varnish; fwd=miss; stored";
    }
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + resp.http.Profiled-Status;
    } else {
        set resp.http.Cache-Status = resp.http.Profiled-Status;
    }
    unset resp.http.Profiled-Status;
}

sub vcl_synth {
    # a fetch that was given up for the sake of what is stale
    if (resp.status == 503 && req.http.Profiled-Refetch == "fresh") {
        unset req.http.Profiled-Refetch;
        set req.http.Profiled-Failed = "1";
        return (restart);
    }
    unset resp.http.X-Varnish;
    set resp.http.Cache-Control = "no-store";
    set resp.http.X-Content-Type-Options = "nosniff";
    if (local.socket == "purge") {
        set resp.http.Content-Type = "text/plain";
        set resp.body = "" + resp.status + " " + resp.reason + {"
"};
        return (deliver);
    }
    set resp.http.Content-Type = "application/problem+json";
    if (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD, OPTIONS";
        set resp.body = {"{"type":"/problems.html#method-not-allowed","title":"The method is not allowed here","status":405}"};
    } elsif (resp.status == 503) {
        set resp.http.Retry-After = "1";
        set resp.body = {"{"type":"/problems.html#overloaded","title":"The server cannot be reached","status":503}"};
    } else {
        set resp.status = 500;
        set resp.body = {"{"type":"/problems.html#internal","title":"Something went wrong in the server","status":500}"};
    }
    return (deliver);
}
