/* Answers that are given again: kept with the change or not at all, for a day, and no longer than their profile. */
#include "support_store.h"

#include "store/answers.h"

#define NOW INT64_C(1800000000000)
#define TOKEN "0123456789abcdefghijABCDEFGHIJ-A"

static const struct store_answer_key key = {SPAN_INIT("admin"), SPAN_INIT("/v1/profiles"), SPAN_INIT("k")};

static enum err get(struct support_store *s, const struct store_answer_key *k, int64_t now_ms, struct store_answer *out)
{
    return store_answer_get(s->store, k, now_ms, &s->arena, out, NULL);
}

static void put(struct support_store *s, const struct store_answer_key *k, const char *about, int64_t now_ms, bool commit)
{
    static const struct store_answer answer = {SPAN_INIT("\0hash\xff"), 201, SPAN_INIT("Location: /x\r\n"), SPAN_INIT("{\"a\":1}")};
    ASSERT_OK(store_batch_begin(s->store, detail));
    ASSERT_OK(store_answer_put(s->store, k, &answer, span_str(about), now_ms, detail));
    ASSERT_OK(store_batch_end(s->store, commit, detail));
}

static void test_as_it_was(void **state)
{
    struct support_store *s = *state;
    struct store_answer out;
    assert_int_equal(get(s, &key, NOW, &out), ERR_NOT_FOUND);
    put(s, &key, "ann", NOW, false);
    assert_int_equal(get(s, &key, NOW, &out), ERR_NOT_FOUND); /* rolled back */
    put(s, &key, "ann", NOW, true);
    assert_int_equal(get(s, &key, NOW, &out), OK);
    assert_true(span_eq(out.request, SPAN("\0hash\xff")));
    assert_int_equal(out.status, 201);
    assert_true(span_eq(out.head, SPAN("Location: /x\r\n")) && span_eq(out.body, SPAN("{\"a\":1}")));
}

static void test_nobody_elses(void **state)
{
    struct support_store *s = *state;
    const struct store_answer_key others[] = {
        {SPAN("admin2"), key.target, key.key}, {key.subject, SPAN("/v1/profile"), key.key},
        {key.subject, key.target, SPAN("K")},  {key.subject, key.target, SPAN("k ")},
        {SPAN("admin/v1"), SPAN("/profiles"), key.key}};
    struct store_answer out;
    put(s, &key, NULL, NOW, true);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(get(s, &others[i], NOW, &out), ERR_NOT_FOUND);
}

static void test_for_a_day(void **state)
{
    struct support_store *s = *state;
    struct store_answer out;
    bool more;
    put(s, &key, "ann", NOW, true);
    ASSERT_OK(store_prune(s->store, NOW + STORE_ANSWER_LIFE_MS - 1, &more, detail));
    assert_int_equal(get(s, &key, NOW + STORE_ANSWER_LIFE_MS - 1, &out), OK);
    assert_int_equal(get(s, &key, NOW + STORE_ANSWER_LIFE_MS, &out), ERR_NOT_FOUND);
    put(s, &key, "ann", NOW + STORE_ANSWER_LIFE_MS, true); /* in the old one's place */
    assert_int_equal(get(s, &key, NOW + STORE_ANSWER_LIFE_MS, &out), OK);
    ASSERT_OK(store_prune(s->store, NOW + 2 * STORE_ANSWER_LIFE_MS, &more, detail));
    assert_false(more);
    support_expect(s, "SELECT count(*) FROM answers", "0");
}

static void test_pruned_a_piece_at_a_time(void **state)
{
    struct support_store *s = *state;
    bool more;
    support_sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<600)"
                   "INSERT INTO answers SELECT 'a','t',i,i,x'00',201,'','',NULL FROM n;"
                   "INSERT INTO answers VALUES ('a','t','new',1800000000000,x'00',201,'','',NULL)");
    ASSERT_OK(store_revoke_token(s->store, SPAN("ann"), SPAN(TOKEN), NOW / 1000 - 599, detail));
    for (int left = 601 - 256; left > 1; left = left > 256 ? left - 256 : 1) {
        ASSERT_OK(store_prune(s->store, NOW, &more, detail));
        assert_true(more);
        char text[16];
        snprintf(text, sizeof text, "%d", left);
        support_expect(s, "SELECT count(*) FROM answers", text);
    }
    ASSERT_OK(store_prune(s->store, NOW, &more, detail));
    assert_false(more);
    support_expect(s, "SELECT key FROM answers", "new");
    support_expect(s, "SELECT count(*) FROM revoked_tokens", "1"); /* the longest leeway is not over */
    ASSERT_OK(store_prune(s->store, NOW + 1000, &more, detail));
    support_expect(s, "SELECT count(*) FROM revoked_tokens", "0");
}

static void test_gone_with_the_profile(void **state)
{
    struct support_store *s = *state;
    const struct store_answer_key by_ann = {SPAN("ann"), key.target, key.key}, on_bob = {key.subject, key.target, SPAN("b")};
    struct profile ann = support_profile("ann", "ann"), bob = support_profile("bob", "bob");
    struct store_answer out;
    assert_int_equal(support_insert(s, &ann), OK);
    assert_int_equal(support_insert(s, &bob), OK);
    put(s, &key, "ann", NOW, true);
    put(s, &by_ann, NULL, NOW, true);
    put(s, &on_bob, "bob", NOW, true);
    support_sql(s, "DELETE FROM profiles WHERE id='ann'");
    assert_int_equal(get(s, &key, NOW, &out), ERR_NOT_FOUND);
    assert_int_equal(get(s, &by_ann, NOW, &out), ERR_NOT_FOUND);
    assert_int_equal(get(s, &on_bob, NOW, &out), OK);
    support_sql(s, "INSERT OR REPLACE INTO profiles (id,handle) VALUES ('carl','bob')"); /* pushes bob out */
    assert_int_equal(get(s, &on_bob, NOW, &out), ERR_NOT_FOUND);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, support_set_up, support_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_as_it_was),  TEST(test_nobody_elses),
        TEST(test_for_a_day),  TEST(test_pruned_a_piece_at_a_time),
        TEST(test_gone_with_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
