#include "cache/index.h"

#include <string.h>

static uint64_t slot_load(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

_Atomic uint64_t *cache_index_at(const struct cache_index *x, uint64_t hash, enum cache_ring_id ring,
                                 uint64_t position)
{
    const uint64_t frequency = CACHE_FREQUENCY_MAX * CACHE_SLOT_FREQUENCY_ONE;
    const uint64_t wanted = cache_slot_make(hash, ring, CACHE_FREQUENCY_MAX, position);
    for (unsigned which = 0; which < 2; which++) {
        _Atomic uint64_t *bucket = cache_index_bucket(x, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            if ((slot_load(&bucket[i]) | frequency) == wanted)
                return &bucket[i];
        }
    }
    return NULL;
}

static bool has_key(const struct cache_ring *r, uint64_t position, struct span key)
{
    if (cache_ring_record_units(r, position) == 0)
        return false;
    const struct cache_record *record = cache_ring_record(r, position);
    uint64_t lengths = atomic_load_explicit(&record->lengths, memory_order_relaxed);
    return span_eq(span_of(record->bytes, cache_record_key_len(lengths)), key);
}

_Atomic uint64_t *cache_index_find(const struct cache_index *x, const struct cache_ring *rings, uint64_t hash,
                                   struct span key)
{
    for (unsigned which = 0; which < 2; which++) {
        _Atomic uint64_t *bucket = cache_index_bucket(x, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            uint64_t slot = slot_load(&bucket[i]);
            if (cache_slot_is_of(slot, hash) &&
                has_key(&rings[cache_slot_ring(slot)], cache_slot_position(slot), key))
                return &bucket[i];
        }
    }
    return NULL;
}

/* Smaller: less worth keeping. */
static uint64_t worth(uint64_t slot)
{
    return (uint64_t)cache_slot_frequency(slot) << 62 | (uint64_t)cache_slot_ring(slot) << 61 |
           cache_slot_position(slot);
}

_Atomic uint64_t *cache_index_place(const struct cache_index *x, uint64_t hash)
{
    _Atomic uint64_t *least = NULL;
    uint64_t least_worth = UINT64_MAX;
    for (unsigned which = 0; which < 2; which++) {
        _Atomic uint64_t *bucket = cache_index_bucket(x, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            uint64_t slot = slot_load(&bucket[i]);
            if (slot == 0)
                return &bucket[i];
            if (worth(slot) < least_worth) {
                least = &bucket[i];
                least_worth = worth(slot);
            }
        }
    }
    return least;
}
