#include "handlers/metrics.h"

#include "handlers/parameters.h"
#include "handlers/resource.h"

#include <inttypes.h>
#include <string.h>

/* A family begins: what it is, and of which type. Its samples follow at once, as the format asks. */
static void begin(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* labels as they stand between the braces; "": none. */
static void sample(struct buf *out, const char *name, const char *labels, uint64_t value)
{
    if (labels[0] == '\0')
        buf_printf(out, "%s %" PRIu64 "\n", name, value);
    else
        buf_printf(out, "%s{%s} %" PRIu64 "\n", name, labels, value);
}

static void single(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    begin(out, name, type, help);
    sample(out, name, "", value);
}

/* Microseconds as seconds, with no digit lost. */
static void seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void label(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_lit(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            buf_char(out, '\\');
        buf_char(out, *value);
    }
    buf_char(out, '"');
}

static void write_build(const struct handlers_metrics *m, struct buf *out)
{
    begin(out, "profiled_build_info", "gauge", "The program that answers; always 1.");
    buf_lit(out, "profiled_build_info{");
    label(out, "version", m->version);
    buf_char(out, ',');
    label(out, "compiler", m->compiler);
    buf_lit(out, "} 1\n");
}

static void write_requests_of(const char *route, const char *methods, const _Atomic uint64_t *row,
                              struct buf *out)
{
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++) {
        uint64_t count = metrics_word(&row[i]);
        if (count == 0)
            continue; /* most of the table is empty */
        buf_lit(out, "profiled_requests_total{");
        label(out, "route", route);
        buf_char(out, ',');
        label(out, "method", methods);
        if (i == METRICS_STATUS_OTHER)
            buf_printf(out, ",status=\"other\"} %" PRIu64 "\n", count);
        else
            buf_printf(out, ",status=\"%d\"} %" PRIu64 "\n", metrics_status_code((enum metrics_status)i),
                       count);
    }
}

static void write_requests(const struct handlers_metrics *m, const struct metrics *sum, struct buf *out)
{
    begin(out, "profiled_requests_total", "counter",
          "Answers by route and status. A route's row may stand for several methods; the route is empty for "
          "what no row answers: an unknown path, another method, OPTIONS.");
    for (size_t i = 0; i < m->route_count && i < METRICS_NO_ROUTE; i++)
        write_requests_of(m->routes[i].pattern, m->routes[i].methods, sum->requests[i], out);
    write_requests_of("", "", sum->requests[METRICS_NO_ROUTE], out);
}

static void write_durations(const struct metrics *sum, struct buf *out)
{
    static const char name[] = "profiled_request_duration_seconds";
    uint64_t count = 0;
    begin(out, name, "histogram", "From taking a request's connection to its answer being written.");
    for (size_t i = 0; i < METRICS_BOUNDS; i++) {
        count += metrics_word(&sum->durations[i]);
        buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, metrics_bounds_us[i] / 1e6, count);
    }
    count += metrics_word(&sum->durations[METRICS_BOUNDS]);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, count, name);
    seconds(out, metrics_word(&sum->duration_sum_us));
    buf_printf(out, "\n%s_count %" PRIu64 "\n", name, count);
}

static void write_table(const struct metrics_info *rows, size_t count, const char *type,
                        const _Atomic uint64_t *values, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
            begin(out, rows[i].name, type, rows[i].help);
        sample(out, rows[i].name, rows[i].labels, metrics_word(&values[i]));
    }
}

static void write_time(struct buf *out, const char *name, const char *help, int64_t ms)
{
    begin(out, name, "gauge", help);
    buf_printf(out, "%s %" PRId64 ".%03d\n", name, ms / 1000, (int)(ms % 1000));
}

static void write_pool(const struct handlers_metrics_pool *p, struct buf *out)
{
    single(out, "profiled_workers_wanted", "gauge", "Worker processes that there should be.", p->wanted);
    single(out, "profiled_workers", "gauge", "Worker processes that there are.", p->alive);
    single(out, "profiled_workers_busy", "gauge",
           "Workers with a request in hand, which is as many as there are requests in hand.", p->busy);
    if (p->queued >= 0)
        single(out, "profiled_connections_queued", "gauge", "Connections that wait for a worker.",
               (uint64_t)p->queued);
    single(out, "profiled_worker_deaths_total", "counter", "Workers that ended unasked.", p->deaths);
    single(out, "profiled_worker_timeouts_total", "counter",
           "Of these, workers that were killed because a request took too long.", p->timeouts);
    single(out, "profiled_workers_recycled_total", "counter",
           "Workers that were replaced after server.max_requests.", p->recycled);
    single(out, "profiled_reloads_total", "counter", "Reloads that were carried out.", p->reloads);
    single(out, "profiled_reloads_refused_total", "counter", "Reloads that were refused.",
           p->reloads_refused);
    single(out, "profiled_generation", "gauge", "1, and one more with each reload.", p->generation);
    write_time(out, "profiled_start_time_seconds", "When the pool started, in Unix time.", p->started_ms);
    write_time(out, "profiled_reload_time_seconds", "When its present generation did, in Unix time.",
               p->reloaded_ms);
}

/* One word of each worker. */
static void write_each(const struct handlers_metrics_view *view, const char *name, const char *type,
                       const char *help, uint64_t (*value)(const struct handlers_metrics_worker *w),
                       struct buf *out)
{
    begin(out, name, type, help);
    for (size_t i = 0; i < view->worker_count; i++)
        buf_printf(out, "%s{worker=\"%u\"} %" PRIu64 "\n", name, view->workers[i].number,
                   value(&view->workers[i]));
}

static uint64_t requests_of(const struct handlers_metrics_worker *w)
{
    return w->requests;
}
static uint64_t busy_of(const struct handlers_metrics_worker *w)
{
    return w->busy_us > 0 ? 1 : 0;
}
static uint64_t hits_of(const struct handlers_metrics_worker *w)
{
    return w->cache_hits;
}
static uint64_t misses_of(const struct handlers_metrics_worker *w)
{
    return w->cache_misses;
}

static void write_workers(const struct handlers_metrics_view *view, struct buf *out)
{
    write_each(view, "profiled_worker_requests_total", "counter",
               "Requests that the process in a worker's place has answered; its successor begins at 0.",
               requests_of, out);
    write_each(view, "profiled_worker_busy", "gauge", "Whether a worker has a request in hand.", busy_of,
               out);
    write_each(view, "profiled_worker_cache_hits_total", "counter",
               "Reads that the process in a worker's place has answered out of the cache.", hits_of, out);
    write_each(view, "profiled_worker_cache_misses_total", "counter",
               "Reads for which it found nothing usable there.", misses_of, out);
    begin(out, "profiled_worker_busy_seconds", "gauge", "How long the request in hand has taken so far.");
    for (size_t i = 0; i < view->worker_count; i++) {
        buf_printf(out, "profiled_worker_busy_seconds{worker=\"%u\"} ", view->workers[i].number);
        seconds(out, (uint64_t)view->workers[i].busy_us);
        buf_char(out, '\n');
    }
}

/* Milliseconds as seconds. */
static void write_edge_ms(const struct handlers_metrics_view *view, const char *name, const char *help,
                          int64_t (*value)(const struct metrics_edge *edge, int64_t now_ms), struct buf *out)
{
    begin(out, name, "gauge", help);
    for (size_t i = 0; i < view->edge_count; i++) {
        int64_t ms = value(&view->edges[i], view->now_ms);
        if (ms < 0)
            continue;
        buf_printf(out, "%s{", name);
        label(out, "address", view->edges[i].address);
        buf_printf(out, "} %" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
    }
}

/* -1: it never had a word. */
static int64_t word_age_ms(const struct metrics_edge *edge, int64_t now_ms)
{
    int64_t word_ms = (int64_t)metrics_word(&edge->word_ms);
    return word_ms == 0 ? -1 : now_ms > word_ms ? now_ms - word_ms : 0;
}

static void write_edges(const struct handlers_metrics_view *view, struct buf *out)
{
    if (view->edge_count == 0)
        return;
    write_edge_ms(view, "profiled_edge_lag_seconds",
                  "For how long a change has waited to be confirmed by a cache in front; 0: none does.",
                  metrics_edge_lag_ms, out);
    write_edge_ms(view, "profiled_edge_word_age_seconds",
                  "How long ago a cache in front confirmed anything, heartbeats included.", word_age_ms, out);
    begin(out, "profiled_edge_up", "gauge",
          "Whether the last attempt to tell a cache in front was confirmed.");
    for (size_t i = 0; i < view->edge_count; i++) {
        const struct metrics_edge *edge = &view->edges[i];
        buf_lit(out, "profiled_edge_up{");
        label(out, "address", edge->address);
        buf_printf(out, "} %d\n", metrics_word(&edge->failures) == 0 && metrics_word(&edge->word_ms) != 0);
    }
    begin(out, "profiled_edge_position", "gauge",
          "The last entry of the change log that a cache in front has confirmed.");
    for (size_t i = 0; i < view->edge_count; i++) {
        buf_lit(out, "profiled_edge_position{");
        label(out, "address", view->edges[i].address);
        buf_printf(out, "} %" PRIu64 "\n", metrics_word(&view->edges[i].position));
    }
}

void handlers_metrics_write(const struct handlers_metrics *m, const struct handlers_metrics_view *view,
                            struct buf *out)
{
    write_build(m, out);
    write_requests(m, &view->sum, out);
    write_durations(&view->sum, out);
    write_table(metrics_counters, METRIC_COUNT, "counter", view->sum.counters, out);
    write_table(metrics_gauge_info, GAUGE_COUNT, "gauge", view->gauges.values, out);
    write_edges(view, out);
    if (!view->pooled)
        return;
    write_pool(&view->pool, out);
    write_workers(view, out);
}

enum err handlers_metrics(void *data, struct http_exchange *x)
{
    const struct handlers_metrics *m = data;
    struct handlers_metrics_view view;
    enum err e = handlers_no_parameters(x);
    if (e != OK)
        return e;
    if ((e = m->read(m->data, x->arena, &view)) != OK)
        return handlers_fault(x, e);
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("text/plain; version=0.0.4; charset=utf-8"));
    http_response_header(x->response, "Cache-Control", SPAN("no-store"));
    handlers_metrics_write(m, &view, &x->response->body);
    return OK;
}

enum err handlers_status(void *data, struct http_exchange *x)
{
    const struct handlers_metrics *m = data;
    enum err e = handlers_no_parameters(x);
    if (e != OK)
        return e;
    if ((e = m->write_status(m->data, &x->response->body)) != OK)
        return handlers_fault(x, e);
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("application/json"));
    http_response_header(x->response, "Cache-Control", SPAN("no-store"));
    return OK;
}
