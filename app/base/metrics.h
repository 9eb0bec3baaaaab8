/*
 * The counters of one process: how often each thing happened, requests by route and status, and how long they
 * took. A plain struct of words that lies in memory shared by the pool, or in the process itself where there
 * is no pool. Each word has one writer, the worker whose struct it is, and any number of readers: so to count
 * is a relaxed load and a relaxed store, with no locked instruction, and a worker killed at any instruction
 * leaves nothing to repair. A reader may see one worker's words of slightly different moments.
 *
 * Nothing here allocates, blocks or reads a clock. No pointer to these structs is ever NULL: a process
 * without a pool has structs of its own.
 *
 *     metrics_add(metrics, METRIC_CACHE_HITS, 1);
 *     metrics_gauge_set(gauges, GAUGE_CACHE_ENTRIES, count);
 */
#pragma once
#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The counters: X(name of the enum, Prometheus name, its labels, key in status --json, what it counts). Rows
 * of one Prometheus name stand together, and the first one's text is the name's. A change to any of these
 * tables changes metrics_layout, so that programs of different tables never read each other's words.
 */
#define METRICS_COUNTERS(X)                                                                                  \
    X(CACHE_HITS, "profiled_cache_hits_total", "", "cache_hits",                                             \
      "Reads answered out of the internal cache.")                                                           \
    X(CACHE_NEGATIVE_HITS, "profiled_cache_negative_hits_total", "", "cache_negative_hits",                  \
      "Reads answered by what the cache knows to be missing; hits do not include them.")                     \
    X(CACHE_MISSES, "profiled_cache_misses_total", "", "cache_misses",                                       \
      "Reads that found nothing usable in the cache.")                                                       \
    X(CACHE_LOADS, "profiled_cache_loads_total", "", "cache_loads",                                          \
      "Reads of the database for what the cache did not give; for all of a batch it is one.")                \
    X(CACHE_FILLS, "profiled_cache_fills_total", "", "cache_fills", "Answers put into the cache.")           \
    X(CACHE_FLIGHT_WAITS, "profiled_cache_flight_waits_total", "", "cache_flight_waits",                     \
      "Misses that waited for another worker's read of the same key.")                                       \
    X(CACHE_BYPASSES, "profiled_cache_bypasses_total", "", "cache_bypasses",                                 \
      "Reads that went round the cache, for its lock was not had in time; misses do not include them.")      \
    X(CACHE_EVICTIONS, "profiled_cache_evictions_total", "", "cache_evictions",                              \
      "Entries that made room for others.")                                                                  \
    X(CACHE_INVALIDATIONS_CREATE, "profiled_cache_invalidations_total", "cause=\"create\"",                  \
      "cache_invalidations_create", "Changes that made what the cache held old, by what they were.")         \
    X(CACHE_INVALIDATIONS_UPDATE, "profiled_cache_invalidations_total", "cause=\"update\"",                  \
      "cache_invalidations_update", "")                                                                      \
    X(CACHE_INVALIDATIONS_PRIVATE, "profiled_cache_invalidations_total", "cause=\"private\"",                \
      "cache_invalidations_private", "")                                                                     \
    X(CACHE_INVALIDATIONS_SUSPEND, "profiled_cache_invalidations_total", "cause=\"suspend\"",                \
      "cache_invalidations_suspend", "")                                                                     \
    X(CACHE_INVALIDATIONS_RESUME, "profiled_cache_invalidations_total", "cause=\"resume\"",                  \
      "cache_invalidations_resume", "")                                                                      \
    X(CACHE_INVALIDATIONS_DELETE, "profiled_cache_invalidations_total", "cause=\"delete\"",                  \
      "cache_invalidations_delete", "")                                                                      \
    X(CACHE_INVALIDATIONS_REVOKE, "profiled_cache_invalidations_total", "cause=\"revoke\"",                  \
      "cache_invalidations_revoke", "")                                                                      \
    X(CACHE_INVALIDATIONS_DATABASE, "profiled_cache_invalidations_total", "cause=\"database\"",              \
      "cache_invalidations_database", "") /* all dropped: the database was replaced or restored */           \
    X(CACHE_SYNCS, "profiled_cache_syncs_total", "", "cache_syncs",                                          \
      "Times that the change log was read on, to learn what had become old.")                                \
    X(TOKEN_MEMO_HITS, "profiled_token_memo_hits_total", "", "token_memo_hits",                              \
      "Tokens whose signature was known to be good.")                                                        \
    X(TOKEN_MEMO_MISSES, "profiled_token_memo_misses_total", "", "token_memo_misses",                        \
      "Tokens whose signature had to be verified.")                                                          \
    X(TOKEN_MEMO_FILLS, "profiled_token_memo_fills_total", "", "token_memo_fills",                           \
      "Verified tokens that were remembered.")                                                               \
    X(TOKEN_MEMO_EVICTIONS, "profiled_token_memo_evictions_total", "", "token_memo_evictions",               \
      "Remembered tokens that made room for others.")                                                        \
    X(EDGE_PURGES_SENT, "profiled_edge_purges_sent_total", "", "edge_purges_sent",                           \
      "Purges that a cache in front has confirmed.")                                                         \
    X(EDGE_PURGES_FAILED, "profiled_edge_purges_failed_total", "", "edge_purges_failed",                     \
      "Purges and heartbeats that were not confirmed.")                                                      \
    X(EDGE_PURGES_RETRIED, "profiled_edge_purges_retried_total", "", "edge_purges_retried",                  \
      "Purges and heartbeats that were sent because the one before had failed.")                             \
    X(EDGE_PURGE_ALLS, "profiled_edge_purge_alls_total", "", "edge_purge_alls",                              \
      "Times that everything was purged at a cache in front, for what it holds was not known.")              \
    X(EDGE_HEARTBEATS, "profiled_edge_heartbeats_total", "", "edge_heartbeats",                              \
      "Heartbeats that a cache in front has confirmed.")

/* What holds for the whole pool at a moment; whoever knows writes it, and the last writer wins. The same
 * columns. */
#define METRICS_GAUGES(X)                                                                                    \
    X(CACHE_BYTES_HELD, "profiled_cache_held_bytes", "", "cache_bytes_held",                                 \
      "Memory of the internal cache that entries take up.")                                                  \
    X(CACHE_ENTRIES, "profiled_cache_entries", "", "cache_entries", "Entries in the internal cache.")        \
    X(CACHE_SIZE_BYTES, "profiled_cache_size_bytes", "", "cache_size_bytes",                                 \
      "Memory that the internal cache may take up; 0: it is off.")                                           \
    X(TOKEN_MEMO_BYTES_HELD, "profiled_token_memo_held_bytes", "", "token_memo_bytes_held",                  \
      "Memory that remembered tokens take up.")                                                              \
    X(TOKEN_MEMO_ENTRIES, "profiled_token_memo_entries", "", "token_memo_entries", "Remembered tokens.")     \
    X(TOKEN_MEMO_SIZE_BYTES, "profiled_token_memo_size_bytes", "", "token_memo_size_bytes",                  \
      "Memory that remembered tokens may take up; 0: none are.")                                             \
    X(CHANGE_SEQ, "profiled_change_seq", "", "change_seq",                                                   \
      "Number of the newest change in the database's log that the caches know of.")

/* The statuses that have a column of their own: those of http_status_reason. */
/* clang-format off */
#define METRICS_STATUSES(X)                                                                                  \
    X(200) X(201) X(204) X(304)                                                                              \
    X(400) X(401) X(403) X(404) X(405) X(409) X(412) X(413) X(415) X(422) X(428) X(429)                      \
    X(500) X(503) X(507)
/* clang-format on */

#define METRICS_ENUM(id, ...) METRIC_##id,
enum metric { METRICS_COUNTERS(METRICS_ENUM) METRIC_COUNT };
#undef METRICS_ENUM
#define METRICS_ENUM(id, ...) GAUGE_##id,
enum metric_gauge { METRICS_GAUGES(METRICS_ENUM) GAUGE_COUNT };
#undef METRICS_ENUM
#define METRICS_ENUM(code) METRICS_STATUS_##code,
enum metrics_status { METRICS_STATUSES(METRICS_ENUM) METRICS_STATUS_OTHER, METRICS_STATUS_COUNT };
#undef METRICS_ENUM

enum {
    METRICS_ROUTES = 40,                   /* rows of the route table that are told apart, and one more: */
    METRICS_NO_ROUTE = METRICS_ROUTES - 1, /* no row fits the request */
    METRICS_BOUNDS = 17, /* of the histogram; one bucket more takes what is above them all */
};

struct metrics {
    _Atomic uint64_t counters[METRIC_COUNT];
    _Atomic uint64_t requests[METRICS_ROUTES][METRICS_STATUS_COUNT];
    _Atomic uint64_t durations[METRICS_BOUNDS + 1]; /* requests that took so long: each in one bucket */
    _Atomic uint64_t duration_sum_us;
};

struct metrics_gauges {
    _Atomic uint64_t values[GAUGE_COUNT];
};

enum { METRICS_EDGES = 16, METRICS_EDGE_TEXT = 96 };

/* How it stands with a cache in front. Written by the one process that speaks to it. The texts are not stored
 * whole: who reads them makes sure of their ends. */
struct metrics_edge {
    char address[METRICS_EDGE_TEXT];
    char trouble[METRICS_EDGE_TEXT];  /* why the last attempt failed; "": it did not */
    _Atomic uint64_t state;           /* enum metrics_edge_state */
    _Atomic uint64_t position;        /* of the change log, confirmed */
    _Atomic uint64_t behind_since_ms; /* Unix time since when something is not confirmed; 0: nothing is */
    _Atomic uint64_t word_ms;         /* Unix time when it last confirmed anything; 0: never */
    _Atomic uint64_t failures;        /* in a row */
};
enum metrics_edge_state {
    METRICS_EDGE_WAITING,
    METRICS_EDGE_PURGING_ALL,
    METRICS_EDGE_FOLLOWING,
    METRICS_EDGE_FAILING,
    METRICS_EDGE_STATE_COUNT
};
struct metrics_edges {
    _Atomic uint64_t count; /* 0: there are none */
    struct metrics_edge edges[METRICS_EDGES];
};

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(_Atomic uint64_t) == 8, "a word is stored whole");
static_assert(sizeof(struct metrics) ==
                  8 * (METRIC_COUNT + METRICS_ROUTES * METRICS_STATUS_COUNT + METRICS_BOUNDS + 2),
              "words and nothing between them");

/* A row of the tables above. All of it static. */
struct metrics_info {
    const char *name;   /* Prometheus' */
    const char *labels; /* as they stand between the braces; "" */
    const char *key;    /* in JSON */
    const char *help;   /* "": as the row before */
};
extern const struct metrics_info metrics_counters[METRIC_COUNT];
extern const struct metrics_info metrics_gauge_info[GAUGE_COUNT];
/* Upper bounds of the histogram's buckets, in microseconds, rising; each belongs to its bucket. */
extern const uint32_t metrics_bounds_us[METRICS_BOUNDS];

/* A row of the route table, in words, for who shows the numbers. NUL-terminated. */
struct metrics_route {
    char pattern[64]; /* "": there is no such row */
    char methods[32]; /* "GET|HEAD" */
};

/* Adds n to a word whose only writer the caller is. */
static inline void metrics_word_add(_Atomic uint64_t *word, uint64_t n)
{
    atomic_store_explicit(word, atomic_load_explicit(word, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline uint64_t metrics_word(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void metrics_add(struct metrics *m, enum metric counter, uint64_t n)
{
    metrics_word_add(&m->counters[counter], n);
}
static inline uint64_t metrics_get(const struct metrics *m, enum metric counter)
{
    return metrics_word(&m->counters[counter]);
}
static inline void metrics_gauge_set(struct metrics_gauges *g, enum metric_gauge gauge, uint64_t value)
{
    atomic_store_explicit(&g->values[gauge], value, memory_order_relaxed);
}
static inline uint64_t metrics_gauge_get(const struct metrics_gauges *g, enum metric_gauge gauge)
{
    return metrics_word(&g->values[gauge]);
}

/* Counts an answer: the route table's row (METRICS_NO_ROUTE, or anything from there on: none), the status,
 * and how long it took (below 0 counts as 0). Three words are stored. */
void metrics_request(struct metrics *m, size_t route, int status, int64_t took_us);
/* Adds what from holds to into, whose only writer the caller is. */
void metrics_merge(struct metrics *into, const struct metrics *from);
/* Sets all to 0: for who owns the struct between two writers. */
void metrics_clear(struct metrics *m);

/* The column of a status, METRICS_STATUS_OTHER for one that has none. */
enum metrics_status metrics_status_of(int status);
/* The column's status; 0 for METRICS_STATUS_OTHER. */
int metrics_status_code(enum metrics_status column);
/* How many answers there were: of one status over all routes, or in all. */
uint64_t metrics_requests_of(const struct metrics *m, enum metrics_status column);
uint64_t metrics_requests(const struct metrics *m);
/* How many answers the histogram holds. */
uint64_t metrics_durations(const struct metrics *m);
/*
 * The duration, in microseconds, that a share of the answers (0.5: half) did not exceed, taken from the
 * histogram by straight lines within its buckets; -1 when it holds none. What lies above the last bound is
 * taken for that bound.
 */
double metrics_quantile_us(const struct metrics *m, double share);

/* A copy of how it stands with the caches in front, with all texts ended; gives how many there are. */
size_t metrics_edges_copy(const struct metrics_edges *from, struct metrics_edge out[METRICS_EDGES]);
/* For how long something has not been confirmed, in milliseconds; 0: all is. */
int64_t metrics_edge_lag_ms(const struct metrics_edge *edge, int64_t now_ms);
/* "waiting", "purging all", "following", "failing"; "unknown" for anything else. */
const char *metrics_edge_state_name(uint64_t state);

/* A number made of the tables above and of the routes: it differs between programs that would read a word as
 * different things. */
uint64_t metrics_layout(const struct metrics_route *routes, size_t count);
