#include "route/rate.h"

#include "http/problem.h"

static int64_t seconds_up(int64_t ns)
{
    return ns / 1000000000 + (ns % 1000000000 != 0);
}

enum err route_rate_ask(const struct route_rates *rates, enum route_rate_kind kind, struct cache *cache,
                        struct span subject, struct http_exchange *x, struct route_rate *out)
{
    bool read = kind == ROUTE_RATE_READS;
    const struct cache_gcra *gcra = read ? &rates->reads : &rates->writes;
    *out = (struct route_rate){.gcra = gcra};
    if (gcra->quota == 0 ||
        !cache_rate_ask(cache, read ? CACHE_RATE_READS : CACHE_RATE_WRITES, subject, gcra, &out->verdict))
        return OK;
    out->name = read ? "reads" : "writes";
    if (out->verdict.allowed)
        return OK;
    struct http_problem problem = {
        .type = HTTP_PROBLEM_RATE_LIMITED,
        .detail = read ? SPAN("the token's subject reads too often; wait as long as Retry-After says")
                       : SPAN("the token's subject writes too often; wait as long as Retry-After says"),
        .retry_after_s = seconds_up(out->verdict.retry_ns),
    };
    http_problem_write(x->response, x->request->id, &problem);
    return ERR_DENIED;
}

/* Whether it is nobody's but the asker's: by what it says itself, since a problem may stand in place of
 * anything. */
static bool is_private(const struct http_response *response)
{
    struct span control = http_response_find_header(response, "Cache-Control");
    return !http_response_has_header(response, "CDN-Cache-Control") &&
           (span_starts(control, SPAN("no-store")) || span_eq(control, SPAN("private, no-cache")));
}

void route_rate_write(const struct route_rate *rate, struct http_response *response)
{
    if (rate->name == NULL || !is_private(response))
        return;
    size_t start = http_response_header_begin(response, "RateLimit-Policy");
    buf_printf(&response->head, "\"%s\";q=%lld;w=%d", rate->name, (long long)rate->gcra->quota,
               CACHE_GCRA_WINDOW_S);
    http_response_header_end(response, start);
    start = http_response_header_begin(response, "RateLimit");
    buf_printf(&response->head, "\"%s\";r=%lld;t=%lld", rate->name, (long long)rate->verdict.remaining,
               (long long)seconds_up(rate->verdict.reset_ns));
    http_response_header_end(response, start);
}
