#include "numbers.h"

#include "base/clock.h"
#include "cli/pool_view.h"
#include "pool/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* "GET|HEAD" */
static enum err write_methods(unsigned methods, char *out, size_t size)
{
    size_t len = 0;
    for (unsigned bit = HTTP_GET; bit <= HTTP_OPTIONS; bit <<= 1) {
        if ((methods & bit) == 0)
            continue;
        int n = snprintf(out + len, size - len, "%s%s", len == 0 ? "" : "|",
                         http_method_name((enum http_method)bit));
        if (n < 0 || (size_t)n >= size - len)
            return ERR_TOO_LARGE;
        len += (size_t)n;
    }
    return OK;
}

enum err numbers_init(struct numbers *n, const struct router *router)
{
    enum err e = router->count <= METRICS_NO_ROUTE ? OK : ERR_TOO_LARGE;
    *n = (struct numbers){.metrics = &n->own, .gauges = &n->own_gauges, .listen_fd = -1};
    n->handler = (struct handlers_metrics){
        .version = PROFILED_VERSION,
        .compiler = COMPILER,
        .routes = n->routes,
        .route_count = router->count,
        .read = numbers_read,
        .write_status = numbers_write_status,
        .data = n,
    };
    for (size_t i = 0; i < router->count && e == OK; i++) {
        struct metrics_route *r = &n->routes[i];
        int len = snprintf(r->pattern, sizeof r->pattern, "%s", router->routes[i].pattern);
        e = len >= 0 && (size_t)len < sizeof r->pattern
                ? write_methods(router->routes[i].methods, r->methods, sizeof r->methods)
                : ERR_TOO_LARGE;
    }
    return e;
}

void numbers_join(struct numbers *n, struct pool_worker *self, int listen_fd)
{
    n->metrics = pool_worker_metrics(self);
    n->gauges = pool_worker_gauges(self);
    n->board = pool_worker_board(self);
    n->listen_fd = listen_fd;
}

static enum err take_workers(const struct pool_view *pool, struct arena *arena,
                             struct handlers_metrics_view *out)
{
    struct handlers_metrics_worker *workers = arena_alloc(arena, (pool->count + 1) * sizeof workers[0]);
    if (workers == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < pool->count; i++)
        workers[i] = (struct handlers_metrics_worker){
            .number = (unsigned)pool->workers[i].place,
            .requests = pool->workers[i].requests,
            .cache_hits = pool->workers[i].counters[METRIC_CACHE_HITS],
            .cache_misses = pool->workers[i].counters[METRIC_CACHE_MISSES],
            .busy_us = pool->workers[i].busy_us,
        };
    out->workers = workers;
    out->worker_count = pool->count;
    return OK;
}

static void copy_gauges(const struct metrics_gauges *from, struct metrics_gauges *to)
{
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        metrics_gauge_set(to, (enum metric_gauge)i, metrics_gauge_get(from, (enum metric_gauge)i));
}

enum err numbers_read(void *data, struct arena *arena, struct handlers_metrics_view *out)
{
    const struct numbers *n = data;
    *out = (struct handlers_metrics_view){.pooled = n->board != NULL};
    copy_gauges(n->gauges, &out->gauges);
    if (n->board == NULL) {
        metrics_merge(&out->sum, n->metrics);
        return OK;
    }
    struct pool_view *pool = malloc(sizeof *pool);
    if (pool == NULL)
        return ERR_NOMEM;
    pool_view_read(n->board, clock_now_ms(&clock_system), clock_monotonic_us(), pool);
    metrics_merge(&out->sum, &pool->sum);
    out->now_ms = pool->now_ms;
    out->edge_count = metrics_edges_copy(&n->board->header->edges, out->edges);
    out->pool = (struct handlers_metrics_pool){
        .wanted = pool->wanted,
        .alive = (unsigned)pool->count,
        .busy = (unsigned)pool->busy,
        .generation = pool->generation,
        .deaths = pool->deaths,
        .timeouts = pool->timeouts,
        .recycled = pool->recycled,
        .reloads = pool->reloads,
        .reloads_refused = pool->reloads_refused,
        .started_ms = pool->started_ms,
        .reloaded_ms = pool->reloaded_ms,
        .queued = pool_queue_length(n->listen_fd),
    };
    enum err e = take_workers(pool, arena, out);
    free(pool);
    return e;
}

static void read_alone(const struct numbers *n, int64_t now_ms, struct pool_view *out)
{
    *out = (struct pool_view){
        .now_ms = now_ms, .state = "alone", .pid = getpid(), .started_ms = now_ms, .reloaded_ms = now_ms};
    memcpy(out->routes, n->routes, sizeof out->routes);
    copy_gauges(n->gauges, &out->gauges);
    metrics_merge(&out->sum, n->metrics);
    out->requests = metrics_durations(&out->sum);
}

enum err numbers_write_status(void *data, struct buf *out)
{
    const struct numbers *n = data;
    struct pool_view *view = malloc(sizeof *view);
    if (view == NULL)
        return ERR_NOMEM;
    if (n->board == NULL)
        read_alone(n, clock_now_ms(&clock_system), view);
    else
        pool_view_read(n->board, clock_now_ms(&clock_system), clock_monotonic_us(), view);
    pool_view_write_json(view, out);
    free(view);
    return buf_status(out);
}
