/* The table as one process sees it: what was put is found, whole, or is gone. */
#include "support_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SMALL = CACHE_TABLE_MIN_BYTES, KEYS = 400 };

static void what_is_put_is_found(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    struct cache_table_facts facts;
    uint32_t sequence = 0;
    unsigned evicted = 7;
    assert_int_equal(cache_test_get(&t, 1, &sequence), ERR_NOT_FOUND);
    assert_int_equal(cache_test_put(&t, 1, 5, 1000, 0, &evicted), OK);
    assert_int_equal(evicted, 0);
    assert_int_equal(cache_test_get(&t, 1, &sequence), OK);
    assert_int_equal(sequence, 5);
    assert_int_equal(cache_test_get(&t, 2, &sequence), ERR_NOT_FOUND);
    cache_table_facts(&t, &facts);
    assert_int_equal(facts.entries, 1);
    assert_int_equal(facts.bytes_held, 16 + 1008); /* head; 5 of key and 1000 of value in units */
    assert_int_equal(facts.insertions, 1);
    assert_int_equal(facts.data_bytes + facts.overhead_bytes, SMALL);
    assert_true(facts.data_bytes > SMALL * 95 / 100);
    cache_test_close(&t);
}

static void a_value_replaced(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    struct cache_table_facts facts;
    uint32_t sequence = 0;
    /* far more than the ring holds: the dead weight of the old ones goes */
    for (uint32_t i = 1; i < 2000; i++) {
        assert_int_equal(cache_test_put(&t, 1, i, 20 + i * 7 % 5000, 0, NULL), OK);
        assert_int_equal(cache_test_get(&t, 1, &sequence), OK);
        assert_int_equal(sequence, i);
    }
    cache_table_facts(&t, &facts);
    assert_int_equal(facts.entries, 1);
    assert_int_equal(facts.evictions, 0);
    cache_test_close(&t);
}

static void empty_ones(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    char out[1];
    size_t len = 9;
    assert_int_equal(cache_table_put(&t, 7, SPAN(""), SPAN(""), 0, NULL), OK);
    assert_int_equal(cache_table_put(&t, 0, span_of(NULL, 0), SPAN("x"), 0, NULL), OK);
    assert_int_equal(cache_table_get(&t, 7, SPAN(""), NULL, 0, &len), OK);
    assert_int_equal(len, 0);
    assert_int_equal(cache_table_get(&t, 0, SPAN(""), out, 1, &len), OK);
    assert_int_equal(len, 1);
    assert_int_equal(out[0], 'x');
    assert_int_equal(cache_table_get(&t, 0, SPAN(""), out, 0, &len), ERR_NOT_FOUND);
    assert_int_equal(len, 0);
    cache_test_close(&t);
}

static void the_room_for_the_value_is_kept_to(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    char out[12] = "untouched..";
    size_t len;
    assert_int_equal(cache_table_put(&t, 1, SPAN("k"), SPAN("0123456789"), 0, NULL), OK);
    assert_int_equal(cache_table_get(&t, 1, SPAN("k"), out, 9, &len), ERR_NOT_FOUND);
    assert_int_equal(len, 0);
    assert_int_equal(cache_table_get(&t, 1, SPAN("k"), out, 10, &len), OK);
    assert_int_equal(len, 10);
    assert_memory_equal(out, "0123456789.", 11);
    cache_test_close(&t);
}

/* The front of a value: as much as there is room for, and no byte more. */
static void the_front_of_a_value(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    char out[12] = "untouched..";
    size_t len;
    assert_int_equal(cache_table_put(&t, 1, SPAN("k"), SPAN("0123456789"), 0, NULL), OK);
    assert_int_equal(cache_table_get_front(&t, 1, SPAN("k"), out, 4, &len), OK);
    assert_int_equal(len, 4);
    assert_memory_equal(out, "0123uched..", 11);
    assert_int_equal(cache_table_get_front(&t, 1, SPAN("k"), out, 0, &len), OK);
    assert_int_equal(len, 0);
    assert_int_equal(cache_table_get_front(&t, 1, SPAN("k"), out, sizeof out, &len), OK);
    assert_int_equal(len, 10);
    assert_memory_equal(out, "0123456789.", 11);
    assert_int_equal(cache_table_get_front(&t, 1, SPAN("K"), out, 4, &len), ERR_NOT_FOUND);
    assert_int_equal(len, 0);
    cache_test_close(&t);
}

static void what_is_too_large(void **state)
{
    (void)state;
    static char bytes[CACHE_TABLE_RECORD_MAX + 1];
    struct cache_table t = cache_test_open(SMALL, 0), large = cache_test_open(4 << 20, 0);
    unsigned evicted = 7;
    size_t len;
    assert_true(t.record_max < 8192);
    assert_int_equal(cache_table_put(&t, 1, SPAN("k"), span_of(bytes, t.record_max), 0, &evicted),
                     ERR_TOO_LARGE);
    assert_int_equal(evicted, 0);
    assert_int_equal(cache_table_put(&t, 1, span_of(bytes, t.record_max + 1), SPAN(""), 0, NULL),
                     ERR_TOO_LARGE);
    assert_int_equal(cache_table_put(&t, 1, SPAN("k"), span_of(bytes, SIZE_MAX), 0, NULL), ERR_TOO_LARGE);
    for (int i = 0; i < 50; i++) /* as large as may be, past the ring's end again and again */
        assert_int_equal(cache_table_put(&t, 1, SPAN("k"), span_of(bytes, t.record_max - 1), 0, NULL), OK);
    assert_int_equal(cache_table_put(&t, 1, SPAN("k"), span_of(bytes, t.record_max), 0, NULL), ERR_TOO_LARGE);
    assert_int_equal(cache_table_get(&t, 1, SPAN("k"), bytes, sizeof bytes, &len), OK);
    assert_int_equal(len, t.record_max - 1); /* the older one is still there */
    assert_int_equal(large.record_max, CACHE_TABLE_RECORD_MAX);
    assert_int_equal(cache_table_put(&large, 1, SPAN(""), span_of(bytes, sizeof bytes), 0, NULL),
                     ERR_TOO_LARGE);
    assert_int_equal(cache_table_put(&large, 1, SPAN(""), span_of(bytes, sizeof bytes - 1), 0, NULL), OK);
    cache_test_close(&t);
    cache_test_close(&large);
}

/* Keys of one hash: their keys tell them apart, and no more than two buckets hold of them are kept. */
static void keys_of_one_hash(void **state)
{
    (void)state;
    enum { MANY = 40 };
    struct cache_table t = cache_test_open(SMALL, 0);
    struct cache_table_facts facts;
    char key[8], out[8];
    size_t len;
    unsigned found = 0, evicted, dropped = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "k%02d", i);
        assert_int_equal(cache_table_put(&t, 0x123456789abcdef0, span_str(key), span_str(key), 0, &evicted),
                         OK);
        dropped += evicted;
        for (int reads = 0; reads < 3; reads++) /* this one is dear to us */
            assert_int_equal(cache_table_get(&t, 0x123456789abcdef0, SPAN("k00"), out, 8, &len), OK);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "k%02d", i);
        if (cache_table_get(&t, 0x123456789abcdef0, span_str(key), out, sizeof out, &len) != OK)
            continue;
        found++;
        assert_int_equal(len, 3);
        assert_memory_equal(out, key, 3);
    }
    assert_int_equal(found, 2 * CACHE_WAYS);
    assert_int_equal(dropped, MANY - 2 * CACHE_WAYS);
    cache_table_facts(&t, &facts);
    assert_int_equal(facts.entries, found);
    assert_int_equal(facts.evictions, dropped);
    cache_test_close(&t);
}

/* A long random life beside a model of it; whatever is found is the latest. Returns how many gets found. */
static unsigned live(struct cache_table *t, unsigned rounds, unsigned longest, uint32_t *latest)
{
    static uint32_t x = 1;
    unsigned hits = 0, evicted;
    uint64_t dropped = 0;
    struct cache_table_facts before, after;
    cache_table_facts(t, &before);
    for (uint32_t i = 1; i <= rounds; i++) {
        unsigned number = (x = cache_test_step(x)) >> 8;
        number = number % KEYS * (number >> 16) % KEYS; /* some more than others */
        uint32_t sequence = 0;
        enum err e = cache_test_get(t, number, &sequence);
        if (e == OK) {
            assert_int_equal(sequence, latest[number]);
            hits++;
        } else {
            assert_int_equal(e, ERR_NOT_FOUND);
        }
        if (e == OK && x >> 29 != 0)
            continue;
        latest[number]++;
        uint32_t len = CACHE_VALUE_HEAD + (x = cache_test_step(x)) % longest;
        assert_int_equal(cache_test_put(t, number, latest[number], len, 0, &evicted), OK);
        assert_int_equal(cache_test_get(t, number, &sequence), OK);
        assert_int_equal(sequence, latest[number]);
        dropped += evicted;
    }
    cache_table_facts(t, &after);
    assert_int_equal(after.evictions - before.evictions, dropped);
    return hits;
}

static uint64_t count_found(struct cache_table *t, uint64_t *bytes)
{
    static char value[CACHE_VALUE_MAX];
    uint64_t found = 0;
    *bytes = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        struct cache_test_key key;
        size_t len;
        cache_test_key_make(&key, i);
        if (cache_table_get(t, key.hash, key.span, value, sizeof value, &len) != OK)
            continue;
        found++;
        *bytes += cache_record_units(key.span.len, len) * CACHE_UNIT;
    }
    return found;
}

static void a_long_life(void **state)
{
    (void)state;
    const struct {
        size_t bytes, typical_len;
        unsigned longest;
    } rows[] = {{SMALL, 0, 600},      {SMALL, 0, 1900},    {SMALL, 0, 6000},
                {SMALL + 8, 0, 1000}, {SMALL + 1, 1, 700}, {SMALL, 65536, 40},
                {SMALL, 65536, 1000}, {100001, 0, 20},     {SMALL * 2, 100, 100}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cache_table t = cache_test_open(rows[i].bytes, rows[i].typical_len);
        struct cache_table_facts facts;
        uint32_t latest[KEYS] = {0};
        uint64_t bytes;
        assert_true(live(&t, 60000, rows[i].longest, latest) > 1000);
        uint64_t found = count_found(&t, &bytes);
        cache_table_facts(&t, &facts);
        assert_int_equal(facts.entries, found);
        assert_int_equal(facts.bytes_held, bytes);
        cache_test_close(&t);
    }
}

static void cleared(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SMALL, 0);
    struct cache_table_facts facts;
    uint32_t latest[KEYS] = {0};
    uint64_t bytes;
    for (int i = 0; i < 20; i++) {
        live(&t, 300, 1000, latest);
        assert_int_equal(cache_table_clear(&t, 0), OK);
        assert_int_equal(count_found(&t, &bytes), 0);
        cache_table_facts(&t, &facts);
        assert_int_equal(facts.entries, 0);
        assert_int_equal(facts.bytes_held, 0);
    }
    cache_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found),
        cmocka_unit_test(a_value_replaced),
        cmocka_unit_test(empty_ones),
        cmocka_unit_test(the_room_for_the_value_is_kept_to),
        cmocka_unit_test(the_front_of_a_value),
        cmocka_unit_test(what_is_too_large),
        cmocka_unit_test(keys_of_one_hash),
        cmocka_unit_test(a_long_life),
        cmocka_unit_test(cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
