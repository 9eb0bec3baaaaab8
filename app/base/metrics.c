#include "base/metrics.h"

#include <string.h>

#define METRICS_INFO(id, name, labels, key, help) {name, labels, key, help},
const struct metrics_info metrics_counters[METRIC_COUNT] = {METRICS_COUNTERS(METRICS_INFO)};
const struct metrics_info metrics_gauge_info[GAUGE_COUNT] = {METRICS_GAUGES(METRICS_INFO)};

const uint32_t metrics_bounds_us[METRICS_BOUNDS] = {50,     100,     250,     500,     1000,    2500,
                                                    5000,   10000,   25000,   50000,   100000,  250000,
                                                    500000, 1000000, 2500000, 5000000, 10000000};

#define METRICS_CODE(code) code,
static const int codes[METRICS_STATUS_COUNT] = {METRICS_STATUSES(METRICS_CODE) 0};

enum metrics_status metrics_status_of(int status)
{
#define METRICS_CASE(code)                                                                                   \
    case code:                                                                                               \
        return METRICS_STATUS_##code;
    switch (status) {
        METRICS_STATUSES(METRICS_CASE)
    default:
        return METRICS_STATUS_OTHER;
    }
}

int metrics_status_code(enum metrics_status column)
{
    return codes[column];
}

void metrics_request(struct metrics *m, size_t route, int status, int64_t took_us)
{
    size_t row = route < METRICS_NO_ROUTE ? route : METRICS_NO_ROUTE;
    uint64_t us = took_us > 0 ? (uint64_t)took_us : 0;
    size_t bucket = 0;
    /* most answers are quick: the first few bounds */
    while (bucket < METRICS_BOUNDS && us > metrics_bounds_us[bucket])
        bucket++;
    metrics_word_add(&m->requests[row][metrics_status_of(status)], 1);
    metrics_word_add(&m->durations[bucket], 1);
    metrics_word_add(&m->duration_sum_us, us);
}

static void add_words(_Atomic uint64_t *into, const _Atomic uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        metrics_word_add(&into[i], metrics_word(&from[i]));
}

void metrics_merge(struct metrics *into, const struct metrics *from)
{
    add_words(into->counters, from->counters, METRIC_COUNT);
    for (size_t route = 0; route < METRICS_ROUTES; route++)
        add_words(into->requests[route], from->requests[route], METRICS_STATUS_COUNT);
    add_words(into->durations, from->durations, METRICS_BOUNDS + 1);
    add_words(&into->duration_sum_us, &from->duration_sum_us, 1);
}

static void clear_words(_Atomic uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_store_explicit(&words[i], 0, memory_order_relaxed);
}

void metrics_clear(struct metrics *m)
{
    clear_words(m->counters, METRIC_COUNT);
    for (size_t route = 0; route < METRICS_ROUTES; route++)
        clear_words(m->requests[route], METRICS_STATUS_COUNT);
    clear_words(m->durations, METRICS_BOUNDS + 1);
    clear_words(&m->duration_sum_us, 1);
}

uint64_t metrics_requests_of(const struct metrics *m, enum metrics_status column)
{
    uint64_t sum = 0;
    for (size_t route = 0; route < METRICS_ROUTES; route++)
        sum += metrics_word(&m->requests[route][column]);
    return sum;
}

uint64_t metrics_requests(const struct metrics *m)
{
    uint64_t sum = 0;
    for (size_t column = 0; column < METRICS_STATUS_COUNT; column++)
        sum += metrics_requests_of(m, (enum metrics_status)column);
    return sum;
}

uint64_t metrics_durations(const struct metrics *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++)
        sum += metrics_word(&m->durations[i]);
    return sum;
}

double metrics_quantile_us(const struct metrics *m, double share)
{
    double below = 0, wanted = share * (double)metrics_durations(m);
    double low = 0;
    if (wanted <= 0)
        return -1;
    for (size_t i = 0; i < METRICS_BOUNDS; i++) {
        double high = metrics_bounds_us[i], here = (double)metrics_word(&m->durations[i]);
        if (here > 0 && below + here >= wanted)
            return low + (high - low) * (wanted - below) / here;
        below += here;
        low = high;
    }
    return low;
}

/* FNV-1a, the NUL included, so that "ab","c" is not "a","bc". Nobody chooses these texts to deceive. */
static uint64_t mix(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    while (*text++ != '\0');
    return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        hash = (hash ^ (number & 255)) * UINT64_C(1099511628211);
    return hash;
}

uint64_t metrics_layout(const struct metrics_route *routes, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        hash = mix(hash, metrics_counters[i].key);
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        hash = mix(hash, metrics_gauge_info[i].key);
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++)
        hash = mix_number(hash, (uint64_t)codes[i]);
    for (size_t i = 0; i < METRICS_BOUNDS; i++)
        hash = mix_number(hash, metrics_bounds_us[i]);
    hash = mix_number(hash, METRICS_ROUTES);
    for (size_t i = 0; i < count; i++)
        hash = mix(mix(hash, routes[i].pattern), routes[i].methods);
    return hash;
}

size_t metrics_edges_copy(const struct metrics_edges *from, struct metrics_edge out[METRICS_EDGES])
{
    uint64_t count = metrics_word(&from->count);
    for (size_t i = 0; i < count && i < METRICS_EDGES; i++) {
        const struct metrics_edge *edge = &from->edges[i];
        memcpy(out[i].address, edge->address, sizeof out[i].address);
        memcpy(out[i].trouble, edge->trouble, sizeof out[i].trouble);
        out[i].address[sizeof out[i].address - 1] = out[i].trouble[sizeof out[i].trouble - 1] = '\0';
        atomic_store_explicit(&out[i].state, metrics_word(&edge->state), memory_order_relaxed);
        atomic_store_explicit(&out[i].position, metrics_word(&edge->position), memory_order_relaxed);
        atomic_store_explicit(&out[i].behind_since_ms, metrics_word(&edge->behind_since_ms),
                              memory_order_relaxed);
        atomic_store_explicit(&out[i].word_ms, metrics_word(&edge->word_ms), memory_order_relaxed);
        atomic_store_explicit(&out[i].failures, metrics_word(&edge->failures), memory_order_relaxed);
    }
    return count < METRICS_EDGES ? (size_t)count : METRICS_EDGES;
}

int64_t metrics_edge_lag_ms(const struct metrics_edge *edge, int64_t now_ms)
{
    int64_t since_ms = (int64_t)metrics_word(&edge->behind_since_ms);
    return since_ms != 0 && now_ms > since_ms ? now_ms - since_ms : 0;
}

const char *metrics_edge_state_name(uint64_t state)
{
    static const char *const names[METRICS_EDGE_STATE_COUNT] = {"waiting", "purging all", "following",
                                                                "failing"};
    return state < METRICS_EDGE_STATE_COUNT ? names[state] : "unknown";
}
