/*
 * How the cache never answers with what a write that was answered before has made old, whoever wrote: a
 * worker, a program beside the pool, a hand at the sqlite3 shell.
 *
 * Each record bears a stamp: the state of the database that it was made from (the number of the last entry of
 * the change log in that snapshot). Each of 65,536 version words bears the number of the last change to any
 * of the keys that fall into it. A record is good if none of its words is newer than its stamp.
 *
 * Before the cache is looked into, each request asks the source whether anything was committed since this
 * process last looked (a comparison of 112 bytes). If so, the words are brought up to date first:
 *
 *     take the lock
 *     take the marker of the present state                    (a later commit makes another one)
 *     is it the marker that the words are in step with?       yes: another process has done it
 *     read the change log on, in a read transaction begun now; raise the words
 *     remember the log's end
 *     is the marker still that of the present state?          if so, remember it
 *     give the lock
 *
 * Why that holds (tests/model goes through every interleaving). The source shows a new marker before the
 * writer's COMMIT returns, so a read that begins after the answer finds the marker changed. The marker is
 * taken before the log is read, so that a commit in between makes the marker differ again; and it is looked
 * at again after, so that it is never remembered for another database, which was put in the place in between.
 * A record made from an older snapshot while the words are raised has a stamp below its word: a false miss,
 * never a false hit. Equal markers are one state: see the source.
 *
 * A process killed in here leaves words that are raised and a marker that is not remembered: the next one
 * reads the same entries again. A process that is stopped in here keeps the lock: who needs it waits for
 * CACHE_SYNC_WAIT_US, and then goes round the cache.
 *
 * Where the database was replaced, restored or set back, its identity is another one, and all records are
 * dropped with that: a record bears the identity too. The words begin anew then, in a new era: who judges a
 * record looks at the era last, and so finds out if the words that he looked at were not those of his. A
 * database that comes back into the place finds records of its own again; those older than its state are
 * below the floor. What looks like the database of before and is not, gets another identity first, so that
 * nothing that was given out under the old one comes back: a copy in another file, a log that is shorter, or
 * one that says something else where the one of before ended.
 */
#pragma once
#include "base/metrics.h"
#include "cache/lock.h"

#include <stddef.h>

enum {
    CACHE_WORDS = 65536,
    CACHE_MARKER_WORDS = 14,
    CACHE_SYNC_WAIT_US = 20000,
    CACHE_SYNC_MOST = CACHE_WORDS / 2, /* changes at once; where there are more, everything is dropped */
};

struct cache_marker {
    uint64_t words[CACHE_MARKER_WORDS];
};

/* What a record was made from, and what makes it old. */
struct cache_stamp {
    uint64_t identity;  /* of the database; 0: the record is never good */
    int64_t seq;        /* of the last change in the snapshot */
    int64_t expires_ms; /* Unix time */
    uint32_t words[2];  /* indexes of its version words; twice the same where there is one */
    uint32_t flags;     /* the owner's */
    uint32_t unused;
};

struct cache_change {
    int64_t seq;
    enum metric cause; /* METRIC_CACHE_INVALIDATIONS_… */
    uint32_t words[4]; /* that it makes newer */
    unsigned word_count;
};
struct cache_state {
    uint64_t identity;
    int64_t seq;
    /* of read_changes alone; 0 elsewhere, and from a source that cannot tell */
    uint64_t lineage;     /* of the database and of each copy of it */
    uint64_t entry;       /* what the last entry of its log says, as a number */
    uint64_t after_entry; /* the same of the entry behind which it was read; 0: it is gone */
};

/*
 * Where changes come from: the store, as callbacks. data is the source's own.
 *
 * is_unchanged: whether nothing was committed since the marker was taken. Runs on every hit.
 *
 * take_marker: ERR_BUSY: there is none to be had, since a writer is just publishing, or died while it did, or
 * for another reason that passes; the database can be read all the same.
 *
 * read_changes: hands over what happened behind `after`, at most `most`, of one snapshot, which *state
 * describes: OK. ERR_TOO_LARGE: more than that, or not all of it is there any more; ERR_CONFLICT: its log ends
 * before `after`; not all, if any, was handed over, and *state is filled. Other errors: it cannot be read now.
 *
 * set_back: the same database has gone back to an earlier state, or an earlier copy lies in its place: gives
 * it another identity, and another lineage.
 */
struct cache_source {
    bool (*is_unchanged)(void *data, const struct cache_marker *marker);
    enum err (*take_marker)(void *data, struct cache_marker *out);
    enum err (*read_changes)(void *data, int64_t after, int64_t most,
                             void (*take)(void *sink, const struct cache_change *change), void *sink,
                             struct cache_state *state);
    enum err (*set_back)(void *data);
    void *data;
};

/* The shared part; the words lie elsewhere. Guarded by the lock, but for what is atomic. */
struct cache_coherence {
    struct cache_lock lock;
    bool known; /* marker is what the words are in step with */
    struct cache_marker marker;
    struct cache_state
        applied[2]; /* the log was read up to here: one of them, the other may be half written */
    _Atomic uint32_t applied_at;
    uint64_t identity;         /* of the database that it is in step with; 0: of none */
    _Atomic uint64_t era;      /* how often the words were begun anew */
    _Atomic int64_t floor_seq; /* records below it are old */
};

/* A process's own part. */
struct cache_follower {
    struct cache_coherence *shared;
    _Atomic uint64_t *words;
    struct cache_source source;
    struct metrics *metrics;
    struct metrics_gauges *gauges;
    uint64_t identity; /* of the database, and the era, when it last caught up */
    uint64_t era;
    struct cache_marker marker; /* in step with the words, as this process knows */
    bool marked;
};

/* Makes the shared part: in step with nothing. ERR_NOMEM. */
MUST_USE enum err cache_coherence_init(struct cache_coherence *shared);
/* Brings the words up to the present state of the database. false: that cannot be done now; go round the
 * cache. May read from the source, and wait for CACHE_SYNC_WAIT_US. */
bool cache_follower_catch_up(struct cache_follower *f);
/* Whether a record is good, the words being up to date. */
bool cache_stamp_is_good(struct cache_follower *f, const struct cache_stamp *stamp, int64_t now_ms);
/* The word that a key with this hash falls into. */
static inline uint32_t cache_word_of(uint64_t hash)
{
    return (uint32_t)(hash >> 24) % CACHE_WORDS;
}
