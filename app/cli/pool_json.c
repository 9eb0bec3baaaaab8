/* A view of the pool as a line of JSON: profiled(1) documents its members, which stay what they are. */
#include "cli/pool_view.h"

#include "json/write.h"

#include <inttypes.h>
#include <time.h>

/* A quoted time: RFC 3339, UTC. */
static void write_time(struct buf *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(out, "\"%.*s.%03dZ\"", (int)n, text, (int)(ms % 1000));
}

static void write_member(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, ",\"%s\":%" PRIu64, name, value);
}

static void write_ratio(struct buf *out, const char *name, double ratio)
{
    if (ratio < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%.4f", name, ratio);
}

static void write_counters(struct buf *out, const uint64_t counters[METRIC_COUNT])
{
    buf_lit(out, ",\"counters\":{");
    for (size_t i = 0; i < METRIC_COUNT; i++)
        buf_printf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", metrics_counters[i].key, counters[i]);
    buf_char(out, '}');
}

static void write_gauges(struct buf *out, const struct metrics_gauges *gauges)
{
    buf_lit(out, ",\"gauges\":{");
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        buf_printf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", metrics_gauge_info[i].key,
                   metrics_gauge_get(gauges, (enum metric_gauge)i));
    buf_char(out, '}');
}

/* "p50_us":512, whole microseconds; null when nothing was answered yet. */
static void write_quantile(struct buf *out, const char *name, const struct metrics *m, double share)
{
    double us = metrics_quantile_us(m, share);
    if (us < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%.0f", name, us);
}

static void write_latency(struct buf *out, const struct metrics *m)
{
    buf_printf(out, ",\"latency\":{\"count\":%" PRIu64, metrics_durations(m));
    write_member(out, "sum_us", metrics_word(&m->duration_sum_us));
    write_quantile(out, "p50_us", m, 0.5);
    write_quantile(out, "p90_us", m, 0.9);
    write_quantile(out, "p99_us", m, 0.99);
    buf_lit(out, ",\"buckets\":[");
    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        if (i < METRICS_BOUNDS)
            buf_printf(out, "%s{\"le_us\":%" PRIu32, i == 0 ? "" : ",", metrics_bounds_us[i]);
        else
            buf_lit(out, ",{\"le_us\":null");
        write_member(out, "count", metrics_word(&m->durations[i]));
        buf_char(out, '}');
    }
    buf_lit(out, "]}");
}

/* The methods of a row, "GET|HEAD", as an array. */
static void write_methods(struct buf *out, const char *methods)
{
    struct span rest = span_str(methods);
    bool first = true;
    buf_char(out, '[');
    while (rest.len > 0) {
        if (!first)
            buf_char(out, ',');
        json_write_string(out, span_cut(&rest, '|'));
        first = false;
    }
    buf_char(out, ']');
}

static void write_row(struct buf *out, const struct metrics_route *route, const _Atomic uint64_t *row)
{
    uint64_t sum = 0;
    bool first = true;
    buf_lit(out, "{\"route\":");
    if (route->pattern[0] == '\0')
        buf_lit(out, "null");
    else
        json_write_string(out, span_str(route->pattern));
    buf_lit(out, ",\"methods\":");
    write_methods(out, route->methods);
    buf_lit(out, ",\"statuses\":{");
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++) {
        uint64_t count = metrics_word(&row[i]);
        int status = metrics_status_code((enum metrics_status)i);
        sum += count;
        if (count == 0)
            continue;
        if (status == 0)
            buf_printf(out, "%s\"other\":%" PRIu64, first ? "" : ",", count);
        else
            buf_printf(out, "%s\"%d\":%" PRIu64, first ? "" : ",", status, count);
        first = false;
    }
    buf_char(out, '}');
    write_member(out, "requests", sum);
    buf_char(out, '}');
}

static void write_routes(const struct pool_view *view, struct buf *out)
{
    const struct metrics_route none = {0};
    buf_lit(out, ",\"routes\":[");
    for (size_t i = 0; i < METRICS_NO_ROUTE && view->routes[i].pattern[0] != '\0'; i++) {
        write_row(out, &view->routes[i], view->sum.requests[i]);
        buf_char(out, ',');
    }
    write_row(out, &none, view->sum.requests[METRICS_NO_ROUTE]);
    buf_char(out, ']');
}

static void write_numbers(const struct pool_view *view, struct buf *out)
{
    uint64_t counters[METRIC_COUNT];
    pool_view_counters(view, counters);
    write_ratio(out, "cache_hit_ratio", pool_view_cache_ratio(counters));
    write_ratio(out, "token_memo_hit_ratio", pool_view_memo_ratio(counters));
    write_counters(out, counters);
    write_gauges(out, &view->gauges);
    write_latency(out, &view->sum);
    write_routes(view, out);
}

static void write_address(const struct metrics_edge *edge, int64_t now_ms, struct buf *out)
{
    int64_t lag_ms = metrics_edge_lag_ms(edge, now_ms), word_ms = (int64_t)metrics_word(&edge->word_ms);
    buf_lit(out, "{\"address\":");
    json_write_string(out, span_str(edge->address));
    buf_printf(out, ",\"state\":\"%s\"", metrics_edge_state_name(metrics_word(&edge->state)));
    write_member(out, "position", metrics_word(&edge->position));
    buf_printf(out, ",\"lag_seconds\":%" PRId64 ".%03d,\"word_at\":", lag_ms / 1000, (int)(lag_ms % 1000));
    if (word_ms == 0)
        buf_lit(out, "null");
    else
        write_time(out, word_ms);
    write_member(out, "failures", metrics_word(&edge->failures));
    buf_lit(out, ",\"trouble\":");
    if (edge->trouble[0] == '\0')
        buf_lit(out, "null");
    else
        json_write_string(out, span_str(edge->trouble));
    buf_char(out, '}');
}

/* The process that tells caches in front, and how it stands with each; null where there is none. */
static void write_edge(const struct pool_view *view, struct buf *out)
{
    if (!view->has_edge && view->edge_count == 0) {
        buf_lit(out, ",\"edge\":null");
        return;
    }
    buf_printf(out, ",\"edge\":{\"pid\":%ld,\"restarts\":%u,\"addresses\":[",
               view->has_edge ? (long)view->edge.pid : 0L, view->has_edge ? view->edge.restarts : 0U);
    for (size_t i = 0; i < view->edge_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_address(&view->edges[i], view->now_ms, out);
    }
    buf_lit(out, "]}");
}

void pool_view_write_json(const struct pool_view *view, struct buf *out)
{
    buf_printf(out, "{\"state\":\"%s\",\"pid\":%ld,\"listen\":", view->state, (long)view->pid);
    json_write_string(out, span_str(view->listen));
    buf_lit(out, ",\"read_at\":");
    write_time(out, view->now_ms);
    buf_lit(out, ",\"started_at\":");
    write_time(out, view->started_ms);
    buf_lit(out, ",\"reloaded_at\":");
    write_time(out, view->reloaded_ms);
    write_member(out, "generation", view->generation);
    write_member(out, "workers_wanted", view->wanted);
    write_member(out, "workers_busy", view->busy);
    write_member(out, "requests", view->requests);
    write_member(out, "deaths", view->deaths);
    write_member(out, "timeouts", view->timeouts);
    write_member(out, "recycled", view->recycled);
    write_member(out, "reloads", view->reloads);
    write_member(out, "reloads_refused", view->reloads_refused);
    write_numbers(view, out);
    write_edge(view, out);
    buf_lit(out, ",\"workers\":[");
    for (size_t i = 0; i < view->count; i++) {
        const struct pool_view_worker *w = &view->workers[i];
        buf_printf(out, "%s{\"place\":%zu,\"pid\":%ld,\"state\":\"%s\",\"started_at\":", i == 0 ? "" : ",",
                   w->place, (long)w->pid, w->state);
        write_time(out, w->started_ms);
        write_member(out, "generation", w->generation);
        write_member(out, "requests", w->requests);
        write_member(out, "busy_ms", (uint64_t)w->busy_us / 1000);
        write_member(out, "restarts", w->restarts);
        write_ratio(out, "cache_hit_ratio", pool_view_cache_ratio(w->counters));
        write_counters(out, w->counters);
        buf_char(out, '}');
    }
    buf_lit(out, "]}\n");
}
