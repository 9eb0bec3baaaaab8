/*
 * A table of byte strings, key to value, in one block of memory that processes share. It never grows: when it
 * is full, what will likely not be asked for again makes room (S3-FIFO, see evict.h). A record may be gone at
 * any time, so what it holds must be to be had elsewhere. It knows nothing of what the values mean, nor
 * whether they are still true: callers put what says so in front of the value.
 *
 * The block, all in offsets, no pointer in it (the structs are in layout.h):
 *
 *     0          struct cache_block   magic, version, sizes; the rings' ends; the insert lock; counters
 *     …          index                buckets of 8 slots of 64 bits: one cache line each
 *     …          ghost                sets of 16 words of 32 bits: keys lately dropped from the small ring
 *     …          small ring           a tenth of what is left: where new keys prove themselves
 *     … bytes    main ring            nine tenths
 *
 * Any process that has the block mapped may call anything here, at any time. Readers take no lock and write
 * nothing but a byte beside a slot. Writers hold the insert lock, and change the block in such an order that
 * a writer killed between any two instructions leaves a table that is whole: at worst its own record, or the
 * one it was moving, is missing. Nothing here allocates or does I/O; put alone can block, for wait_us at
 * most. One handle may be shared by threads.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "cache/ghost.h"
#include "cache/index.h"
#include "cache/ring.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CACHE_TABLE_MIN_BYTES = 64 * 1024,
    CACHE_TABLE_ALIGN = 64,
    CACHE_TABLE_TYPICAL_LEN = 768,
    CACHE_TABLE_RECORD_MAX = 64 * 1024, /* bytes of key and value together, whatever the size of the table */
};
#define CACHE_TABLE_MAX_BYTES ((size_t)1 << 38)

/* Where one table lies and what it is for. */
struct cache_table_options {
    size_t bytes;       /* all of it: header, index, ghost, rings; CACHE_TABLE_MIN_BYTES to _MAX_BYTES */
    size_t typical_len; /* bytes of key and value that a record is expected to have: sizes the index, which
                           with shorter ones is full before the rings are; 0: CACHE_TABLE_TYPICAL_LEN */
};

/* A process's own view of a block; filled by attach, read-only thereafter, nothing to release. */
struct cache_table {
    struct cache_block *block;
    struct cache_index index;
    struct cache_ghost ghost;
    struct cache_ring rings[CACHE_RING_COUNT];
    size_t bytes;
    size_t record_max; /* bytes of key and value */
};

/* Writes an empty table into the block at `at`, zeroed or not, aligned to CACHE_TABLE_ALIGN and
 * options->bytes long. Nobody may be using it. ERR_INVALID: the sizes or the alignment; nothing written.
 * ERR_NOMEM: no lock to be had. */
MUST_USE enum err cache_table_format(void *at, const struct cache_table_options *options,
                                     struct err_detail *detail);
/* Fills *t with what lies in the block at `at`, bytes long: what format wrote there, perhaps in another
 * process or an earlier image of this program, and perhaps in use. Everything that is relied on later is
 * checked. ERR_INVALID: it is no table, or one of another version, another size, or damaged; *t is empty. */
MUST_USE enum err cache_table_attach(struct cache_table *t, void *at, size_t bytes,
                                     struct err_detail *detail);

/*
 * Looks for a key and copies its value to out, which has room for out_size bytes. hash: of the key, by
 * SipHash under a key drawn at start, the same for every get and put of this block. OK: *out_len bytes are
 * the value as some put wrote it, whole. ERR_NOT_FOUND: there is none, or it is longer than out_size, or it
 * was overwritten meanwhile; out then holds anything, and *out_len is 0. Takes no lock and never waits.
 */
MUST_USE enum err cache_table_get(struct cache_table *t, uint64_t hash, struct span key, void *out,
                                  size_t out_size, size_t *out_len);
/* The same of the value's first out_size bytes, all of it where it is shorter: whole as far as they go. */
MUST_USE enum err cache_table_get_front(struct cache_table *t, uint64_t hash, struct span key, void *out,
                                        size_t out_size, size_t *out_len);
/*
 * Puts a record, in the place of any of the same key. wait_us bounds the wait for the insert lock, as in
 * cache_lock_take. *evicted (unless NULL): how many other records were dropped for it; 0 on failure. OK.
 * ERR_BUSY: the lock was not to be had in time; nothing is put, and an older record of the key stays.
 * ERR_TOO_LARGE: key and value have more than CACHE_TABLE_RECORD_MAX bytes, or would take more than an eighth
 * of the main ring (t->record_max is the limit of the two); the same.
 */
MUST_USE enum err cache_table_put(struct cache_table *t, uint64_t hash, struct span key, struct span value,
                                  int64_t wait_us, unsigned *evicted);
/* Drops everything. ERR_BUSY: the lock was not to be had in time; nothing is dropped. */
MUST_USE enum err cache_table_clear(struct cache_table *t, int64_t wait_us);

struct cache_table_facts {
    uint64_t entries;
    uint64_t bytes_held;                        /* by the records that a get can find: header, key, value */
    uint64_t data_bytes;                        /* of both rings */
    uint64_t overhead_bytes;                    /* header, index, ghost */
    uint64_t insertions, evictions, promotions; /* since format; a put that replaces is an insertion */
};
/* Each number is right by itself; they may be of slightly different moments. Takes no lock. */
void cache_table_facts(const struct cache_table *t, struct cache_table_facts *out);
