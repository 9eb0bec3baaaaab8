#include "cache/coherence.h"

#include <string.h>

enum err cache_coherence_init(struct cache_coherence *shared)
{
    memset(shared, 0, sizeof *shared);
    return cache_lock_init(&shared->lock);
}

/* Only ever raised, and by who holds the lock. */
static void raise_word(_Atomic uint64_t *word, int64_t seq)
{
    if (atomic_load_explicit(word, memory_order_relaxed) < (uint64_t)seq)
        atomic_store_explicit(word, (uint64_t)seq, memory_order_release);
}

static void take_change(void *sink, const struct cache_change *change)
{
    struct cache_follower *f = sink;
    for (unsigned i = 0; i < change->word_count; i++)
        raise_word(&f->words[change->words[i]], change->seq);
    metrics_add(f->metrics, change->cause, 1);
}

/* Where the log was read up to. */
static struct cache_state applied(const struct cache_coherence *shared)
{
    return shared->applied[atomic_load(&shared->applied_at) % 2];
}

/* In one step, so that who is killed here leaves the old place or the new one. */
static void set_applied(struct cache_coherence *shared, const struct cache_state *now)
{
    uint32_t at = atomic_load(&shared->applied_at) + 1;
    shared->applied[at % 2] = *now;
    atomic_store(&shared->applied_at, at);
}

/*
 * Drops all records: those of another identity by making that the present one; the words begin anew, since
 * another database counts for itself. The new era comes before them, so that a reader that looks at the words
 * while they are cleared finds out: it looks at the era last. No identity in between, should this process
 * die.
 */
static void drop_all(struct cache_follower *f, const struct cache_state *now)
{
    struct cache_coherence *shared = f->shared;
    /* at the very start there is nothing to drop */
    if (shared->identity != 0)
        metrics_add(f->metrics, METRIC_CACHE_INVALIDATIONS_DATABASE, 1);
    if (now->identity == shared->identity) {
        atomic_store(&shared->floor_seq, now->seq);
        return;
    }
    shared->identity = 0;
    atomic_fetch_add(&shared->era, 1);
    /* whoever sees a word cleared sees the era */
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < CACHE_WORDS; i++)
        atomic_store_explicit(&f->words[i], 0, memory_order_relaxed);
    /* it may have been here before, and left records */
    atomic_store(&shared->floor_seq, now->seq);
    set_applied(shared, now);
    shared->identity = now->identity;
}

/*
 * Whether this is the database of before, in an earlier state or in one that did not come out of it: its next
 * commits would bear numbers again that were given out. e is what reading on said.
 */
static bool is_set_back(const struct cache_state *before, const struct cache_state *now, enum err e)
{
    if (now->identity != before->identity)
        return now->lineage != 0 && now->lineage == before->lineage;
    return (e == ERR_CONFLICT && now->seq < before->seq) ||
           (now->after_entry != 0 && now->after_entry != before->entry);
}

/* Reads the log on and raises the words. OK: they are in step with *now. */
static enum err apply(struct cache_follower *f, struct cache_state *now)
{
    struct cache_coherence *shared = f->shared;
    uint64_t identity = shared->identity;
    const struct cache_state before = applied(shared);
    /* of a database that is not known nothing is asked but its state */
    int64_t after = identity == 0 ? INT64_MAX : before.seq;
    enum err e = f->source.read_changes(f->source.data, after, CACHE_SYNC_MOST, take_change, f, now);
    metrics_add(f->metrics, METRIC_CACHE_SYNCS, 1);
    if (e != OK && e != ERR_TOO_LARGE && e != ERR_CONFLICT)
        return e;
    if (identity != 0 && is_set_back(&before, now, e)) {
        shared->known = false;
        e = f->source.set_back(f->source.data);
        return e == OK ? ERR_BUSY : e;
    }
    /* where the entry is gone, so may be some behind it */
    if (e != OK || now->identity != identity || now->after_entry != before.entry)
        drop_all(f, now);
    set_applied(shared, now);
    metrics_gauge_set(f->gauges, GAUGE_CHANGE_SEQ, (uint64_t)now->seq);
    return OK;
}

static bool catch_up_locked(struct cache_follower *f)
{
    struct cache_coherence *shared = f->shared;
    struct cache_state now;
    struct cache_marker marker;
    enum err e = f->source.take_marker(f->source.data, &marker);
    bool whole = e == OK;
    if (e != OK && e != ERR_BUSY)
        return false;
    if (!whole || !shared->known || memcmp(&shared->marker, &marker, sizeof marker) != 0) {
        shared->known = false;
        if (apply(f, &now) != OK)
            return false;
        /* else it is of no use, or even of another database than the one that was read */
        whole = whole && f->source.is_unchanged(f->source.data, &marker);
        shared->marker = marker;
        shared->known = whole;
    }
    f->identity = shared->identity;
    f->era = atomic_load_explicit(&shared->era, memory_order_relaxed);
    f->marker = marker;
    f->marked = whole;
    return true;
}

bool cache_follower_catch_up(struct cache_follower *f)
{
    bool owner_died, done;
    if (f->marked && f->source.is_unchanged(f->source.data, &f->marker))
        return true;
    f->marked = false;
    if (cache_lock_take(&f->shared->lock, CACHE_SYNC_WAIT_US, &owner_died) != OK)
        return false;
    if (owner_died)
        f->shared->known = false;
    done = catch_up_locked(f);
    cache_lock_give(&f->shared->lock);
    return done;
}

bool cache_stamp_is_good(struct cache_follower *f, const struct cache_stamp *stamp, int64_t now_ms)
{
    uint64_t seq = (uint64_t)stamp->seq;
    if (stamp->identity == 0 || stamp->identity != f->identity || stamp->seq < 0 ||
        now_ms >= stamp->expires_ms || stamp->words[0] >= CACHE_WORDS || stamp->words[1] >= CACHE_WORDS)
        return false;
    if (seq < atomic_load_explicit(&f->words[stamp->words[0]], memory_order_acquire) ||
        seq < atomic_load_explicit(&f->words[stamp->words[1]], memory_order_acquire) ||
        stamp->seq < atomic_load_explicit(&f->shared->floor_seq, memory_order_acquire))
        return false;
    /* last: were these the words that this process has caught up with? If not, it shall catch up again */
    if (atomic_load_explicit(&f->shared->era, memory_order_acquire) == f->era)
        return true;
    f->marked = false;
    return false;
}
