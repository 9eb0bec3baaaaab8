/* The counters of one process: the tables, counting, adding up, the histogram. */
#include "base/metrics.h"
#include "http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct metrics m, other;

static int start_anew(void **state)
{
    (void)state;
    metrics_clear(&m);
    metrics_clear(&other);
    return 0;
}

static bool ends(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

static void check_table(const struct metrics_info *rows, size_t count, bool counters)
{
    for (size_t i = 0; i < count; i++) {
        const struct metrics_info *r = &rows[i];
        bool goes_on = i > 0 && strcmp(rows[i - 1].name, r->name) == 0;
        assert_int_equal(strncmp(r->name, "profiled_", 9), 0);
        assert_int_equal(strspn(r->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(r->name));
        assert_int_equal(strspn(r->key, "abcdefghijklmnopqrstuvwxyz_"), strlen(r->key));
        assert_true(ends(r->name, "_total") == counters);
        assert_true((r->help[0] == '\0') == goes_on);
        assert_null(strpbrk(r->help, "\n\\"));
        /* rows of one name stand together and differ in their labels; keys differ */
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(rows[j].key, r->key);
            if (strcmp(rows[j].name, r->name) == 0) {
                assert_true(goes_on);
                assert_string_not_equal(rows[j].labels, r->labels);
            }
        }
    }
}

static void the_tables(void **state)
{
    (void)state;
    check_table(metrics_counters, METRIC_COUNT, true);
    check_table(metrics_gauge_info, GAUGE_COUNT, false);
    assert_string_equal(metrics_counters[METRIC_CACHE_INVALIDATIONS_REVOKE].labels, "cause=\"revoke\"");
    for (size_t i = 1; i < METRICS_BOUNDS; i++)
        assert_true(metrics_bounds_us[i] > metrics_bounds_us[i - 1]);
}

/* A status that the server may answer with has a column, and no other has. */
static void a_column_for_each_status(void **state)
{
    (void)state;
    for (int status = -1; status < 1000; status++) {
        enum metrics_status column = metrics_status_of(status);
        bool known = strcmp(http_status_reason(status), "Unknown") != 0;
        if (known != (column != METRICS_STATUS_OTHER))
            fail_msg("%d: METRICS_STATUSES and http_status_reason disagree", status);
        assert_int_equal(metrics_status_code(column), known ? status : 0);
    }
}

static void counting(void **state)
{
    (void)state;
    metrics_add(&m, METRIC_CACHE_HITS, 1);
    metrics_add(&m, METRIC_CACHE_HITS, 41);
    metrics_add(&m, METRIC_TOKEN_MEMO_EVICTIONS, 3);
    assert_int_equal(metrics_get(&m, METRIC_CACHE_HITS), 42);
    assert_int_equal(metrics_get(&m, METRIC_CACHE_NEGATIVE_HITS), 0);
    assert_int_equal(metrics_get(&m, METRIC_TOKEN_MEMO_EVICTIONS), 3);
    struct metrics_gauges gauges = {0};
    metrics_gauge_set(&gauges, GAUGE_CHANGE_SEQ, 7);
    metrics_gauge_set(&gauges, GAUGE_CHANGE_SEQ, 5);
    assert_int_equal(metrics_gauge_get(&gauges, GAUGE_CHANGE_SEQ), 5);
}

static void requests(void **state)
{
    (void)state;
    metrics_request(&m, 0, 200, 10);
    metrics_request(&m, METRICS_NO_ROUTE - 1, 404, 10);
    metrics_request(&m, METRICS_NO_ROUTE, 404, 10);
    metrics_request(&m, METRICS_ROUTES, 404, 10);
    metrics_request(&m, SIZE_MAX, 418, 10);
    metrics_request(&m, 0, 0, 10);
    assert_int_equal(metrics_word(&m.requests[0][METRICS_STATUS_200]), 1);
    assert_int_equal(metrics_word(&m.requests[0][METRICS_STATUS_OTHER]), 1);
    assert_int_equal(metrics_word(&m.requests[METRICS_NO_ROUTE - 1][METRICS_STATUS_404]), 1);
    assert_int_equal(metrics_word(&m.requests[METRICS_NO_ROUTE][METRICS_STATUS_404]), 2);
    assert_int_equal(metrics_word(&m.requests[METRICS_NO_ROUTE][METRICS_STATUS_OTHER]), 1);
    assert_int_equal(metrics_requests_of(&m, METRICS_STATUS_404), 3);
    assert_int_equal(metrics_requests(&m), 6);
    assert_int_equal(metrics_durations(&m), 6);
    assert_int_equal(metrics_word(&m.duration_sum_us), 60);
}

/* A bound belongs to its bucket. */
static void buckets(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        size_t bucket;
    } table[] = {
        {INT64_MIN, 0},
        {-1, 0},
        {0, 0},
        {49, 0},
        {50, 0},
        {51, 1},
        {100, 1},
        {101, 2},
        {1000, 4},
        {1001, 5},
        {9999999, 16},
        {10000000, 16},
        {10000001, 17},
        {INT64_MAX, 17},
        {5000000000LL, 17},
        {4294967296LL, 17},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        metrics_clear(&m);
        metrics_request(&m, 0, 200, table[i].us);
        if (metrics_word(&m.durations[table[i].bucket]) != 1)
            fail_msg("%lld us are not in bucket %zu", (long long)table[i].us, table[i].bucket);
        assert_int_equal(metrics_durations(&m), 1);
        assert_int_equal(metrics_word(&m.duration_sum_us), table[i].us > 0 ? table[i].us : 0);
    }
}

static bool near(double a, double b)
{
    return a - b < 0.001 && b - a < 0.001;
}

static void quantiles(void **state)
{
    (void)state;
    assert_true(metrics_quantile_us(&m, 0.5) < 0);
    for (int i = 0; i < 10; i++)
        metrics_request(&m, 0, 200, 75);
    assert_true(near(metrics_quantile_us(&m, 0.5), 75)); /* half way from 50 to 100 */
    assert_true(near(metrics_quantile_us(&m, 1), 100));
    for (int i = 0; i < 10; i++)
        metrics_request(&m, 0, 200, 2000);
    assert_true(near(metrics_quantile_us(&m, 0.5), 100));
    assert_true(near(metrics_quantile_us(&m, 0.75), 1750)); /* half way from 1000 to 2500 */
    /* above the last bound nothing is known but that */
    for (int i = 0; i < 1000; i++)
        metrics_request(&m, 0, 200, 60000000);
    assert_true(near(metrics_quantile_us(&m, 0.99), 10000000));
    assert_true(near(metrics_quantile_us(&m, 1), 10000000));
}

/* Every word is added, and every word is cleared. */
static void adding_up(void **state)
{
    (void)state;
    enum { WORDS = sizeof(struct metrics) / sizeof(uint64_t) };
    uint64_t words[WORDS];
    for (size_t i = 0; i < WORDS; i++)
        words[i] = i + 1;
    memcpy(&other, words, sizeof words);
    metrics_merge(&m, &other);
    metrics_merge(&m, &other);
    memcpy(words, &m, sizeof words);
    for (size_t i = 0; i < WORDS; i++)
        assert_int_equal(words[i], 2 * (i + 1));
    metrics_clear(&m);
    memcpy(words, &m, sizeof words);
    for (size_t i = 0; i < WORDS; i++)
        assert_int_equal(words[i], 0);
    memcpy(words, &other, sizeof words);
    assert_int_equal(words[WORDS - 1], WORDS);
}

/* Whoever counts by another table of routes is told apart. */
static void layouts(void **state)
{
    (void)state;
    static const struct metrics_route a[] = {{"/a", "GET"}, {"/b", "GET"}},
                                      swapped[] = {{"/b", "GET"}, {"/a", "GET"}},
                                      methods[] = {{"/a", "GET|HEAD"}, {"/b", "GET"}},
                                      moved[] = {{"/aG", "ET"}, {"/b", "GET"}};
    uint64_t layout = metrics_layout(a, 2);
    assert_true(layout == metrics_layout(a, 2));
    assert_true(layout != metrics_layout(a, 1));
    assert_true(layout != metrics_layout(swapped, 2));
    assert_true(layout != metrics_layout(methods, 2));
    assert_true(layout != metrics_layout(moved, 2));
    assert_true(layout != metrics_layout(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables),
        cmocka_unit_test(a_column_for_each_status),
        cmocka_unit_test_setup(counting, start_anew),
        cmocka_unit_test_setup(requests, start_anew),
        cmocka_unit_test_setup(buckets, start_anew),
        cmocka_unit_test_setup(quantiles, start_anew),
        cmocka_unit_test_setup(adding_up, start_anew),
        cmocka_unit_test(layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
