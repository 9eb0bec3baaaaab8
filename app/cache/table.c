#include "cache/table.h"

#include "cache/evict.h"
#include "cache/layout.h"

#include <string.h>

enum { GET_TRIES = 3, LINE = 64, FETCHED_AHEAD = 17 * LINE };

enum copied { COPIED, COPIED_NOTHING, COPIED_TOO_LATE };

/* Where a get copies to. */
struct room {
    void *out;
    size_t size;
    bool whole; /* a value that is longer counts as none; else its front is copied */
};

/* Copies the value out, if the key is the one. Until the last line nothing that is read here can be believed,
 * hence the bounds. */
static inline enum copied copy_out(const struct cache_ring *ring, uint64_t at, struct span key,
                                   struct room room, size_t *out_len)
{
    if ((at & ring->mask) + CACHE_RECORD_HEAD_UNITS > ring->units)
        return COPIED_NOTHING;
    const struct cache_record *record = cache_ring_record(ring, at);
    /* All lines of a usual record at once, instead of the value's after those of the head and the key: that
     * is a third of what a hit at random costs. It may fetch past the block's end, which does no harm. */
    for (uintptr_t line = (uintptr_t)record; line < (uintptr_t)record + FETCHED_AHEAD; line += LINE)
        __builtin_prefetch((const void *)line);
    const uint64_t lengths = atomic_load_explicit(&record->lengths, memory_order_relaxed);
    const size_t key_len = cache_record_key_len(lengths), value_len = cache_record_value_len(lengths);
    const size_t held = (size_t)(ring->units - (at & ring->mask) - CACHE_RECORD_HEAD_UNITS) * CACHE_UNIT;
    bool ours = cache_record_kind(lengths) == CACHE_RECORD && key_len == key.len &&
                key_len + value_len <= held && (!room.whole || value_len <= room.size) &&
                (key_len == 0 || memcmp(record->bytes, key.ptr, key_len) == 0);
    const size_t len = value_len < room.size ? value_len : room.size;
    if (ours && len > 0)
        memcpy(room.out, record->bytes + key_len, len);
    if (!cache_ring_still_holds(ring, at))
        return COPIED_TOO_LATE;
    *out_len = len;
    return ours ? COPIED : COPIED_NOTHING;
}

/* Tries the record that a slot points at; once again if it was moved while it was copied. */
static inline bool try_slot(struct cache_table *t, const _Atomic uint64_t *slot, uint64_t value,
                            uint64_t hash, struct span key, struct room room, size_t *out_len)
{
    for (int tries = 0; tries < GET_TRIES && cache_slot_is_of(value, hash); tries++) {
        switch (copy_out(&t->rings[cache_slot_ring(value)], cache_slot_position(value), key, room, out_len)) {
        case COPIED:
            return true;
        case COPIED_NOTHING:
            return false;
        case COPIED_TOO_LATE:
            value = atomic_load_explicit(slot, memory_order_acquire);
            break;
        }
    }
    return false;
}

static inline enum err get(struct cache_table *t, uint64_t hash, struct span key, struct room room,
                           size_t *out_len)
{
    for (unsigned which = 0; which < 2; which++) {
        struct cache_bucket *bucket = cache_index_bucket(&t->index, hash, which);
        for (int i = 0; i < CACHE_WAYS; i++) {
            uint64_t value = atomic_load_explicit(&bucket->slots[i], memory_order_acquire);
            if (cache_slot_is_of(value, hash) &&
                try_slot(t, &bucket->slots[i], value, hash, key, room, out_len)) {
                cache_slot_mark_read(&bucket->frequencies[i]);
                return OK;
            }
        }
    }
    *out_len = 0;
    return ERR_NOT_FOUND;
}

enum err cache_table_get(struct cache_table *t, uint64_t hash, struct span key, void *out, size_t out_size,
                         size_t *out_len)
{
    return get(t, hash, key, (struct room){out, out_size, true}, out_len);
}

enum err cache_table_get_front(struct cache_table *t, uint64_t hash, struct span key, void *out,
                               size_t out_size, size_t *out_len)
{
    return get(t, hash, key, (struct room){out, out_size, false}, out_len);
}

/* The record is in its ring; now it can be found. The slot of an older one of the key serves, and that one is
 * then dead weight until the tail passes it. */
static void publish(struct cache_table *t, uint64_t hash, struct span key, enum cache_ring_id ring,
                    uint64_t at, uint64_t units, struct cache_evict_work *work)
{
    struct cache_block *b = t->block;
    struct cache_slot slot = cache_index_find(&t->index, t->rings, hash, key);
    uint64_t replaced_units = 0;
    unsigned frequency = 0;
    if (slot.value != NULL) {
        const uint64_t old = cache_slot_load(slot);
        frequency = cache_slot_frequency(slot);
        replaced_units = cache_ring_record_units(&t->rings[cache_slot_ring(old)], cache_slot_position(old));
    } else {
        slot = cache_index_place(&t->index, hash);
        if (cache_slot_load(slot) != 0)
            cache_evict_drop(t, slot, work);
    }
    cache_slot_publish(slot, hash, ring, at, frequency);
    if (replaced_units == 0)
        cache_block_add(&b->entries, 1);
    cache_block_add(&b->units_held, (int64_t)(units - replaced_units));
    cache_block_add(&b->insertions, 1);
}

static void insert(struct cache_table *t, uint64_t hash, struct span key, struct span value,
                   struct cache_evict_work *work)
{
    const uint64_t units = cache_record_units(key.len, value.len);
    if (cache_ring_exhausted(&t->rings[CACHE_RING_SMALL]) || cache_ring_exhausted(&t->rings[CACHE_RING_MAIN]))
        cache_evict_everything(t);
    enum cache_ring_id ring;
    const struct cache_slot old = cache_index_find(&t->index, t->rings, hash, key);
    if (old.value == NULL)
        ring = cache_evict_choose(t, hash, units);
    else if (cache_evict_suits_small(t, units))
        ring = cache_slot_ring(cache_slot_load(old));
    else
        ring = CACHE_RING_MAIN;
    uint64_t at = cache_evict_until_room(t, ring, units, work);
    cache_ring_append(&t->rings[ring], at, hash, key, value);
    publish(t, hash, key, ring, at, units, work);
}

/* Takes the insert lock, and sets right what a holder that died left. */
static enum err begin(struct cache_table *t, int64_t wait_us)
{
    bool owner_died;
    if (cache_lock_take(&t->block->lock, wait_us, &owner_died) != OK)
        return ERR_BUSY;
    if (owner_died)
        cache_evict_mend(t);
    return OK;
}

enum err cache_table_put(struct cache_table *t, uint64_t hash, struct span key, struct span value,
                         int64_t wait_us, unsigned *evicted)
{
    struct cache_evict_work work = {.put_back_left = CACHE_PUT_BACK_MAX};
    enum err e;
    if (key.len > t->record_max || value.len > t->record_max - key.len)
        e = ERR_TOO_LARGE;
    else if ((e = begin(t, wait_us)) == OK) {
        insert(t, hash, key, value, &work);
        cache_lock_give(&t->block->lock);
    }
    if (evicted != NULL)
        *evicted = work.dropped;
    return e;
}

enum err cache_table_clear(struct cache_table *t, int64_t wait_us)
{
    enum err e = begin(t, wait_us);
    if (e != OK)
        return e;
    cache_evict_everything(t);
    cache_lock_give(&t->block->lock);
    return OK;
}

void cache_table_facts(const struct cache_table *t, struct cache_table_facts *out)
{
    const struct cache_block *b = t->block;
    const uint64_t data = (t->rings[CACHE_RING_SMALL].units + t->rings[CACHE_RING_MAIN].units) * CACHE_UNIT;
    *out = (struct cache_table_facts){
        .entries = atomic_load_explicit(&b->entries, memory_order_relaxed),
        .bytes_held = atomic_load_explicit(&b->units_held, memory_order_relaxed) * CACHE_UNIT,
        .data_bytes = data,
        .overhead_bytes = t->bytes - data,
        .insertions = atomic_load_explicit(&b->insertions, memory_order_relaxed),
        .evictions = atomic_load_explicit(&b->evictions, memory_order_relaxed),
        .promotions = atomic_load_explicit(&b->promotions, memory_order_relaxed),
    };
}
