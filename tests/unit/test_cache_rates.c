/* What subjects have asked, counted by many processes: exact, bounded, and whole whoever dies. */
#include "support_source.h"

#include "base/clock.h"
#include "cache/rates.h"
#include "crypto/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define NOW INT64_C(5000000000000)
enum { SUBJECTS = 300, PROCESSES = 6, QUOTA = 40 };

static struct cache_rates *make(void)
{
    struct cache_rates *r = support_shared(sizeof *r);
    assert_int_equal(cache_rates_format(r), OK);
    return r;
}

static struct span name(int i, char text[16])
{
    int len = snprintf(text, 16, "subject%d", i);
    return span_of(text, (size_t)len);
}

static bool ask_at(struct cache_rates *r, char kind, struct span subject, int64_t quota, int64_t now_ns)
{
    const struct cache_gcra g = cache_gcra_of(quota);
    struct cache_gcra_verdict v;
    cache_rates_ask(r, kind, subject, &g, now_ns, &v);
    return v.allowed;
}

static void test_each_for_itself(void **state)
{
    (void)state;
    struct cache_rates *r = make();
    for (int i = 0; i < 3; i++)
        assert_true(ask_at(r, 'r', SPAN("ann"), 3, NOW));
    assert_false(ask_at(r, 'r', SPAN("ann"), 3, NOW));
    assert_true(ask_at(r, 'w', SPAN("ann"), 3, NOW));
    assert_true(ask_at(r, 'r', SPAN("anna"), 3, NOW));
    assert_true(ask_at(r, 'r', SPAN(""), 3, NOW));
    assert_false(ask_at(r, 'r', SPAN("ann"), 3, NOW + 19999999999));
    assert_true(ask_at(r, 'r', SPAN("ann"), 3, NOW + 20000000000));
    assert_false(ask_at(r, 'r', SPAN("ann"), 3, NOW)); /* a moment of another process's, a little behind */
    munmap(r, sizeof *r);
}

struct tally {
    _Atomic int granted[SUBJECTS];
    _Atomic int64_t asked;
};

/* Asks for all in an order of its own, some more often than they may. */
static void hammer(struct cache_rates *r, struct tally *t, unsigned seed)
{
    char text[16];
    for (int i = 0; i < SUBJECTS * (QUOTA + 20); i++) {
        seed = seed * 1103515245 + 12345;
        int which = (int)((seed >> 8) % SUBJECTS);
        atomic_fetch_add(&t->asked, 1);
        if (ask_at(r, 'r', name(which, text), QUOTA, NOW))
            atomic_fetch_add(&t->granted[which], 1);
    }
}

static pid_t begin(struct cache_rates *r, struct tally *t, unsigned seed)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        hammer(r, t, seed);
        _exit(0);
    }
    return pid;
}

static void test_exact_by_many(void **state)
{
    (void)state;
    struct cache_rates *r = make();
    struct tally *t = support_shared(sizeof *t);
    pid_t pids[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++)
        pids[i] = begin(r, t, i + 1);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    /* on average each was asked for 360 times: all of it is used up, and not one more was granted */
    for (int i = 0; i < SUBJECTS; i++)
        assert_int_equal(t->granted[i], QUOTA);
    munmap(t, sizeof *t);
    munmap(r, sizeof *r);
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    struct cache_rates *r = make();
    struct tally *t = support_shared(sizeof *t);
    char text[16];
    for (unsigned round = 0; round < 60; round++) {
        pid_t pids[3];
        for (unsigned i = 0; i < 3; i++)
            pids[i] = begin(r, t, round * 3 + i + 1);
        nanosleep(&(struct timespec){.tv_nsec = 100000 + round * 50000}, NULL);
        for (int i = 0; i < 3; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        /* every third round they find nothing there */
        for (size_t b = 0; round % 3 == 2 && b < CACHE_RATES_BUCKETS; b++)
            for (size_t w = 0; w < CACHE_RATES_WAYS; w++) {
                assert_true(r->slots[b][w].tat_ns <= NOW + INT64_C(60000000040) || r->slots[b][w].tat_ns == INT64_MAX);
                atomic_store(&r->slots[b][w].hash, 0);
                atomic_store(&r->slots[b][w].tat_ns, 0);
            }
        for (int i = 0; round % 3 == 2 && i < SUBJECTS; i++) {
            assert_true(t->granted[i] <= QUOTA);
            t->granted[i] = 0;
        }
    }
    int64_t begun_us = clock_monotonic_us();
    hammer(r, t, 77);
    /* nobody waits for a lock of the dead */
    assert_true(clock_monotonic_us() - begun_us < 10 * 1000000);
    for (int i = 0; i < SUBJECTS; i++) {
        assert_true(t->granted[i] <= QUOTA);
        /* a killed one may have been granted what it did not count */
        assert_false(t->granted[i] < QUOTA && ask_at(r, 'r', name(i, text), QUOTA, NOW));
    }
    munmap(t, sizeof *t);
    munmap(r, sizeof *r);
}

/* Slots as a taker may leave them that dies between the steps. */
static void test_what_a_dead_taker_leaves(void **state)
{
    (void)state;
    struct cache_rates *r = make();
    struct cache_rates_slot *own = NULL;
    assert_true(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    for (size_t b = 0; b < CACHE_RATES_BUCKETS; b++)
        for (size_t w = 0; w < CACHE_RATES_WAYS; w++)
            if (r->slots[b][w].hash != 0)
                own = &r->slots[b][w];
    assert_non_null(own);
    own->tat_ns = INT64_MAX; /* claimed for another one, or by itself */
    assert_true(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    assert_false(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    own->tat_ns = INT64_MAX;
    own->hash = 12345;
    assert_true(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    assert_false(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    assert_true(own->hash != 12345 && own->tat_ns != INT64_MAX); /* taken for free */
    munmap(r, sizeof *r);
}

static void test_bounded(void **state)
{
    (void)state;
    enum { MANY = CACHE_RATES_BUCKETS * CACHE_RATES_WAYS * 3 };
    struct cache_rates *r = make();
    char text[16];
    /* those who were there before, and have half of their quota in use */
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 10; k++)
            assert_true(ask_at(r, 'r', name(i, text), 20, NOW));
    for (int i = 1000; i < MANY; i++)
        assert_true(ask_at(r, 'r', name(i, text), 20, NOW));
    /* who is the nearest to a whole quota goes first: nobody of the hundred did */
    for (int i = 0; i < 100; i++) {
        int granted = 0;
        while (ask_at(r, 'r', name(i, text), 20, NOW))
            granted++;
        assert_int_equal(granted, 10);
    }
    /* what has passed goes before what has not */
    for (int i = 0; i < MANY; i++)
        assert_true(ask_at(r, 'r', name(i, text), 20, NOW + INT64_C(120000000000)));
    munmap(r, sizeof *r);
}

static void test_a_stopped_holder(void **state)
{
    (void)state;
    struct cache_rates *r = make();
    int ready[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool died;
        for (int i = 0; i < CACHE_RATES_LOCKS; i++)
            if (cache_lock_take(&r->locks[i], 0, &died) != OK)
                _exit(1);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    int64_t begun_us = clock_monotonic_us();
    for (int i = 0; i < 3; i++)
        assert_true(ask_at(r, 'r', SPAN("ann"), 1, NOW)); /* uncounted, after a bounded wait */
    assert_true(clock_monotonic_us() - begun_us < 5 * 1000000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    assert_false(ask_at(r, 'r', SPAN("ann"), 1, NOW));
    close(ready[0]);
    close(ready[1]);
    munmap(r, sizeof *r);
}

static void test_carried_on(void **state)
{
    (void)state;
    struct cache_rates *r = make(), *next = make();
    assert_true(ask_at(r, 'r', SPAN("ann"), 2, NOW) && ask_at(r, 'r', SPAN("ann"), 2, NOW));
    cache_rates_carry(next, r);
    assert_false(ask_at(next, 'r', SPAN("ann"), 2, NOW));
    assert_true(ask_at(next, 'r', SPAN("bob"), 2, NOW));
    munmap(r, sizeof *r);
    munmap(next, sizeof *next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_for_itself),          cmocka_unit_test(test_exact_by_many),
        cmocka_unit_test(test_killed_at_any_moment),     cmocka_unit_test(test_what_a_dead_taker_leaves),
        cmocka_unit_test(test_bounded),                  cmocka_unit_test(test_a_stopped_holder),
        cmocka_unit_test(test_carried_on),
    };
    return crypto_init() == OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
