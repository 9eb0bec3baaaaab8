/* Several processes that write: nothing is lost, a batch is whole or not there, and a writer that was killed
 * or that fails leaves the others a sound database. */
#include "support_store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WRITERS = 4, PROFILES = 20, UPDATES = 150 };

static void make_profiles(struct support_store *s)
{
    for (int i = 0; i < PROFILES; i++) {
        char id[16], handle[16];
        snprintf(id, sizeof id, "p%d", i);
        snprintf(handle, sizeof handle, "h%d", i);
        struct profile p = support_profile(id, handle);
        assert_int_equal(support_insert(s, &p), OK);
    }
}

/* Counts in the profile's name, as a client with If-Match would: reads, changes, tries again when it lost. */
static enum err count_up(struct support_store *s, const char *id)
{
    struct profile p;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    enum err e;
    char text[16];
    do {
        arena_reset(&s->arena);
        if ((e = store_profile_get(s->store, span_str(id), &s->arena, &p, &snapshot, &detail)) != OK)
            return e;
        int count = p.values[PROFILE_FIELD_name].ptr == NULL ? 0 : atoi(p.values[PROFILE_FIELD_name].ptr);
        snprintf(text, sizeof text, "%d", count + 1);
        p.values[PROFILE_FIELD_name] = span_str(text);
        e = store_profile_update(s->store, &p, false, &snapshot, &taken, &detail);
    } while (e == ERR_CONFLICT && taken == STORE_TAKEN_NONE);
    if (e == OK && store_checkpoint_due(s->store))
        e = store_checkpoint(s->store, false, &detail);
    return e;
}

/* A child that opens the database for itself. Exit 0: all its updates were answered with OK. */
static pid_t start_writer(struct support_store *s, int number, int updates)
{
    static const struct store_options options = {.busy_ms = 20000, .checkpoint_pages = 40};
    pid_t child = fork();
    if (child != 0)
        return child;
    struct err_detail detail = {0};
    char id[16];
    bool well = store_open(s->url, &options, &s->store, &detail) == OK;
    unsigned seed = (unsigned)number + 1;
    for (int i = 0; well && i < updates; i++) {
        snprintf(id, sizeof id, "p%d", rand_r(&seed) % PROFILES);
        well = count_up(s, id) == OK;
    }
    _exit(well ? 0 : 1);
}

static void test_no_update_is_lost(void **state)
{
    struct support_store *s = *state;
    char expected[32];
    pid_t children[WRITERS];
    int status;
    make_profiles(s);
    store_close(&s->store);
    for (int i = 0; i < WRITERS; i++)
        assert_true((children[i] = start_writer(s, i, UPDATES)) > 0);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    snprintf(expected, sizeof expected, "%d|%d", WRITERS * UPDATES, WRITERS * UPDATES + PROFILES);
    support_expect(s, "SELECT sum(name), (SELECT max(seq) FROM changes) FROM profiles", expected);
    support_expect(s, "PRAGMA integrity_check", "ok");
    support_expect(s, "SELECT count(*) FROM changes WHERE what = 'update'", "600");
}

static void test_writers_are_killed(void **state)
{
    struct support_store *s = *state;
    make_profiles(s);
    store_close(&s->store);
    for (int round = 0; round < 10; round++) {
        pid_t children[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            assert_true((children[i] = start_writer(s, i + round, 1000000)) > 0);
        usleep(20000 + (unsigned)round * 3000);
        for (int i = 0; i < WRITERS; i++)
            kill(children[i], SIGKILL);
        for (int i = 0; i < WRITERS; i++)
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    }
    support_open(s);
    assert_int_equal(count_up(s, "p1"), OK);
    support_expect(s, "PRAGMA integrity_check", "ok");
    /* as many updates as the log says, and no number missing */
    support_expect(s,
                   "SELECT (SELECT sum(name) FROM profiles) = count(*), max(seq) = count(*) + 20 FROM "
                   "changes WHERE what = 'update'",
                   "1|1");
}

static enum err insert_batch(struct support_store *s, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char id[16], handle[16];
        snprintf(id, sizeof id, "b%d", i);
        snprintf(handle, sizeof handle, "b%d", i);
        struct profile p = support_profile(id, handle);
        enum err e = support_insert(s, &p);
        if (e != OK)
            return e;
    }
    return OK;
}

static void test_batches(void **state)
{
    struct support_store *s = *state;
    struct profile twice = support_profile("b1", "other");
    ASSERT_OK(store_batch_begin(s->store, detail));
    assert_int_equal(insert_batch(s, 0, 3), OK);
    assert_int_equal(support_insert(s, &twice), ERR_CONFLICT);
    assert_int_equal(insert_batch(s, 3, 1), OK);
    support_expect(s, "SELECT count(*) FROM profiles", "0");
    ASSERT_OK(store_batch_end(s->store, true, detail));
    support_expect(s, "SELECT count(*), max(owner_seq) FROM profiles", "4|4");
    ASSERT_OK(store_batch_begin(s->store, detail));
    assert_int_equal(insert_batch(s, 10, 3), OK);
    ASSERT_OK(store_batch_end(s->store, false, detail));
    support_expect(s, "SELECT count(*), (SELECT max(seq) FROM changes) FROM profiles", "4|4");
    assert_int_equal(insert_batch(s, 20, 1), OK);
    support_expect(s, "SELECT count(*) FROM profiles", "5");
}

static void test_killed_in_a_batch(void **state)
{
    struct support_store *s = *state;
    int ready[2], status;
    char byte;
    store_close(&s->store);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err_detail detail = {0};
        bool well = store_open(s->url, &support_options, &s->store, &detail) == OK &&
                    store_batch_begin(s->store, &detail) == OK && insert_batch(s, 0, 500) == OK &&
                    store_batch_end(s->store, true, &detail) == OK &&
                    store_batch_begin(s->store, &detail) == OK && insert_batch(s, 500, 2000) == OK;
        if (write(ready[1], well ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    close(ready[0]);
    close(ready[1]);
    support_open(s);
    support_expect(s, "SELECT count(*), (SELECT count(*) FROM changes) FROM profiles", "500|500");
    assert_int_equal(insert_batch(s, 500, 1), OK);
    support_expect(s, "PRAGMA integrity_check", "ok");
}

/* Room for no further page, as on a full disk: an error, nothing changed, readers go on, and once there is
 * room the same handle writes again. In a child, for its limit. */
static void test_no_room(void **state)
{
    struct support_store *s = *state;
    int status;
    make_profiles(s); /* and stay open: so the index of the log, which others use, need not be made anew */
    pid_t child = fork();
    if (child == 0) {
        struct rlimit before, none = {0};
        struct store_snapshot snapshot;
        struct err_detail detail = {0};
        struct profile p;
        signal(SIGXFSZ, SIG_IGN);
        int step = 1;
        s->store = NULL; /* the parent's */
        if (store_open(s->url, &support_options, &s->store, &detail) != OK)
            _exit(step);
        getrlimit(RLIMIT_FSIZE, &before);
        none = before;
        none.rlim_cur = 100;
        setrlimit(RLIMIT_FSIZE, &none);
        step = 2;
        for (int i = 0; i < 3; i++) {
            enum err e = count_up(s, "p1");
            if (e != ERR_IO && e != ERR_FULL)
                _exit(step);
        }
        step = 3;
        if (store_profile_get(s->store, SPAN("p1"), &s->arena, &p, &snapshot, &detail) != OK ||
            p.values[PROFILE_FIELD_name].ptr != NULL)
            _exit(step);
        setrlimit(RLIMIT_FSIZE, &before);
        step = 4;
        if (count_up(s, "p1") != OK)
            _exit(step);
        arena_fini(&s->arena);
        store_close(&s->store);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    support_expect(s, "SELECT name FROM profiles WHERE id = 'p1'", "1");
    support_expect(s, "PRAGMA integrity_check", "ok");
}

/* The sqlite3 shell, in the middle of a transaction, holds SQLite's own lock: a bounded wait, and reads go
 * on. */
static void test_a_foreign_writer(void **state)
{
    struct support_store *s = *state;
    static const struct store_options impatient = {.busy_ms = 50};
    struct profile p;
    struct store_snapshot snapshot;
    sqlite3 *shell;
    make_profiles(s);
    store_close(&s->store);
    ASSERT_OK(store_open(s->url, &impatient, &s->store, detail));
    assert_int_equal(sqlite3_open(s->path, &shell), SQLITE_OK);
    assert_int_equal(sqlite3_exec(shell, "BEGIN; UPDATE profiles SET name = '7'", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(count_up(s, "p1"), ERR_BUSY);
    ASSERT_OK(store_profile_get(s->store, SPAN("p1"), &s->arena, &p, &snapshot, detail));
    assert_null(p.values[PROFILE_FIELD_name].ptr);
    assert_int_equal(sqlite3_exec(shell, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(shell);
    assert_int_equal(count_up(s, "p1"), OK);
    support_expect(s, "SELECT name FROM profiles WHERE id = 'p1'", "8");
}

static void test_checkpoint(void **state)
{
    struct support_store *s = *state;
    static const struct store_options options = {.busy_ms = 1000, .checkpoint_pages = 10};
    store_close(&s->store);
    ASSERT_OK(store_open(s->url, &options, &s->store, detail));
    assert_false(store_checkpoint_due(s->store));
    make_profiles(s);
    assert_true(store_checkpoint_due(s->store));
    ASSERT_OK(store_checkpoint(s->store, true, detail));
    assert_false(store_checkpoint_due(s->store));
    assert_int_equal(insert_batch(s, 0, 1), OK);
    assert_false(store_checkpoint_due(s->store)); /* the log began anew */
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_true(st.st_size > 10 * 4096);
    support_expect(s, "SELECT count(*) FROM profiles", "21");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_update_is_lost, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_writers_are_killed, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_batches, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_killed_in_a_batch, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_a_foreign_writer, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint, support_set_up, support_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
