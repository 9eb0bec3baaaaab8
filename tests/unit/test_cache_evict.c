/* Who goes and who stays when the table is full. */
#include "cache/evict.h"
#include "cache/layout.h"
#include "support_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SIZE = 256 * 1024, LEN = 500, TYPICAL = 400 };

static unsigned next_number; /* of keys that nobody asked for before */

/* CACHE_RING_COUNT: it is in neither. */
static enum cache_ring_id ring_of(struct cache_table *t, unsigned number)
{
    struct cache_test_key key;
    cache_test_key_make(&key, number);
    const struct cache_slot slot = cache_index_find(&t->index, t->rings, key.hash, key.span);
    return slot.value == NULL ? CACHE_RING_COUNT : cache_slot_ring(cache_slot_load(slot));
}

static void put(struct cache_table *t, unsigned number)
{
    assert_int_equal(cache_test_put(t, number, 1, LEN, 0, NULL), OK);
}

static bool found(struct cache_table *t, unsigned number)
{
    uint32_t sequence;
    enum err e = cache_test_get(t, number, &sequence);
    assert_true(e == OK || e == ERR_NOT_FOUND);
    return e == OK;
}

/* New keys, until so many bytes of them are put. */
static void put_new(struct cache_table *t, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += LEN)
        put(t, next_number++);
}

static uint64_t ring_bytes(const struct cache_table *t, enum cache_ring_id id)
{
    return t->rings[id].units * CACHE_UNIT;
}

static struct cache_table full_table(void)
{
    struct cache_table t = cache_test_open(SIZE, TYPICAL);
    next_number = 1000000;
    put_new(&t, SIZE * 2);
    return t;
}

static void the_main_ring_fills_first(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, TYPICAL);
    struct cache_table_facts facts;
    unsigned number = 0;
    for (; number < 2000; number++) {
        put(&t, number);
        if (ring_of(&t, number) != CACHE_RING_MAIN)
            break;
    }
    cache_table_facts(&t, &facts);
    /* all of the main ring but less than a record, and one in the small ring */
    assert_in_range(facts.bytes_held, ring_bytes(&t, CACHE_RING_MAIN), ring_bytes(&t, CACHE_RING_MAIN) + 600);
    assert_int_equal(facts.evictions, 0);
    for (unsigned i = 0; i <= number; i++)
        assert_true(found(&t, i));
    /* from now on new keys go to the small one; until everything is dropped */
    put(&t, 5000);
    assert_int_equal(ring_of(&t, 5000), CACHE_RING_SMALL);
    assert_int_equal(cache_table_clear(&t, 0), OK);
    put(&t, 5001);
    assert_int_equal(ring_of(&t, 5001), CACHE_RING_MAIN);
    cache_test_close(&t);
}

static void read_once_in_the_small_ring_is_promoted(void **state)
{
    (void)state;
    struct cache_table t = full_table();
    struct cache_table_facts facts;
    put(&t, 1);
    put(&t, 2);
    assert_int_equal(ring_of(&t, 1), CACHE_RING_SMALL);
    assert_true(found(&t, 2));
    put_new(&t, ring_bytes(&t, CACHE_RING_SMALL) * 2);
    assert_false(found(&t, 1));
    assert_int_equal(ring_of(&t, 2), CACHE_RING_MAIN);
    assert_true(found(&t, 2));
    cache_table_facts(&t, &facts);
    assert_int_equal(facts.promotions, 1);
    cache_test_close(&t);
}

static void who_comes_back_goes_to_the_main_ring(void **state)
{
    (void)state;
    struct cache_table t = full_table();
    put(&t, 1);
    put(&t, 2);
    put_new(&t, ring_bytes(&t, CACHE_RING_SMALL) * 2);
    assert_int_equal(ring_of(&t, 1), CACHE_RING_COUNT);
    put(&t, 1);
    assert_int_equal(ring_of(&t, 1), CACHE_RING_MAIN);
    /* the other is away for too long */
    put_new(&t, ring_bytes(&t, CACHE_RING_MAIN) * 2);
    put(&t, 2);
    assert_int_equal(ring_of(&t, 2), CACHE_RING_SMALL);
    /* and nobody is known who was never here */
    unsigned strangers = 0;
    for (unsigned i = 0; i < 500; i++) {
        put(&t, 10000 + i);
        strangers += ring_of(&t, 10000 + i) == CACHE_RING_MAIN;
    }
    assert_true(strangers <= 1);
    cache_test_close(&t);
}

static void a_large_one_does_not_sweep_the_small_ring(void **state)
{
    (void)state;
    struct cache_table t = full_table();
    const uint32_t quarter = (uint32_t)(ring_bytes(&t, CACHE_RING_SMALL) / 4);
    assert_int_equal(cache_test_put(&t, 1, 1, quarter, 0, NULL), OK);
    assert_int_equal(ring_of(&t, 1), CACHE_RING_MAIN);
    /* one that grows moves, one that shrinks stays */
    put(&t, 2);
    assert_int_equal(ring_of(&t, 2), CACHE_RING_SMALL);
    assert_int_equal(cache_test_put(&t, 2, 2, quarter, 0, NULL), OK);
    assert_int_equal(ring_of(&t, 2), CACHE_RING_MAIN);
    put(&t, 2);
    assert_int_equal(ring_of(&t, 2), CACHE_RING_MAIN);
    cache_test_close(&t);
}

static void read_often_stays_longer(void **state)
{
    (void)state;
    struct cache_table t = full_table();
    for (unsigned i = 0; i < 40; i++) {
        put(&t, i);
        for (unsigned reads = 0; reads <= i % 4; reads++)
            assert_true(found(&t, i));
    }
    put_new(&t, ring_bytes(&t, CACHE_RING_SMALL) * 2);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(ring_of(&t, i), CACHE_RING_MAIN);
        for (unsigned reads = 0; reads < i % 4; reads++)
            assert_true(found(&t, i));
    }
    /* each turn of the main ring takes one of their readings */
    for (unsigned turn = 0; turn < 4; turn++) {
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(ring_of(&t, i), i % 4 >= turn ? CACHE_RING_MAIN : CACHE_RING_COUNT);
        uint64_t head = atomic_load(&t.rings[CACHE_RING_MAIN].ends->head);
        const unsigned shift = t.rings[CACHE_RING_MAIN].shift;
        while (atomic_load(&t.rings[CACHE_RING_MAIN].ends->head) < head + ((uint64_t)1 << shift))
            assert_int_equal(cache_test_put(&t, next_number++, 1, 12000, 0, NULL), OK);
    }
    cache_test_close(&t);
}

/* Everything is in use: a put still ends soon, and drops somebody. */
static void when_all_are_dear(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 50);
    struct cache_table_facts facts;
    struct cache_ring *main_ring = &t.rings[CACHE_RING_MAIN];
    unsigned evicted;
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(cache_test_put(&t, i, 1, 50, 0, NULL), OK);
    for (unsigned i = 0; i < 3000; i++) {
        for (int reads = 0; reads < 4; reads++)
            (void)found(&t, i);
    }
    cache_table_facts(&t, &facts);
    assert_true(facts.entries > CACHE_PUT_BACK_MAX * 4);
    uint64_t before = atomic_load(&main_ring->ends->head);
    assert_int_equal(cache_test_put(&t, 9999, 1, 12000, 0, &evicted), OK);
    uint64_t moved = atomic_load(&main_ring->ends->head) - before;
    assert_in_range(evicted, 12000 / 90, 12000 / 60);
    assert_true(moved < (CACHE_PUT_BACK_MAX * 90 + 12100) / CACHE_UNIT || moved > main_ring->units / 2);
    assert_true(found(&t, 9999));
    cache_test_close(&t);
}

static void a_scan_leaves_the_hot_ones(void **state)
{
    (void)state;
    struct cache_table t = full_table();
    enum { HOT = SIZE * 4 / 10 / (LEN + 32) };
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < HOT; i++) {
            if (!found(&t, i))
                put(&t, i);
        }
    }
    put_new(&t, SIZE * 10);
    unsigned left = 0;
    for (unsigned i = 0; i < HOT; i++)
        left += found(&t, i);
    assert_true(left * 100 >= HOT * 98);
    cache_test_close(&t);
}

static void mixed_sizes_fill_it(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(4 << 20, 0);
    struct cache_table_facts facts;
    uint32_t x = 5;
    for (uint64_t bytes = 0, number = 0; bytes < (uint64_t)t.bytes * 4; number++) {
        uint32_t len = 200 + ((x = cache_test_step(x)) >> 8) % 16185;
        assert_int_equal(cache_test_put(&t, (unsigned)number, 1, len, 0, NULL), OK);
        bytes += len;
    }
    cache_table_facts(&t, &facts);
    assert_true(facts.bytes_held * 100 >= facts.data_bytes * 90);
    cache_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_main_ring_fills_first),
        cmocka_unit_test(read_once_in_the_small_ring_is_promoted),
        cmocka_unit_test(who_comes_back_goes_to_the_main_ring),
        cmocka_unit_test(a_large_one_does_not_sweep_the_small_ring),
        cmocka_unit_test(read_often_stays_longer),
        cmocka_unit_test(when_all_are_dear),
        cmocka_unit_test(a_scan_leaves_the_hot_ones),
        cmocka_unit_test(mixed_sizes_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
