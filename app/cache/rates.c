#include "cache/rates.h"

#include "crypto/hash.h"
#include "crypto/random.h"

#include <string.h>

#define CLAIMED INT64_MAX

enum { NAME_MAX = 256 };

enum err cache_rates_format(struct cache_rates *r)
{
    enum err e = OK;
    crypto_random(r->key, sizeof r->key);
    for (size_t i = 0; i < CACHE_RATES_LOCKS && e == OK; i++)
        e = cache_lock_init(&r->locks[i]);
    return e;
}

void cache_rates_carry(struct cache_rates *to, const struct cache_rates *from)
{
    memcpy(to->key, from->key, sizeof to->key);
    for (size_t b = 0; b < CACHE_RATES_BUCKETS; b++)
        for (size_t w = 0; w < CACHE_RATES_WAYS; w++) {
            const struct cache_rates_slot *s = &from->slots[b][w];
            atomic_store_explicit(&to->slots[b][w].hash, atomic_load(&s->hash), memory_order_relaxed);
            atomic_store_explicit(&to->slots[b][w].tat_ns, atomic_load(&s->tat_ns), memory_order_relaxed);
        }
}

static uint64_t hash_of(const struct cache_rates *r, char kind, struct span subject)
{
    char name[1 + NAME_MAX];
    size_t len = subject.len < NAME_MAX ? subject.len : NAME_MAX; /* a subject has 128 bytes at most */
    name[0] = kind;
    memcpy(name + 1, subject.ptr, len);
    uint64_t hash = crypto_siphash(r->key, span_of(name, 1 + len));
    return hash == 0 ? 1 : hash;
}

static struct cache_rates_slot *find(struct cache_rates_slot *bucket, uint64_t hash)
{
    for (size_t w = 0; w < CACHE_RATES_WAYS; w++)
        if (atomic_load_explicit(&bucket[w].hash, memory_order_acquire) == hash)
            return &bucket[w];
    return NULL;
}

/* Asks in the slot. false: it is another's by now, or somebody is about to take it. */
static bool ask_slot(struct cache_rates_slot *slot, uint64_t hash, const struct cache_gcra *g, int64_t now_ns,
                     struct cache_gcra_verdict *out)
{
    for (;;) {
        int64_t tat = atomic_load_explicit(&slot->tat_ns, memory_order_acquire);
        if (tat == CLAIMED || atomic_load_explicit(&slot->hash, memory_order_acquire) != hash)
            return false;
        *out = cache_gcra_ask(g, now_ns, tat);
        if (!out->allowed)
            return true;
        if (atomic_compare_exchange_weak_explicit(&slot->tat_ns, &tat, out->tat_ns, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return true;
    }
}

/* Under the bucket's lock: the slot that is the first to go, CLAIMED. A CLAIMED one is a dead taker's. */
static struct cache_rates_slot *claim(struct cache_rates_slot *bucket)
{
    for (;;) {
        struct cache_rates_slot *victim = NULL;
        int64_t earliest = CLAIMED;
        for (size_t w = 0; w < CACHE_RATES_WAYS; w++) {
            int64_t tat = atomic_load_explicit(&bucket[w].tat_ns, memory_order_acquire);
            if (tat == CLAIMED)
                return &bucket[w];
            if (victim == NULL || tat < earliest) {
                victim = &bucket[w];
                earliest = tat;
            }
        }
        if (atomic_compare_exchange_strong_explicit(&victim->tat_ns, &earliest, CLAIMED, memory_order_acq_rel,
                                                    memory_order_relaxed))
            return victim;
    }
}

/* Under the bucket's lock. */
static void ask_anew(struct cache_rates_slot *bucket, uint64_t hash, const struct cache_gcra *g, int64_t now_ns,
                     struct cache_gcra_verdict *out)
{
    struct cache_rates_slot *slot = find(bucket, hash);
    if (slot != NULL && ask_slot(slot, hash, g, now_ns, out))
        return;
    /* its own, where a taker died between hash and time; nobody else takes one now */
    if (slot == NULL)
        slot = claim(bucket);
    *out = cache_gcra_ask(g, now_ns, 0);
    atomic_store_explicit(&slot->hash, hash, memory_order_release);
    atomic_store_explicit(&slot->tat_ns, out->tat_ns, memory_order_release);
}

void cache_rates_ask(struct cache_rates *r, char kind, struct span subject, const struct cache_gcra *g,
                     int64_t now_ns, struct cache_gcra_verdict *out)
{
    uint64_t hash = hash_of(r, kind, subject);
    size_t which = (size_t)(hash % CACHE_RATES_BUCKETS);
    struct cache_rates_slot *bucket = r->slots[which], *slot = find(bucket, hash);
    struct cache_lock *lock = &r->locks[which % CACHE_RATES_LOCKS];
    bool owner_died;
    if (slot != NULL && ask_slot(slot, hash, g, now_ns, out))
        return;
    if (cache_lock_take(lock, CACHE_RATES_WAIT_US, &owner_died) != OK) {
        *out = (struct cache_gcra_verdict){.allowed = true, .remaining = g->quota};
        return;
    }
    ask_anew(bucket, hash, g, now_ns, out);
    cache_lock_give(lock);
}
