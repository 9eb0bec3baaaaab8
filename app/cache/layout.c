#include "cache/layout.h"

#include "cache/ghost.h"
#include "cache/index.h"
#include "cache/table.h"

static_assert(CACHE_TABLE_MAX_BYTES / CACHE_UNIT <= (uint64_t)1 << (CACHE_POSITION_BITS - 8),
              "a position counts many laps of any ring");

enum { LINE = 64, SMALL_SHARE = 10 /* percent */ };

static size_t lines(size_t n, size_t a_line)
{
    return (n + a_line - 1) / a_line;
}

/* A record with its share of the index (half as many slots again as records, so that few buckets are full)
 * and of the ghost (as many words as records) takes so much; that tells how many there will be. */
struct cache_geometry cache_geometry_of(size_t bytes, size_t typical_len)
{
    struct cache_geometry g;
    const size_t record = cache_record_units(0, typical_len) * CACHE_UNIT;
    const size_t shares = sizeof(uint64_t) * 3 / 2 + sizeof(uint32_t);
    const size_t records = (bytes - sizeof(struct cache_block)) / (record + shares) + 1;
    g.buckets = (uint32_t)lines(records * 3 / 2, CACHE_WAYS);
    g.ghost_sets = (uint32_t)lines(records, CACHE_GHOST_WAYS);
    g.index_at = sizeof(struct cache_block);
    g.ghost_at = g.index_at + (size_t)g.buckets * LINE;
    g.ring_at[CACHE_RING_SMALL] = g.ghost_at + (size_t)g.ghost_sets * LINE;
    const size_t data_lines = (bytes - g.ring_at[CACHE_RING_SMALL]) / LINE;
    const size_t small = data_lines * SMALL_SHARE / 100 * LINE;
    g.ring_at[CACHE_RING_MAIN] = g.ring_at[CACHE_RING_SMALL] + small;
    g.ring_units[CACHE_RING_SMALL] = small / CACHE_UNIT;
    g.ring_units[CACHE_RING_MAIN] = (data_lines * LINE - small) / CACHE_UNIT;
    return g;
}
