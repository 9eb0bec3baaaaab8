/*
 * The memory that the cache lies in: one mapping that the whole pool shares, made before the workers are
 * forked. It is a memfd, so that a reload can hand it on to the next image of the program. Fixed size,
 * offsets only.
 *
 *     0         struct cache_header   what it is, secrets drawn at start, what it is in step with; a page
 *     4096      version words         65,536 of 64 bits: the change after which what they stand for is old
 *     …         flights               4,096 locks: one read of the database for many who miss the same key
 *     …         rates                 what each subject has asked (rates.h)
 *     …         responses             a table (table.h), cache.size
 *     …         verdicts              a table, token.cache_size
 *
 * The secrets never leave the mapping: with them an attacker could choose keys that fall into one bucket, or
 * find out which token a hash stands for.
 */
#pragma once
#include "cache/coherence.h"
#include "cache/rates.h"
#include "cache/table.h"

enum {
    CACHE_MEMORY_VERSION = 3,
    CACHE_HEADER_SIZE = 4096,
    CACHE_FLIGHTS = 4096,
    CACHE_TOKEN_KEY_LEN = 32,
};
#define CACHE_MEMORY_MAGIC "prfdmemo"

struct cache_memory_options {
    size_t responses; /* bytes; 0: none are kept */
    size_t verdicts;  /* bytes; 0: none are kept */
    uint64_t
        fingerprint; /* of whatever shapes a ready answer: memory made under another one is not taken over */
    bool rates;      /* they are wanted: there is a memory even where the tables are off */
    bool reserve;    /* have the bytes now, so that no store into them can fail for want of memory later */
};

struct cache_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint64_t bytes; /* of all of it */
    uint64_t fingerprint;
    uint64_t responses_at, responses_bytes;
    uint64_t verdicts_at, verdicts_bytes;
    unsigned char hash_key[16];                   /* of SipHash, for keys */
    unsigned char token_key[CACHE_TOKEN_KEY_LEN]; /* of BLAKE2b, for tokens */
    _Alignas(64) struct cache_coherence coherence;
};
static_assert(sizeof(struct cache_header) <= CACHE_HEADER_SIZE, "the header is a page");

struct cache_memory {
    int fd; /* -1: there is none */
    struct cache_header *header;
    size_t bytes;
    _Atomic uint64_t *words;    /* CACHE_WORDS of them */
    struct cache_lock *flights; /* CACHE_FLIGHTS of them */
    struct cache_rates *rates;
    bool has_responses, has_verdicts;
    struct cache_table responses, verdicts;
};

/* Makes and maps it. A table below its least size is made of that size; with both 0 and no rates wanted there
 * is no memory, and that is OK. ERR_NOMEM, ERR_IO, with the reason: *out is empty. */
MUST_USE enum err cache_memory_create(const struct cache_memory_options *options, struct cache_memory *out,
                                      struct err_detail *detail);
/*
 * Maps what an earlier image of this program made. ERR_INVALID: it was made with other options, by another
 * version, or is damaged: make a new one. On failure the descriptor stays the caller's.
 */
MUST_USE enum err cache_memory_adopt(int fd, const struct cache_memory_options *options,
                                     struct cache_memory *out, struct err_detail *detail);
/* Takes over the rates, and nothing else, of what an earlier image of this program made under other settings.
 * Where that cannot be, all begin anew. The descriptor stays the caller's. */
void cache_memory_carry_rates(int fd, struct cache_memory *to);
/* Unmaps and closes; no lock in it may be held by this process. An empty one is fine. */
void cache_memory_close(struct cache_memory *memory);
