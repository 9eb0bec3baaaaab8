/*
 * The index: where the record of a hash lies. Buckets of seven slots, a cache line each. A hash has two of
 * them: the first as long as few have it, so that most gets see one line; then the emptier of the two, so
 * that with half as many slots again as records hardly one in a thousand finds both full.
 *
 *     a bucket:  slot 8 bytes × 7 | frequency 1 byte × 7, of each slot | 1 unused
 *     a slot:    tag 17 bits | ring 1 | position 46      0: free
 *
 * A slot is published by one atomic store of the insert lock's holder; nobody else stores there. Every slot
 * that is not free points at a record in its ring, except while the holder is at work and after one died at
 * it. The frequencies are the readers': how often the record was read, up to CACHE_FREQUENCY_MAX. They are
 * plain stores of a byte, two of which at once count as one, and one that comes late counts for the slot's
 * next record: it is a hint, and not worth an atomic read-modify-write that holds up what comes behind it.
 */
#pragma once
#include "cache/ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_WAYS = 7, CACHE_FREQUENCY_MAX = 3, CACHE_FIRST_BUCKET_ENOUGH = 5 };
#define CACHE_SLOT_POSITION_MASK (((uint64_t)1 << CACHE_POSITION_BITS) - 1)

struct cache_bucket {
    _Atomic uint64_t slots[CACHE_WAYS];
    _Atomic uint8_t frequencies[CACHE_WAYS];
    uint8_t unused;
};
static_assert(sizeof(struct cache_bucket) == 64, "a bucket is a cache line");

struct cache_index {
    struct cache_bucket *buckets;
    uint32_t count;
};

/* A slot with its frequency; value NULL: none. */
struct cache_slot {
    _Atomic uint64_t *value;
    _Atomic uint8_t *frequency;
};

static inline uint64_t cache_hash_tag(uint64_t hash)
{
    return hash & 0x1ffff;
}
static inline uint64_t cache_slot_make(uint64_t hash, enum cache_ring_id ring, uint64_t position)
{
    return cache_hash_tag(hash) << 47 | (uint64_t)ring << CACHE_POSITION_BITS | position;
}
static inline bool cache_slot_is_of(uint64_t value, uint64_t hash)
{
    return value != 0 && value >> 47 == cache_hash_tag(hash);
}
static inline enum cache_ring_id cache_slot_ring(uint64_t value)
{
    return value >> CACHE_POSITION_BITS & 1 ? CACHE_RING_MAIN : CACHE_RING_SMALL;
}
static inline uint64_t cache_slot_position(uint64_t value)
{
    return value & CACHE_SLOT_POSITION_MASK;
}
static inline uint64_t cache_slot_load(struct cache_slot slot)
{
    return atomic_load_explicit(slot.value, memory_order_relaxed);
}
static inline unsigned cache_slot_frequency(struct cache_slot slot)
{
    return atomic_load_explicit(slot.frequency, memory_order_relaxed);
}
/* Once more read. */
static inline void cache_slot_mark_read(_Atomic uint8_t *frequency)
{
    uint8_t so_far = atomic_load_explicit(frequency, memory_order_relaxed);
    if (so_far < CACHE_FREQUENCY_MAX)
        atomic_store_explicit(frequency, so_far + 1, memory_order_relaxed);
}

/* A hash's bucket: which is 0 or 1. Both halves of the hash count; the tag is in neither's upper bits. */
static inline struct cache_bucket *cache_index_bucket(const struct cache_index *x, uint64_t hash,
                                                      unsigned which)
{
    uint64_t half = which == 0 ? hash >> 32 : hash & 0xffffffff;
    return &x->buckets[half * x->count >> 32];
}

/* What follows is the lock holder's. */

/* Makes the slot point at a record, for all to see. */
static inline void cache_slot_publish(struct cache_slot slot, uint64_t hash, enum cache_ring_id ring,
                                      uint64_t position, unsigned frequency)
{
    atomic_store_explicit(slot.frequency, (uint8_t)frequency, memory_order_relaxed);
    atomic_store_explicit(slot.value, cache_slot_make(hash, ring, position), memory_order_release);
}
static inline void cache_slot_free(struct cache_slot slot)
{
    atomic_store_explicit(slot.value, 0, memory_order_relaxed);
}
/* For walking all of them: i is less than count × CACHE_WAYS. */
static inline struct cache_slot cache_index_slot(const struct cache_index *x, size_t i)
{
    struct cache_bucket *b = &x->buckets[i / CACHE_WAYS];
    return (struct cache_slot){&b->slots[i % CACHE_WAYS], &b->frequencies[i % CACHE_WAYS]};
}
static inline size_t cache_index_slots(const struct cache_index *x)
{
    return (size_t)x->count * CACHE_WAYS;
}

/* The slot that points at this position, or none. */
struct cache_slot cache_index_at(const struct cache_index *x, uint64_t hash, enum cache_ring_id ring,
                                 uint64_t position);
/* The slot of a record with this key, or none. */
struct cache_slot cache_index_find(const struct cache_index *x, const struct cache_ring *rings, uint64_t hash,
                                   struct span key);
/* A free slot for a hash; when both buckets are full, the one that is least worth keeping: read least often,
 * then in the small ring, then oldest. */
struct cache_slot cache_index_place(const struct cache_index *x, uint64_t hash);
