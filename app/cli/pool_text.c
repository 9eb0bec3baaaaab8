/* A view of the pool as a page for a terminal of 80 columns. */
#include "cli/pool_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The two largest units of a time: "7s", "3m12s", "2h03m", "4d07h". */
static const char *show_span(char out[32], int64_t ms)
{
    long long s = ms > 0 ? ms / 1000 : 0;
    if (s < 60)
        snprintf(out, 32, "%llds", s);
    else if (s < 3600)
        snprintf(out, 32, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, 32, "%lldh%02lldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, 32, "%lldd%02lldh", s / 86400, s / 3600 % 24);
    return out;
}

static const char *show_busy(char out[32], int64_t us)
{
    if (us == 0)
        return "-";
    if (us < 1000000)
        snprintf(out, 32, "%lldms", (long long)us / 1000);
    else
        snprintf(out, 32, "%lld.%llds", (long long)us / 1000000, (long long)us / 100000 % 10);
    return out;
}

static void write_rate(const struct pool_view *view, const struct pool_view *before, struct buf *out)
{
    int64_t ms = before == NULL ? 0 : view->now_ms - before->now_ms;
    /* another pool may have taken its place meanwhile */
    if (ms <= 0 || before->pid != view->pid || view->requests < before->requests)
        return;
    buf_printf(out, ", %.0f a second", (double)(view->requests - before->requests) * 1000.0 / (double)ms);
}

static const char *show_ratio(char out[32], double ratio)
{
    if (ratio < 0)
        return "-";
    snprintf(out, 32, "%.1f%%", ratio * 100);
    return out;
}

/* "512", "12.3K", "64M": a number with one digit behind the point at most, and none from a hundred on. */
static const char *show_size(char out[32], uint64_t bytes)
{
    static const char units[] = " KMGT";
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < sizeof units - 2; unit++)
        value /= 1024;
    if (unit == 0)
        snprintf(out, 32, "%.0f", value);
    else if (value < 100 && value != (double)(int)value)
        snprintf(out, 32, "%.1f%c", value, units[unit]);
    else
        snprintf(out, 32, "%.0f%c", value, units[unit]);
    return out;
}

static const char *show_duration(char out[32], double us)
{
    if (us < 0)
        return "-";
    if (us < 1000)
        snprintf(out, 32, "%.0fus", us);
    else if (us < 100000)
        snprintf(out, 32, "%.1fms", us / 1000);
    else if (us < 1000000)
        snprintf(out, 32, "%.0fms", us / 1000);
    else
        snprintf(out, 32, "%.1fs", us / 1000000);
    return out;
}

static void write_latency(const struct metrics *sum, struct buf *out)
{
    char p50[32], p90[32], p99[32];
    if (metrics_durations(sum) == 0)
        return;
    buf_printf(out, "latency   half within %s, 90%% within %s, 99%% within %s\n",
               show_duration(p50, metrics_quantile_us(sum, 0.5)),
               show_duration(p90, metrics_quantile_us(sum, 0.9)),
               show_duration(p99, metrics_quantile_us(sum, 0.99)));
}

/* Words that go on in the next line, under the first, where a line would be longer than a terminal's. */
struct words {
    struct buf *out;
    size_t line;   /* where it begins */
    size_t indent; /* of the lines after the first */
    bool first;
};

static void word(struct words *w, const char *text)
{
    enum { WIDTH = 80 };
    size_t len = strlen(text);
    if (!w->first && w->out->len - w->line + 2 + len > WIDTH - 1) {
        buf_lit(w->out, ",\n");
        w->line = w->out->len;
        buf_printf(w->out, "%*s", (int)w->indent, "");
    } else if (!w->first) {
        buf_lit(w->out, ", ");
    }
    buf_append(w->out, span_of(text, len));
    w->first = false;
}

static struct words begin_words(struct buf *out, const char *title)
{
    struct words w = {.out = out, .line = out->len, .indent = 10, .first = true};
    buf_printf(out, "%-10s", title);
    return w;
}

static void counted(struct words *w, uint64_t count, const char *what)
{
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 " %s", count, what);
    word(w, text);
}

/* "1.2M of 64M held in 17 entries" */
static void held(struct words *w, const struct metrics_gauges *g, enum metric_gauge bytes,
                 enum metric_gauge size, enum metric_gauge entries, const char *what)
{
    char text[128], now[32], most[32];
    snprintf(text, sizeof text, "%s of %s held in %" PRIu64 " %s",
             show_size(now, metrics_gauge_get(g, bytes)), show_size(most, metrics_gauge_get(g, size)),
             metrics_gauge_get(g, entries), what);
    word(w, text);
}

static void write_cache(const struct pool_view *view, const uint64_t *n, struct buf *out)
{
    char ratio[32];
    struct words w = begin_words(out, "cache");
    if (metrics_gauge_get(&view->gauges, GAUGE_CACHE_SIZE_BYTES) == 0) {
        buf_lit(out, "off\n");
        return;
    }
    counted(&w, n[METRIC_CACHE_HITS], "hits");
    counted(&w, n[METRIC_CACHE_NEGATIVE_HITS], "negative hits");
    counted(&w, n[METRIC_CACHE_MISSES], "misses");
    buf_printf(out, ": %s", show_ratio(ratio, pool_view_cache_ratio(n)));
    counted(&w, n[METRIC_CACHE_FILLS], "fills");
    counted(&w, n[METRIC_CACHE_FLIGHT_WAITS], "waits");
    counted(&w, n[METRIC_CACHE_BYPASSES], "bypasses");
    counted(&w, n[METRIC_CACHE_EVICTIONS], "evictions");
    held(&w, &view->gauges, GAUGE_CACHE_BYTES_HELD, GAUGE_CACHE_SIZE_BYTES, GAUGE_CACHE_ENTRIES, "entries");
    buf_char(out, '\n');
}

/* What made entries old, by cause; causes that never came are left out. */
static void write_changes(const struct pool_view *view, const uint64_t *n, struct buf *out)
{
    static const char *const causes[] = {"create", "update", "private", "suspend",
                                         "resume", "delete", "revoke",  "database"};
    static_assert(METRIC_CACHE_INVALIDATIONS_DATABASE - METRIC_CACHE_INVALIDATIONS_CREATE + 1 ==
                      sizeof causes / sizeof causes[0],
                  "a word for each cause");
    struct words w = begin_words(out, "changes");
    char text[64];
    snprintf(text, sizeof text, "newest %" PRIu64, metrics_gauge_get(&view->gauges, GAUGE_CHANGE_SEQ));
    word(&w, text);
    snprintf(text, sizeof text, "log read %" PRIu64 " times", n[METRIC_CACHE_SYNCS]);
    word(&w, text);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (n[METRIC_CACHE_INVALIDATIONS_CREATE + i] > 0)
            counted(&w, n[METRIC_CACHE_INVALIDATIONS_CREATE + i], causes[i]);
    buf_char(out, '\n');
}

static void write_memo(const struct pool_view *view, const uint64_t *n, struct buf *out)
{
    char ratio[32];
    struct words w = begin_words(out, "tokens");
    if (metrics_gauge_get(&view->gauges, GAUGE_TOKEN_MEMO_SIZE_BYTES) == 0) {
        buf_lit(out, "none remembered\n");
        return;
    }
    counted(&w, n[METRIC_TOKEN_MEMO_HITS], "hits");
    counted(&w, n[METRIC_TOKEN_MEMO_MISSES], "misses");
    buf_printf(out, ": %s", show_ratio(ratio, pool_view_memo_ratio(n)));
    counted(&w, n[METRIC_TOKEN_MEMO_FILLS], "fills");
    counted(&w, n[METRIC_TOKEN_MEMO_EVICTIONS], "evictions");
    held(&w, &view->gauges, GAUGE_TOKEN_MEMO_BYTES_HELD, GAUGE_TOKEN_MEMO_SIZE_BYTES,
         GAUGE_TOKEN_MEMO_ENTRIES, "tokens");
    buf_char(out, '\n');
}

/* "edge      http://127.0.0.1:6083 following, lag 0ms, position 4711" */
static void write_edges(const struct pool_view *view, const uint64_t *n, struct buf *out)
{
    if (!view->has_edge && view->edge_count == 0)
        return;
    struct words w = begin_words(out, "edge");
    counted(&w, n[METRIC_EDGE_PURGES_SENT], "purges");
    counted(&w, n[METRIC_EDGE_HEARTBEATS], "heartbeats");
    counted(&w, n[METRIC_EDGE_PURGES_FAILED], "failed");
    counted(&w, n[METRIC_EDGE_PURGES_RETRIED], "retried");
    counted(&w, n[METRIC_EDGE_PURGE_ALLS], "of everything");
    buf_printf(out, "; pid %ld\n", view->has_edge ? (long)view->edge.pid : 0L);
    for (size_t i = 0; i < view->edge_count; i++) {
        const struct metrics_edge *edge = &view->edges[i];
        int64_t lag_ms = metrics_edge_lag_ms(edge, view->now_ms);
        buf_printf(out, "          %s: %s, lag %lld.%03ds, at %" PRIu64 "\n", edge->address,
                   metrics_edge_state_name(metrics_word(&edge->state)), (long long)(lag_ms / 1000),
                   (int)(lag_ms % 1000), metrics_word(&edge->position));
        if (edge->trouble[0] != '\0')
            buf_printf(out, "            %" PRIu64 " failures: %s\n", metrics_word(&edge->failures),
                       edge->trouble);
    }
}

static void write_workers(const struct pool_view *view, struct buf *out)
{
    char up[32], busy[32], ratio[32];
    buf_printf(out, "\n%5s %8s %-9s %4s %7s %12s %8s %8s %7s\n", "PLACE", "PID", "STATE", "GEN", "UP",
               "REQUESTS", "BUSY", "RESTARTS", "HITS");
    for (size_t i = 0; i < view->count; i++) {
        const struct pool_view_worker *w = &view->workers[i];
        buf_printf(out, "%5zu %8ld %-9s %4u %7s %12" PRIu64 " %8s %8u %7s\n", w->place, (long)w->pid,
                   w->state, w->generation, show_span(up, view->now_ms - w->started_ms), w->requests,
                   show_busy(busy, w->busy_us), w->restarts,
                   show_ratio(ratio, pool_view_cache_ratio(w->counters)));
    }
}

/* One route that was asked, with how often it answered what. */
static void write_route(const char *methods, const char *pattern, const _Atomic uint64_t *row,
                        struct buf *out)
{
    uint64_t count = 0;
    char name[128], text[64];
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++)
        count += metrics_word(&row[i]);
    if (count == 0)
        return;
    struct words w = {.out = out, .line = out->len, .indent = 47, .first = true};
    snprintf(name, sizeof name, "%s%s%s", pattern, methods[0] == '\0' ? "" : " ", methods);
    buf_printf(out, "%-36s %9" PRIu64 " ", name, count);
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++) {
        uint64_t n = metrics_word(&row[i]);
        int status = metrics_status_code((enum metrics_status)i);
        if (n == 0)
            continue;
        if (status == 0)
            snprintf(text, sizeof text, "other: %" PRIu64, n);
        else
            snprintf(text, sizeof text, "%d: %" PRIu64, status, n);
        word(&w, text);
    }
    buf_char(out, '\n');
}

static void write_routes(const struct pool_view *view, struct buf *out)
{
    if (metrics_requests(&view->sum) == 0)
        return;
    buf_printf(out, "\n%-36s %9s %s\n", "ROUTE", "REQUESTS", "STATUS: REQUESTS");
    for (size_t i = 0; i < METRICS_NO_ROUTE; i++)
        write_route(view->routes[i].methods, view->routes[i].pattern, view->sum.requests[i], out);
    write_route("", "(none)", view->sum.requests[METRICS_NO_ROUTE], out);
}

void pool_view_write_text(const struct pool_view *view, const struct pool_view *before, struct buf *out)
{
    uint64_t counters[METRIC_COUNT];
    char up[32];
    pool_view_counters(view, counters);
    buf_printf(out, "%s for %s, pid %ld, generation %u, on %s\n", view->state,
               show_span(up, view->now_ms - view->started_ms), (long)view->pid, view->generation,
               view->listen);
    buf_printf(out, "workers   %zu, of which busy %zu; wanted %u\n", view->count, view->busy, view->wanted);
    buf_printf(out, "requests  %" PRIu64, view->requests);
    write_rate(view, before, out);
    buf_char(out, '\n');
    write_latency(&view->sum, out);
    buf_printf(out, "replaced  %" PRIu64 " died, of which %" PRIu64 " took too long; %" PRIu64 " recycled\n",
               view->deaths, view->timeouts, view->recycled);
    buf_printf(out, "reloads   %" PRIu64 ", refused %" PRIu64 "\n", view->reloads, view->reloads_refused);
    write_cache(view, counters, out);
    write_changes(view, counters, out);
    write_memo(view, counters, out);
    write_edges(view, counters, out);
    write_workers(view, out);
    write_routes(view, out);
}
