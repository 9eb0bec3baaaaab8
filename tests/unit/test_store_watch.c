/* Whether anybody has written, and what: against SQLite itself, other processes, and files that are put in
 * the place. */
#include "support_store.h"

#include "store/watch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct taken {
    int count;
    struct store_change last;
    char id[32], handle[32], old_handle[32];
    int64_t first_seq;
};

static void copy(char out[32], struct span s)
{
    snprintf(out, 32, "%.*s", SPAN_ARG(s));
}

static void take(void *data, const struct store_change *change)
{
    struct taken *t = data;
    if (t->count++ == 0)
        t->first_seq = change->seq;
    t->last = *change;
    copy(t->id, change->profile_id);
    copy(t->handle, change->handle);
    copy(t->old_handle, change->old_handle);
}

static void insert(struct support_store *s, const char *id, const char *handle)
{
    struct profile p = support_profile(id, handle);
    assert_int_equal(support_insert(s, &p), OK);
}

static void mark(struct support_store *s, uint64_t marker[STORE_MARKER_WORDS])
{
    ASSERT_OK(store_marker_take(s->store, marker, detail));
    assert_true(store_is_unchanged(s->store, marker));
}

/* A line of the shell; $DB is the database. */
static int run(const struct support_store *s, const char *line)
{
    return setenv("DB", s->path, 1) == 0 ? system(line) : -1;
}

/* ---- the marker */

static void test_nothing_was_written(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS], again[STORE_MARKER_WORDS];
    struct profile p;
    struct store_snapshot snapshot;
    insert(s, "ada", "ada");
    mark(s, marker);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(store_profile_get(s->store, SPAN("ada"), &s->arena, &p, &snapshot, detail));
        support_expect(s, "SELECT count(*) FROM profiles", "1"); /* by another connection */
        assert_true(store_is_unchanged(s->store, marker));
    }
    mark(s, again);
    assert_memory_equal(marker, again, sizeof marker);
}

static void test_somebody_wrote(void **state)
{
    struct support_store *s = *state;
    static const char *const writes[] = {
        "UPDATE profiles SET name = 'Ada'",
        "UPDATE profiles SET email = 'ada@example.org'",
        "INSERT INTO revoke VALUES ('ada', 5)",
        "DELETE FROM profiles",
        "CREATE TABLE other (x)", /* whatever it is */
        "BEGIN; INSERT INTO other VALUES (1); COMMIT",
    };
    uint64_t marker[STORE_MARKER_WORDS];
    insert(s, "ada", "ada");
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        mark(s, marker);
        support_sql(s, writes[i]);
        if (store_is_unchanged(s->store, marker))
            fail_msg("unchanged after %s", writes[i]);
    }
    mark(s, marker);
    insert(s, "bob", "bob"); /* itself */
    assert_false(store_is_unchanged(s->store, marker));
}

static void test_what_is_no_write(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS];
    insert(s, "ada", "ada");
    mark(s, marker);
    support_sql(s, "BEGIN IMMEDIATE; UPDATE profiles SET name = 'Ada'; ROLLBACK");
    support_sql(s, "UPDATE profiles SET name = 'Ada' WHERE id = 'nobody'");
    assert_true(store_is_unchanged(s->store, marker));
}

static void test_another_process_writes(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS];
    insert(s, "ada", "ada");
    mark(s, marker);
    pid_t child = fork();
    if (child == 0) {
        s->store = NULL; /* the parent's connection is not to be touched */
        support_open(s);
        insert(s, "bob", "bob");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(store_is_unchanged(s->store, marker));
}

static void test_the_shell_writes(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS];
    insert(s, "ada", "ada");
    mark(s, marker);
    assert_int_equal(run(s, "sqlite3 $DB \"UPDATE profiles SET name = 'Ada'\""), 0);
    assert_false(store_is_unchanged(s->store, marker));
}

/* Whatever a checkpoint does to the marker, it is one of a state: taken again, it is right. */
static void test_checkpoints(void **state)
{
    struct support_store *s = *state;
    static const char *const modes[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE", "TRUNCATE"};
    uint64_t marker[STORE_MARKER_WORDS];
    char sql[64];
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char id[8];
        snprintf(id, sizeof id, "id%zu", i);
        insert(s, id, id);
        snprintf(sql, sizeof sql, "PRAGMA wal_checkpoint(%s)", modes[i]);
        support_sql(s, sql);
        mark(s, marker);
        support_sql(s, "UPDATE profiles SET name = coalesce(name, '') || 'x'");
        assert_false(store_is_unchanged(s->store, marker));
    }
}

/* All have closed, and the last one, a shell, has taken the WAL away: twice, with a commit in between. The
 * header of an empty WAL is always the same, and must not be taken for that of the first time. */
static void test_an_empty_wal_twice(void **state)
{
    struct support_store *s = *state;
    /* closed last, the shell copies all back and takes the WAL away */
    static const char *const write_and_close =
        "sqlite3 $DB \"UPDATE profiles SET name = coalesce(name, '') || 'x'\" >/dev/null";
    uint64_t marker[STORE_MARKER_WORDS], again[STORE_MARKER_WORDS];
    char wal[112];
    snprintf(wal, sizeof wal, "%s-wal", s->path);
    insert(s, "ada", "ada");
    store_close(&s->store);
    assert_int_equal(run(s, write_and_close), 0);
    assert_int_not_equal(access(wal, F_OK), 0);
    support_open(s);
    mark(s, marker);
    store_close(&s->store);
    assert_int_equal(run(s, write_and_close), 0);
    assert_int_not_equal(access(wal, F_OK), 0);
    support_open(s);
    assert_false(store_is_unchanged(s->store, marker));
    mark(s, again);
    assert_memory_not_equal(marker, again, sizeof marker);
    support_expect(s, "SELECT applied_at - applied_at FROM migrations LIMIT 1", "0");
}

/* What begins the WAL changes nothing that anybody sees, and waits for nobody. */
static void test_an_empty_wal_that_cannot_be_begun(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS];
    struct err_detail detail = {0};
    struct buf before = {0}, after = {0};
    sqlite3 *db = NULL;
    store_close(&s->store);
    assert_int_equal(run(s, "sqlite3 $DB 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null"), 0);
    support_open(s);
    support_query(s, "SELECT * FROM migrations", &before);
    assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_marker_take(s->store, marker, &detail), ERR_BUSY);
    assert_false(store_is_unchanged(s->store, marker) && marker[4] != 0);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    mark(s, marker);
    sqlite3_close(db);
    support_query(s, "SELECT * FROM migrations", &after);
    assert_string_equal(buf_text(&before), buf_text(&after));
    buf_fini(&before);
    buf_fini(&after);
}

static void test_the_file_is_replaced(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS], other[STORE_MARKER_WORDS];
    struct store_snapshot one, two;
    struct taken t = {0};
    insert(s, "ada", "ada");
    mark(s, marker);
    ASSERT_OK(store_changes_read(s->store, 0, 100, take, &t, &one, detail));
    assert_int_equal(run(s, "sqlite3 $DB \".backup $DB.new\""), 0);
    assert_int_equal(run(s, "mv $DB.new $DB"), 0);
    assert_false(store_is_unchanged(s->store, marker));
    assert_int_equal(run(s, "rm -f $DB-wal $DB-shm"), 0);
    mark(s, other);
    assert_memory_not_equal(marker, other, sizeof marker);
    ASSERT_OK(store_changes_read(s->store, 0, 100, take, &t, &two, detail));
    assert_string_equal(one.epoch, two.epoch); /* a plain copy: */
    assert_true(one.identity != two.identity); /* another database all the same */
}

static void test_the_file_is_removed(void **state)
{
    struct support_store *s = *state;
    uint64_t marker[STORE_MARKER_WORDS];
    struct err_detail detail = {0};
    struct store_snapshot snapshot;
    struct taken t = {0};
    insert(s, "ada", "ada");
    mark(s, marker);
    char away[112];
    snprintf(away, sizeof away, "%s.away", s->path);
    assert_int_equal(rename(s->path, away), 0);
    assert_false(store_is_unchanged(s->store, marker));
    assert_int_equal(store_marker_take(s->store, marker, &detail), ERR_IO);
    assert_int_equal(store_changes_read(s->store, 0, 100, take, &t, &snapshot, &detail), ERR_IO);
    assert_int_equal(store_epoch_renew(s->store, &detail), ERR_IO);
    assert_int_equal(t.count, 0);
    assert_false(store_is_unchanged(s->store, marker)); /* nor while there is no connection */
    assert_int_equal(rename(away, s->path), 0);
    mark(s, marker);
}

/* A writer that is killed while it writes, again and again: whatever was committed, the marker has changed if
 * so. */
static void test_a_killed_writer(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot before, after;
    uint64_t marker[STORE_MARKER_WORDS];
    struct taken t = {0};
    insert(s, "ada", "ada");
    for (int i = 0; i < 40; i++) {
        mark(s, marker);
        struct err_detail detail = {0};
        assert_int_equal(store_changes_read(s->store, INT64_MAX, 1, take, &t, &before, &detail),
                         ERR_CONFLICT);
        pid_t child = fork();
        if (child == 0) {
            s->store = NULL;
            support_open(s);
            for (int k = 0;; k++) {
                char id[24];
                snprintf(id, sizeof id, "w%d-%d", i, k);
                for (char *c = id; *c != '\0'; c++)
                    *c = *c == '-' ? '_' : *c;
                insert(s, id, id);
            }
        }
        usleep(2000 + (useconds_t)i * 500);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        bool unchanged = store_is_unchanged(s->store, marker);
        assert_int_equal(store_changes_read(s->store, INT64_MAX, 1, take, &t, &after, &detail), ERR_CONFLICT);
        if (unchanged)
            assert_int_equal(before.seq, after.seq);
    }
}

/* ---- the change log */

static void test_the_log_is_read(void **state)
{
    struct support_store *s = *state;
    static const struct {
        const char *sql;
        enum store_change_kind kind;
        const char *id, *handle, *old_handle;
    } rows[] = {
        {"UPDATE profiles SET name = 'Ada' WHERE id = 'ada'", STORE_CHANGE_UPDATE, "ada", "", ""},
        {"UPDATE profiles SET email = 'a@example.org' WHERE id = 'ada'", STORE_CHANGE_PRIVATE, "ada", "", ""},
        {"UPDATE profiles SET handle = 'countess' WHERE id = 'ada'", STORE_CHANGE_UPDATE, "ada", "countess",
         "ada"},
        {"UPDATE profiles SET state = 'active' WHERE id = 'bob'", STORE_CHANGE_RESUME, "bob", "", ""},
        {"INSERT INTO revoke VALUES ('carl', 77)", STORE_CHANGE_REVOKE, "carl", "", ""},
    };
    struct store_snapshot snapshot;
    struct taken t = {0};
    insert(s, "ada", "ada");
    insert(s, "bob", "bob");
    support_sql(s, "UPDATE profiles SET state = 'suspended' WHERE id = 'bob'");
    ASSERT_OK(store_changes_read(s->store, 0, 100, take, &t, &snapshot, detail));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t before = snapshot.seq;
        support_sql(s, rows[i].sql);
        t = (struct taken){0};
        ASSERT_OK(store_changes_read(s->store, before, 100, take, &t, &snapshot, detail));
        assert_int_equal(t.count, 1);
        assert_int_equal(t.last.seq, before + 1);
        assert_int_equal(snapshot.seq, before + 1);
        assert_int_equal(t.last.kind, rows[i].kind);
        assert_string_equal(t.id, rows[i].id);
        assert_string_equal(t.handle, rows[i].handle);
        assert_string_equal(t.old_handle, rows[i].old_handle);
    }
}

static void test_how_reading_the_log_ends(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "id%d", i);
        insert(s, id, id);
    }
    const struct {
        int64_t after, most;
        enum err e;
        int count;
    } rows[] = {
        {0, 5, OK, 5}, {0, 4, ERR_TOO_LARGE, 0}, {0, 0, ERR_TOO_LARGE, 0},  {4, 1, OK, 1},
        {5, 0, OK, 0}, {5, 100, OK, 0},          {6, 100, ERR_CONFLICT, 0}, {INT64_MAX, 100, ERR_CONFLICT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct taken t = {0};
        snapshot = (struct store_snapshot){0};
        assert_int_equal(
            store_changes_read(s->store, rows[i].after, rows[i].most, take, &t, &snapshot, &detail),
            rows[i].e);
        assert_int_equal(t.count, rows[i].count);
        assert_int_equal(snapshot.seq, 5);
        assert_true(snapshot.identity != 0);
        if (t.count > 0)
            assert_int_equal(t.first_seq, rows[i].after + 1);
    }
}

/* Somebody tidied the log: what is missing cannot be told, so that all must be taken for old. */
static void test_a_log_with_holes(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    struct taken t = {0};
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "id%d", i);
        insert(s, id, id);
    }
    support_sql(s, "DELETE FROM changes WHERE seq = 3");
    assert_int_equal(store_changes_read(s->store, 2, 100, take, &t, &snapshot, &detail), ERR_TOO_LARGE);
    assert_int_equal(store_changes_read(s->store, 0, 100, take, &t, &snapshot, &detail), ERR_TOO_LARGE);
    assert_int_equal(snapshot.seq, 5);
    assert_int_equal(store_changes_read(s->store, 3, 100, take, &t, &snapshot, &detail), OK);
    support_sql(s, "DELETE FROM changes WHERE seq < 5");
    assert_int_equal(store_changes_read(s->store, 3, 100, take, &t, &snapshot, &detail), ERR_TOO_LARGE);
    assert_int_equal(store_changes_read(s->store, 4, 100, take, &t, &snapshot, &detail), OK);
}

static void test_the_epoch_is_renewed(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot one, two;
    uint64_t marker[STORE_MARKER_WORDS];
    struct taken t = {0};
    insert(s, "ada", "ada");
    ASSERT_OK(store_changes_read(s->store, 0, 100, take, &t, &one, detail));
    mark(s, marker);
    ASSERT_OK(store_epoch_renew(s->store, detail));
    assert_false(store_is_unchanged(s->store, marker));
    ASSERT_OK(store_changes_read(s->store, 0, 100, take, &t, &two, detail));
    assert_string_not_equal(one.epoch, two.epoch);
    assert_true(one.identity != two.identity);
    assert_int_equal(one.seq, two.seq);
}

/* A backup was restored under the connection: it draws an epoch. */
static void test_no_epoch(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    struct taken t = {0};
    insert(s, "ada", "ada");
    support_sql(s, "UPDATE meta SET epoch = NULL");
    assert_int_equal(store_changes_read(s->store, 0, 100, take, &t, &snapshot, &detail), ERR_BUSY);
    assert_int_equal(t.count, 0);
    assert_int_equal(store_changes_read(s->store, 0, 100, take, &t, &snapshot, &detail), OK);
    assert_true(snapshot.epoch[0] != '\0');
}

/* ---- where nothing can be written */

enum { NOBODY = 65534 };

/* In a process without rights. It can be read, if there is an epoch; and never endlessly, nor with a crash.
 */
static void test_read_only(void **state)
{
    struct support_store *s = *state;
    if (geteuid() != 0)
        skip();
    insert(s, "ada", "ada");
    store_close(&s->store);
    assert_int_equal(chmod(s->folder, 0755), 0);
    for (int epoch = 1; epoch >= 0; epoch--) {
        if (epoch == 0)
            assert_int_equal(run(s, "sqlite3 $DB 'UPDATE meta SET epoch = NULL'"), 0);
        assert_int_equal(run(s, "sqlite3 $DB 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null"), 0);
        assert_int_equal(run(s, "touch $DB-wal $DB-shm"), 0);
        assert_int_equal(run(s, "touch $DB.lock && chmod 644 $DB*"), 0);
        pid_t child = fork();
        if (child == 0) {
            struct err_detail detail = {0};
            struct store_snapshot snapshot;
            struct profile p;
            uint64_t marker[STORE_MARKER_WORDS];
            if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
                _exit(9);
            if (store_open(s->url, &support_options, &s->store, &detail) != OK)
                _exit(0); /* it may not be to be had at all */
            for (int i = 0; i < 3; i++)
                if (store_marker_take(s->store, marker, &detail) == OK)
                    _exit(1); /* of an empty WAL that cannot be begun */
            for (int i = 0; i < 3; i++)
                if ((store_profile_get(s->store, SPAN("ada"), &s->arena, &p, &snapshot, &detail) == OK) !=
                    (epoch == 1))
                    _exit(2);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    support_open(s);
}

/* The commit that draws the epoch fails, and the connection with it. */
static void test_an_epoch_that_cannot_be_drawn(void **state)
{
    struct support_store *s = *state;
    static const struct rlimit few = {40000, RLIM_INFINITY}; /* enough for -shm, less than the WAL has */
    int status;
    for (int i = 0; i < 30; i++) {
        char id[8];
        snprintf(id, sizeof id, "id%d", i);
        insert(s, id, id);
    }
    support_sql(s, "UPDATE meta SET epoch = NULL");
    store_close(&s->store);
    pid_t child = fork();
    if (child == 0) {
        struct err_detail detail = {0};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &few) != 0)
            _exit(9);
        _exit(store_open(s->url, &support_options, &s->store, &detail) == ERR_IO ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    support_open(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_was_written),
        TEST(test_somebody_wrote),
        TEST(test_what_is_no_write),
        TEST(test_another_process_writes),
        TEST(test_the_shell_writes),
        TEST(test_checkpoints),
        TEST(test_an_empty_wal_twice),
        TEST(test_an_empty_wal_that_cannot_be_begun),
        TEST(test_the_file_is_replaced),
        TEST(test_the_file_is_removed),
        TEST(test_a_killed_writer),
        TEST(test_the_log_is_read),
        TEST(test_how_reading_the_log_ends),
        TEST(test_a_log_with_holes),
        TEST(test_the_epoch_is_renewed),
        TEST(test_no_epoch),
        TEST(test_read_only),
        TEST(test_an_epoch_that_cannot_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
