/* The store against a real SQLite: what the triggers log and stamp, whoever writes, and what the writes
 * check. */
#include "store/inspect.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

struct fixture {
    char folder[64];
    char url[96];
    struct store *store;
    sqlite3 *shell; /* a foreign connection, as the sqlite3 shell would be */
    struct arena arena;
};

static const struct store_options options = {.synchronous_full = true, .busy_ms = 300};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err_detail detail = {0};
    int applied = 0;
    snprintf(f->folder, sizeof f->folder, "/tmp/test-store.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->url, sizeof f->url, "sqlite:%s/p.db", f->folder);
    assert_int_equal(store_migrate(f->url, &options, &applied, &detail), OK);
    assert_true(applied > 0);
    assert_int_equal(store_open(f->url, &options, &f->store, &detail), OK);
    assert_int_equal(sqlite3_open(f->url + 7, &f->shell), SQLITE_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[96];
    store_close(&f->store);
    sqlite3_close(f->shell);
    arena_fini(&f->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int status = system(command);
    free(f);
    return status;
}

static void shell(struct fixture *f, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(f->shell, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static void shell_is_refused(struct fixture *f, const char *sql)
{
    if (sqlite3_exec(f->shell, sql, NULL, NULL, NULL) == SQLITE_OK)
        fail_msg("%s was let through", sql);
}

/* The first column of the first row, or "" */
static const char *ask(struct fixture *f, const char *sql)
{
    static char text[256];
    sqlite3_stmt *stmt = NULL;
    text[0] = '\0';
    assert_int_equal(sqlite3_prepare_v2(f->shell, sql, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
        snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

static struct profile made(struct fixture *f, const char *id, const char *handle)
{
    struct profile p = {
        .id = span_str(id), .handle = span_str(handle), .private_fields = PROFILE_PRIVATE_DEFAULT};
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    p.values[PROFILE_FIELD_name] = SPAN("Ann");
    p.values[PROFILE_FIELD_email] = SPAN("ann@example.org");
    assert_int_equal(store_profile_insert(f->store, &p, false, &snapshot, &taken, &detail), OK);
    assert_true(p.stamps[PROFILE_VIEW_OWNER].seq > 0);
    assert_int_equal(p.stamps[PROFILE_VIEW_OWNER].seq, p.stamps[PROFILE_VIEW_PUBLIC].seq);
    assert_true(snapshot.epoch[0] != '\0');
    return p;
}

static struct profile got(struct fixture *f, const char *id)
{
    struct profile p;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    assert_int_equal(store_profile_get(f->store, span_str(id), &f->arena, &p, &snapshot, &detail), OK);
    return p;
}

static void the_schema_is_the_table_of_fields(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *stmt = NULL;
    size_t field = 0;
    bool begun = false;
    char text[32];
    assert_int_equal(sqlite3_prepare_v2(f->shell,
                                        "SELECT name FROM pragma_table_info('profiles') ORDER BY cid", -1,
                                        &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct span column = span_str((const char *)sqlite3_column_text(stmt, 0));
        begun = begun || span_eq(column, profile_field_table[0].name);
        if (begun) {
            assert_true(field < PROFILE_FIELD_COUNT);
            assert_true(span_eq(column, profile_field_table[field++].name));
        }
    }
    sqlite3_finalize(stmt);
    assert_int_equal(field, PROFILE_FIELD_COUNT);
    snprintf(text, sizeof text, "%d", PROFILE_PRIVATE_DEFAULT);
    assert_string_equal(ask(f, "SELECT dflt_value FROM pragma_table_info('profiles') WHERE name='private'"),
                        text);
}

/* For every field: hidden, an edit by a stranger's hand is the owner's news alone; shown, it is everybody's;
 * and so is the showing. */
static void each_bit_hides_its_field(void **state)
{
    struct fixture *f = *state;
    made(f, "ann", "ann");
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        const char *name = profile_field_table[i].name.ptr;
        const char *values[2] = {"'x'", "'y'"};
        char sql[200];
        if (i == PROFILE_FIELD_email_verified)
            values[0] = "0", values[1] = "1";
        if (i == PROFILE_FIELD_address || i == PROFILE_FIELD_attributes)
            values[0] = "'{}'", values[1] = "'{\"a\":\"b\"}'";
        snprintf(sql, sizeof sql, "UPDATE profiles SET private = private | %u, %.*s = %s WHERE id = 'ann'",
                 1u << i, SPAN_ARG(profile_field_table[i].name), values[0]);
        shell(f, sql);
        struct profile hidden = got(f, "ann");
        snprintf(sql, sizeof sql, "UPDATE profiles SET %.*s = %s WHERE id = 'ann'",
                 SPAN_ARG(profile_field_table[i].name), values[1]);
        shell(f, sql);
        struct profile edited = got(f, "ann");
        if (edited.stamps[PROFILE_VIEW_PUBLIC].seq != hidden.stamps[PROFILE_VIEW_PUBLIC].seq ||
            edited.stamps[PROFILE_VIEW_PUBLIC].at_ms != hidden.stamps[PROFILE_VIEW_PUBLIC].at_ms)
            fail_msg("a private edit of %s shows in public", name);
        assert_true(edited.stamps[PROFILE_VIEW_OWNER].seq > hidden.stamps[PROFILE_VIEW_OWNER].seq);
        assert_string_equal(ask(f, "SELECT what FROM changes ORDER BY seq DESC LIMIT 1"), "private");
        snprintf(sql, sizeof sql, "UPDATE profiles SET private = private & ~%u WHERE id = 'ann'", 1u << i);
        shell(f, sql);
        struct profile shown = got(f, "ann");
        if (shown.stamps[PROFILE_VIEW_PUBLIC].seq != shown.stamps[PROFILE_VIEW_OWNER].seq)
            fail_msg("showing %s is not seen in public", name);
        snprintf(sql, sizeof sql, "UPDATE profiles SET %.*s = %s WHERE id = 'ann'",
                 SPAN_ARG(profile_field_table[i].name), values[0]);
        shell(f, sql);
        struct profile changed = got(f, "ann");
        if (changed.stamps[PROFILE_VIEW_PUBLIC].seq <= shown.stamps[PROFILE_VIEW_PUBLIC].seq)
            fail_msg("a public edit of %s is not seen in public", name);
    }
}

static void what_changes_nothing_raises_nothing(void **state)
{
    struct fixture *f = *state;
    struct profile p = made(f, "ann", "ann");
    struct profile before = p;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    assert_int_equal(store_profile_update(f->store, &p, false, &snapshot, &taken, &detail), OK);
    assert_int_equal(p.stamps[PROFILE_VIEW_OWNER].seq, before.stamps[PROFILE_VIEW_OWNER].seq);
    shell(f, "UPDATE profiles SET name = 'Ann' WHERE id = 'ann'");
    assert_int_equal(got(f, "ann").stamps[PROFILE_VIEW_OWNER].seq, before.stamps[PROFILE_VIEW_OWNER].seq);
}

static void an_update_decided_on_an_old_state_is_refused(void **state)
{
    struct fixture *f = *state;
    struct profile first = made(f, "ann", "ann");
    struct profile second = first;
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    first.values[PROFILE_FIELD_name] = SPAN("First");
    second.values[PROFILE_FIELD_name] = SPAN("Second");
    assert_int_equal(store_profile_update(f->store, &first, false, &snapshot, &taken, &detail), OK);
    assert_int_equal(store_profile_update(f->store, &second, false, &snapshot, &taken, &detail), ERR_CONFLICT);
    assert_int_equal(taken, STORE_TAKEN_NONE);
    assert_true(span_eq(got(f, "ann").values[PROFILE_FIELD_name], SPAN("First")));
    assert_int_equal(
        store_profile_delete(f->store, SPAN("ann"), second.stamps[PROFILE_VIEW_OWNER].seq, &detail),
        ERR_CONFLICT);
}

static void what_is_taken_is_named(void **state)
{
    struct fixture *f = *state;
    struct profile p = made(f, "ann", "ann");
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    made(f, "bob", "bob");
    assert_int_equal(store_profile_insert(f->store, &p, false, &snapshot, &taken, &detail), ERR_CONFLICT);
    assert_int_equal(taken, STORE_TAKEN_ID); /* its handle is taken too */
    p.id = SPAN("ann2");
    assert_int_equal(store_profile_insert(f->store, &p, false, &snapshot, &taken, &detail), ERR_CONFLICT);
    assert_int_equal(taken, STORE_TAKEN_HANDLE);
    p = got(f, "ann");
    p.handle = SPAN("bob");
    assert_int_equal(store_profile_update(f->store, &p, true, &snapshot, &taken, &detail), ERR_CONFLICT);
    assert_int_equal(taken, STORE_TAKEN_HANDLE);
    assert_true(span_eq(got(f, "ann").handle, SPAN("ann")));
}

static void a_deleted_id_is_dead_for_its_owner(void **state)
{
    struct fixture *f = *state;
    struct profile p = made(f, "ann", "ann");
    struct store_snapshot snapshot;
    struct err_detail detail = {0};
    enum store_taken taken;
    struct store_revocation revoked;
    assert_int_equal(store_revocation_get(f->store, SPAN("ann"), SPAN(""), &revoked, &snapshot, &detail), OK);
    assert_true(revoked.until_s == INT64_MIN && !revoked.token);
    assert_int_equal(store_profile_delete(f->store, SPAN("ann"), p.stamps[PROFILE_VIEW_OWNER].seq, &detail),
                     OK);
    assert_int_equal(store_revocation_get(f->store, SPAN("ann"), SPAN(""), &revoked, &snapshot, &detail), OK);
    assert_true(revoked.until_s > 1700000000 && !revoked.token);
    int64_t old_seq = p.stamps[PROFILE_VIEW_OWNER].seq;
    assert_int_equal(store_profile_insert(f->store, &p, false, &snapshot, &taken, &detail), ERR_DENIED);
    detail = (struct err_detail){0};
    assert_int_equal(store_profile_insert(f->store, &p, true, &snapshot, &taken, &detail), OK);
    assert_true(p.stamps[PROFILE_VIEW_OWNER].seq > old_seq);
}

static void stamps_and_log_are_the_triggers_own(void **state)
{
    struct fixture *f = *state;
    made(f, "ann", "ann");
    shell_is_refused(f, "UPDATE profiles SET owner_seq = 0 WHERE id = 'ann'");
    shell_is_refused(f, "UPDATE profiles SET public_seq = 99 WHERE id = 'ann'");
    shell_is_refused(f, "DELETE FROM changes");
    shell_is_refused(f, "UPDATE changes SET seq = seq + 1");
    shell_is_refused(f, "UPDATE profiles SET handle = 'A b' WHERE id = 'ann'");
    shell_is_refused(f, "INSERT INTO profiles (id, handle) VALUES ('query', 'qq')");
    shell_is_refused(f, "INSERT INTO profiles (id, handle) VALUES ('a/b', 'ab')");
    /* stamps brought along by a stranger are put right */
    shell(f, "INSERT INTO profiles (id, handle, owner_seq, public_seq) VALUES ('bob', 'bob', 1, 1)");
    assert_true(got(f, "bob").stamps[PROFILE_VIEW_OWNER].seq > got(f, "ann").stamps[PROFILE_VIEW_OWNER].seq);
}

static void rows_pushed_out_by_a_replace_are_gone_in_the_log(void **state)
{
    struct fixture *f = *state;
    made(f, "ann", "ann");
    made(f, "bob", "bob");
    shell(f, "INSERT OR REPLACE INTO profiles (id, handle) VALUES ('cat', 'bob')");
    assert_string_equal(
        ask(f, "SELECT count(*) FROM changes WHERE profile_id='bob' AND what='delete' AND old_handle IS NULL"),
        "1");
    assert_string_equal(ask(f, "SELECT count(*) FROM tombstones WHERE id='bob'"), "1");
    assert_string_equal(ask(f, "SELECT count(*) FROM revocations WHERE subject='bob'"), "1");
    shell(f, "UPDATE profiles SET id = 'dan' WHERE id = 'ann'");
    assert_string_equal(ask(f, "SELECT count(*) FROM changes WHERE profile_id='ann' AND what='delete'"), "1");
    assert_string_equal(ask(f, "SELECT count(*) FROM changes WHERE profile_id='dan' AND what='create'"), "1");
}

static void a_backup_has_no_epoch_and_its_opener_draws_one(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    struct store_facts here, there;
    struct store *copy = NULL;
    char path[96], url[110];
    made(f, "ann", "ann");
    snprintf(path, sizeof path, "%s/copy.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    assert_int_equal(store_backup(f->store, path, false, NULL, NULL, &detail), OK);
    assert_int_equal(store_backup(f->store, path, false, NULL, NULL, &detail), ERR_CONFLICT);
    detail = (struct err_detail){0};
    assert_int_equal(store_open(url, &options, &copy, &detail), OK);
    assert_int_equal(store_inspect(f->store, &here, &detail), OK);
    assert_int_equal(store_inspect(copy, &there, &detail), OK);
    store_close(&copy);
    assert_int_equal(there.profiles, 1);
    assert_string_equal(there.integrity, "ok");
    assert_true(strlen(there.epoch) > 0);
    assert_string_not_equal(here.epoch, there.epoch);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;
    struct err_detail detail = {0};
    char url[110];
    assert_int_equal(store_open("postgres://x", &options, &s, &detail), ERR_INVALID);
    assert_null(s);
    snprintf(url, sizeof url, "sqlite:%s/none.db", f->folder);
    detail = (struct err_detail){0};
    assert_int_equal(store_open(url, &options, &s, &detail), ERR_NOT_FOUND);
    assert_non_null(strstr(detail.text, "db migrate"));
    shell(f, "INSERT INTO migrations VALUES (99, 'later', 0)");
    detail = (struct err_detail){0};
    assert_int_equal(store_open(f->url, &options, &s, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "newer"));
    int applied = 0;
    detail = (struct err_detail){0};
    assert_int_equal(store_migrate(f->url, &options, &applied, &detail), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_schema_is_the_table_of_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(each_bit_hides_its_field, setup, teardown),
        cmocka_unit_test_setup_teardown(what_changes_nothing_raises_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_update_decided_on_an_old_state_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_taken_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_id_is_dead_for_its_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(stamps_and_log_are_the_triggers_own, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_pushed_out_by_a_replace_are_gone_in_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_has_no_epoch_and_its_opener_draws_one, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_says_why, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
