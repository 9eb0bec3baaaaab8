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

/* What one bucket has to offer. */
struct offer {
    _Atomic uint64_t *free, *least;
    uint64_t least_worth;
    int used;
};

static struct offer look(_Atomic uint64_t *bucket)
{
    struct offer o = {.least_worth = UINT64_MAX};
    for (int i = 0; i < CACHE_WAYS; i++) {
        uint64_t slot = slot_load(&bucket[i]);
        if (slot == 0) {
            o.free = &bucket[i];
            continue;
        }
        o.used++;
        if (worth(slot) < o.least_worth) {
            o.least = &bucket[i];
            o.least_worth = worth(slot);
        }
    }
    return o;
}

_Atomic uint64_t *cache_index_place(const struct cache_index *x, uint64_t hash)
{
    const struct offer first = look(cache_index_bucket(x, hash, 0));
    if (first.used < CACHE_FIRST_BUCKET_ENOUGH)
        return first.free;
    const struct offer second = look(cache_index_bucket(x, hash, 1));
    const struct offer *better = second.used < first.used ? &second : &first;
    if (better->free != NULL)
        return better->free;
    return second.least_worth < first.least_worth ? second.least : first.least;
}
