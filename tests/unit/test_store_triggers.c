/* The triggers, under everything that a hand at the sqlite3 shell can do: what they log, stamp and refuse. */
#include "support_store.h"

/* The change log from the third entry on (two profiles are there), without the times. */
static const char log_query[] = "SELECT seq,profile_id,what,handle,old_handle FROM changes WHERE seq > 2";
static const char two_profiles[] = "INSERT INTO profiles (id, handle, name, email) VALUES "
                                   "('a', 'aa', 'Ann', 'a@x'), ('b', 'bb', 'Bob', NULL)";

static int set_up(void **state)
{
    if (support_set_up(state) != 0)
        return 1;
    support_sql(*state, two_profiles);
    return 0;
}

static void test_log(void **state)
{
    static const struct {
        const char *sql, *log, *what;
    } rows[] = {
        {"UPDATE profiles SET bio = 'x' WHERE id = 'a'", "3|a|update||", "a public field"},
        {"UPDATE profiles SET email = 'b@x' WHERE id = 'a'", "3|a|private||", "a private field"},
        {"UPDATE profiles SET email = 'b@x', bio = 'x' WHERE id = 'a'", "3|a|update||", "both"},
        {"UPDATE profiles SET email = email, name = 'Ann' WHERE id = 'a'", "", "nothing new"},
        {"UPDATE profiles SET private = private | 1 WHERE id = 'a'", "3|a|update||", "a value is hidden"},
        {"UPDATE profiles SET private = private & ~1024 WHERE id = 'b'", "3|b|private||",
         "an absent field is shown"},
        {"UPDATE profiles SET bio = 'x', private = private | 32 WHERE id = 'a'", "3|a|private||",
         "set and hidden at once"},
        {"UPDATE profiles SET handle = 'cc' WHERE id = 'a'", "3|a|update|cc|aa", "another handle"},
        {"UPDATE profiles SET handle = 'aa' WHERE id = 'a'", "", "the same handle"},
        {"UPDATE profiles SET created_at = 1 WHERE id = 'a'", "3|a|update||", "a time that is shown"},
        {"UPDATE profiles SET state = 'suspended' WHERE id = 'a'", "3|a|suspend||;4|a|revoke||",
         "suspension revokes"},
        {"UPDATE profiles SET state = 'suspended', handle = 'cc', email = 'q' WHERE id = 'a'",
         "3|a|suspend|cc|aa;4|a|revoke||", "suspension and more"},
        {"UPDATE profiles SET bio = 'x'", "3|a|update||;4|b|update||", "several rows"},
        {"UPDATE profiles SET n = 70 WHERE id = 'a'", "", "another row number"},
        {"DELETE FROM profiles WHERE id = 'a'", "3|a|delete||;4|a|revoke||", "deletion"},
        {"UPDATE profiles SET handle = 'ab' WHERE id = 'a'; DELETE FROM profiles WHERE id = 'a'",
         "3|a|update||;4|a|delete||;5|a|revoke||", "renamed, then deleted: no entry tells a handle"},
        {"DELETE FROM profiles", "3|a|delete||;4|a|revoke||;5|b|delete||;6|b|revoke||", "of all"},
        {"INSERT INTO profiles (id, handle, state) VALUES ('c', 'cc', 'suspended')",
         "3|c|create|cc|;4|c|revoke||", "born suspended"},
        {"UPDATE profiles SET id = 'c' WHERE id = 'a'", "3|a|delete||;4|a|revoke||;5|c|create|aa|",
         "another id"},
        {"REPLACE INTO profiles (id, handle) VALUES ('a', 'aa')", "3|a|create|aa|", "replaced by itself"},
        {"REPLACE INTO profiles (id, handle) VALUES ('a', 'cc')", "3|a|update||aa;4|a|create|cc|",
         "replaced under another handle"},
        {"REPLACE INTO profiles (id, handle) VALUES ('c', 'aa')",
         "3|a|delete||;4|a|revoke||;5|c|create|aa|", "pushed out by its handle"},
        {"REPLACE INTO profiles (id, handle) VALUES ('a', 'bb')",
         "3|a|update||aa;4|b|delete||;5|b|revoke||;6|a|create|bb|", "pushed out by id and by handle"},
        {"REPLACE INTO profiles (n, id, handle) SELECT n, 'c', 'cc' FROM profiles WHERE id = 'a'",
         "3|a|delete||;4|a|revoke||;5|c|create|cc|", "pushed out by its row number"},
        {"UPDATE OR REPLACE profiles SET handle = 'bb' WHERE id = 'a'",
         "3|b|delete||;4|b|revoke||;5|a|update|bb|aa", "pushed out by an update"},
        {"UPDATE OR REPLACE profiles SET id = 'b' WHERE id = 'a'",
         "3|b|update||bb;4|a|delete||;5|a|revoke||;6|b|create|aa|", "an id taken over"},
        {"INSERT OR IGNORE INTO profiles (id, handle) VALUES ('a', 'zz')", "", "ignored"},
        {"INSERT OR IGNORE INTO profiles (id, handle) VALUES ('a', 'zz'); DELETE FROM profiles WHERE id = "
         "'a'",
         "3|a|delete||;4|a|revoke||", "ignored, then deleted: once"},
        {"INSERT INTO profiles (id, handle) VALUES ('a', 'zz') ON CONFLICT (id) DO UPDATE SET bio = 'x';"
         "INSERT INTO profiles (id, handle) VALUES ('c', 'cc')",
         "3|a|update||;4|c|create|cc|", "an upsert"},
        {"UPDATE OR IGNORE profiles SET state = 'suspended' WHERE id = 'a'", "3|a|suspend||;4|a|revoke||",
         "the outer OR IGNORE does not weaken the triggers"},
        {"PRAGMA recursive_triggers = ON; REPLACE INTO profiles (id, handle) VALUES ('c', 'aa')",
         "3|a|delete||;4|a|revoke||;5|c|create|aa|", "recursive triggers tell it once"},
        {"PRAGMA recursive_triggers = ON; UPDATE profiles SET bio = 'x' WHERE id = 'a'", "3|a|update||",
         "nor does a stamp raise stamps"},
        {"BEGIN; UPDATE profiles SET bio = 'x'; ROLLBACK", "", "undone"},
        {"INSERT INTO revoke VALUES ('q', 100)", "3|q|revoke||", "revocation"},
        {"INSERT INTO revoke VALUES ('q', 100); INSERT INTO revoke VALUES ('q', 100), ('q', 90)",
         "3|q|revoke||", "revoked already"},
        {"INSERT INTO revoke VALUES ('q', 100); DELETE FROM revocations", "3|q|revoke||;4|q|revoke||",
         "tidied away"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *fresh = NULL;
        struct buf out = {0};
        assert_int_equal(set_up(&fresh), 0);
        support_sql(fresh, rows[i].sql);
        support_query(fresh, log_query, &out);
        if (strcmp(buf_text(&out), rows[i].log) != 0)
            fail_msg("%s: %s\n logged      %s\n in place of %s", rows[i].what, rows[i].sql, buf_text(&out),
                     rows[i].log);
        buf_fini(&out);
        /* a row's stamps are those of its last entry, and no two rows share one */
        support_expect(
            fresh,
            "SELECT count(*) FROM profiles p WHERE owner_seq <> (SELECT max(seq) FROM changes c "
            "WHERE c.profile_id = p.id AND what <> 'revoke' AND (what <> 'update' OR handle IS NOT "
            "NULL OR old_handle IS NULL)) OR public_seq > owner_seq OR public_seq = 0",
            "0");
        support_expect(fresh,
                       "SELECT count(*) FROM profiles p, changes c WHERE c.seq = p.owner_seq AND "
                       "(c.profile_id <> p.id OR c.at <> p.owner_updated_at)",
                       "0");
        /* what is gone has a tombstone, what is there has none */
        support_expect(fresh, "SELECT count(*) FROM tombstones t JOIN profiles USING (id)", "0");
        support_expect(
            fresh,
            "SELECT count(*) FROM changes c WHERE what = 'delete' AND profile_id NOT IN (SELECT id "
            "FROM profiles) AND NOT EXISTS (SELECT 1 FROM tombstones t, revocations r WHERE "
            "t.id = c.profile_id AND t.seq = c.seq AND r.subject = t.id)",
            "0");
        support_tear_down(&fresh);
    }
    (void)state;
}

static void test_refused(void **state)
{
    static const char *const statements[] = {
        "UPDATE profiles SET owner_seq = 1",
        "UPDATE profiles SET owner_seq = 99, bio = 'x'",
        "UPDATE profiles SET public_seq = 1 WHERE id = 'b'",
        "UPDATE profiles SET public_updated_at = 5",
        "DELETE FROM changes",
        "DELETE FROM changes WHERE seq = (SELECT max(seq) FROM changes)",
        "UPDATE changes SET what = 'update'",
        "UPDATE changes SET handle = NULL, old_handle = NULL WHERE profile_id = 'a'",
        "UPDATE changes SET seq = 77 WHERE seq = 1",
        "INSERT INTO changes (profile_id, what, at) VALUES ('a', 'other', 1)",
        "INSERT INTO changes (seq, profile_id, what, at) VALUES (9223372036854775807, 'a', 'update', 1)",
        "INSERT INTO changes (seq, profile_id, what, at) VALUES (0, 'a', 'update', 1)",
        "INSERT INTO revoke VALUES ('a', 9); UPDATE revocations SET until_s = 8",
        "INSERT INTO revoke VALUES ('a', 9); UPDATE revocations SET subject = 'b'",
        "INSERT INTO profiles (id, handle) VALUES ('c', 'aa')",
        "INSERT INTO profiles (id, handle) VALUES ('a', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('@c', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('..', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('query', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('a b', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('a/b', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('ä', 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('a' || char(10), 'cc')",
        "INSERT INTO profiles (id, handle) VALUES (printf('%.129c', 'x'), 'cc')",
        "INSERT INTO profiles (id, handle) VALUES ('c', 'c')",
        "INSERT INTO profiles (id, handle) VALUES ('c', 'Cc')",
        "INSERT INTO profiles (id, handle) VALUES ('c', 'c-c')",
        "INSERT INTO profiles (id, handle) VALUES ('c', 'é1')",
        "INSERT INTO profiles (id, handle) VALUES ('c', printf('%.31c', 'x'))",
        "INSERT INTO profiles (id) VALUES ('c')",
        "UPDATE profiles SET handle = 'BB' WHERE id = 'a'",
        "UPDATE profiles SET state = 'gone'",
        "UPDATE profiles SET private = -1",
        "UPDATE profiles SET private = 65536",
        "UPDATE profiles SET email_verified = 2",
        "UPDATE profiles SET email_verified = 'true'",
        "UPDATE profiles SET address = 'Main Street 1'",
        "UPDATE profiles SET attributes = '[1]'",
        "UPDATE profiles SET name = x'414243'",
        "INSERT INTO meta VALUES (2, 'a')",
        "UPDATE meta SET epoch = 'EPOCH'",
        "UPDATE meta SET epoch = '0123456789abcdef0'",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (support_sql_code(*state, statements[i]) != SQLITE_CONSTRAINT)
            fail_msg("not refused: %s", statements[i]);
    }
    support_expect(*state, "SELECT seq,profile_id,what FROM changes WHERE what <> 'revoke'",
                   "1|a|create;2|b|create");
}

static void test_every_character_of_an_id(void **state)
{
    for (int c = 1; c < 128; c++) {
        char sql[96];
        bool valid = profile_id_valid(span_of((char[]){'x', (char)c}, 2));
        snprintf(sql, sizeof sql, "INSERT INTO profiles (id, handle) VALUES ('x' || char(%d), 'h_' || %d)", c,
                 c);
        if ((support_sql_code(*state, sql) == SQLITE_OK) != valid)
            fail_msg("the program and the table differ about character %d", c);
    }
}

/* A number and a time never come back, whatever a writer says. */
static void test_stamps_brought_along(void **state)
{
    static const char *const rows[] = {
        "INSERT INTO profiles (id, handle, owner_seq, public_seq) VALUES ('c', 'cc', 1, 1)",
        "INSERT INTO profiles (id, handle, owner_seq, public_seq) VALUES ('c', 'cc', 3, 1)",
        "INSERT INTO profiles (id, handle, public_seq, public_updated_at) VALUES ('c', 'cc', 99, 5)",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        support_sql(*state, rows[i]);
        support_expect(*state,
                       "SELECT owner_seq = m, public_seq = m, owner_updated_at = public_updated_at FROM "
                       "profiles, (SELECT max(seq) m FROM changes) WHERE id = 'c'",
                       "1|1|1");
        support_sql(*state, "UPDATE profiles SET owner_seq = owner_seq WHERE id = 'c'");
        support_sql(*state, "DELETE FROM profiles WHERE id = 'c'");
    }
    /* made anew with a clock that went back: no older than its deletion */
    support_sql(*state, "UPDATE tombstones SET deleted_at = 9999999999999;"
                        "INSERT INTO profiles (id, handle) VALUES ('c', 'cc')");
    support_expect(*state, "SELECT owner_updated_at, public_updated_at FROM profiles WHERE id = 'c'",
                   "9999999999999|9999999999999");
    support_sql(*state, "UPDATE profiles SET bio = 'x' WHERE id = 'c'");
    support_expect(*state, "SELECT owner_updated_at, public_updated_at FROM profiles WHERE id = 'c'",
                   "9999999999999|9999999999999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),
        cmocka_unit_test_setup_teardown(test_refused, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_every_character_of_an_id, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_stamps_brought_along, set_up, support_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
