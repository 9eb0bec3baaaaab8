/* A rate by one number: what is granted, what is left, when to come again. */
#include "cache/gcra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S INT64_C(1000000000)
#define NOW (1000 * S)

struct row {
    const char *what;
    int64_t quota, now_ns, tat_ns;
    bool allowed;
    int64_t tat_after_ns, remaining, reset_ns, retry_ns;
};

/* A quota of 60 in 60 s: one each second. */
static const struct row rows[] = {
    {"never asked", 60, NOW, 0, true, NOW + S, 59, S, 0},
    {"long ago", 60, NOW, NOW - 5 * S, true, NOW + S, 59, S, 0},
    {"a moment ago", 60, NOW, NOW, true, NOW + S, 59, S, 0},
    {"one in use", 60, NOW, NOW + S, true, NOW + 2 * S, 58, 2 * S, 0},
    {"half of one", 60, NOW, NOW + S / 2, true, NOW + S / 2 + S, 58, S / 2 + S, 0},
    {"the last one", 60, NOW, NOW + 59 * S, true, NOW + 60 * S, 0, 60 * S, 0},
    {"used up", 60, NOW, NOW + 60 * S, false, NOW + 60 * S, 0, 60 * S, S},
    {"used up, a moment later", 60, NOW, NOW + 59 * S + 1, false, NOW + 59 * S + 1, 0, 59 * S + 1, 1},
    {"used up, nearly back", 60, NOW, NOW + 60 * S - 1, false, NOW + 60 * S - 1, 0, 60 * S - 1, S - 1},
    {"one a minute", 1, NOW, 0, true, NOW + 60 * S, 0, 60 * S, 0},
    {"the second in it", 1, NOW, NOW + 1, false, NOW + 1, 0, 1, 1},
    {"the next minute", 1, NOW, NOW, true, NOW + 60 * S, 0, 60 * S, 0},
    /* ahead of what can be: the clock went back, or it is damaged */
    {"the clock went back an hour", 60, NOW, NOW + 3600 * S, false, NOW + 3600 * S, 0, 60 * S, S},
    {"as far as it goes", 60, NOW, INT64_MAX, false, INT64_MAX, 0, 60 * S, S},
    {"as far behind", 60, NOW, INT64_MIN, true, NOW + S, 59, S, 0},
    {"the difference is too much for a number", 60, INT64_MIN, INT64_MAX, false, INT64_MAX, 0, 60 * S, S},
    {"so is the sum", 60, INT64_MAX, 0, true, INT64_MAX, 59, S, 0},
    {"a time of zero", 60, 0, 0, true, S, 59, S, 0},
    {"below it", 60, -NOW, -NOW, true, -NOW + S, 59, S, 0},
    /* without a limit */
    {"off", 0, NOW, NOW + 3600 * S, true, NOW + 3600 * S, 0, 0, 0},
    {"below zero is off", -1, NOW, 5, true, 5, 0, 0, 0},
    /* rounded: 7 in 60 s is one each 8571428572 ns */
    {"seven", 7, NOW, NOW + 6 * INT64_C(8571428572), true, NOW + 7 * INT64_C(8571428572), 0,
     7 * INT64_C(8571428572), 0},
    {"the eighth", 7, NOW, NOW + 7 * INT64_C(8571428572), false, NOW + 7 * INT64_C(8571428572), 0,
     7 * INT64_C(8571428572), INT64_C(8571428572)},
    {"the most there can be", 1000000000, NOW, 0, true, NOW + 60, 999999999, 60, 0},
    {"more than that", INT64_MAX, NOW, 0, true, NOW + 60, 999999999, 60, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        const struct cache_gcra g = cache_gcra_of(r->quota);
        struct cache_gcra_verdict v = cache_gcra_ask(&g, r->now_ns, r->tat_ns);
        if (v.allowed != r->allowed || v.tat_ns != r->tat_after_ns || v.remaining != r->remaining ||
            v.reset_ns != r->reset_ns || v.retry_ns != r->retry_ns)
            fail_msg("%s: %d tat %lld remaining %lld reset %lld retry %lld", r->what, v.allowed,
                     (long long)v.tat_ns, (long long)v.remaining, (long long)v.reset_ns, (long long)v.retry_ns);
    }
}

/* At once: the quota and not one more. Then: one each interval, and who waits as told gets it. */
static void test_the_quota_exactly(void **state)
{
    (void)state;
    static const int64_t quotas[] = {1, 2, 3, 7, 59, 60, 61, 599, 600, 601, 9973, 100000, 700001};
    for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; i++) {
        const struct cache_gcra g = cache_gcra_of(quotas[i]);
        int64_t tat = 0, now = NOW, left = quotas[i];
        struct cache_gcra_verdict v;
        while ((v = cache_gcra_ask(&g, now, tat)).allowed) {
            assert_true(v.remaining == --left);
            tat = v.tat_ns;
        }
        assert_true(left == 0 && v.retry_ns > 0 && v.retry_ns <= g.interval_ns);
        for (int k = 0; k < 3; k++) {
            assert_false(cache_gcra_ask(&g, now + v.retry_ns - 1, tat).allowed);
            now += v.retry_ns;
            v = cache_gcra_ask(&g, now, tat);
            assert_true(v.allowed);
            tat = v.tat_ns;
            v = cache_gcra_ask(&g, now, tat);
            assert_false(v.allowed);
        }
        /* a window later it is whole again, a little over for the rounding */
        v = cache_gcra_ask(&g, now + g.span_ns, tat);
        assert_true(v.allowed && v.remaining == quotas[i] - 1);
        assert_true(g.span_ns >= 60 * S && g.span_ns < 60 * S + quotas[i]);
    }
}

/* What is in use of one quota is as much, in parts, of another one. */
static void test_another_quota_in_between(void **state)
{
    (void)state;
    const struct cache_gcra hundred = cache_gcra_of(100), ten = cache_gcra_of(10);
    int64_t tat = 0;
    for (int i = 0; i < 50; i++)
        tat = cache_gcra_ask(&hundred, NOW, tat).tat_ns;
    struct cache_gcra_verdict v = cache_gcra_ask(&ten, NOW, tat);
    assert_true(v.allowed && v.remaining == 4);
    for (int i = 50; i < 100; i++)
        tat = cache_gcra_ask(&hundred, NOW, tat).tat_ns;
    assert_false(cache_gcra_ask(&ten, NOW, tat).allowed);
    assert_true(cache_gcra_ask(&ten, NOW, tat).retry_ns <= ten.interval_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_the_quota_exactly),
        cmocka_unit_test(test_another_quota_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
