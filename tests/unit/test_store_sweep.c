/* What was deleted is in no file any more, and everything else is as it was; the tidying of the change log;
 * what is held on a subject. */
#include "support_store.h"

#include "base/file.h"
#include "store/held.h"
#include "store/tidy.h"

#include <signal.h>
#include <sys/wait.h>

enum { PEOPLE = 600 };

static unsigned seed = 7;

static unsigned draw(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

/* A word that nobody else has; those of people that are to go begin with "doomed". */
static void word(char out[24], unsigned person)
{
    static unsigned count;
    snprintf(out, 24, "%s_%u_%u", person % 3 == 0 ? "doomed" : "spared", person, count++);
}

static void put(sqlite3 *db, const char *sql, unsigned person)
{
    sqlite3_stmt *stmt;
    char id[16], w[24];
    snprintf(id, sizeof id, "p%u", person);
    word(w, person);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_text(stmt, 1, id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(stmt, 2, w, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(stmt, 3, (int)draw(150) + 1);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
}

static void crowd(const struct support_store *s)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0; BEGIN", NULL, NULL, NULL);
    for (unsigned i = 0; i < PEOPLE; i++)
        put(db,
            "INSERT INTO profiles (id, handle, name, bio) VALUES (?1, ?2, ?2, replace(hex(zeroblob(?3)), "
            "'00', ?2))",
            i);
    sqlite3_exec(db, "COMMIT; BEGIN", NULL, NULL, NULL);
    for (unsigned i = 0; i < 4 * PEOPLE; i++)
        put(db,
            "UPDATE profiles SET handle = ?2, name = ?2, bio = replace(hex(zeroblob(?3)), '00', ?2) WHERE id "
            "= ?1",
            draw(PEOPLE));
    assert_int_equal(sqlite3_exec(db,
                                  "DELETE FROM profiles WHERE CAST(substr(id, 2) AS INTEGER) % 3 = 0; COMMIT",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static size_t occurrences(const char *path, const char *text)
{
    struct buf bytes = {0};
    size_t count = 0, len = strlen(text);
    ASSERT_OK(file_read(path, 64U << 20, &bytes, detail));
    for (const char *at = bytes.ptr; at != NULL && bytes.len > 0; count++) {
        at = memmem(at, bytes.len - (size_t)(at - bytes.ptr), text, len);
        if (at == NULL)
            break;
        at += len;
    }
    buf_fini(&bytes);
    return count;
}

static void sweep_all(struct support_store *s)
{
    uint32_t next = 1;
    do
        ASSERT_OK(store_sweep(s->store, &next, detail));
    while (next != 0);
}

static const char state_query[] = "SELECT count(*), total(length(bio)), count(DISTINCT handle) FROM profiles";

static void is_sound(const struct support_store *s, const char *expected)
{
    support_expect(s, "PRAGMA integrity_check", "ok");
    support_expect(s, state_query, expected);
}

static bool is_empty(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size == 0;
}

static void nothing_is_left(void **state)
{
    struct support_store *s = *state;
    struct buf before = {0};
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", s->path);
    crowd(s);
    support_query(s, state_query, &before);
    assert_true(occurrences(wal, "doomed") > 100);
    sweep_all(s);
    assert_int_equal(occurrences(s->path, "doomed"), 0);
    assert_int_equal(occurrences(wal, "doomed"), 0);
    is_sound(s, buf_text(&before));
    /* once more there is nothing to do, and the log stays empty */
    sweep_all(s);
    sweep_all(s);
    assert_true(is_empty(wal));
    /* nobody's old copy of a page brings anything back */
    support_sql(s, "PRAGMA secure_delete=ON; UPDATE profiles SET name = name || 'x'");
    sweep_all(s);
    assert_int_equal(occurrences(s->path, "doomed"), 0);
    is_sound(s, buf_text(&before));
    buf_fini(&before);
}

/* Writes by a store of its own until it is told to stop; the exit status says whether all went well. */
static volatile sig_atomic_t stop;

static void on_stop(int number)
{
    (void)number;
    stop = 1;
}

static int write_on(const char *url, int which, int report)
{
    struct store *store;
    struct arena arena = {0};
    struct err_detail detail = {0};
    char id[16], value[4096];
    int count = 0;
    signal(SIGTERM, on_stop);
    snprintf(id, sizeof id, "w%d", which);
    if (store_open(url, &support_options, &store, &detail) != OK)
        return 1;
    while (stop == 0) {
        struct profile p;
        struct store_snapshot snapshot;
        enum store_taken taken;
        arena_reset(&arena);
        if (store_profile_get(store, span_str(id), &arena, &p, &snapshot, &detail) != OK)
            return 2;
        snprintf(value, sizeof value, "%d", ++count);
        p.values[PROFILE_FIELD_name] = arena_copy(&arena, span_str(value));
        memset(value, 'a' + count % 26, sizeof value);
        p.values[PROFILE_FIELD_bio] = arena_copy(&arena, span_of(value, (size_t)(count * 37) % sizeof value));
        enum err e = store_profile_update(store, &p, false, &snapshot, &taken, &detail);
        if (e == ERR_BUSY) { /* a machine under load */
            count--;
        } else if (e != OK) {
            fprintf(stderr, "%s: %s\n", err_name(e), detail.text);
            return 3;
        }
    }
    store_close(&store);
    arena_fini(&arena);
    return write(report, &count, sizeof count) == sizeof count ? 0 : 4;
}

/* Three write while everything is swept again and again: not a write is lost, not a page harmed. */
static void beside_writers(void **state)
{
    enum { WRITERS = 3, ROUNDS = 60 };
    struct support_store *s = *state;
    pid_t pids[WRITERS];
    int reports[WRITERS][2], swept = 0;
    crowd(s);
    for (int i = 0; i < WRITERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "w%d", i);
        struct profile p = support_profile(id, id);
        assert_int_equal(support_insert(s, &p), OK);
    }
    store_close(&s->store); /* not to be carried over a fork */
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pipe(reports[i]), 0);
        if ((pids[i] = fork()) == 0)
            _exit(write_on(s->url, i, reports[i][1]));
    }
    support_open(s);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t next = 1;
        enum err e = OK;
        struct err_detail detail = {0};
        while (next != 0 && (e = store_sweep(s->store, &next, &detail)) == OK)
            swept++;
        if (e != OK && e != ERR_BUSY)
            fail_msg("%s: %s", err_name(e), detail.text);
        usleep(10000);
    }
    assert_true(swept > 5);
    for (int i = 0; i < WRITERS; i++) {
        char sql[64], expected[16];
        int status, count = 0;
        kill(pids[i], SIGTERM);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
        assert_int_equal(read(reports[i][0], &count, sizeof count), sizeof count);
        assert_true(count > 0);
        snprintf(sql, sizeof sql, "SELECT name FROM profiles WHERE id = 'w%d'", i);
        snprintf(expected, sizeof expected, "%d", count);
        support_expect(s, sql, expected);
        close(reports[i][0]);
        close(reports[i][1]);
    }
    sweep_all(s);
    support_expect(s, "PRAGMA integrity_check", "ok");
    assert_int_equal(occurrences(s->path, "doomed"), 0);
}

static void who_stands_in_the_way(void **state)
{
    struct support_store *s = *state;
    struct err_detail detail = {0};
    uint32_t next = 1;
    sqlite3 *other;
    support_sql(s, "INSERT INTO profiles (id, handle) VALUES ('a', 'aa')");
    assert_int_equal(sqlite3_open(s->path, &other), SQLITE_OK);
    sqlite3_db_config(other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM profiles", NULL, NULL, NULL), SQLITE_OK);
    support_sql(s, "UPDATE profiles SET name = 'b'");
    assert_int_equal(store_sweep(s->store, &next, &detail), ERR_BUSY);
    assert_int_equal(next, 1);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sweep_all(s);
    sqlite3_close(other);
}

static void tidying(void **state)
{
    struct support_store *s = *state;
    bool more;
    int64_t first;
    support_sql(
        s, "INSERT INTO changes (profile_id, what, at) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT "
           "n + 1 FROM c WHERE n < 500) SELECT 'x', iif(n % 7 = 0, 'revoke', 'private'), iif(n % 14 = 0, "
           "99999, n) FROM c");
    ASSERT_OK(store_changes_tidy(s->store, 1, &more, detail));
    ASSERT_OK(store_changes_first(s->store, &first, detail));
    assert_int_equal(first, 1);
    assert_false(more);
    ASSERT_OK(store_changes_tidy(s->store, 301, &more, detail));
    assert_true(more);
    support_expect(s, "SELECT min(seq) FROM changes", "201");
    ASSERT_OK(store_changes_tidy(s->store, 301, &more, detail));
    assert_false(more);
    support_expect(s, "SELECT min(seq) FROM changes", "301");
    do
        ASSERT_OK(store_changes_tidy(s->store, 1000, &more, detail));
    while (more);
    ASSERT_OK(store_changes_tidy(s->store, 1000000, &more, detail));
    support_expect(s, "SELECT min(seq), count(*) FROM changes", "500|1"); /* the newest stays */
    assert_false(more);
}

static void note(void *data, const struct store_change *change)
{
    buf_printf(data, "%lld %.*s %.*s;", (long long)change->seq, SPAN_ARG(store_change_name(change->kind)),
               SPAN_ARG(change->handle));
}

static void what_is_held(void **state)
{
    struct support_store *s = *state;
    struct store_held held;
    struct buf text = {0};
    assert_int_equal(store_held_read(s->store, SPAN("a"), 0, &s->arena, note, &text, &held, NULL),
                     ERR_NOT_FOUND);
    support_sql(
        s, "INSERT INTO profiles (id, handle) VALUES ('a', 'aa'), ('b', 'bb');"
           "UPDATE profiles SET name = 'x' WHERE id = 'a'; UPDATE profiles SET handle = 'ab' WHERE id = 'a'");
    ASSERT_OK(store_held_read(s->store, SPAN("a"), 0, &s->arena, note, &text, &held, detail));
    assert_string_equal(buf_text(&text), "4 update ab;3 update ;1 create aa;");
    assert_true(held.has_profile && !held.has_tombstone && held.before == 0);
    assert_int_equal(held.revoked_until_s, INT64_MIN);
    buf_clear(&text);
    ASSERT_OK(store_held_read(s->store, SPAN("a"), 3, &s->arena, note, &text, &held, detail));
    assert_string_equal(buf_text(&text), "3 update ;1 create aa;");
    /* another's entry, and none at all */
    assert_int_equal(store_held_read(s->store, SPAN("a"), 2, &s->arena, note, &text, &held, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(store_held_read(s->store, SPAN("a"), 99, &s->arena, note, &text, &held, NULL),
                     ERR_NOT_FOUND);
    support_sql(s, "DELETE FROM profiles WHERE id = 'a'");
    buf_clear(&text);
    ASSERT_OK(store_held_read(s->store, SPAN("a"), 0, &s->arena, note, &text, &held, detail));
    assert_string_equal(buf_text(&text), "5 delete ;4 update ;3 update ;1 create ;");
    assert_true(!held.has_profile && held.has_tombstone && held.deleted_seq == 5);
    assert_true(held.revoked_until_s > 0);
    support_expect(s, "SELECT profile_id FROM changes WHERE handle IS NOT NULL OR old_handle IS NOT NULL",
                   "b");
    buf_fini(&text);
}

/* A profile whose entries are too many for one document. */
static void page_by_page(void **state)
{
    struct support_store *s = *state;
    struct store_held held;
    struct buf text = {0};
    support_sql(
        s, "INSERT INTO profiles (id, handle) VALUES ('a', 'aa');"
           "INSERT INTO changes (profile_id, what, at, prior) WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL "
           "SELECT n + 1 FROM c WHERE n < 10050) SELECT 'a', 'private', n, n - 1 FROM c;"
           "UPDATE profiles SET owner_seq = 10050, owner_updated_at = 1 WHERE id = 'a'");
    ASSERT_OK(store_held_read(s->store, SPAN("a"), 0, &s->arena, note, &text, &held, detail));
    assert_int_equal(held.before, 50);
    buf_clear(&text);
    ASSERT_OK(store_held_read(s->store, SPAN("a"), held.before, &s->arena, note, &text, &held, detail));
    assert_int_equal(held.before, 0);
    assert_true(span_starts(buf_span(&text), SPAN("50 private ;")));
    assert_non_null(strstr(buf_text(&text), ";1 create aa;"));
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_left, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(beside_writers, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(who_stands_in_the_way, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(tidying, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(what_is_held, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(page_by_page, support_set_up, support_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
