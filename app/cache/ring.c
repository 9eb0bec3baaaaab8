#include "cache/ring.h"

#include <string.h>

enum { SPARE_LAPS = 64 /* more than one put can turn a ring round */ };
/* Not 0, so that a slot of any record differs from a free one. */
#define FIRST_LAP 1

static uint64_t next_lap(const struct cache_ring *r, uint64_t position)
{
    return ((position >> r->shift) + 1) << r->shift;
}

static uint64_t advance(const struct cache_ring *r, uint64_t position, uint64_t units)
{
    return (position & r->mask) + units == r->units ? next_lap(r, position) : position + units;
}

/* In units that the ring has, from an earlier position to a later one. */
static uint64_t distance(const struct cache_ring *r, uint64_t from, uint64_t to)
{
    return ((to >> r->shift) - (from >> r->shift)) * r->units + (to & r->mask) - (from & r->mask);
}

static uint64_t tail_of(const struct cache_ring *r)
{
    return atomic_load_explicit(&r->ends->tail, memory_order_relaxed);
}

static uint64_t head_of(const struct cache_ring *r)
{
    return atomic_load_explicit(&r->ends->head, memory_order_relaxed);
}

void cache_ring_init(struct cache_ring *r, struct cache_ring_ends *ends, char *bytes, uint64_t units)
{
    *r = (struct cache_ring){.ends = ends, .bytes = bytes, .units = units};
    while ((uint64_t)1 << r->shift < units)
        r->shift++;
    r->mask = ((uint64_t)1 << r->shift) - 1;
}

bool cache_ring_sound(const struct cache_ring *r)
{
    const uint64_t end = (uint64_t)1 << CACHE_POSITION_BITS;
    for (int tries = 0; tries < 1000; tries++) {
        uint64_t tail = atomic_load(&r->ends->tail), head = atomic_load(&r->ends->head);
        if (tail != atomic_load(&r->ends->tail))
            continue; /* a writer is at work: the two are of different moments */
        if (tail >= end || head >= end || (tail & r->mask) >= r->units || (head & r->mask) >= r->units)
            return false;
        return tail >> r->shift >= FIRST_LAP && tail <= head &&
               (head >> r->shift) - (tail >> r->shift) <= 1 && distance(r, tail, head) <= r->units;
    }
    return false;
}

bool cache_ring_room(const struct cache_ring *r, uint64_t units, uint64_t *at)
{
    const uint64_t head = head_of(r);
    *at = (head & r->mask) + units > r->units ? next_lap(r, head) : head;
    return distance(r, tail_of(r), advance(r, *at, units)) <= r->units;
}

/* The pad, if the record does not begin at the head. */
static void pad_up_to(struct cache_ring *r, uint64_t at)
{
    const uint64_t head = head_of(r);
    if (at != head)
        atomic_store_explicit(&cache_ring_record(r, head)->lengths, cache_record_lengths(CACHE_PAD, 0, 0),
                              memory_order_relaxed);
}

static void move_head(struct cache_ring *r, uint64_t at, uint64_t units)
{
    atomic_store_explicit(&r->ends->head, advance(r, at, units), memory_order_release);
}

void cache_ring_append(struct cache_ring *r, uint64_t at, uint64_t hash, struct span key, struct span value)
{
    struct cache_record *record = cache_ring_record(r, at);
    pad_up_to(r, at);
    atomic_store_explicit(&record->lengths, cache_record_lengths(CACHE_RECORD, key.len, value.len),
                          memory_order_relaxed);
    atomic_store_explicit(&record->hash, hash, memory_order_relaxed);
    if (key.len > 0)
        memcpy(record->bytes, key.ptr, key.len);
    if (value.len > 0)
        memcpy(record->bytes + key.len, value.ptr, value.len);
    move_head(r, at, cache_record_units(key.len, value.len));
}

void cache_ring_append_copy(struct cache_ring *r, uint64_t at, const struct cache_record *from,
                            uint64_t units)
{
    /* The pad cannot hurt `from`: if that was in this ring just behind the tail, and on the lap of the head,
     * it fits where it is and there is no pad. */
    pad_up_to(r, at);
    memmove((void *)cache_ring_record(r, at), (const void *)from, units * CACHE_UNIT);
    move_head(r, at, units);
}

/* The units of a record whose lengths word this is, if that much lies between its position and limit; or 0.
 */
static uint64_t plausible(const struct cache_ring *r, uint64_t at, uint64_t lengths, uint64_t limit)
{
    uint64_t units = cache_record_units(cache_record_key_len(lengths), cache_record_value_len(lengths));
    bool whole =
        cache_record_kind(lengths) == CACHE_RECORD && (at & r->mask) + units <= r->units && units <= limit;
    return whole ? units : 0;
}

enum cache_tail cache_ring_tail(const struct cache_ring *r, uint64_t *at, uint64_t *units)
{
    const uint64_t tail = tail_of(r), head = head_of(r);
    const uint64_t used = distance(r, tail, head);
    *at = tail;
    *units = 0;
    if (tail == head)
        return CACHE_TAIL_EMPTY;
    uint64_t lengths = atomic_load_explicit(&cache_ring_record(r, tail)->lengths, memory_order_relaxed);
    if (cache_record_kind(lengths) == CACHE_PAD) {
        *units = r->units - (tail & r->mask);
        return *units <= used ? CACHE_TAIL_PAD : CACHE_TAIL_DAMAGED;
    }
    *units = plausible(r, tail, lengths, used);
    return *units > 0 ? CACHE_TAIL_RECORD : CACHE_TAIL_DAMAGED;
}

void cache_ring_pass(struct cache_ring *r, uint64_t units)
{
    atomic_store_explicit(&r->ends->tail, advance(r, tail_of(r), units), memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

void cache_ring_pass_all(struct cache_ring *r)
{
    atomic_store_explicit(&r->ends->tail, head_of(r), memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

bool cache_ring_exhausted(const struct cache_ring *r)
{
    const uint64_t laps = (uint64_t)1 << (CACHE_POSITION_BITS - r->shift);
    return (head_of(r) >> r->shift) + SPARE_LAPS >= laps;
}

void cache_ring_restart(struct cache_ring *r)
{
    const uint64_t first = (uint64_t)FIRST_LAP << r->shift;
    /* The head first. A reader that sees the new tail then sees the new head too, which is far behind
     * whatever old position it came with. */
    atomic_store_explicit(&r->ends->head, first, memory_order_relaxed);
    atomic_store_explicit(&r->ends->tail, first, memory_order_release);
    atomic_thread_fence(memory_order_release);
}

void cache_ring_mend(struct cache_ring *r)
{
    if (head_of(r) < tail_of(r))
        cache_ring_restart(r);
}

uint64_t cache_ring_record_units(const struct cache_ring *r, uint64_t position)
{
    const uint64_t tail = tail_of(r), head = head_of(r);
    if (position < tail || position >= head || (position & r->mask) + CACHE_RECORD_HEAD_UNITS > r->units)
        return 0;
    uint64_t lengths = atomic_load_explicit(&cache_ring_record(r, position)->lengths, memory_order_relaxed);
    return plausible(r, position, lengths, distance(r, position, head));
}
