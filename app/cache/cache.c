#include "cache/entry.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum err cache_open(struct cache *c, struct cache_memory *memory, const struct cache_source *source,
                    struct metrics *metrics, struct metrics_gauges *gauges)
{
    *c = (struct cache){.memory = memory};
    if (memory->header == NULL)
        return OK;
    c->follower = (struct cache_follower){
        .shared = &memory->header->coherence,
        .words = memory->words,
        .source = *source,
        .metrics = metrics,
        .gauges = gauges,
    };
    metrics_gauge_set(gauges, GAUGE_CACHE_SIZE_BYTES, memory->header->responses_bytes);
    metrics_gauge_set(gauges, GAUGE_TOKEN_MEMO_SIZE_BYTES, memory->header->verdicts_bytes);
    c->value_size = CACHE_TABLE_RECORD_MAX;
    c->value = malloc(c->value_size);
    if (c->value != NULL)
        return OK;
    *c = (struct cache){.memory = NULL};
    return ERR_NOMEM;
}

void cache_close(struct cache *c)
{
    free(c->value);
    *c = (struct cache){0};
}

bool cache_key_make(const struct cache *c, enum cache_kind kind, struct span name, struct cache_key *out)
{
    if (name.len >= sizeof out->bytes)
        return false;
    out->bytes[0] = (char)kind;
    memcpy(out->bytes + 1, name.ptr, name.len);
    out->len = 1 + name.len;
    out->hash = c->memory == NULL || c->memory->header == NULL
                    ? 0
                    : crypto_siphash(c->memory->header->hash_key, span_of(out->bytes, out->len));
    return true;
}

uint32_t cache_word(const struct cache *c, enum cache_kind kind, struct span name)
{
    struct cache_key key;
    /* what is too long to be a key has no record either */
    return cache_key_make(c, kind, name, &key) ? cache_word_of(key.hash) : 0;
}

/* The loader's value, which then lies in c->value. Where there is no memory to lie in, c->value grows. */
static enum err load_value(struct cache *c, cache_loader load, void *data, struct cache_fill *fill,
                           struct span *value)
{
    static const char room[CACHE_STAMP_LEN] = {0};
    enum err e;
    buf_append(&fill->value, span_of(room, sizeof room));
    if (c->follower.metrics != NULL)
        metrics_add(c->follower.metrics, METRIC_CACHE_LOADS, 1);
    if ((e = load(data, fill)) != OK || (e = buf_status(&fill->value)) != OK)
        return e;
    if (fill->value.len > c->value_size) {
        char *grown = realloc(c->value, fill->value.len);
        if (grown == NULL)
            return ERR_NOMEM;
        c->value = grown;
        c->value_size = fill->value.len;
    }
    memcpy(c->value, fill->value.ptr, fill->value.len);
    *value = span_of(c->value + CACHE_STAMP_LEN, fill->value.len - CACHE_STAMP_LEN);
    return OK;
}

/* With the flight's lock held or not to be had: reads, and keeps it in the former case. */
static enum err read_through(struct cache *c, const struct cache_key *key, bool leads, cache_loader load,
                             void *data, struct span *value, enum cache_outcome *outcome)
{
    struct cache_fill fill = {0};
    enum err e = load_value(c, load, data, &fill, value);
    if (!leads)
        *outcome = CACHE_BYPASSED;
    else
        *outcome = e == OK && cache_keep(c, key, &fill) ? CACHE_STORED : CACHE_MISSED;
    buf_fini(&fill.value);
    return e;
}

enum err cache_read(struct cache *c, const struct cache_key *key, cache_loader load, void *data,
                    struct span *value, enum cache_outcome *outcome)
{
    bool owner_died;
    enum err e;
    *outcome = CACHE_BYPASSED;
    if (c->memory == NULL || !c->memory->has_responses)
        return read_through(c, key, false, load, data, value, outcome);
    struct metrics *m = c->follower.metrics;
    if (!cache_is_current(c)) {
        metrics_add(m, METRIC_CACHE_BYPASSES, 1);
        return read_through(c, key, false, load, data, value, outcome);
    }
    *outcome = CACHE_HIT;
    if (cache_hit(c, key, value))
        return OK;
    /* whoever has the lock reads for all who wait for it; a word and a flight are chosen by different bits */
    struct cache_lock *flight = &c->memory->flights[key->hash % CACHE_FLIGHTS];
    if (cache_lock_take(flight, 0, &owner_died) != OK) {
        metrics_add(m, METRIC_CACHE_FLIGHT_WAITS, 1);
        if (cache_lock_take(flight, CACHE_FLIGHT_WAIT_US, &owner_died) != OK) {
            metrics_add(m, METRIC_CACHE_BYPASSES, 1);
            return read_through(c, key, false, load, data, value, outcome);
        }
    }
    /* looked for again in any case: who led may have been done between the look and the lock */
    *outcome = CACHE_COLLAPSED;
    if (cache_hit(c, key, value)) {
        cache_lock_give(flight);
        return OK;
    }
    metrics_add(m, METRIC_CACHE_MISSES, 1);
    e = read_through(c, key, true, load, data, value, outcome);
    cache_lock_give(flight);
    return e;
}

bool cache_has_verdicts(const struct cache *c)
{
    return c->memory != NULL && c->memory->has_verdicts;
}

void cache_token_hash(const struct cache *c, struct span token, unsigned char out[CACHE_TOKEN_HASH_LEN])
{
    const struct cache_header *h = c->memory->header;
    crypto_blake2b(token, span_of((const char *)h->token_key, sizeof h->token_key), out,
                   CACHE_TOKEN_HASH_LEN);
}

/* The hash is keyed already: any eight of its bytes spread as well as others. */
static uint64_t place_of(const unsigned char hash[CACHE_TOKEN_HASH_LEN])
{
    uint64_t place;
    memcpy(&place, hash, sizeof place);
    return place;
}

enum err cache_verdict_get(struct cache *c, const unsigned char hash[CACHE_TOKEN_HASH_LEN],
                           char out[CACHE_VERDICT_MAX], struct span *value)
{
    struct cache_stamp stamp;
    if (!cache_is_current(c) || !cache_find(c, &c->memory->verdicts, place_of(hash),
                                            span_of((const char *)hash, CACHE_TOKEN_HASH_LEN), out,
                                            CACHE_VERDICT_MAX, &stamp, value)) {
        metrics_add(c->follower.metrics, METRIC_TOKEN_MEMO_MISSES, 1);
        return ERR_NOT_FOUND;
    }
    metrics_add(c->follower.metrics, METRIC_TOKEN_MEMO_HITS, 1);
    return OK;
}

void cache_verdict_put(struct cache *c, const unsigned char hash[CACHE_TOKEN_HASH_LEN], struct span value,
                       struct cache_state state, int64_t expires_ms, const struct cache_key *depends)
{
    struct metrics *m = c->follower.metrics;
    char record[CACHE_VERDICT_MAX];
    unsigned evicted = 0;
    uint32_t word = cache_word_of(depends->hash);
    const struct cache_stamp stamp = {
        .identity = state.identity, .seq = state.seq, .expires_ms = expires_ms, .words = {word, word}};
    if (!cache_is_current(c) || state.identity == 0 || value.len > sizeof record - CACHE_STAMP_LEN)
        return;
    memcpy(record, &stamp, CACHE_STAMP_LEN);
    memcpy(record + CACHE_STAMP_LEN, value.ptr, value.len);
    if (cache_table_put(&c->memory->verdicts, place_of(hash),
                        span_of((const char *)hash, CACHE_TOKEN_HASH_LEN),
                        span_of(record, CACHE_STAMP_LEN + value.len), CACHE_PUT_WAIT_US, &evicted) != OK)
        return;
    metrics_add(m, METRIC_TOKEN_MEMO_FILLS, 1);
    metrics_add(m, METRIC_TOKEN_MEMO_EVICTIONS, evicted);
    cache_show(c, &c->memory->verdicts, GAUGE_TOKEN_MEMO_BYTES_HELD, GAUGE_TOKEN_MEMO_ENTRIES);
}
