/* A table's begin: the block written, and recognised. */
#include "cache/layout.h"
#include "cache/table.h"

#include <string.h>

static size_t typical(size_t len)
{
    return len == 0 ? CACHE_TABLE_TYPICAL_LEN : len;
}

static bool sizes_right(const void *at, size_t bytes, size_t typical_len)
{
    return at != NULL && (uintptr_t)at % CACHE_TABLE_ALIGN == 0 && bytes >= CACHE_TABLE_MIN_BYTES &&
           bytes <= CACHE_TABLE_MAX_BYTES && typical_len > 0 && typical_len <= CACHE_TABLE_RECORD_MAX;
}

/* Points the handle at the block's parts. Believes nothing in the block. */
static void fill(struct cache_table *t, void *at, size_t bytes, size_t typical_len)
{
    const struct cache_geometry g = cache_geometry_of(bytes, typical_len);
    char *base = at;
    *t = (struct cache_table){.block = at, .bytes = bytes};
    t->index = (struct cache_index){(struct cache_bucket *)(void *)(base + g.index_at), g.buckets};
    for (int i = 0; i < CACHE_RING_COUNT; i++)
        cache_ring_init(&t->rings[i], &t->block->ends[i], base + g.ring_at[i], g.ring_units[i]);
    const uint64_t main_units = g.ring_units[CACHE_RING_MAIN];
    cache_ghost_init(&t->ghost, (_Atomic uint32_t *)(void *)(base + g.ghost_at), g.ghost_sets,
                     &t->block->ghost_clock, main_units * 9 / 10);
    const size_t eighth = (size_t)(main_units / 8 - CACHE_RECORD_HEAD_UNITS) * CACHE_UNIT;
    t->record_max = eighth < CACHE_TABLE_RECORD_MAX ? eighth : CACHE_TABLE_RECORD_MAX;
}

enum err cache_table_format(void *at, const struct cache_table_options *options, struct err_detail *detail)
{
    const size_t typical_len = typical(options->typical_len);
    struct cache_table t;
    if (!sizes_right(at, options->bytes, typical_len))
        return err_set(detail, ERR_INVALID, "a cache cannot have %zu bytes for records of %zu",
                       options->bytes, typical_len);
    fill(&t, at, options->bytes, typical_len);
    /* header, index and ghost: all that comes before the rings */
    memset(at, 0, (size_t)(t.rings[CACHE_RING_SMALL].bytes - (char *)at));
    for (int i = 0; i < CACHE_RING_COUNT; i++)
        cache_ring_restart(&t.rings[i]);
    if (cache_lock_init(&t.block->lock) != OK)
        return err_set(detail, ERR_NOMEM, "cannot make the cache's lock");
    t.block->version = CACHE_BLOCK_VERSION;
    t.block->lock_size = sizeof(struct cache_lock);
    t.block->bytes = options->bytes;
    t.block->typical_len = typical_len;
    memcpy(t.block->magic, CACHE_BLOCK_MAGIC, sizeof t.block->magic);
    return OK;
}

enum err cache_table_attach(struct cache_table *t, void *at, size_t bytes, struct err_detail *detail)
{
    const struct cache_block *b = at;
    *t = (struct cache_table){.block = NULL};
    if (!sizes_right(at, bytes, 1))
        return err_set(detail, ERR_INVALID, "a cache cannot have %zu bytes", bytes);
    if (memcmp(b->magic, CACHE_BLOCK_MAGIC, sizeof b->magic) != 0)
        return err_set(detail, ERR_INVALID, "it is no cache of profiled");
    if (b->version != CACHE_BLOCK_VERSION || b->lock_size != sizeof(struct cache_lock))
        return err_set(detail, ERR_INVALID, "it is a cache of another version of profiled");
    if (b->bytes != bytes || !sizes_right(at, bytes, b->typical_len))
        return err_set(detail, ERR_INVALID, "it is a cache of another size");
    fill(t, at, bytes, b->typical_len);
    for (int i = 0; i < CACHE_RING_COUNT; i++) {
        if (!cache_ring_sound(&t->rings[i])) {
            *t = (struct cache_table){.block = NULL};
            return err_set(detail, ERR_INVALID, "the cache is damaged");
        }
    }
    return OK;
}
