/*
 * The ghost: which keys were lately dropped from the small ring. Whoever comes back while it is remembered
 * was dropped too early, and goes to the main ring. It holds fingerprints, in sets of 16 words:
 *
 *     a word:  fingerprint 20 bits, never 0 | time 12 bits       0: free
 *
 * Time is counted in what was dropped, and a key is remembered until as much as the span was dropped after
 * it. Each change is one atomic store. A fingerprint may be another key's, about once in 60,000 times: then a
 * new key skips the small ring, no harm. All of it is the lock holder's.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CACHE_GHOST_WAYS = 16, CACHE_GHOST_TICKS = 1024 /* a span has */ };

struct cache_ghost {
    _Atomic uint32_t *words; /* sets × CACHE_GHOST_WAYS */
    uint32_t sets;
    _Atomic uint64_t *clock; /* units dropped, ever */
    uint64_t units_a_tick;
};

/* Fills the handle; span_units: how long a key is remembered, in units dropped. */
void cache_ghost_init(struct cache_ghost *g, _Atomic uint32_t *words, uint32_t sets, _Atomic uint64_t *clock,
                      uint64_t span_units);
/* Remembers a key whose record of so many units was dropped. */
void cache_ghost_remember(struct cache_ghost *g, uint64_t hash, uint64_t units);
/* Whether it is remembered; and forgets it. */
bool cache_ghost_take(struct cache_ghost *g, uint64_t hash);
