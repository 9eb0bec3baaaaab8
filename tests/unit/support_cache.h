/* A table in memory that processes share, and values that tell by themselves whether they are whole. */
#pragma once
#include "cache/table.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CACHE_VALUE_HEAD = 12, CACHE_VALUE_MAX = 64 * 1024 };

struct cache_test_key {
    char text[24];
    struct span span;
    uint64_t hash;
};

/* In place: the span points into the struct. */
static inline void cache_test_key_make(struct cache_test_key *key, unsigned number)
{
    static const unsigned char secret[CRYPTO_SIPHASH_KEY_LEN] = "sixteen of chars";
    int len = snprintf(key->text, sizeof key->text, "key-%u", number);
    key->span = span_of(key->text, (size_t)len);
    key->hash = crypto_siphash(secret, key->span);
}

static inline uint32_t cache_test_step(uint32_t x)
{
    return x * 1664525 + 1013904223;
}

/* A value of len bytes (CACHE_VALUE_HEAD at least): key number, sequence, length, bytes that follow from
 * them. */
static inline void cache_test_value(char *out, uint32_t number, uint32_t sequence, uint32_t len)
{
    const uint32_t head[3] = {number, sequence, len};
    uint32_t x = number * 31 + sequence * 17 + len;
    memcpy(out, head, sizeof head);
    for (uint32_t i = CACHE_VALUE_HEAD; i < len; i++) {
        x = cache_test_step(x);
        out[i] = (char)(x >> 24);
    }
}

/* Whether it is one of that key, whole; its sequence in *sequence. */
static inline bool cache_test_value_whole(const char *value, size_t value_len, uint32_t number,
                                          uint32_t *sequence)
{
    uint32_t head[3];
    if (value_len < CACHE_VALUE_HEAD)
        return false;
    memcpy(head, value, sizeof head);
    *sequence = head[1];
    if (head[0] != number || head[2] != value_len)
        return false;
    uint32_t x = number * 31 + head[1] * 17 + head[2];
    for (uint32_t i = CACHE_VALUE_HEAD; i < value_len; i++) {
        x = cache_test_step(x);
        if (value[i] != (char)(x >> 24))
            return false;
    }
    return true;
}

static inline enum err cache_test_put(struct cache_table *t, unsigned number, uint32_t sequence, uint32_t len,
                                      int64_t wait_us, unsigned *evicted)
{
    static char value[CACHE_VALUE_MAX];
    struct cache_test_key key;
    cache_test_key_make(&key, number);
    cache_test_value(value, number, sequence, len);
    return cache_table_put(t, key.hash, key.span, span_of(value, len), wait_us, evicted);
}

/* OK with the sequence, ERR_NOT_FOUND, or ERR_INVALID for what is not whole. */
static inline enum err cache_test_get(struct cache_table *t, unsigned number, uint32_t *sequence)
{
    static char value[CACHE_VALUE_MAX];
    struct cache_test_key key;
    size_t len;
    cache_test_key_make(&key, number);
    enum err e = cache_table_get(t, key.hash, key.span, value, sizeof value, &len);
    if (e != OK)
        return e;
    return cache_test_value_whole(value, len, number, sequence) ? OK : ERR_INVALID;
}

/* Memory for a table, full of bytes that are none; NULL: there is none to be had. */
static inline void *cache_test_map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    memset(at, 0xa5, bytes);
    return at;
}

/* A fresh table; ends the program when there is no memory. */
static inline struct cache_table cache_test_open(size_t bytes, size_t typical_len)
{
    struct cache_table t;
    struct err_detail detail = {0};
    const struct cache_table_options options = {bytes, typical_len};
    void *at = cache_test_map(bytes);
    if (at == NULL || cache_table_format(at, &options, &detail) != OK ||
        cache_table_attach(&t, at, bytes, &detail) != OK) {
        fprintf(stderr, "no table: %s\n", detail.text);
        exit(1);
    }
    return t;
}

static inline void cache_test_close(struct cache_table *t)
{
    munmap(t->block, t->bytes);
    *t = (struct cache_table){.block = NULL};
}
