/* Several profiles by one statement: each where it was asked for, those that are not there, one snapshot. */
#include "store/handle.h"
#include "support_store.h"

enum { MANY = 100 };

static void each_where_it_was_asked_for(void **state)
{
    struct support_store *s = *state;
    char names[MANY][24], handles[MANY][24];
    struct span ids[MANY];
    struct profile out[MANY];
    bool found[MANY];
    struct store_snapshot snapshot, one;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "id|%d~:@+-._", i);
        snprintf(handles[i], sizeof handles[i], "h_%d", i);
        struct profile p = support_profile(names[i], handles[i]);
        p.values[PROFILE_FIELD_name] = span_str(names[i]);
        if (i == 3)
            p.state = PROFILE_SUSPENDED;
        if (i % 10 != 7)
            ASSERT_OK(support_insert(s, &p));
        ids[(i * 37) % MANY] = span_str(names[i]);
    }
    ASSERT_OK(store_profiles_get_many(s->store, ids, MANY, &s->arena, out, found, &snapshot, detail));
    for (int i = 0; i < MANY; i++) {
        int at = (i * 37) % MANY;
        assert_int_equal(found[at], i % 10 != 7);
        if (!found[at])
            continue;
        struct profile single;
        ASSERT_OK(store_profile_get(s->store, ids[at], &s->arena, &single, &one, detail));
        assert_true(span_eq(out[at].id, ids[at]) && span_eq(out[at].handle, span_str(handles[i])));
        assert_true(span_eq(out[at].values[PROFILE_FIELD_name], ids[at]));
        assert_int_equal(out[at].state, i == 3 ? PROFILE_SUSPENDED : PROFILE_ACTIVE);
        for (int view = 0; view < PROFILE_VIEW_COUNT; view++) {
            assert_int_equal(out[at].stamps[view].seq, single.stamps[view].seq);
            assert_int_equal(out[at].stamps[view].at_ms, single.stamps[view].at_ms);
        }
        assert_int_equal(out[at].place, single.place);
    }
    assert_int_equal(snapshot.seq, one.seq);
    assert_int_equal(snapshot.identity, one.identity);
    assert_string_equal(snapshot.epoch, one.epoch);
}

static void one_and_none(void **state)
{
    struct support_store *s = *state;
    struct profile p = support_profile("ann", "ann"), out[3];
    struct store_snapshot snapshot;
    bool found[3];
    const struct span nobody[] = {SPAN("x"), SPAN("y"), SPAN("ANN")},
                      ann[] = {SPAN("ann"), SPAN("ann"), SPAN("123")};
    ASSERT_OK(store_profiles_get_many(s->store, nobody, 3, &s->arena, out, found, &snapshot, detail));
    assert_false(found[0] || found[1] || found[2]);
    assert_int_equal(snapshot.seq, 0);
    assert_int_not_equal(snapshot.identity, 0);
    ASSERT_OK(support_insert(s, &p));
    /* twice the same is twice the same; a number is a text */
    ASSERT_OK(store_profiles_get_many(s->store, ann, 3, &s->arena, out, found, &snapshot, detail));
    assert_true(found[0] && found[1] && !found[2]);
    assert_true(span_eq(out[0].id, ann[0]) && span_eq(out[1].id, ann[0]));
    assert_int_equal(snapshot.seq, 1);
    struct profile number = support_profile("123", "n_123");
    ASSERT_OK(support_insert(s, &number));
    ASSERT_OK(store_profiles_get_many(s->store, ann + 2, 1, &s->arena, out, found, &snapshot, detail));
    assert_true(found[0] && span_eq(out[0].id, SPAN("123")));
}

/* No table is gone through: a batch costs what its rows cost, however many others there are. */
static void the_index_is_used(void **state)
{
    struct support_store *s = *state;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    struct buf sql = {0};
    int searches = 0;
    const char *text = store_statement_text(STORE_GET_MANY);
    assert_int_equal(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    buf_printf(&sql, "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(db, buf_text(&sql), -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        assert_null(strstr(step, "SCAN profiles"));
        searches += strstr(step, "SEARCH profiles USING INDEX") != NULL;
    }
    assert_int_equal(searches, 1);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    buf_fini(&sql);
}

static void a_database_that_is_gone(void **state)
{
    struct support_store *s = *state;
    const struct span ids[] = {SPAN("a"), SPAN("b")};
    struct profile out[2];
    bool found[2];
    struct store_snapshot snapshot;
    struct err_detail why = {0};
    char away[128];
    snprintf(away, sizeof away, "%s.away", s->path);
    assert_int_equal(rename(s->path, away), 0);
    assert_int_not_equal(store_profiles_get_many(s->store, ids, 2, &s->arena, out, found, &snapshot, &why),
                         OK);
    assert_int_equal(snapshot.identity, 0);
    assert_int_equal(rename(away, s->path), 0);
    ASSERT_OK(store_profiles_get_many(s->store, ids, 2, &s->arena, out, found, &snapshot, detail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_where_it_was_asked_for, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(one_and_none, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(the_index_is_used, support_set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(a_database_that_is_gone, support_set_up, support_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
