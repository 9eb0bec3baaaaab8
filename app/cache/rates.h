/*
 * How much each subject has asked, for all workers of a pool: a table of fixed size in the memory that they share
 * (memory.h), of one number for each subject and kind of request (gcra.h). Exact: however many workers ask at
 * once, no more is granted than by one that asks one after the other.
 *
 *     0      key, drawn at start, of the hash that subjects are known by: nobody can choose their neighbours
 *     64     locks, CACHE_RATES_LOCKS of them, one for every so many buckets
 *     …      buckets, each two cache lines of eight slots: the hash (0: free), and the time (gcra.h's TAT)
 *
 * Who has a slot asks without a lock: the time is moved on by compare-and-swap. A slot changes hands under its
 * bucket's lock, in this order: the time is CLAIMED, by a compare-and-swap with the time that made it the one to
 * go; the hash is the new one's; the time is. So whoever reads hash, time and the hash again has a time of that
 * hash, and if its compare-and-swap succeeds, then the slot was not taken away in between. Killed at any
 * instruction, a taker leaves a slot that is whole or CLAIMED; the lock goes to the next one, who takes a
 * CLAIMED slot for free.
 *
 * A slot whose time has passed says no more than none at all, and is the first to go. In a bucket full of those
 * that have not, the one that is nearest to it goes: that subject had the least of its quota in use, and begins
 * with a whole one anew. That takes more than 32,768 subjects within a minute.
 */
#pragma once
#include "base/span.h"
#include "cache/gcra.h"
#include "cache/lock.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
    CACHE_RATES_LOCKS = 64,
    CACHE_RATES_BUCKETS = 4096,
    CACHE_RATES_WAYS = 8,
    CACHE_RATES_WAIT_US = 1000000, /* for a lock whose holder is stopped, or waits for a processor; then it goes
                                      uncounted */
};

struct cache_rates_slot {
    _Atomic uint64_t hash;
    _Atomic int64_t tat_ns;
};
struct cache_rates {
    unsigned char key[16];
    alignas(64) struct cache_lock locks[CACHE_RATES_LOCKS];
    alignas(64) struct cache_rates_slot slots[CACHE_RATES_BUCKETS][CACHE_RATES_WAYS];
};
static_assert(sizeof(struct cache_rates_slot) * CACHE_RATES_WAYS == 128, "a bucket is two cache lines");
static_assert(offsetof(struct cache_rates, locks) == 64 && offsetof(struct cache_rates, slots) % 64 == 0,
              "as drawn");

/* Makes an empty table of zeroed memory. ERR_NOMEM: a lock cannot be made. */
MUST_USE enum err cache_rates_format(struct cache_rates *rates);
/* Takes over what another table says, which may be in use: what is granted in this very moment may be missed. */
void cache_rates_carry(struct cache_rates *to, const struct cache_rates *from);
/*
 * One more request of that kind by the subject. now_ns: clock_monotonic_ns, which is the same for all processes.
 * Counted when it is allowed, and only then. Waits at most CACHE_RATES_WAIT_US, and only where the subject has no
 * slot; should that pass, it is allowed and not counted.
 */
void cache_rates_ask(struct cache_rates *rates, char kind, struct span subject, const struct cache_gcra *g,
                     int64_t now_ns, struct cache_gcra_verdict *out);
