#include "cache/index.h"

static struct cache_slot slot_of(struct cache_bucket *b, int way)
{
    return (struct cache_slot){&b->slots[way], &b->frequencies[way]};
}

struct cache_slot cache_index_at(const struct cache_index *x, uint64_t hash, enum cache_ring_id ring,
                                 uint64_t position)
{
    const uint64_t wanted = cache_slot_make(hash, ring, position);
    for (unsigned which = 0; which < 2; which++) {
        struct cache_bucket *bucket = cache_index_bucket(x, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            if (cache_slot_load(slot_of(bucket, i)) == wanted)
                return slot_of(bucket, i);
        }
    }
    return (struct cache_slot){NULL, NULL};
}

static bool has_key(const struct cache_ring *r, uint64_t position, struct span key)
{
    if (cache_ring_record_units(r, position) == 0)
        return false;
    const struct cache_record *record = cache_ring_record(r, position);
    uint64_t lengths = atomic_load_explicit(&record->lengths, memory_order_relaxed);
    return span_eq(span_of(record->bytes, cache_record_key_len(lengths)), key);
}

struct cache_slot cache_index_find(const struct cache_index *x, const struct cache_ring *rings, uint64_t hash,
                                   struct span key)
{
    for (unsigned which = 0; which < 2; which++) {
        struct cache_bucket *bucket = cache_index_bucket(x, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            uint64_t value = cache_slot_load(slot_of(bucket, i));
            if (cache_slot_is_of(value, hash) &&
                has_key(&rings[cache_slot_ring(value)], cache_slot_position(value), key))
                return slot_of(bucket, i);
        }
    }
    return (struct cache_slot){NULL, NULL};
}

/* Smaller: less worth keeping. */
static uint64_t worth(struct cache_slot slot)
{
    uint64_t value = cache_slot_load(slot);
    return (uint64_t)cache_slot_frequency(slot) << 62 | (uint64_t)cache_slot_ring(value) << 61 |
           cache_slot_position(value);
}

/* What one bucket has to offer. */
struct offer {
    struct cache_slot free, least;
    uint64_t least_worth;
    int used;
};

static struct offer look(struct cache_bucket *bucket)
{
    struct offer o = {.least_worth = UINT64_MAX};
    for (int i = 0; i < CACHE_WAYS; i++) {
        struct cache_slot slot = slot_of(bucket, i);
        if (cache_slot_load(slot) == 0) {
            o.free = slot;
            continue;
        }
        o.used++;
        if (o.least.value == NULL || worth(slot) < o.least_worth) {
            o.least = slot;
            o.least_worth = worth(slot);
        }
    }
    return o;
}

struct cache_slot cache_index_place(const struct cache_index *x, uint64_t hash)
{
    const struct offer first = look(cache_index_bucket(x, hash, 0));
    if (first.used < CACHE_FIRST_BUCKET_ENOUGH)
        return first.free;
    const struct offer second = look(cache_index_bucket(x, hash, 1));
    const struct offer *better = second.used < first.used ? &second : &first;
    if (better->free.value != NULL)
        return better->free;
    return second.least_worth < first.least_worth ? second.least : first.least;
}
