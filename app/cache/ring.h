/*
 * A ring of records: bytes are appended at its head and given up at its tail. Records lie contiguously; one
 * that does not fit before the ring's end begins at its start, and a pad stands where it did not fit.
 *
 *     a record, in units of 8 bytes:  | lengths 8 | hash 8 | key | value | 0 to 7 bytes unused |
 *     lengths:  value length 32 bits, key length 24 bits, kind 8 bits (record, pad)
 *     a pad:    | lengths 8 | whatever |  up to the ring's end
 *
 * A position tells for ever where a record lies: lap << shift | offset in units. Positions grow with time,
 * and none comes back, so "not behind the tail" is all a reader has to ask to know that the bytes it copied
 * were the record's. The holder of the insert lock writes; its order is
 *
 *     tail moves, release fence, bytes beyond the head are written, head moves, (the index slot is stored)
 *
 * and the reader's is slot, bytes, acquire fence, tail. If a byte it copied was of a later record, then it
 * sees the later tail too. The bytes are copied without the language's leave (a data race on plain memory):
 * what came of it is thrown away unless the tail says that there was none.
 */
#pragma once
#include "base/span.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cache_ring_id { CACHE_RING_SMALL, CACHE_RING_MAIN, CACHE_RING_COUNT };
enum { CACHE_UNIT = 8, CACHE_RECORD_HEAD_UNITS = 2, CACHE_POSITION_BITS = 46 };
enum cache_record_kind { CACHE_RECORD = 1, CACHE_PAD = 2 };

/* In the block. Both are positions; a head that is behind its tail means that an emptying was cut short. */
struct cache_ring_ends {
    alignas(64) _Atomic uint64_t tail;
    _Atomic uint64_t head;
};

struct cache_record {
    _Atomic uint64_t lengths;
    _Atomic uint64_t hash;
    char bytes[]; /* key, value */
};
static_assert(sizeof(struct cache_record) == CACHE_RECORD_HEAD_UNITS * CACHE_UNIT, "a record's head");

struct cache_ring {
    struct cache_ring_ends *ends;
    char *bytes;
    uint64_t units, mask; /* mask: of the offset in a position */
    unsigned shift;
};

static inline uint64_t cache_record_lengths(enum cache_record_kind kind, size_t key_len, size_t value_len)
{
    return (uint64_t)kind << 56 | (uint64_t)key_len << 32 | value_len;
}
static inline unsigned cache_record_kind(uint64_t lengths)
{
    return (unsigned)(lengths >> 56);
}
static inline size_t cache_record_key_len(uint64_t lengths)
{
    return lengths >> 32 & 0xffffff;
}
static inline size_t cache_record_value_len(uint64_t lengths)
{
    return lengths & 0xffffffff;
}
/* With its head. */
static inline uint64_t cache_record_units(size_t key_len, size_t value_len)
{
    return CACHE_RECORD_HEAD_UNITS + (key_len + value_len + CACHE_UNIT - 1) / CACHE_UNIT;
}

/* The record at an offset; anything may lie there. */
static inline struct cache_record *cache_ring_record(const struct cache_ring *r, uint64_t position)
{
    return (struct cache_record *)(void *)(r->bytes + (position & r->mask) * CACHE_UNIT);
}

/* For a reader, after it copied: whether what lay at the position when it began still does. */
static inline bool cache_ring_still_holds(const struct cache_ring *r, uint64_t position)
{
    atomic_thread_fence(memory_order_acquire);
    /* the head too: after an emptying the tail is small again (cache_ring_restart) */
    return position >= atomic_load_explicit(&r->ends->tail, memory_order_acquire) &&
           position < atomic_load_explicit(&r->ends->head, memory_order_relaxed);
}

/* Fills the handle. units: 8 at least. */
void cache_ring_init(struct cache_ring *r, struct cache_ring_ends *ends, char *bytes, uint64_t units);
/* Whether both ends can be true; others may be moving them. */
bool cache_ring_sound(const struct cache_ring *r);

/* What follows is the lock holder's. */

/* Where a record of so many units would begin, if there is room for it now: true and *at. units is an eighth
 * of the ring at most, or what lay behind the tail last. */
bool cache_ring_room(const struct cache_ring *r, uint64_t units, uint64_t *at);
/* Writes a record at *at from cache_ring_room and moves the head past it. */
void cache_ring_append(struct cache_ring *r, uint64_t at, uint64_t hash, struct span key, struct span value);
/* The same with a copy of a record's units. `from` may be what the tail has just passed: the two may overlap.
 */
void cache_ring_append_copy(struct cache_ring *r, uint64_t at, const struct cache_record *from,
                            uint64_t units);

enum cache_tail { CACHE_TAIL_EMPTY, CACHE_TAIL_RECORD, CACHE_TAIL_PAD, CACHE_TAIL_DAMAGED };
/* What lies at the tail: its position and, of a record or a pad, how many units it takes. */
enum cache_tail cache_ring_tail(const struct cache_ring *r, uint64_t *at, uint64_t *units);
/* Gives up so many units at the tail: from now on their bytes may be overwritten. */
void cache_ring_pass(struct cache_ring *r, uint64_t units);

/* Gives up everything; positions go on. */
void cache_ring_pass_all(struct cache_ring *r);

/* Whether positions are about to run out. */
bool cache_ring_exhausted(const struct cache_ring *r);
/* Gives up everything and counts positions from the first again, which only an exhausted ring may do: a
 * reader that still holds an old position must not see the head come past it again. No slot may point into
 * the ring. */
void cache_ring_restart(struct cache_ring *r);
/* Finishes a restart that was cut short, after its process died. */
void cache_ring_mend(struct cache_ring *r);
/* The units from position on that can be a whole record, or 0. For who walks the index. */
uint64_t cache_ring_record_units(const struct cache_ring *r, uint64_t position);
