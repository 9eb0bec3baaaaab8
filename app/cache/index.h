/*
 * The index: where the record of a hash lies. Buckets of eight slots, a cache line each. A hash has two of
 * them: the first as long as few have it, so that most gets see one line; then the emptier of the two, so
 * that with half as many slots again as records hardly one in a thousand finds both full.
 *
 *     a slot:  tag 15 bits | ring 1 | frequency 2 | position 46      0: free
 *
 * A slot is published by one atomic store of the insert lock's holder. Readers change its frequency alone, by
 * compare-and-swap, which fails if the holder was there first. Every slot that is not free points at a record
 * in its ring, except while the holder is at work and after one died at it.
 */
#pragma once
#include "cache/ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_WAYS = 8, CACHE_FREQUENCY_MAX = 3, CACHE_FIRST_BUCKET_ENOUGH = 6 };
#define CACHE_SLOT_POSITION_MASK (((uint64_t)1 << CACHE_POSITION_BITS) - 1)
#define CACHE_SLOT_FREQUENCY_ONE ((uint64_t)1 << CACHE_POSITION_BITS)

struct cache_index {
    _Atomic uint64_t *slots; /* buckets × CACHE_WAYS */
    uint32_t buckets;
};

static inline uint64_t cache_hash_tag(uint64_t hash)
{
    return hash & 0x7fff;
}
static inline uint64_t cache_slot_make(uint64_t hash, enum cache_ring_id ring, unsigned frequency,
                                       uint64_t position)
{
    return cache_hash_tag(hash) << 49 | (uint64_t)ring << 48 | (uint64_t)frequency << CACHE_POSITION_BITS |
           position;
}
static inline bool cache_slot_is_of(uint64_t slot, uint64_t hash)
{
    return slot != 0 && slot >> 49 == cache_hash_tag(hash);
}
static inline enum cache_ring_id cache_slot_ring(uint64_t slot)
{
    return slot >> 48 & 1 ? CACHE_RING_MAIN : CACHE_RING_SMALL;
}
static inline unsigned cache_slot_frequency(uint64_t slot)
{
    return slot >> CACHE_POSITION_BITS & CACHE_FREQUENCY_MAX;
}
static inline uint64_t cache_slot_position(uint64_t slot)
{
    return slot & CACHE_SLOT_POSITION_MASK;
}

/* The first slot of a hash's bucket: which is 0 or 1. Both halves of the hash count; the tag is in neither's
 * upper bits. */
static inline _Atomic uint64_t *cache_index_bucket(const struct cache_index *x, uint64_t hash, unsigned which)
{
    uint64_t half = which == 0 ? hash >> 32 : hash & 0xffffffff;
    return x->slots + (half * x->buckets >> 32) * CACHE_WAYS;
}

/* What follows is the lock holder's. */

/* The slot that points at this position, or NULL. */
_Atomic uint64_t *cache_index_at(const struct cache_index *x, uint64_t hash, enum cache_ring_id ring,
                                 uint64_t position);
/* The slot of a record with this key, or NULL. */
_Atomic uint64_t *cache_index_find(const struct cache_index *x, const struct cache_ring *rings, uint64_t hash,
                                   struct span key);
/* A free slot for a hash; when both buckets are full, the one that is least worth keeping: read least often,
 * then in the small ring, then oldest. */
_Atomic uint64_t *cache_index_place(const struct cache_index *x, uint64_t hash);
