/* Many keys for one answer, over a source that does as it is told: what is taken from where, in which order,
 * by how many loads. */
#include "support_source.h"

#include <stdio.h>

enum { NOW_MS = 1000000, TTL_MS = 5000, MEBIBYTE = 1 << 20, MOST = CACHE_MANY_MAX };

struct world {
    struct cache_memory memory;
    struct fake *fake;
    struct metrics metrics;
    struct metrics_gauges gauges;
    struct cache cache;
    /* asked */
    struct cache_wanted wanted[MOST + 1];
    size_t count;
    /* came */
    size_t order[MOST + 1], taken; /* the keys in the order they were taken in */
    enum cache_outcome outcome[MOST + 1];
    char version[MOST + 1]; /* the first byte of each value */
    size_t fronts, fronts_enough;
    bool enough; /* what take_front says */
    size_t last_value_len;
    /* the loader */
    char now;    /* what it writes */
    int64_t seq; /* of its snapshot; -1: the source's present one */
    size_t value_len;
    bool negative, fail_value;
    int64_t ttl_ms;
    enum err e;
    int loads;
    size_t missed[MOST], missed_count;
    void (*in_load)(struct world *w);
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const struct cache_memory_options options = {.responses = MEBIBYTE, .verdicts = MEBIBYTE};
    struct err_detail detail = {0};
    if (w == NULL)
        return 1;
    assert_int_equal(cache_memory_create(&options, &w->memory, &detail), OK);
    w->fake = support_shared(sizeof *w->fake);
    *w->fake = (struct fake){.version = 1, .state = {.identity = 7, .seq = 10}};
    const struct cache_source source = fake_source(w->fake);
    assert_int_equal(cache_open(&w->cache, &w->memory, &source, &w->metrics, &w->gauges), OK);
    w->now = 'a';
    w->seq = -1;
    w->value_len = 100;
    w->ttl_ms = TTL_MS;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    cache_close(&w->cache);
    cache_memory_close(&w->memory);
    munmap(w->fake, sizeof *w->fake);
    free(w);
    return 0;
}

/* A value says which key it is of, so that one that was mixed up is seen. */
static void check_value(const struct world *w, size_t index, struct span value)
{
    const struct cache_key *key = &w->wanted[index].key;
    assert_true(value.len >= 1 + key->len);
    assert_memory_equal(value.ptr + 1, key->bytes, key->len);
}

static void take(void *data, size_t index, struct span value, enum cache_outcome outcome)
{
    struct world *w = data;
    check_value(w, index, value);
    assert_int_equal(w->version[index], 0); /* once */
    w->order[w->taken++] = index;
    w->outcome[index] = outcome;
    w->version[index] = value.ptr[0];
    w->last_value_len = value.len;
}

static bool take_front(void *data, size_t index, struct span front)
{
    struct world *w = data;
    check_value(w, index, front);
    assert_true(w->wanted[index].front);
    assert_true(front.len <= CACHE_FRONT_LEN);
    w->fronts++;
    if (!w->enough)
        return false;
    w->fronts_enough++;
    w->version[index] = front.ptr[0];
    return true;
}

static enum err load(void *data, const size_t *missed, size_t count, struct cache_giving *to)
{
    struct world *w = data;
    enum err e = OK;
    const int64_t seq = w->seq < 0 ? w->fake->state.seq : w->seq;
    w->loads++;
    memcpy(w->missed, missed, count * sizeof *missed);
    w->missed_count = count;
    if (w->in_load != NULL)
        w->in_load(w);
    if (w->e != OK)
        return w->e;
    for (size_t i = count; e == OK && i-- > 0;) {
        struct cache_fill *fill = cache_give_begin(to);
        const struct cache_key *key = &w->wanted[missed[i]].key;
        assert_int_equal(fill->ttl_ms, 0); /* nothing of the one before */
        assert_null(fill->depends);
        buf_char(&fill->value, w->now);
        buf_append(&fill->value, span_of(key->bytes, key->len));
        while (fill->value.len < w->value_len)
            buf_char(&fill->value, '.');
        fill->state = (struct cache_state){.identity = w->fake->state.identity, .seq = seq};
        fill->ttl_ms = w->ttl_ms;
        fill->negative = w->negative;
        fill->value.failed = w->fail_value;
        e = cache_give(to, missed[i]);
    }
    return e;
}

/* Exchange: asks for k<from>…k<from+count-1>. */
static enum err ask_at(struct world *w, int64_t now_ms, size_t from, size_t count, bool front)
{
    const struct cache_reader reader = {take, take_front, load, w};
    for (size_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%zu", from + i);
        assert_true(cache_key_make(&w->cache, CACHE_PUBLIC_VIEW, span_str(name), &w->wanted[i].key));
        w->wanted[i].front = front;
    }
    w->taken = w->fronts = w->fronts_enough = w->missed_count = 0;
    w->loads = 0;
    memset(w->version, 0, sizeof w->version);
    cache_begin(&w->cache, now_ms);
    return cache_read_many(&w->cache, w->wanted, count, &reader);
}

static void ask(struct world *w, size_t from, size_t count)
{
    assert_int_equal(ask_at(w, NOW_MS, from, count, false), OK);
    assert_int_equal(w->taken, count);
}

static uint64_t counted(const struct world *w, enum metric m)
{
    return metrics_get(&w->metrics, m);
}

static void test_cold_and_warm(void **state)
{
    struct world *w = *state;
    ask(w, 0, 100);
    assert_int_equal(w->loads, 1);
    assert_int_equal(w->missed_count, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(w->order[i], 99 - i); /* as the loader gives them */
        assert_int_equal(w->outcome[i], CACHE_STORED);
    }
    ask(w, 0, 100);
    assert_int_equal(w->loads, 0);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(w->order[i], i);
        assert_int_equal(w->outcome[i], CACHE_HIT);
    }
    assert_int_equal(counted(w, METRIC_CACHE_MISSES), 100);
    assert_int_equal(counted(w, METRIC_CACHE_HITS), 100);
    assert_int_equal(counted(w, METRIC_CACHE_LOADS), 1);
    assert_int_equal(counted(w, METRIC_CACHE_FILLS), 100);
}

static void test_only_what_is_missing_is_loaded(void **state)
{
    struct world *w = *state;
    ask(w, 10, 5);
    w->now = 'b';
    ask(w, 0, 20);
    assert_int_equal(w->loads, 1);
    assert_int_equal(w->missed_count, 15);
    for (size_t i = 0; i < 20; i++) {
        bool was_there = i >= 10 && i < 15;
        assert_int_equal(w->version[i], was_there ? 'a' : 'b');
        assert_int_equal(w->outcome[i], was_there ? CACHE_HIT : CACHE_STORED);
    }
    assert_int_equal(w->order[0], 10); /* the hits first */
}

static void test_none_and_too_many(void **state)
{
    struct world *w = *state;
    ask(w, 0, 0);
    assert_int_equal(w->loads, 0);
    ask(w, 0, MOST);
    assert_int_equal(ask_at(w, NOW_MS, 0, MOST + 1, false), ERR_TOO_LARGE);
    assert_int_equal(w->loads + w->taken, 0);
}

/* One of a hundred changes: that one is read, and found by everybody else's key. */
static void test_a_change_makes_one_old(void **state)
{
    struct world *w = *state;
    ask(w, 0, 50);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("k17")));
    w->now = 'b';
    ask(w, 0, 50);
    assert_int_equal(w->loads, 1);
    assert_int_equal(w->missed_count, 1);
    assert_int_equal(w->missed[0], 17);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(w->version[i], i == 17 ? 'b' : 'a');
    ask(w, 0, 50);
    assert_int_equal(w->loads, 0);
}

static void commit_to_k3(struct world *w)
{
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("k3")));
}

/* A commit between the snapshot and the put: what was read goes out, being no older than the request, and is
 * never given again. */
static void test_a_change_while_it_is_read(void **state)
{
    struct world *w = *state;
    w->seq = w->fake->state.seq; /* the snapshot was taken before */
    w->in_load = commit_to_k3;
    ask(w, 0, 5);
    w->in_load = NULL;
    w->now = 'b';
    w->seq = -1;
    ask(w, 0, 5);
    assert_int_equal(w->missed_count, 1);
    assert_int_equal(w->missed[0], 3);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(w->version[i], i == 3 ? 'b' : 'a');
}

static void test_missing_ones_are_kept_too(void **state)
{
    struct world *w = *state;
    w->negative = true;
    ask(w, 0, 3);
    ask(w, 0, 3);
    assert_int_equal(w->loads, 0);
    assert_int_equal(counted(w, METRIC_CACHE_NEGATIVE_HITS), 3);
    assert_int_equal(counted(w, METRIC_CACHE_HITS), 0);
}

static void test_their_time_ends(void **state)
{
    struct world *w = *state;
    ask(w, 0, 3);
    assert_int_equal(ask_at(w, NOW_MS + TTL_MS - 1, 0, 3, true), OK);
    assert_int_equal(w->loads, 0);
    assert_int_equal(ask_at(w, NOW_MS + TTL_MS, 0, 3, true), OK);
    assert_int_equal(w->missed_count, 3);
    w->ttl_ms = 0;
    ask(w, 10, 2);
    assert_int_equal(w->outcome[0], CACHE_MISSED);
    ask(w, 10, 2);
    assert_int_equal(w->missed_count, 2);
}

static void test_fronts(void **state)
{
    struct world *w = *state;
    w->value_len = 5000;
    assert_int_equal(ask_at(w, NOW_MS, 0, 10, true), OK);
    assert_int_equal(w->fronts, 0); /* a value that was just loaded is there whole */
    assert_int_equal(w->taken, 10);
    w->enough = true;
    assert_int_equal(ask_at(w, NOW_MS, 0, 10, true), OK);
    assert_int_equal(w->fronts_enough, 10);
    assert_int_equal(w->taken, 0);
    assert_int_equal(w->loads, 0);
    assert_int_equal(counted(w, METRIC_CACHE_HITS), 10);
    w->enough = false;
    assert_int_equal(ask_at(w, NOW_MS, 0, 10, true), OK);
    assert_int_equal(w->fronts, 10);
    assert_int_equal(w->taken, 10);
    assert_true(w->last_value_len > 4900);
    assert_int_equal(counted(w, METRIC_CACHE_HITS), 20); /* each once */
    /* the front of what is old is not shown */
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("k4")));
    w->enough = true;
    w->now = 'b';
    assert_int_equal(ask_at(w, NOW_MS, 0, 10, true), OK);
    assert_int_equal(w->fronts, 9);
    assert_int_equal(w->version[4], 'b');
}

static void test_faults(void **state)
{
    struct world *w = *state;
    static const enum err faults[] = {ERR_IO, ERR_BUSY, ERR_NOMEM, ERR_FULL};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        w->e = faults[i];
        assert_int_equal(ask_at(w, NOW_MS, 0, 4, false), faults[i]);
        assert_int_equal(w->taken, 0);
    }
    w->e = OK;
    w->fail_value = true;
    assert_int_equal(ask_at(w, NOW_MS, 0, 4, false), ERR_NOMEM);
    w->fail_value = false;
    ask(w, 0, 4); /* no lock was left behind, and nothing of it was kept */
    assert_int_equal(w->missed_count, 4);
}

/* Round the cache, for want of it or of knowing what is old: one load, nothing kept, nothing shown. */
static void test_bypass(void **state)
{
    struct world *w = *state;
    ask(w, 0, 4);
    fake_commit(w->fake, 0);
    w->fake->read = ERR_IO;
    w->now = 'b';
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_at(w, NOW_MS, 0, 4, true), OK);
        assert_int_equal(w->missed_count, 4);
        assert_int_equal(w->fronts, 0);
        assert_int_equal(w->outcome[3], CACHE_BYPASSED);
        assert_int_equal(w->version[3], 'b');
    }
    assert_int_equal(counted(w, METRIC_CACHE_BYPASSES), 8);
    w->fake->read = OK;
    ask(w, 0, 4);
    assert_int_equal(w->loads, 0);
    assert_int_equal(w->version[0], 'a');
    cache_close(&w->cache); /* as in a CGI process */
    ask(w, 0, 4);
    assert_int_equal(w->missed_count, 4);
    assert_int_equal(w->outcome[0], CACHE_BYPASSED);
    ask(w, 0, 0);
    assert_int_equal(w->loads, 0);
}

/* What does not fit, or pushed out what it came with, is read again: never given wrong. */
static void test_eviction(void **state)
{
    struct world *w = *state;
    size_t hits = 0;
    w->value_len = 24 * 1024; /* 100 of them are more than there is room for */
    for (int round = 0; round < 20; round++) {
        w->now = (char)('a' + round);
        ask(w, 0, 100);
        for (size_t i = 0; i < 100; i++)
            hits += w->outcome[i] == CACHE_HIT;
    }
    assert_true(hits > 0 && counted(w, METRIC_CACHE_EVICTIONS) > 0);
    w->value_len = 200 * 1024; /* never kept */
    ask(w, 200, 3);
    assert_int_equal(w->outcome[0], CACHE_MISSED);
    assert_true(w->last_value_len > 199 * 1024);
}

/* ---- several processes */

enum { PROCESSES = 12, ROUNDS = 40, BATCH = 20 };

struct crowd {
    _Atomic int ready, loads, wrong;
};

static void slowly(struct world *w)
{
    (void)w;
    usleep(3000);
}

/* Asks for the same cold keys as all others. */
static void ask_in_crowd(struct world *w, struct crowd *crowd, int round)
{
    w->in_load = slowly;
    atomic_fetch_add(&crowd->ready, 1);
    while (atomic_load(&crowd->ready) < (round + 1) * PROCESSES)
        usleep(50);
    if (ask_at(w, NOW_MS, (size_t)round * BATCH, BATCH, false) != OK || w->taken != BATCH)
        crowd->wrong++;
    /* who was not let in in time goes by itself and keeps nothing, which a laden machine may bring about */
    if (w->loads > 0 && w->outcome[w->missed[0]] != CACHE_BYPASSED)
        crowd->loads++;
}

static void test_a_crowd_with_one_batch_reads_once(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = support_shared(sizeof *crowd);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0) {
            for (int round = 0; round < ROUNDS; round++)
                ask_in_crowd(w, crowd, round);
            _exit(0);
        }
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(support_wait(children[i]), 0);
    assert_int_equal(crowd->wrong, 0);
    assert_int_equal(crowd->loads, ROUNDS);
    munmap(crowd, sizeof *crowd);
}

static void die(struct world *w)
{
    (void)w;
    raise(SIGKILL);
}

static void test_a_leader_killed_leaves_nothing_locked(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            w->in_load = die;
            _exit(ask_at(w, NOW_MS, (size_t)i * 10, 10, false) == OK);
        }
        assert_true(WIFSIGNALED(support_wait(child)));
        ask(w, (size_t)i * 10, 10);
        assert_int_equal(w->outcome[0], CACHE_STORED);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_cold_and_warm),
        T(test_only_what_is_missing_is_loaded),
        T(test_none_and_too_many),
        T(test_a_change_makes_one_old),
        T(test_a_change_while_it_is_read),
        T(test_missing_ones_are_kept_too),
        T(test_their_time_ends),
        T(test_fronts),
        T(test_faults),
        T(test_bypass),
        T(test_eviction),
        T(test_a_crowd_with_one_batch_reads_once),
        T(test_a_leader_killed_leaves_nothing_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
