/*
 * What the pool is doing and has counted, read out of its scoreboard at one moment (pool_view.c) and put into
 * words (pool_text.c, pool_json.c). `profiled status` prints it, and /metrics is filled from it.
 */
#pragma once
#include "base/buf.h"
#include "pool/scoreboard.h"

struct pool_view_worker {
    size_t place;
    pid_t pid;
    const char *state; /* static: "starting", "idle", "busy", "draining", "killed" */
    uint32_t generation;
    int64_t started_ms; /* Unix time */
    uint64_t requests;
    int64_t busy_us; /* how long the request in hand has taken so far; 0: none is */
    uint32_t restarts;
    uint64_t counters[METRIC_COUNT]; /* by enum metric */
};

struct pool_view {
    int64_t now_ms; /* Unix time of the reading */
    pid_t pid;
    const char *state; /* static */
    uint32_t generation;
    uint32_t wanted; /* workers */
    int64_t started_ms, reloaded_ms;
    uint64_t requests, deaths, timeouts, recycled, reloads, reloads_refused;
    char listen[sizeof(((struct scoreboard_header *)0)->listen)];
    struct metrics sum; /* over all workers, the gone ones too */
    struct metrics_gauges gauges;
    struct metrics_route routes[METRICS_ROUTES]; /* whose requests sum.requests counts */
    struct metrics_edge edges[METRICS_EDGES];    /* caches in front */
    size_t edge_count;
    bool has_edge; /* there is a process that speaks to them: */
    struct pool_view_worker edge;
    size_t busy; /* workers with a request in hand */
    size_t count;
    struct pool_view_worker workers[SCOREBOARD_SLOTS];
};

/* Reads it; now_us is clock_monotonic_us, which the workers' times are in. */
void pool_view_read(const struct scoreboard *board, int64_t now_ms, int64_t now_us, struct pool_view *out);
/*
 * The share of reads that the cache answered, what it knows to be missing included, of all reads that asked
 * it or had to go round it; the same for tokens. -1 when there were none. counters by enum metric.
 */
double pool_view_cache_ratio(const uint64_t counters[METRIC_COUNT]);
double pool_view_memo_ratio(const uint64_t counters[METRIC_COUNT]);
/* The sum's counters, plain. */
void pool_view_counters(const struct pool_view *view, uint64_t out[METRIC_COUNT]);

/* Appends a few lines and a table. before: the view of a moment ago, for requests a second; NULL: they are
 * left out. */
void pool_view_write_text(const struct pool_view *view, const struct pool_view *before, struct buf *out);
/* Appends it as one line of JSON. */
void pool_view_write_json(const struct pool_view *view, struct buf *out);
