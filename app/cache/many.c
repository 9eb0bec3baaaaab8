#include "cache/entry.h"

#include <string.h>

struct cache_giving {
    struct cache *cache;
    const struct cache_wanted *wanted;
    const struct cache_reader *reader;
    bool keep;
    struct cache_fill fill;
};

struct cache_fill *cache_give_begin(struct cache_giving *to)
{
    static const char room[CACHE_STAMP_LEN] = {0};
    struct buf value = to->fill.value;
    buf_clear(&value);
    buf_append(&value, span_of(room, sizeof room));
    to->fill = (struct cache_fill){.value = value};
    return &to->fill;
}

enum err cache_give(struct cache_giving *to, size_t index)
{
    enum cache_outcome outcome = CACHE_BYPASSED;
    enum err e = buf_status(&to->fill.value);
    if (e != OK)
        return e;
    if (to->keep)
        outcome = cache_keep(to->cache, &to->wanted[index].key, &to->fill) ? CACHE_STORED : CACHE_MISSED;
    to->reader->take(to->reader->data, index, span_from(buf_span(&to->fill.value), CACHE_STAMP_LEN), outcome);
    return OK;
}

/* Whether the front of what is there is good, and all that is wanted. */
static bool hit_front(struct cache *c, const struct cache_wanted *wanted, size_t index,
                      const struct cache_reader *reader)
{
    char front[CACHE_STAMP_LEN + CACHE_FRONT_LEN];
    const struct cache_key *key = &wanted->key;
    struct cache_stamp stamp;
    size_t len;
    if (cache_table_get_front(&c->memory->responses, key->hash, span_of(key->bytes, key->len), front,
                              sizeof front, &len) != OK ||
        len < CACHE_STAMP_LEN)
        return false;
    memcpy(&stamp, front, CACHE_STAMP_LEN);
    if (!cache_stamp_is_good(&c->follower, &stamp, c->now_ms) ||
        !reader->take_front(reader->data, index, span_of(front + CACHE_STAMP_LEN, len - CACHE_STAMP_LEN)))
        return false;
    cache_count_hit(c, &stamp);
    return true;
}

/* Takes what is there of the keys listed; gives how many are not, and leaves these in the list. */
static size_t look_for(struct cache *c, const struct cache_wanted *wanted, const struct cache_reader *reader,
                       size_t *list, size_t count, enum cache_outcome outcome)
{
    size_t missed = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = list[i];
        struct span value;
        if (wanted[at].front && hit_front(c, &wanted[at], at, reader))
            continue;
        if (cache_hit(c, &wanted[at].key, &value))
            reader->take(reader->data, at, value, outcome);
        else
            list[missed++] = at;
    }
    return missed;
}

static enum err load_many(struct cache *c, const struct cache_wanted *wanted,
                          const struct cache_reader *reader, const size_t *missed, size_t count, bool keep_it)
{
    struct cache_giving to = {.cache = c, .wanted = wanted, .reader = reader, .keep = keep_it};
    if (c->memory != NULL && c->memory->has_responses) {
        metrics_add(c->follower.metrics, keep_it ? METRIC_CACHE_MISSES : METRIC_CACHE_BYPASSES, count);
        metrics_add(c->follower.metrics, METRIC_CACHE_LOADS, 1);
    }
    enum err e = reader->load(reader->data, missed, count, &to);
    buf_fini(&to.fill.value);
    return e;
}

enum err cache_read_many(struct cache *c, const struct cache_wanted *wanted, size_t count,
                         const struct cache_reader *reader)
{
    size_t list[CACHE_MANY_MAX];
    bool owner_died;
    if (count > CACHE_MANY_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++)
        list[i] = i;
    if (c->memory == NULL || !c->memory->has_responses || !cache_is_current(c))
        return count == 0 ? OK : load_many(c, wanted, reader, list, count, false);
    count = look_for(c, wanted, reader, list, count, CACHE_HIT);
    if (count == 0)
        return OK;
    struct cache_lock *flight = &c->memory->flights[wanted[list[0]].key.hash % CACHE_FLIGHTS];
    if (cache_lock_take(flight, 0, &owner_died) != OK) {
        metrics_add(c->follower.metrics, METRIC_CACHE_FLIGHT_WAITS, 1);
        if (cache_lock_take(flight, CACHE_FLIGHT_WAIT_US, &owner_died) != OK)
            return load_many(c, wanted, reader, list, count, false);
    }
    enum err e = OK;
    count = look_for(c, wanted, reader, list, count, CACHE_COLLAPSED);
    if (count > 0)
        e = load_many(c, wanted, reader, list, count, true);
    cache_lock_give(flight);
    return e;
}
