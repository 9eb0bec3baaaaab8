/*
 * What a table's block begins with, and where its parts lie. Everything after the header follows from two
 * numbers, bytes and typical_len, so that attach need not believe any offset that it finds.
 */
#pragma once
#include "cache/lock.h"
#include "cache/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Raised with any change to what lies in the block, or to what a slot or a record looks like. */
enum { CACHE_BLOCK_VERSION = 1 };
#define CACHE_BLOCK_MAGIC "prfdcach"

/*
 *     0     magic, version, sizes        written by format alone
 *     64    ends of the small ring       what readers look at: a line for each ring
 *     128   ends of the main ring
 *     192   lock, counters               what only writers look at
 *     320   index
 * The lock's holder alone writes from 64 on; every word is stored whole.
 */
struct cache_block {
    char magic[8];
    uint32_t version;
    uint32_t lock_size; /* of the C library's mutex: another one would not understand ours */
    uint64_t bytes;
    uint64_t typical_len;
    alignas(64) struct cache_ring_ends ends[CACHE_RING_COUNT];
    alignas(64) struct cache_lock lock;
    _Atomic uint64_t ghost_clock; /* units dropped from the small ring, ever */
    _Atomic uint64_t main_filled; /* 1 once the main ring had no room for a new key */
    _Atomic uint64_t entries;
    _Atomic uint64_t units_held;
    _Atomic uint64_t insertions;
    _Atomic uint64_t evictions;
    _Atomic uint64_t promotions;
};
static_assert(sizeof(struct cache_block) == 320, "the header is five cache lines");
static_assert(offsetof(struct cache_block, ends) == 64 && offsetof(struct cache_block, lock) == 192,
              "as drawn");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "words shared by processes need no lock");

/* For the counters: the lock's holder alone changes them, so no read-modify-write is called for. */
static inline void cache_block_add(_Atomic uint64_t *word, int64_t n)
{
    uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, now + (uint64_t)n, memory_order_relaxed);
}

/* Offsets from the block's begin, and how much lies there. */
struct cache_geometry {
    size_t index_at, ghost_at;
    uint32_t buckets, ghost_sets;
    size_t ring_at[CACHE_RING_COUNT];
    uint64_t ring_units[CACHE_RING_COUNT];
};
/* Divides the block up. bytes and typical_len are within table.h's limits. Pure. */
struct cache_geometry cache_geometry_of(size_t bytes, size_t typical_len);
