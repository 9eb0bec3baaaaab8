/* Tokens that were revoked: all of a subject's, single ones; what the log and the list say of them. */
#include "support_store.h"

#include "store/watch.h"

#define NAME_A "0123456789abcdefghijABCDEFGHIJ-A"
#define NAME_B "0123456789abcdefghijABCDEFGHIJ-B"

static struct store_revocation get(struct support_store *s, const char *subject, const char *token)
{
    struct store_revocation r;
    struct store_snapshot snapshot;
    ASSERT_OK(store_revocation_get(s->store, span_str(subject), span_str(token), &r, &snapshot, detail));
    assert_true(snapshot.identity != 0);
    return r;
}

static void test_a_subject_without_a_profile(void **state)
{
    struct support_store *s = *state;
    assert_true(get(s, "ann", NAME_A).until_s == INT64_MIN);
    ASSERT_OK(store_revoke_subject(s->store, SPAN("ann"), 50, detail));
    ASSERT_OK(store_revoke_subject(s->store, SPAN("ann"), 40, detail)); /* never goes back */
    assert_int_equal(get(s, "ann", NAME_A).until_s, 50);
    assert_false(get(s, "ann", NAME_A).token);
    assert_true(get(s, "anna", NAME_A).until_s == INT64_MIN);
    ASSERT_OK(store_revoke_subject(s->store, SPAN("ann"), 60, detail));
    support_expect(s, "SELECT profile_id,what,at,token FROM changes ORDER BY seq",
                   "ann|revoke|50000|;ann|revoke|60000|");
}

static void test_a_single_token(void **state)
{
    struct support_store *s = *state;
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(NAME_A), 1000, detail));
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(NAME_A), 2000, detail)); /* is revoked already */
    assert_true(get(s, "ann", NAME_A).token);
    assert_true(get(s, "ann", NAME_A).until_s == INT64_MIN);
    assert_false(get(s, "ann", NAME_B).token);
    assert_false(get(s, "ann", "").token);
    support_expect(s, "SELECT profile_id,what,token,token_until_s FROM changes",
                   "ann|revoke|" NAME_A "|1000");
    support_expect(s, "SELECT at/1000 BETWEEN unixepoch()-5 AND unixepoch() FROM changes", "1");
}

static void test_what_is_no_name(void **state)
{
    struct support_store *s = *state;
    static const char *const bad[] = {"", "a", NAME_A "x", "0123456789abcdefghijABCDEFGHIJ-.",
                                      "0123456789abcdefghijABCDEFGHIJ- "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(store_revoke_token(s->store, SPAN("ann"), span_str(bad[i]), 1000, NULL), OK);
    support_expect(s, "SELECT count(*) FROM revoked_tokens", "0");
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(NAME_A), 1000, detail)); /* it works still */
}

struct list {
    struct buf text;
    int most;
    char last[64];
};

static bool add(void *data, struct span subject, int64_t until_s)
{
    struct list *l = data;
    if (l->most-- == 0)
        return false;
    buf_printf(&l->text, "%.*s=%lld ", SPAN_ARG(subject), (long long)until_s);
    snprintf(l->last, sizeof l->last, "%.*s", SPAN_ARG(subject));
    return true;
}

/* The list in pieces of so many, each read on from the last of the one before. */
static void expect_list(struct support_store *s, int piece, int64_t over_s, const char *expected)
{
    struct list l = {0};
    struct store_snapshot snapshot;
    size_t before;
    do {
        before = l.text.len;
        l.most = piece;
        struct span after = before == 0 ? (struct span){NULL, 0} : span_str(l.last);
        ASSERT_OK(store_revocations_read(s->store, after, over_s, add, &l, &snapshot, detail));
    } while (l.text.len > before);
    assert_string_equal(buf_text(&l.text), expected);
    buf_fini(&l.text);
}

static void test_the_list_in_pieces(void **state)
{
    struct support_store *s = *state;
    ASSERT_OK(store_revoke_subject(s->store, SPAN("0"), 50, detail));
    ASSERT_OK(store_revoke_token(s->store, SPAN("b"), SPAN(NAME_B), 1000, detail));
    ASSERT_OK(store_revoke_subject(s->store, SPAN("z"), 70, detail));
    ASSERT_OK(store_revoke_token(s->store, SPAN("0"), SPAN(NAME_A), 60, detail));
    for (int piece = 1; piece < 6; piece++) {
        expect_list(s, piece, INT64_MIN, "0=50 z=70 @" NAME_A "=60 @" NAME_B "=1000 ");
        expect_list(s, piece, 50, "z=70 @" NAME_A "=60 @" NAME_B "=1000 ");
        expect_list(s, piece, 70, "@" NAME_B "=1000 ");
        expect_list(s, piece, 1000, "");
    }
}

static void seen(void *data, const struct store_change *change)
{
    struct buf *out = data;
    buf_printf(out, "%.*s %.*s %lld;", SPAN_ARG(change->profile_id), SPAN_ARG(change->token),
               (long long)(change->token.ptr == NULL ? change->at_ms : change->token_until_s));
}

static void test_the_log_tells_them_apart(void **state)
{
    struct support_store *s = *state;
    struct buf text = {0};
    struct store_snapshot snapshot;
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(NAME_A), 1000, detail));
    ASSERT_OK(store_revoke_subject(s->store, SPAN("ann"), 50, detail));
    ASSERT_OK(store_changes_read(s->store, 0, 10, seen, &text, &snapshot, detail));
    assert_string_equal(buf_text(&text), "ann " NAME_A " 1000;ann  50000;");
    buf_fini(&text);
}

static void test_who_departs_is_forgotten_and_the_token_stays_dead(void **state)
{
    struct support_store *s = *state;
    struct profile p = support_profile("ann", "ann");
    assert_int_equal(support_insert(s, &p), OK);
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(NAME_A), 1000, detail));
    ASSERT_OK(store_revoke_token(s->store, SPAN("bob"), SPAN(NAME_B), 1000, detail));
    support_sql(s, "DELETE FROM profiles");
    support_expect(s, "SELECT name,subject FROM revoked_tokens ORDER BY name", NAME_A "|;" NAME_B "|bob");
    assert_true(get(s, "ann", NAME_A).token);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, support_set_up, support_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_subject_without_a_profile),
        TEST(test_a_single_token),
        TEST(test_what_is_no_name),
        TEST(test_the_list_in_pieces),
        TEST(test_the_log_tells_them_apart),
        TEST(test_who_departs_is_forgotten_and_the_token_stays_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
