/*
 * The cache as a worker uses it: a read-through of ready answers, and a memo of tokens that were verified.
 * Both lie in memory that the pool shares (memory.h), and neither ever gives what a write that was answered
 * has made old (coherence.h). A failure in here is only ever a miss.
 *
 * One for each process, used by its one thread. cache_begin opens each exchange; the first look into the
 * cache after it asks the source once whether anything was committed. Nothing here keeps a lock over an
 * exchange.
 *
 * A cache without memory (both sizes 0, a CGI process) is valid: everything goes round it.
 */
#pragma once
#include "base/buf.h"
#include "cache/memory.h"

enum {
    CACHE_FLIGHT_WAIT_US = 250000, /* for another worker's read of the same key */
    CACHE_PUT_WAIT_US = 2000,      /* for the insert lock: not to keep an answer costs little */
    CACHE_KEY_MAX = 160,
    CACHE_TOKEN_HASH_LEN = 32,
};

struct cache {
    struct cache_memory *memory; /* borrowed */
    struct cache_follower follower;
    int64_t now_ms;
    enum { CACHE_NOT_ASKED, CACHE_CURRENT, CACHE_BEHIND } state; /* in this exchange */
    char *value;                                                 /* what was found last */
    size_t value_size;
};

/* source: borrowed pointers, copied. metrics and gauges are the process's, never NULL. ERR_NOMEM: it is one
 * without memory. */
MUST_USE enum err cache_open(struct cache *c, struct cache_memory *memory, const struct cache_source *source,
                             struct metrics *metrics, struct metrics_gauges *gauges);
void cache_close(struct cache *c);
/* A new exchange begins: what is asked from now on is true as of now. */
static inline void cache_begin(struct cache *c, int64_t now_ms)
{
    c->now_ms = now_ms;
    c->state = CACHE_NOT_ASKED;
}

/*
 * What a key is: its kind and a name in it. The first three are of ready answers; the last stands for a
 * subject whose verdicts a revocation makes old.
 */
enum cache_kind {
    CACHE_PUBLIC_VIEW = 'p', /* by id */
    CACHE_OWNER_VIEW = 'o',  /* by id */
    CACHE_HANDLE = 'h',      /* the public view, by folded handle */
    CACHE_SUBJECT = 's',
};
struct cache_key {
    char bytes[CACHE_KEY_MAX];
    size_t len;
    uint64_t hash;
};
/* false: the name is too long to be one. */
bool cache_key_make(const struct cache *c, enum cache_kind kind, struct span name, struct cache_key *out);
/* The version word of a key, for a source that tells what a change makes old. */
uint32_t cache_word(const struct cache *c, enum cache_kind kind, struct span name);

/* What the loader gives. The cache has written room for its own in front of value already: append to it. */
struct cache_fill {
    struct buf value;
    struct cache_state state;        /* of the database that it was made from; identity 0: not to be kept */
    int64_t ttl_ms;                  /* 0: not to be kept */
    const struct cache_key *depends; /* another key whose changes make it old too, or NULL; borrowed */
    bool negative;                   /* it says that there is nothing, which is counted apart */
};
typedef enum err (*cache_loader)(void *data, struct cache_fill *fill);

enum cache_outcome {
    CACHE_HIT,
    CACHE_COLLAPSED, /* another worker has just read it */
    CACHE_STORED,    /* a miss, and kept now */
    CACHE_MISSED,    /* a miss, not kept */
    CACHE_BYPASSED,  /* the cache is off, or could not be brought up to date, or its lock not be had */
    CACHE_OUTCOME_COUNT
};

/*
 * The value of a key: out of the cache, or from load, which then is called once. *value is borrowed until the
 * next call on this cache. OK, or what load said; *outcome is set in either case. Waits for another worker
 * that reads the same key, CACHE_FLIGHT_WAIT_US at most.
 */
MUST_USE enum err cache_read(struct cache *c, const struct cache_key *key, cache_loader load, void *data,
                             struct span *value, enum cache_outcome *outcome);

/*
 * Many keys for one answer: what is in the cache out of it, key by key, and what is not by one read of the
 * database. A look at the tag alone, where that will do, copies no body.
 */
enum {
    CACHE_MANY_MAX = 128,
    CACHE_FRONT_LEN = 192, /* bytes of a value that a look at its front gets at most */
};
struct cache_wanted {
    struct cache_key key;
    bool front; /* the front of its value may be all that is wanted */
};
struct cache_giving;
/* What is called back; index is that of a wanted key. Spans live for the call. */
struct cache_reader {
    /* The value of a key, once for each; the hits first, in order. */
    void (*take)(void *data, size_t index, struct span value, enum cache_outcome outcome);
    /* The first CACHE_FRONT_LEN bytes of a good value, or all of it, of a key that said so: true: that was
     * all, take is not called for it. NULL, where no key says so. */
    bool (*take_front)(void *data, size_t index, struct span front);
    /* Reads what missed, all of it in one snapshot, and gives each by cache_give, the last first: while the
     * first is not there, others with the same batch wait for it. Called once at most. */
    enum err (*load)(void *data, const size_t *missed, size_t missed_count, struct cache_giving *to);
    void *data;
};

/*
 * Up to CACHE_MANY_MAX keys. OK: each was taken. Else what load said: some may have been. Waits as cache_read
 * does, for one other worker: the flight is that of the first key that missed, so that workers with the same
 * batch, or with the same one profile that has changed, cost one read. Never for more than one, and with none
 * in hand: that way nobody waits in a circle. What is read is kept whoever reads the same meanwhile: its
 * stamp is that of its snapshot, which is all that makes a record good (coherence.h).
 */
MUST_USE enum err cache_read_many(struct cache *c, const struct cache_wanted *wanted, size_t count,
                                  const struct cache_reader *reader);
/* For load: an empty fill for the next value, to be filled as a loader's; and handing it over, which keeps it
 * and calls take. ERR_NOMEM: the value had failed. */
struct cache_fill *cache_give_begin(struct cache_giving *to);
MUST_USE enum err cache_give(struct cache_giving *to, size_t index);

/*
 * The memo. A token is looked for by its keyed hash alone; nothing of it is kept. Values are the caller's own
 * bytes, at most CACHE_VERDICT_MAX. get: OK: value is what was put for this very token, and no change has
 * made it old since; it lies in out. ERR_NOT_FOUND: verify it.
 */
enum { CACHE_VERDICT_MAX = 4096 };
void cache_token_hash(const struct cache *c, struct span token, unsigned char out[CACHE_TOKEN_HASH_LEN]);
MUST_USE enum err cache_verdict_get(struct cache *c, const unsigned char hash[CACHE_TOKEN_HASH_LEN],
                                    char out[CACHE_VERDICT_MAX], struct span *value);
/* depends: the key whose changes make the verdict old. Lost, if it cannot be kept. */
void cache_verdict_put(struct cache *c, const unsigned char hash[CACHE_TOKEN_HASH_LEN], struct span value,
                       struct cache_state state, int64_t expires_ms, const struct cache_key *depends);
bool cache_has_verdicts(const struct cache *c);
