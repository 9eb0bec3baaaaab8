/* The table between processes: readers beside a writer, a writer that is stopped, one that is killed. */
#include "base/clock.h"
#include "cache/layout.h"
#include "support_cache.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = CACHE_TABLE_MIN_BYTES, KEYS = 60, RUN_US = 1500000 };

static bool ended_well(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Reads until the time is over. A value that is not whole, or one that is older than what was seen before,
 * ends it badly; so does finding nothing at all. */
static _Noreturn void read_on(struct cache_table *t, int64_t until_us)
{
    uint32_t seen[KEYS] = {0}, sequence, hits = 0;
    for (unsigned i = 0; i % 64 != 0 || clock_monotonic_us() < until_us; i++) {
        unsigned number = i * 7 % KEYS;
        enum err e = cache_test_get(t, number, &sequence);
        if (e == ERR_NOT_FOUND)
            continue;
        if (e != OK || sequence < seen[number])
            _exit(2);
        seen[number] = sequence;
        hits++;
    }
    _exit(hits > 1000 ? 0 : 3);
}

static _Noreturn void write_on(struct cache_table *t, int64_t until_us, unsigned first, unsigned step)
{
    uint32_t x = first + 1;
    for (uint32_t i = 1; i % 64 != 0 || clock_monotonic_us() < until_us; i++) {
        unsigned number = ((x = cache_test_step(x)) >> 8) % KEYS / step * step + first;
        uint32_t len = CACHE_VALUE_HEAD + ((x = cache_test_step(x)) >> 8) % 3000;
        if (number < KEYS && cache_test_put(t, number, i, len, 10000000, NULL) != OK)
            _exit(4);
    }
    _exit(0);
}

static void readers_beside_writers(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 0);
    const int64_t until = clock_monotonic_us() + RUN_US;
    pid_t pids[4];
    for (unsigned i = 0; i < 4; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0 && i < 2)
            read_on(&t, until);
        if (pids[i] == 0)
            write_on(&t, until, i - 2, 2); /* each key has one writer: what it wrote last is newest */
    }
    for (unsigned i = 0; i < 4; i++)
        assert_true(ended_well(pids[i]));
    cache_test_close(&t);
}

/* Holds the insert lock and gets the signal, with the block as `spoil` leaves it. */
static pid_t holder(struct cache_table *t, void (*spoil)(struct cache_table *), int how)
{
    bool died;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    if (cache_lock_take(&t->block->lock, 0, &died) != OK)
        _exit(1);
    if (spoil != NULL)
        spoil(t);
    raise(how);
    cache_lock_give(&t->block->lock);
    _exit(0);
}

static void a_stopped_writer_holds_up_writers_alone(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 0);
    uint32_t sequence = 0;
    unsigned evicted = 7;
    int status;
    assert_int_equal(cache_test_put(&t, 1, 11, 500, 0, NULL), OK);
    pid_t pid = holder(&t, NULL, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    int64_t begin = clock_monotonic_us();
    assert_int_equal(cache_test_put(&t, 1, 12, 500, 0, &evicted), ERR_BUSY);
    assert_int_equal(evicted, 0);
    assert_int_equal(cache_test_put(&t, 2, 12, 500, 20000, NULL), ERR_BUSY);
    assert_int_equal(cache_table_clear(&t, 1000), ERR_BUSY);
    assert_true(clock_monotonic_us() - begin < 5000000);
    assert_int_equal(cache_test_get(&t, 1, &sequence), OK);
    assert_int_equal(sequence, 11);
    assert_int_equal(cache_test_get(&t, 2, &sequence), ERR_NOT_FOUND);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_true(ended_well(pid));
    assert_int_equal(cache_test_put(&t, 1, 12, 500, 0, NULL), OK);
    cache_test_close(&t);
}

/* What deaths at bad moments leave: a slot whose record is gone, one that was never made, wrong counts. */
static void leave_a_mess(struct cache_table *t)
{
    struct cache_test_key key;
    const uint64_t tail = atomic_load(&t->rings[CACHE_RING_MAIN].ends->tail);
    const uint64_t head = atomic_load(&t->rings[CACHE_RING_MAIN].ends->head);
    for (unsigned i = 0; i < 2; i++) {
        cache_test_key_make(&key, 900 + i);
        cache_slot_publish(cache_index_place(&t->index, key.hash), key.hash, CACHE_RING_MAIN,
                           i == 0 ? tail - 1 : head, 3);
    }
    atomic_store(&t->block->entries, 12345);
    atomic_store(&t->block->units_held, 1);
}

static void a_killed_writer_s_mess_is_mended(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 300);
    struct cache_table_facts before, after;
    uint32_t sequence = 0;
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(cache_test_put(&t, i, i, 500, 0, NULL), OK);
    cache_table_facts(&t, &before);
    pid_t pid = holder(&t, leave_a_mess, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cache_test_get(&t, 900 + i, &sequence), ERR_NOT_FOUND);
    /* replaces what is newest, which costs nobody else his place */
    unsigned evicted = 0;
    assert_int_equal(cache_test_put(&t, 399, 400, 500, 0, &evicted), OK);
    cache_table_facts(&t, &after);
    assert_int_equal(after.entries + evicted, before.entries);
    assert_int_equal(cache_test_get(&t, 399, &sequence), OK);
    assert_int_equal(sequence, 400);
    size_t used = 0;
    for (size_t i = 0; i < cache_index_slots(&t.index); i++)
        used += cache_slot_load(cache_index_slot(&t.index, i)) != 0;
    assert_int_equal(used, after.entries);
    cache_test_close(&t);
}

/* Writers killed at any moment, again and again, beside readers. */
static void writers_killed_at_random(void **state)
{
    (void)state;
    struct cache_table t = cache_test_open(SIZE, 0);
    const int64_t until = clock_monotonic_us() + RUN_US;
    pid_t reader = fork();
    if (reader == 0)
        read_on(&t, until);
    uint32_t x = 9;
    unsigned number = 0;
    /* each writer has keys of its own for a while, so that sequences of one key only grow: keys by turns */
    for (; clock_monotonic_us() < until; number++) {
        pid_t writer = fork();
        if (writer == 0) {
            for (uint32_t i = 1;; i++) {
                uint32_t len = CACHE_VALUE_HEAD + ((x = cache_test_step(x)) >> 8) % 3000;
                if (cache_test_put(&t, x % KEYS, number << 20 | i, len, 10000000, NULL) != OK)
                    _exit(4);
            }
        }
        usleep((x = cache_test_step(x)) % 5000);
        assert_int_equal(kill(writer, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_true(WIFSIGNALED(status));
    }
    assert_true(number > 10 && number < 1 << 12);
    assert_true(ended_well(reader));
    uint32_t sequence = 0;
    assert_int_equal(cache_test_put(&t, 1, UINT32_MAX, 500, 0, NULL), OK);
    assert_int_equal(cache_test_get(&t, 1, &sequence), OK);
    cache_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_beside_writers),
        cmocka_unit_test(a_stopped_writer_holds_up_writers_alone),
        cmocka_unit_test(a_killed_writer_s_mess_is_mended),
        cmocka_unit_test(writers_killed_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
