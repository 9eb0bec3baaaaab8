/*
 * GET /metrics: the numbers of the pool in Prometheus' text format 0.0.4; GET /v1/status: the same as JSON,
 * for a page that an operator keeps open. The pool is above this room, so that what it does comes as a plain
 * struct, or as text, from whoever wired the handlers. The answers are put together anew each time and never
 * cached.
 */
#pragma once
#include "base/metrics.h"
#include "http/exchange.h"

/* One worker. Its number is its place in the pool, which a successor takes over. */
struct handlers_metrics_worker {
    unsigned number;
    uint64_t requests; /* that this process has answered */
    uint64_t cache_hits, cache_misses;
    int64_t busy_us; /* how long the request in hand has taken so far; 0: none is */
};

struct handlers_metrics_pool {
    unsigned wanted, alive, busy; /* workers */
    uint32_t generation;
    uint64_t deaths, timeouts, recycled, reloads, reloads_refused;
    int64_t started_ms, reloaded_ms; /* Unix time */
    int64_t queued;                  /* connections that wait for a worker; -1: not known */
};

struct handlers_metrics_view {
    struct metrics sum;                       /* over all workers, the gone ones too */
    struct metrics_gauges gauges;             /* as they stand */
    struct metrics_edge edges[METRICS_EDGES]; /* caches in front */
    size_t edge_count;
    int64_t now_ms; /* Unix time of the reading */
    bool pooled;    /* false: this process is alone, and what follows is empty */
    struct handlers_metrics_pool pool;
    const struct handlers_metrics_worker *workers;
    size_t worker_count;
};

struct handlers_metrics {
    const char *version, *compiler;
    const struct metrics_route *routes; /* in the order in which they are counted */
    size_t route_count;
    /* Fills *out; what it points to is in the arena. ERR_NOMEM. */
    enum err (*read)(void *data, struct arena *arena, struct handlers_metrics_view *out);
    /* Appends the status as JSON. ERR_NOMEM. */
    enum err (*write_status)(void *data, struct buf *out);
    void *data;
};

/* The handlers; data is a struct handlers_metrics. */
enum err handlers_metrics(void *data, struct http_exchange *x);
enum err handlers_status(void *data, struct http_exchange *x);
/* Appends the document. Pure. */
void handlers_metrics_write(const struct handlers_metrics *m, const struct handlers_metrics_view *view,
                            struct buf *out);
