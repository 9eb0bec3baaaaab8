/*
 * Who goes when a ring is full, by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction",
 * SOSP 2023). A new key goes to the small ring. At its tail, a record that was read meanwhile is promoted to
 * the main ring, and any other is dropped and remembered in the ghost; a key that the ghost knows goes to the
 * main ring at once. At the main ring's tail, a record that was read goes back to the head with its frequency
 * one less, and any other is dropped. Two things are our own: while the main ring has never been full new
 * keys go there, and one insertion puts back CACHE_PUT_BACK_MAX records at most, so that no put holds the
 * lock for long when everything is in use.
 *
 * All of it is the insert lock holder's. Each step leaves a whole table if it is the last.
 */
#pragma once
#include "cache/table.h"

enum { CACHE_PUT_BACK_MAX = 256 };

/* What one insertion has done so far, and may yet do. */
struct cache_evict_work {
    unsigned dropped;       /* records */
    unsigned put_back_left; /* CACHE_PUT_BACK_MAX to begin with */
};

/* The ring for a key that is not in the table; the ghost then forgets it. */
enum cache_ring_id cache_evict_choose(struct cache_table *t, uint64_t hash, uint64_t units);
/* Whether a record of so many units may go to the small ring; a larger one would empty it of half. */
bool cache_evict_suits_small(const struct cache_table *t, uint64_t units);
/* Makes room for so many units and returns where they begin. */
uint64_t cache_evict_until_room(struct cache_table *t, enum cache_ring_id ring, uint64_t units,
                                struct cache_evict_work *work);
/* Drops the record that a slot points at, and frees the slot. */
void cache_evict_drop(struct cache_table *t, struct cache_slot slot, struct cache_evict_work *work);
/* Drops everything; begins the positions anew if they are about to run out. */
void cache_evict_everything(struct cache_table *t);
/* After a holder's death: frees slots that point nowhere, counts the records anew. */
void cache_evict_mend(struct cache_table *t);
