#include "cache/entry.h"

#include <string.h>

bool cache_is_current(struct cache *c)
{
    if (c->state == CACHE_NOT_ASKED)
        c->state = cache_follower_catch_up(&c->follower) ? CACHE_CURRENT : CACHE_BEHIND;
    return c->state == CACHE_CURRENT;
}

bool cache_find(struct cache *c, struct cache_table *table, uint64_t hash, struct span key, char *out,
                size_t out_size, struct cache_stamp *stamp, struct span *value)
{
    size_t len;
    if (cache_table_get(table, hash, key, out, out_size, &len) != OK || len < CACHE_STAMP_LEN)
        return false;
    memcpy(stamp, out, CACHE_STAMP_LEN);
    *value = span_of(out + CACHE_STAMP_LEN, len - CACHE_STAMP_LEN);
    return cache_stamp_is_good(&c->follower, stamp, c->now_ms);
}

void cache_count_hit(struct cache *c, const struct cache_stamp *stamp)
{
    metrics_add(c->follower.metrics,
                (stamp->flags & CACHE_FLAG_NEGATIVE) != 0 ? METRIC_CACHE_NEGATIVE_HITS : METRIC_CACHE_HITS,
                1);
}

bool cache_hit(struct cache *c, const struct cache_key *key, struct span *value)
{
    struct cache_stamp stamp;
    if (!cache_find(c, &c->memory->responses, key->hash, span_of(key->bytes, key->len), c->value,
                    c->value_size, &stamp, value))
        return false;
    cache_count_hit(c, &stamp);
    return true;
}

void cache_show(const struct cache *c, const struct cache_table *table, enum metric_gauge bytes,
                enum metric_gauge entries)
{
    struct cache_table_facts facts;
    cache_table_facts(table, &facts);
    metrics_gauge_set(c->follower.gauges, bytes, facts.bytes_held);
    metrics_gauge_set(c->follower.gauges, entries, facts.entries);
}

bool cache_keep(struct cache *c, const struct cache_key *key, struct cache_fill *fill)
{
    struct metrics *m = c->follower.metrics;
    unsigned evicted = 0;
    const struct cache_key *depends = fill->depends == NULL ? key : fill->depends;
    const struct cache_stamp stamp = {
        .identity = fill->state.identity,
        .seq = fill->state.seq,
        .expires_ms = c->now_ms + fill->ttl_ms,
        .words = {cache_word_of(key->hash), cache_word_of(depends->hash)},
        .flags = fill->negative ? CACHE_FLAG_NEGATIVE : 0,
    };
    if (fill->state.identity == 0 || fill->ttl_ms <= 0)
        return false;
    memcpy(fill->value.ptr, &stamp, sizeof stamp);
    if (cache_table_put(&c->memory->responses, key->hash, span_of(key->bytes, key->len),
                        buf_span(&fill->value), CACHE_PUT_WAIT_US, &evicted) != OK)
        return false;
    metrics_add(m, METRIC_CACHE_FILLS, 1);
    metrics_add(m, METRIC_CACHE_EVICTIONS, evicted);
    cache_show(c, &c->memory->responses, GAUGE_CACHE_BYTES_HELD, GAUGE_CACHE_ENTRIES);
    return true;
}
