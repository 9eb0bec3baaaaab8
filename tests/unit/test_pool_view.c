/* The scoreboard in words. */
#include "cli/pool_view.h"

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

static struct scoreboard board;
static const struct metrics_route routes[] = {{"/v1/profiles/{id}", "GET|HEAD"},
                                              {"/v1/profiles/{id}", "PUT|PATCH|DELETE"}};
static const struct scoreboard_plan plan = {SCOREBOARD_SLOTS, routes, 2};
static struct pool_view view, later;

static int make_board(void **state)
{
    (void)state;
    if (scoreboard_create_unseen(&plan, &board, NULL) != OK)
        return -1;
    atomic_store(&board.header->pid, 4711);
    atomic_store(&board.header->state, POOL_RUNNING);
    atomic_store(&board.header->generation, 2);
    atomic_store(&board.header->workers, 3);
    atomic_store(&board.header->started_ms, 1000);
    atomic_store(&board.header->requests, 100);
    atomic_store(&board.header->deaths, 5);
    atomic_store(&board.header->timeouts, 1);
    snprintf(board.header->listen, sizeof board.header->listen, "unix:/a\"b");
    static const struct {
        size_t place;
        uint32_t state;
        int64_t busy_since_us;
    } slots[] = {{1, CHILD_READY, 0},
                 {2, CHILD_READY, 2000000},
                 {3, CHILD_DRAINING, 4600000},
                 {SCOREBOARD_SLOTS - 1, CHILD_STARTING, 0},
                 {7, 99, 0}};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        struct scoreboard_slot *slot = &board.slots[slots[i].place];
        atomic_store(&slot->pid, (int32_t)(100 + slots[i].place));
        atomic_store(&slot->state, slots[i].state);
        atomic_store(&slot->busy_since_us, slots[i].busy_since_us);
        atomic_store(&slot->requests, 10);
        atomic_store(&slot->started_ms, 61000);
        metrics_add(&slot->metrics, METRIC_CACHE_HITS, slots[i].place);
    }
    /* a place that is empty now, and workers that are gone */
    atomic_store(&board.slots[9].started_ms, 61000);
    metrics_add(&board.header->gone, METRIC_CACHE_HITS, 1000);
    metrics_add(&board.header->gone, METRIC_CACHE_MISSES, 500);
    return 0;
}

static void count_much(void)
{
    struct metrics *m = &board.header->gone;
    for (int i = 0; i < 98; i++)
        metrics_request(m, 0, 200, 40);
    metrics_request(m, 1, 412, 400000);
    metrics_request(m, METRICS_NO_ROUTE, 404, 99000000);
    metrics_request(m, 1, 299, 40);
    for (size_t i = 0; i < METRICS_STATUS_COUNT; i++)
        metrics_word_add(&m->requests[0][i], 1000000);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics_add(m, (enum metric)i, 1000000000);
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        metrics_gauge_set(&board.header->gauges, (enum metric_gauge)i, 12345678);
}

static int free_board(void **state)
{
    (void)state;
    scoreboard_close(&board);
    return 0;
}

static void what_is_read(void **state)
{
    (void)state;
    pool_view_read(&board, 121000, 5000000, &view);
    assert_int_equal(view.count, 5);
    assert_int_equal(view.busy, 2);
    assert_int_equal(view.requests, 150);
    assert_string_equal(view.state, "running");
    static const char *const states[] = {"idle", "busy", "draining", "unknown", "starting"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(view.workers[i].state, states[i]);
    assert_int_equal(view.workers[1].busy_us, 3000000);
    assert_int_equal(view.workers[2].busy_us, 400000);
    assert_int_equal(view.workers[0].busy_us, 0);
    assert_int_equal(view.workers[4].place, SCOREBOARD_SLOTS - 1);
    /* a request that began in this very moment, or after it, is in hand all the same */
    pool_view_read(&board, 121000, 2000000, &later);
    assert_int_equal(later.busy, 2);
    /* each worker's numbers, and the sum of all, the gone ones too */
    assert_int_equal(view.workers[1].counters[METRIC_CACHE_HITS], 2);
    assert_int_equal(metrics_get(&view.sum, METRIC_CACHE_HITS),
                     1000 + 1 + 2 + 3 + (SCOREBOARD_SLOTS - 1) + 7);
    assert_int_equal(metrics_get(&view.sum, METRIC_CACHE_MISSES), 500);
    assert_string_equal(view.routes[1].methods, "PUT|PATCH|DELETE");
    assert_string_equal(view.routes[2].pattern, "");
}

static void shares(void **state)
{
    (void)state;
    uint64_t n[METRIC_COUNT] = {0};
    assert_true(pool_view_cache_ratio(n) < 0);
    assert_true(pool_view_memo_ratio(n) < 0);
    n[METRIC_CACHE_HITS] = 2;
    assert_true(pool_view_cache_ratio(n) == 1);
    n[METRIC_CACHE_NEGATIVE_HITS] = 1;
    n[METRIC_CACHE_MISSES] = 2;
    n[METRIC_CACHE_BYPASSES] = 1;
    assert_true(pool_view_cache_ratio(n) == 0.5);
    n[METRIC_TOKEN_MEMO_MISSES] = 4;
    assert_true(pool_view_memo_ratio(n) == 0);
}

static void as_text(void **state)
{
    (void)state;
    struct buf text = {0};
    pool_view_read(&board, 121000, 5000000, &view);
    pool_view_write_text(&view, NULL, &text);
    assert_non_null(strstr(buf_text(&text), "running for 2m00s, pid 4711, generation 2, on unix:/a\"b\n"));
    assert_non_null(strstr(buf_text(&text), "workers   5, of which busy 2; wanted 3\n"));
    assert_non_null(strstr(buf_text(&text), "requests  150\n"));
    assert_non_null(strstr(buf_text(&text), "replaced  5 died, of which 1 took too long; 0 recycled\n"));
    assert_non_null(strstr(buf_text(&text),
                           "    2      102 busy         0   1m00s           10     3.0s        0  100.0%\n"));
    assert_non_null(strstr(buf_text(&text),
                           "    3      103 draining     0   1m00s           10    400ms        0  100.0%\n"));

    /* two seconds and a hundred requests later */
    pool_view_read(&board, 123000, 7000000, &later);
    later.requests += 100;
    buf_clear(&text);
    pool_view_write_text(&later, &view, &text);
    assert_non_null(strstr(buf_text(&text), "requests  250, 50 a second\n"));

    /* not comparable: another pool, or one that began anew, or no time between */
    later.pid++;
    buf_clear(&text);
    pool_view_write_text(&later, &view, &text);
    assert_non_null(strstr(buf_text(&text), "requests  250\n"));
    later.pid--;
    later.requests = 1;
    buf_clear(&text);
    pool_view_write_text(&later, &view, &text);
    assert_non_null(strstr(buf_text(&text), "requests  1\n"));
    buf_clear(&text);
    pool_view_write_text(&view, &view, &text);
    assert_non_null(strstr(buf_text(&text), "requests  150\n"));
    buf_fini(&text);
}

/* Nothing is wider than a terminal, however large the numbers. */
static void the_page_is_narrow(void **state)
{
    (void)state;
    struct buf text = {0};
    pool_view_read(&board, 121000, 5000000, &view);
    pool_view_write_text(&view, NULL, &text);
    assert_non_null(strstr(buf_text(&text), "cache     off\n"));
    assert_non_null(strstr(buf_text(&text), "tokens    none remembered\n"));
    assert_null(strstr(buf_text(&text), "latency"));
    assert_null(strstr(buf_text(&text), "ROUTE"));

    count_much();
    pool_view_read(&board, 121000, 5000000, &view);
    buf_clear(&text);
    pool_view_write_text(&view, NULL, &text);
    assert_non_null(
        strstr(buf_text(&text), "latency   half within 26us, 90% within 46us, 99% within 497ms\n"));
    assert_non_null(strstr(buf_text(&text), "11.8M of 11.8M held in 12345678 entries"));
    assert_non_null(strstr(buf_text(&text), "changes   newest 12345678, log read 1000000000 times, "));
    assert_non_null(strstr(buf_text(&text), "1000000000 database"));
    assert_non_null(strstr(buf_text(&text), "tokens    1000000000 hits, 1000000000 misses: 50.0%, "));
    assert_non_null(strstr(buf_text(&text), "/v1/profiles/{id} PUT|PATCH|DELETE           2 "
                                            "412: 1, other: 1\n"));
    assert_non_null(
        strstr(buf_text(&text), "(none)                                       1 404: 1\n"));
    for (struct span rest = buf_span(&text); rest.ptr != NULL;) {
        struct span line = span_cut(&rest, '\n');
        if (line.len > 80)
            fail_msg("too wide: %.*s", (int)line.len, line.ptr);
    }
    buf_fini(&text);
}

static void check_numbers(json_t *root)
{
    json_t *rows = json_object_get(root, "routes"), *latency = json_object_get(root, "latency");
    json_t *first = json_array_get(json_object_get(root, "workers"), 0);
    int hits, misses, seq, other;
    double ratio;
    assert_int_equal(json_array_size(rows), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(rows, 1), "methods")), 3);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "route")));
    assert_int_equal(json_array_size(json_object_get(json_array_get(rows, 2), "methods")), 0);
    assert_int_equal(json_unpack(json_array_get(rows, 1), "{s:{s:i}}", "statuses", "other", &other), 0);
    assert_int_equal(other, 1);
    assert_int_equal(json_array_size(json_object_get(latency, "buckets")), METRICS_BOUNDS + 1);
    assert_int_equal(json_integer_value(json_object_get(latency, "count")), 101);
    assert_int_equal(json_integer_value(json_object_get(latency, "p99_us")), 497500);
    assert_int_equal(json_object_size(json_object_get(root, "counters")), METRIC_COUNT);
    assert_int_equal(json_object_size(json_object_get(root, "gauges")), GAUGE_COUNT);
    assert_int_equal(json_unpack(first, "{s:{s:i, s:i}, s:f}", "counters", "cache_hits", &hits,
                                 "cache_misses", &misses, "cache_hit_ratio", &ratio),
                     0);
    assert_int_equal(hits, 1);
    assert_int_equal(misses, 0);
    assert_true(ratio == 1);
    assert_int_equal(json_unpack(root, "{s:{s:i}}", "gauges", "change_seq", &seq), 0);
    assert_int_equal(seq, 12345678);
}

static void as_json(void **state)
{
    (void)state;
    struct buf text = {0};
    const char *listen, *started;
    int requests, busy_ms;
    pool_view_read(&board, 121000, 5000000, &view);
    pool_view_write_json(&view, &text);
    /* one line */
    assert_ptr_equal(strchr(buf_text(&text), '\n'), buf_text(&text) + text.len - 1);
    json_t *root = json_loads(buf_text(&text), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_unpack(root, "{s:s, s:s, s:i}", "listen", &listen, "started_at", &started,
                                 "requests", &requests),
                     0);
    assert_string_equal(listen, "unix:/a\"b");
    assert_string_equal(started, "1970-01-01T00:00:01.000Z");
    assert_int_equal(requests, 150);
    assert_int_equal(json_array_size(json_object_get(root, "workers")), 5);
    assert_int_equal(
        json_unpack(json_array_get(json_object_get(root, "workers"), 2), "{s:i}", "busy_ms", &busy_ms), 0);
    assert_int_equal(busy_ms, 400);
    check_numbers(root);
    json_decref(root);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),       cmocka_unit_test(as_text), cmocka_unit_test(shares),
        cmocka_unit_test(the_page_is_narrow), cmocka_unit_test(as_json),
    };
    return cmocka_run_group_tests(tests, make_board, free_board);
}
