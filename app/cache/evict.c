#include "cache/evict.h"

#include "cache/layout.h"

#include <assert.h>

bool cache_evict_suits_small(const struct cache_table *t, uint64_t units)
{
    return units <= t->rings[CACHE_RING_SMALL].units / 4;
}

enum cache_ring_id cache_evict_choose(struct cache_table *t, uint64_t hash, uint64_t units)
{
    uint64_t at;
    bool known = cache_ghost_take(&t->ghost, hash);
    if (known || !cache_evict_suits_small(t, units))
        return CACHE_RING_MAIN;
    if (atomic_load_explicit(&t->block->main_filled, memory_order_relaxed) != 0)
        return CACHE_RING_SMALL;
    if (cache_ring_room(&t->rings[CACHE_RING_MAIN], units, &at))
        return CACHE_RING_MAIN;
    atomic_store_explicit(&t->block->main_filled, 1, memory_order_relaxed);
    return CACHE_RING_SMALL;
}

/* Frees the slot of a record that is not to be kept, and counts it out. */
static void drop(struct cache_table *t, struct cache_slot slot, enum cache_ring_id ring, uint64_t hash,
                 uint64_t units, struct cache_evict_work *work)
{
    cache_slot_free(slot);
    if (ring == CACHE_RING_SMALL)
        cache_ghost_remember(&t->ghost, hash, units);
    cache_block_add(&t->block->entries, -1);
    cache_block_add(&t->block->units_held, -(int64_t)units);
    cache_block_add(&t->block->evictions, 1);
    work->dropped++;
}

void cache_evict_drop(struct cache_table *t, struct cache_slot slot, struct cache_evict_work *work)
{
    const uint64_t value = cache_slot_load(slot);
    const enum cache_ring_id id = cache_slot_ring(value);
    struct cache_ring *ring = &t->rings[id];
    const uint64_t units = cache_ring_record_units(ring, cache_slot_position(value));
    if (units == 0) {
        cache_slot_free(slot); /* damage: it points nowhere, and was never counted right */
        return;
    }
    const struct cache_record *record = cache_ring_record(ring, cache_slot_position(value));
    drop(t, slot, id, atomic_load_explicit(&record->hash, memory_order_relaxed), units, work);
}

/* The record at the main ring's tail goes to its head. It is not to be found between the two stores of its
 * slot: a reader that comes just then misses it. */
static void put_back(struct cache_table *t, struct cache_slot slot, const struct cache_record *record,
                     uint64_t hash, uint64_t units)
{
    struct cache_ring *main_ring = &t->rings[CACHE_RING_MAIN];
    const unsigned frequency = cache_slot_frequency(slot);
    uint64_t to;
    cache_slot_free(slot);
    cache_ring_pass(main_ring, units);
    /* It fits: what it took has just become free, before the ring's end or at its start. */
    bool room = cache_ring_room(main_ring, units, &to);
    assert(room);
    (void)room;
    cache_ring_append_copy(main_ring, to, record, units);
    cache_slot_publish(slot, hash, CACHE_RING_MAIN, to, frequency - 1);
}

/* The record at the small ring's tail goes to the main ring; a reader finds it in the one or in the other. */
static void promote(struct cache_table *t, const struct cache_record *record, uint64_t hash, uint64_t at,
                    uint64_t units, struct cache_evict_work *work)
{
    struct cache_ring *main_ring = &t->rings[CACHE_RING_MAIN];
    const uint64_t to = cache_evict_until_room(t, CACHE_RING_MAIN, units, work);
    struct cache_slot slot = cache_index_at(&t->index, hash, CACHE_RING_SMALL, at);
    if (slot.value == NULL)
        return; /* damage was found meanwhile, and everything dropped */
    cache_ring_append_copy(main_ring, to, record, units);
    cache_slot_publish(slot, hash, CACHE_RING_MAIN, to, 0);
    cache_block_add(&t->block->promotions, 1);
    cache_ring_pass(&t->rings[CACHE_RING_SMALL], units);
}

static void evict_record(struct cache_table *t, enum cache_ring_id ring, uint64_t at, uint64_t units,
                         struct cache_evict_work *work)
{
    const struct cache_record *record = cache_ring_record(&t->rings[ring], at);
    const uint64_t hash = atomic_load_explicit(&record->hash, memory_order_relaxed);
    struct cache_slot slot = cache_index_at(&t->index, hash, ring, at);
    const bool was_read = slot.value != NULL && cache_slot_frequency(slot) > 0;
    if (was_read && ring == CACHE_RING_SMALL) {
        promote(t, record, hash, at, units, work);
    } else if (was_read && work->put_back_left > 0) {
        work->put_back_left--;
        put_back(t, slot, record, hash, units);
    } else {
        if (slot.value != NULL) /* none: it was replaced, or its writer died before it could be found */
            drop(t, slot, ring, hash, units, work);
        cache_ring_pass(&t->rings[ring], units);
    }
}

uint64_t cache_evict_until_room(struct cache_table *t, enum cache_ring_id ring, uint64_t units,
                                struct cache_evict_work *work)
{
    uint64_t to, at, tail_units;
    while (!cache_ring_room(&t->rings[ring], units, &to)) {
        switch (cache_ring_tail(&t->rings[ring], &at, &tail_units)) {
        case CACHE_TAIL_RECORD:
            evict_record(t, ring, at, tail_units, work);
            break;
        case CACHE_TAIL_PAD:
            cache_ring_pass(&t->rings[ring], tail_units);
            break;
        case CACHE_TAIL_EMPTY: /* never: an empty ring has room for a quarter of it wherever it stands */
            assert(!"an empty ring without room");
            break;
        case CACHE_TAIL_DAMAGED:
            cache_evict_everything(t);
            break;
        }
    }
    return to;
}

void cache_evict_everything(struct cache_table *t)
{
    const size_t slots = cache_index_slots(&t->index);
    for (size_t i = 0; i < slots; i++)
        cache_slot_free(cache_index_slot(&t->index, i));
    for (int i = 0; i < CACHE_RING_COUNT; i++) {
        if (cache_ring_exhausted(&t->rings[i]))
            cache_ring_restart(&t->rings[i]);
        else
            cache_ring_pass_all(&t->rings[i]);
    }
    cache_block_add(&t->block->evictions,
                    (int64_t)atomic_load_explicit(&t->block->entries, memory_order_relaxed));
    atomic_store_explicit(&t->block->entries, 0, memory_order_relaxed);
    atomic_store_explicit(&t->block->units_held, 0, memory_order_relaxed);
    atomic_store_explicit(&t->block->main_filled, 0, memory_order_relaxed);
}

void cache_evict_mend(struct cache_table *t)
{
    const size_t slots = cache_index_slots(&t->index);
    uint64_t entries = 0, held = 0;
    for (int i = 0; i < CACHE_RING_COUNT; i++)
        cache_ring_mend(&t->rings[i]);
    for (size_t i = 0; i < slots; i++) {
        const struct cache_slot slot = cache_index_slot(&t->index, i);
        const uint64_t value = cache_slot_load(slot);
        if (value == 0)
            continue;
        uint64_t units =
            cache_ring_record_units(&t->rings[cache_slot_ring(value)], cache_slot_position(value));
        if (units == 0) {
            cache_slot_free(slot);
            continue;
        }
        entries++;
        held += units;
    }
    atomic_store_explicit(&t->block->entries, entries, memory_order_relaxed);
    atomic_store_explicit(&t->block->units_held, held, memory_order_relaxed);
}
