/*
 * How many requests a subject may make: reads (GET, HEAD and queries) and writes apart, counted for all
 * workers of the pool (cache/rates.h). What a client is told of it follows
 * draft-ietf-httpapi-ratelimit-headers:
 *
 *     RateLimit-Policy: "reads";q=600;w=60     the quota, in so many seconds
 *     RateLimit: "reads";r=599;t=1             how many are left, and when all of it is there again
 *
 * They stand on a 429 and on answers that are the asker's alone, never on one that a shared cache may store.
 * Where a quota is 0 nothing is counted, and no clock read.
 */
#pragma once
#include "cache/cache.h"
#include "http/exchange.h"

struct route_rates {
    struct cache_gcra reads, writes;
};

enum route_rate_kind { ROUTE_RATE_READS, ROUTE_RATE_WRITES };

/* Of one exchange. */
struct route_rate {
    const char *name; /* of the policy; NULL: not counted */
    const struct cache_gcra *gcra;
    struct cache_gcra_verdict verdict;
};

/* Counts the request of subject. OK; ERR_DENIED: it is one too many, and the answer is a finished 429. */
MUST_USE enum err route_rate_ask(const struct route_rates *rates, enum route_rate_kind kind,
                                 struct cache *cache, struct span subject, struct http_exchange *x,
                                 struct route_rate *out);
/* Adds the two lines to the finished answer, where they may stand. */
void route_rate_write(const struct route_rate *rate, struct http_response *response);
