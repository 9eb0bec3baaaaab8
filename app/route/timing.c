#include "route/timing.h"

#include "base/clock.h"
#include "http/prefer.h"
#include "token/scope.h"

void route_timing_begin(struct http_exchange *x, struct http_timing *timing, bool always)
{
    struct span ignored;
    if (!always &&
        !http_prefer_find(http_request_header(x->request, HTTP_HEADER_PREFER), SPAN("timing"), &ignored))
        return;
    *timing = (struct http_timing){.begun_us = clock_monotonic_us()};
    x->timing = timing;
}

void route_timing_authorised(struct http_exchange *x, unsigned scopes, bool remembered)
{
    if (x->timing == NULL)
        return;
    x->timing->authorised_us = clock_monotonic_us();
    x->timing->may_watch = (scopes & TOKEN_SCOPE_METRICS) != 0;
    x->timing->remembered = remembered;
}

/* Milliseconds, as the dur parameter has them. */
static void write_duration(struct buf *out, const char *name, int64_t us)
{
    buf_printf(out, "%s;dur=%lld.%03lld", name, (long long)(us / 1000), (long long)(us % 1000));
}

static void forbid_keeping(struct http_response *response)
{
    static const char *const names[] = {"Cache-Control", "CDN-Cache-Control", "Surrogate-Key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        http_response_drop_header(response, names[i]);
    http_response_header(response, "Cache-Control", SPAN("no-store"));
}

void route_timing_write(struct http_exchange *x, bool always)
{
    const struct http_timing *t = x->timing;
    struct http_response *response = x->response;
    if (t == NULL || !(always || t->may_watch))
        return;
    forbid_keeping(response);
    if (!always)
        http_response_header(response, "Preference-Applied", SPAN("timing"));
    size_t start = http_response_header_begin(response, "Server-Timing");
    if (t->authorised_us != 0) {
        write_duration(&response->head, "auth", t->authorised_us - t->begun_us);
        buf_append(&response->head,
                   t->remembered ? SPAN(";desc=\"remembered\", ") : SPAN(";desc=\"verified\", "));
    }
    if (t->cache.ptr != NULL) {
        buf_lit(&response->head, "cache;desc=\"");
        buf_append(&response->head, t->cache);
        buf_lit(&response->head, "\", ");
    }
    if (t->store_us != 0) {
        write_duration(&response->head, "store", t->store_us);
        buf_lit(&response->head, ", ");
    }
    write_duration(&response->head, "total", clock_monotonic_us() - t->begun_us);
    http_response_header_end(response, start);
}
