#include "cache/ghost.h"

#include <stddef.h>

enum { TIME_BITS = 12, TIME_MASK = (1 << TIME_BITS) - 1, FINGERPRINT_MASK = (1 << 20) - 1 };

void cache_ghost_init(struct cache_ghost *g, _Atomic uint32_t *words, uint32_t sets, _Atomic uint64_t *clock,
                      uint64_t span_units)
{
    *g = (struct cache_ghost){.words = words, .sets = sets, .clock = clock};
    g->units_a_tick = span_units < CACHE_GHOST_TICKS ? 1 : span_units / CACHE_GHOST_TICKS;
}

static _Atomic uint32_t *set_of(const struct cache_ghost *g, uint64_t hash)
{
    return g->words + ((hash >> 32) * g->sets >> 32) * CACHE_GHOST_WAYS;
}

static uint32_t fingerprint_of(uint64_t hash)
{
    uint32_t fingerprint = (uint32_t)hash & FINGERPRINT_MASK;
    return fingerprint == 0 ? 1 : fingerprint;
}

static uint32_t now(const struct cache_ghost *g)
{
    return (uint32_t)(atomic_load_explicit(g->clock, memory_order_relaxed) / g->units_a_tick) & TIME_MASK;
}

/* In ticks. Time comes round after four spans; by then a set has long replaced its oldest words. */
static uint32_t age(uint32_t word, uint32_t at)
{
    return (at - word) & TIME_MASK;
}

void cache_ghost_remember(struct cache_ghost *g, uint64_t hash, uint64_t units)
{
    _Atomic uint32_t *set = set_of(g, hash), *place = NULL;
    const uint32_t at = now(g), fingerprint = fingerprint_of(hash);
    uint32_t oldest = 0;
    for (int i = 0; i < CACHE_GHOST_WAYS; i++) {
        uint32_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        if (word == 0 || word >> TIME_BITS == fingerprint) {
            place = &set[i];
            break;
        }
        if (place == NULL || age(word, at) > oldest) {
            place = &set[i];
            oldest = age(word, at);
        }
    }
    atomic_store_explicit(place, fingerprint << TIME_BITS | at, memory_order_relaxed);
    atomic_store_explicit(g->clock, atomic_load_explicit(g->clock, memory_order_relaxed) + units,
                          memory_order_relaxed);
}

bool cache_ghost_take(struct cache_ghost *g, uint64_t hash)
{
    _Atomic uint32_t *set = set_of(g, hash);
    const uint32_t at = now(g), fingerprint = fingerprint_of(hash);
    for (int i = 0; i < CACHE_GHOST_WAYS; i++) {
        uint32_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        if (word >> TIME_BITS != fingerprint)
            continue;
        atomic_store_explicit(&set[i], 0, memory_order_relaxed);
        return age(word, at) <= CACHE_GHOST_TICKS;
    }
    return false;
}
