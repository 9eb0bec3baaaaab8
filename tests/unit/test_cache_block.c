/* The table's block: formatted, recognised, refused; and what a damaged or worn-out one does. */
#include "cache/layout.h"
#include "support_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SIZE = CACHE_TABLE_MIN_BYTES };

static void sizes_that_cannot_be(void **state)
{
    (void)state;
    char *at = cache_test_map(SIZE * 2);
    assert_non_null(at);
    const struct {
        size_t offset, bytes, typical_len;
    } rows[] = {{0, SIZE - 1, 0},
                {0, 0, 0},
                {0, CACHE_TABLE_MAX_BYTES + 1, 0},
                {0, SIZE_MAX, 0},
                {0, SIZE, 64 * 1024 + 1},
                {0, SIZE, SIZE_MAX},
                {8, SIZE, 0},
                {1, SIZE, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cache_table_options options = {rows[i].bytes, rows[i].typical_len};
        struct err_detail detail = {0};
        assert_int_equal(cache_table_format(at + rows[i].offset, &options, &detail), ERR_INVALID);
        assert_true(detail.text[0] != '\0');
        assert_int_equal((unsigned char)at[rows[i].offset], 0xa5);
    }
    const struct cache_table_options options = {SIZE, 0};
    assert_int_equal(cache_table_format(NULL, &options, NULL), ERR_INVALID);
    munmap(at, SIZE * 2);
}

static void another_finds_what_one_put(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 333), again;
    struct err_detail detail = {0};
    uint32_t sequence = 0;
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(cache_test_put(&t, i, i, 500, 0, NULL), OK);
    assert_int_equal(cache_table_attach(&again, t.block, SIZE, &detail), OK);
    assert_int_equal(cache_test_get(&again, 299, &sequence), OK);
    assert_int_equal(sequence, 299);
    assert_int_equal(cache_test_put(&again, 300, 300, 500, 0, NULL), OK);
    assert_int_equal(cache_test_get(&t, 300, &sequence), OK);
    cache_test_close(&t);
}

struct spoiling {
    size_t offset;
    uint64_t value;
    size_t len;
};

static void what_is_none_is_refused(void **state)
{
    (void)state;
    const size_t tail = offsetof(struct cache_block, ends), main_tail = tail + sizeof(struct cache_ring_ends);
    const size_t head = tail + offsetof(struct cache_ring_ends, head), main_head = main_tail + head - tail;
    const struct spoiling rows[] = {
        {0, 'P', 1},
        {7, 0, 1},
        {offsetof(struct cache_block, version), CACHE_BLOCK_VERSION + 1, 4},
        {offsetof(struct cache_block, lock_size), sizeof(struct cache_lock) + 8, 4},
        {offsetof(struct cache_block, bytes), SIZE + 64, 8},
        {offsetof(struct cache_block, bytes), 0, 8},
        {offsetof(struct cache_block, typical_len), 0, 8},
        {offsetof(struct cache_block, typical_len), 65537, 8},
        {offsetof(struct cache_block, typical_len), UINT64_MAX, 8},
        {tail, 0, 8},
        {tail, UINT64_MAX, 8},
        {main_tail, 0, 8},
        {head, 0, 8},
        {head, UINT64_MAX, 8},
        {main_head, 1, 8},
        {main_head, UINT64_MAX / 2, 8},
        {main_head, (uint64_t)1 << CACHE_POSITION_BITS, 8},
        {main_head, ((uint64_t)1 << CACHE_POSITION_BITS) - 1, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cache_table t = cache_test_open(SIZE, 0), other;
        struct err_detail detail = {0};
        for (unsigned k = 0; k < 300; k++)
            assert_int_equal(cache_test_put(&t, k, k, 500, 0, NULL), OK);
        memcpy((char *)t.block + rows[i].offset, &rows[i].value, rows[i].len);
        assert_int_equal(cache_table_attach(&other, t.block, SIZE, &detail), ERR_INVALID);
        assert_null(other.block);
        assert_true(detail.text[0] != '\0');
        cache_test_close(&t);
    }
}

/* Each ring's ends at any distance that cannot be. */
static void ends_that_do_not_agree(void **state)
{
    (void)state;
    for (int id = 0; id < CACHE_RING_COUNT; id++) {
        struct cache_table t = cache_test_open(SIZE, 0), other;
        const struct cache_ring *r = &t.rings[id];
        const uint64_t lap = (uint64_t)1 << r->shift;
        const struct {
            uint64_t tail, head;
            enum err e;
        } rows[] = {
            {5 * lap, 5 * lap, OK},
            {5 * lap, 6 * lap, OK},
            {5 * lap + 1, 6 * lap, OK},
            {5 * lap + 7, 6 * lap + 7, OK},
            {5 * lap + r->units - 1, 6 * lap + r->units - 1, OK},
            {5 * lap + 7, 6 * lap + 8, ERR_INVALID},
            {5 * lap, 6 * lap + 1, ERR_INVALID},
            {5 * lap, 7 * lap, ERR_INVALID},
            {5 * lap + 1, 5 * lap, ERR_INVALID},
            {5 * lap, 5 * lap + r->units, r->units == lap ? OK : ERR_INVALID},
            {4 * lap + r->units, 5 * lap, r->units == lap ? OK : ERR_INVALID},
            {0, 0, ERR_INVALID},
            {0, 1, ERR_INVALID},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            atomic_store(&r->ends->tail, rows[i].tail);
            atomic_store(&r->ends->head, rows[i].head);
            assert_int_equal(cache_table_attach(&other, t.block, SIZE, NULL), rows[i].e);
        }
        cache_test_close(&t);
    }
}

static void of_another_length_it_is_refused(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE * 2, 0), other;
    const size_t lengths[] = {SIZE, SIZE * 2 - 1, SIZE * 2 + 1, SIZE * 3, 0, 8};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        assert_int_equal(cache_table_attach(&other, t.block, lengths[i], NULL), ERR_INVALID);
    assert_int_equal(cache_table_attach(&other, NULL, SIZE, NULL), ERR_INVALID);
    assert_int_equal(cache_table_attach(&other, (char *)t.block + 8, SIZE, NULL), ERR_INVALID);
    assert_int_equal(cache_table_attach(&other, t.block, SIZE * 2, NULL), OK);
    cache_test_close(&t);
}

/* Whatever a foreign hand wrote into index and rings: gets and puts stay within the block, and go on. */
static void rubbish_inside(void **state)
{
    (void)state;
    uint32_t x = 3, sequence = 0;
    for (int round = 0; round < 300; round++) {
        struct cache_table t = cache_test_open(SIZE, 0);
        struct cache_table_facts facts;
        for (unsigned k = 0; k < 200; k++)
            assert_int_equal(cache_test_put(&t, k, k, 20 + k * 5, 0, NULL), OK);
        const size_t first = sizeof(struct cache_block), words = round % 2 == 0 ? 20 : SIZE / 16;
        for (size_t i = 0; i < words; i++) {
            size_t at = first + (x = cache_test_step(x)) % ((SIZE - first) / 4) * 4;
            x = cache_test_step(x);
            memcpy((char *)t.block + at, &x, sizeof x);
        }
        for (unsigned k = 0; k < 400; k++) {
            enum err e = cache_test_get(&t, k, &sequence);
            assert_true(e == OK || e == ERR_NOT_FOUND || e == ERR_INVALID);
            assert_int_equal(cache_test_put(&t, k, k, 20 + k * 5, 0, NULL), OK);
            assert_int_equal(cache_test_get(&t, k, &sequence), OK);
        }
        cache_table_facts(&t, &facts);
        cache_test_close(&t);
    }
}

/* A record at a tail that cannot be one: everything goes, and the table begins anew. */
static void a_damaged_record_empties_the_table(void **state)
{
    (void)state;
    const uint64_t bad[] = {0, UINT64_MAX, cache_record_lengths(CACHE_RECORD, 0xffffff, 0xffffffff),
                            cache_record_lengths(CACHE_RECORD, 0, SIZE), cache_record_lengths(3, 3, 400)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int id = 0; id < CACHE_RING_COUNT; id++) {
            struct cache_table t = cache_test_open(SIZE, 0);
            struct cache_table_facts facts;
            uint32_t sequence = 0;
            for (unsigned k = 0; k < 300; k++) {
                assert_int_equal(cache_test_put(&t, k, k, 500, 0, NULL), OK);
                assert_int_equal(cache_test_get(&t, k, &sequence), OK); /* so that all are promoted */
            }
            struct cache_record *r = cache_ring_record(&t.rings[id], atomic_load(&t.rings[id].ends->tail));
            atomic_store(&r->lengths, bad[i]);
            for (unsigned k = 300; k < 360; k++) {
                assert_int_equal(cache_test_put(&t, k, k, 500, 0, NULL), OK);
                assert_int_equal(cache_test_get(&t, k, &sequence), OK);
            }
            cache_table_facts(&t, &facts);
            assert_in_range(facts.entries, 40, 60);
            for (unsigned k = 0; k < 300; k++)
                assert_int_equal(cache_test_get(&t, k, &sequence), ERR_NOT_FOUND);
            cache_test_close(&t);
        }
    }
}

/* Near the last position the table empties itself and begins with the first again. */
static void positions_run_out(void **state)
{
    (void)state;
    for (int id = 0; id < CACHE_RING_COUNT; id++) {
        struct cache_table t = cache_test_open(SIZE, 0);
        struct cache_table_facts facts;
        struct cache_ring *r = &t.rings[id];
        uint32_t sequence = 0, emptied = 0;
        const uint64_t last = ((uint64_t)1 << CACHE_POSITION_BITS) - 1;
        const uint64_t at = ((last >> r->shift) - 70) << r->shift;
        atomic_store(&r->ends->head, at);
        atomic_store(&r->ends->tail, at);
        assert_int_equal(cache_table_attach(&(struct cache_table){0}, t.block, SIZE, NULL), OK);
        uint64_t before = 0;
        for (unsigned k = 0; k < 3000; k++) {
            assert_int_equal(cache_test_put(&t, k % 300, k, 20 + k % 700, 0, NULL), OK);
            assert_int_equal(cache_test_get(&t, k % 300, &sequence), OK);
            assert_int_equal(sequence, k);
            cache_table_facts(&t, &facts);
            uint64_t head = atomic_load(&r->ends->head);
            if (head < before) {
                emptied++;
                assert_int_equal(facts.entries, 1);
                assert_true(head >> r->shift <= 1);
            }
            before = head;
            for (unsigned old = 0; old < 300 && head < at; old += 50) {
                enum err e = cache_test_get(&t, old, &sequence);
                assert_true(e == OK || e == ERR_NOT_FOUND);
            }
        }
        assert_int_equal(emptied, 1);
        cache_test_close(&t);
    }
}

/* A restart of which only the first store was made, by a process that died. */
static void a_restart_cut_short(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 0);
    struct cache_ring *r = &t.rings[CACHE_RING_MAIN];
    const uint64_t late = ((uint64_t)1 << CACHE_POSITION_BITS) - ((uint64_t)2 << r->shift);
    atomic_store(&r->ends->tail, late);
    assert_false(cache_ring_still_holds(r, late));
    assert_false(cache_ring_still_holds(r, 0));
    cache_ring_mend(r);
    assert_int_equal(atomic_load(&r->ends->tail), atomic_load(&r->ends->head));
    assert_true(cache_ring_sound(r));
    uint32_t sequence;
    assert_int_equal(cache_test_put(&t, 1, 1, 500, 0, NULL), OK);
    assert_int_equal(cache_test_get(&t, 1, &sequence), OK);
    cache_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_cannot_be),
        cmocka_unit_test(another_finds_what_one_put),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(ends_that_do_not_agree),
        cmocka_unit_test(of_another_length_it_is_refused),
        cmocka_unit_test(rubbish_inside),
        cmocka_unit_test(a_damaged_record_empties_the_table),
        cmocka_unit_test(positions_run_out),
        cmocka_unit_test(a_restart_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
