/*
 * Inside the cache: entries, each a stamp and a value, as reads of one key and of many look for them and keep
 * them. Not for other rooms. Takes no lock but the table's own, for a put.
 */
#pragma once
#include "cache/cache.h"

enum { CACHE_STAMP_LEN = sizeof(struct cache_stamp), CACHE_FLAG_NEGATIVE = 1 };

/* Whether the words are up to date, so that stamps can be judged: asked of the source once in an exchange. */
bool cache_is_current(struct cache *c);
/* A record that is good: its value, without the stamp, in out. */
bool cache_find(struct cache *c, struct cache_table *table, uint64_t hash, struct span key, char *out,
                size_t out_size, struct cache_stamp *stamp, struct span *value);
/* The same of a ready answer, in c->value, and counted. */
bool cache_hit(struct cache *c, const struct cache_key *key, struct span *value);
void cache_count_hit(struct cache *c, const struct cache_stamp *stamp);
/* Keeps what was loaded, with its stamp written in front. true: it is kept. */
bool cache_keep(struct cache *c, const struct cache_key *key, struct cache_fill *fill);
/* What a table holds now, for who watches. */
void cache_show(const struct cache *c, const struct cache_table *table, enum metric_gauge bytes,
                enum metric_gauge entries);
