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
static struct pool_view view, later;

static int make_board(void **state)
{
    (void)state;
    if (scoreboard_create_unseen(&board, NULL) != OK)
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
    }
    return 0;
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
    assert_non_null(
        strstr(buf_text(&text), "    2      102 busy         0    1m00s           10     3.0s        0\n"));
    assert_non_null(
        strstr(buf_text(&text), "    3      103 draining     0    1m00s           10    400ms        0\n"));

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
    json_decref(root);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(as_text),
        cmocka_unit_test(as_json),
    };
    return cmocka_run_group_tests(tests, make_board, free_board);
}
