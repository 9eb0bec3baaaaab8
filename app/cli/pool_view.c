#include "cli/pool_view.h"

#include <string.h>

/* One worker: what its state means to who looks on. */
static const char *state_of(uint32_t state, bool busy)
{
    if (state == CHILD_READY)
        return busy ? "busy" : "idle";
    return child_state_name((enum child_state)state);
}

static void read_worker(const struct scoreboard_slot *slot, size_t place, int64_t now_us,
                        struct pool_view *out)
{
    uint32_t role = atomic_load(&slot->role);
    bool is_edge = role == POOL_EDGE;
    if (role == POOL_CHANGES)
        return;
    /* of the edge process it is something else (scoreboard.h) */
    int64_t since_us = is_edge ? 0 : atomic_load_explicit(&slot->busy_since_us, memory_order_relaxed);
    struct pool_view_worker *w = is_edge ? &out->edge : &out->workers[out->count++];
    /* over a reload there are two: the one that is not on its way out counts */
    if (is_edge && out->has_edge && out->edge.generation > atomic_load(&slot->generation))
        return;
    out->has_edge = out->has_edge || is_edge;
    *w = (struct pool_view_worker){
        .place = place,
        .pid = atomic_load(&slot->pid),
        .state = state_of(atomic_load(&slot->state), since_us != 0),
        .generation = atomic_load(&slot->generation),
        .started_ms = atomic_load(&slot->started_ms),
        .requests = atomic_load(&slot->requests),
        .busy_us = since_us == 0       ? 0
                   : now_us > since_us ? now_us - since_us
                                       : 1,
        .restarts = atomic_load(&slot->restarts),
    };
    for (size_t i = 0; i < METRIC_COUNT; i++)
        w->counters[i] = metrics_get(&slot->metrics, (enum metric)i);
    out->busy += !is_edge && w->busy_us > 0 ? 1 : 0;
}

void pool_view_read(const struct scoreboard *board, int64_t now_ms, int64_t now_us, struct pool_view *out)
{
    const struct scoreboard_header *header = board->header;
    out->now_ms = now_ms;
    out->pid = atomic_load(&header->pid);
    out->state = pool_state_name((enum pool_state)atomic_load(&header->state));
    out->generation = atomic_load(&header->generation);
    out->wanted = atomic_load(&header->workers);
    out->started_ms = atomic_load(&header->started_ms);
    out->reloaded_ms = atomic_load(&header->reloaded_ms);
    out->deaths = atomic_load(&header->deaths);
    out->timeouts = atomic_load(&header->timeouts);
    out->recycled = atomic_load(&header->recycled);
    out->reloads = atomic_load(&header->reloads);
    out->reloads_refused = atomic_load(&header->reloads_refused);
    memcpy(out->listen, header->listen, sizeof out->listen);
    out->listen[sizeof out->listen - 1] = '\0';
    memcpy(out->routes, header->routes, sizeof out->routes);
    for (size_t i = 0; i < METRICS_ROUTES; i++)
        out->routes[i].pattern[sizeof out->routes[i].pattern - 1] =
            out->routes[i].methods[sizeof out->routes[i].methods - 1] = '\0';
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        metrics_gauge_set(&out->gauges, (enum metric_gauge)i,
                          metrics_gauge_get(&header->gauges, (enum metric_gauge)i));
    scoreboard_sum(board, &out->sum, &out->requests);
    out->edge_count = metrics_edges_copy(&header->edges, out->edges);
    out->has_edge = false;
    out->busy = out->count = 0;
    for (size_t i = 0; i < scoreboard_reserved(board); i++)
        if (atomic_load(&board->slots[i].pid) != 0)
            read_worker(&board->slots[i], i, now_us, out);
}

void pool_view_counters(const struct pool_view *view, uint64_t out[METRIC_COUNT])
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        out[i] = metrics_get(&view->sum, (enum metric)i);
}

static double share(uint64_t part, uint64_t rest)
{
    return part + rest == 0 ? -1 : (double)part / (double)(part + rest);
}

double pool_view_cache_ratio(const uint64_t counters[METRIC_COUNT])
{
    return share(counters[METRIC_CACHE_HITS] + counters[METRIC_CACHE_NEGATIVE_HITS],
                 counters[METRIC_CACHE_MISSES] + counters[METRIC_CACHE_BYPASSES]);
}

double pool_view_memo_ratio(const uint64_t counters[METRIC_COUNT])
{
    return share(counters[METRIC_TOKEN_MEMO_HITS], counters[METRIC_TOKEN_MEMO_MISSES]);
}
