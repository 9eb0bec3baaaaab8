/* What a purge says of a change: the keys, the revocations, and that a batch is full before a header is too
 * long. */
#include "edge/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct edge_batch batch;

static int tear_down(void **state)
{
    (void)state;
    edge_batch_fini(&batch);
    return 0;
}

static struct store_change change(enum store_change_kind kind, const char *id, const char *handle,
                                  const char *old)
{
    return (struct store_change){.seq = 1,
                                 .kind = kind,
                                 .profile_id = span_str(id),
                                 .handle = span_str(handle),
                                 .old_handle = span_str(old),
                                 .at_ms = 1790000000999};
}

struct row {
    const char *what;
    enum store_change_kind kind;
    const char *id, *handle, *old;
    const char *keys, *revoked;
};

static const struct row rows[] = {
    {"create", STORE_CHANGE_CREATE, "ann", "ann_a", NULL, "profile/ann handle/ann_a", ""},
    {"update", STORE_CHANGE_UPDATE, "ann", NULL, NULL, "profile/ann", ""},
    {"rename", STORE_CHANGE_UPDATE, "ann", "new", "old", "profile/ann handle/new handle/old", ""},
    {"private", STORE_CHANGE_PRIVATE, "ann", NULL, NULL, "", ""},
    {"suspend", STORE_CHANGE_SUSPEND, "ann", NULL, NULL, "profile/ann", ""},
    {"resume", STORE_CHANGE_RESUME, "ann", NULL, NULL, "profile/ann", ""},
    {"delete", STORE_CHANGE_DELETE, "ann", NULL, "ann_a", "profile/ann handle/ann_a", ""},
    {"revoke", STORE_CHANGE_REVOKE, "ann", NULL, NULL, "", "ann=1790000000"},
    {"avatar", STORE_CHANGE_AVATAR, "0af9", NULL, NULL, "avatar/0af9", ""},
    {"every character of an id", STORE_CHANGE_UPDATE, "aZ0._~:|@+-", NULL, NULL, "profile/aZ0._~:|@+-", ""},
    {"and of a subject", STORE_CHANGE_REVOKE, "a|b=c d,%\r\n\xc3\xa9", NULL, NULL, "",
     "a%7Cb%3Dc%20d%2C%25%0D%0A%C3%A9=1790000000"},
    /* what was put there by hand and can be no id: never answered with, and must not end the line */
    {"a line", STORE_CHANGE_UPDATE, "a\r\nX: y", NULL, NULL, "", ""},
    {"a blank", STORE_CHANGE_UPDATE, "a b", "c", NULL, "handle/c", ""},
    {"a comma", STORE_CHANGE_UPDATE, "a,b", NULL, NULL, "", ""},
    {"beyond ASCII", STORE_CHANGE_UPDATE, "\xc3\xa9", NULL, NULL, "", ""},
    {"nothing", STORE_CHANGE_UPDATE, "", "", "", "", ""},
};

static void test_what_each_kind_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct store_change c = change(r->kind, r->id, r->handle, r->old);
        edge_batch_clear(&batch);
        assert_true(edge_batch_take(&batch, &c));
        if (strcmp(buf_text(&batch.keys), r->keys) != 0 || strcmp(buf_text(&batch.revoked), r->revoked) != 0)
            fail_msg("%s: \"%s\", \"%s\"", r->what, buf_text(&batch.keys), buf_text(&batch.revoked));
        assert_int_equal(edge_batch_is_empty(&batch), r->keys[0] == '\0' && r->revoked[0] == '\0');
        assert_int_equal(batch.changes, 1);
        assert_int_equal(edge_batch_status(&batch), OK);
    }
}

static void test_a_single_token(void **state)
{
    (void)state;
    struct store_change all = change(STORE_CHANGE_REVOKE, "ann", NULL, NULL), one = all, odd = all;
    char longer[100];
    one.token = SPAN("0123456789abcdefghijABCDEFGHIJ-_");
    one.token_until_s = 1790003600;
    memset(longer, 'a', sizeof longer);
    odd.token = span_of(longer, sizeof longer);
    edge_batch_clear(&batch);
    assert_true(edge_batch_take(&batch, &one) && edge_batch_take(&batch, &all) && edge_batch_take(&batch, &odd));
    /* its subject's others live on; what is no name is passed over */
    assert_string_equal(buf_text(&batch.revoked),
                        "@0123456789abcdefghijABCDEFGHIJ-_=1790003600 ann=1790000000");
    assert_string_equal(buf_text(&batch.keys), "");
    assert_int_equal(batch.first_ms, 0);
}

static void test_a_key_stands_there_once(void **state)
{
    (void)state;
    struct store_change a = change(STORE_CHANGE_UPDATE, "ann", NULL, NULL),
                        b = change(STORE_CHANGE_UPDATE, "anna", NULL, NULL),
                        c = change(STORE_CHANGE_UPDATE, "an", "ann", "x"),
                        d = change(STORE_CHANGE_UPDATE, "ann", "ann", "ann");
    edge_batch_clear(&batch);
    assert_true(edge_batch_take(&batch, &b) && edge_batch_take(&batch, &a) && edge_batch_take(&batch, &a) &&
                edge_batch_take(&batch, &c) && edge_batch_take(&batch, &d));
    assert_string_equal(buf_text(&batch.keys), "profile/anna profile/ann profile/an handle/ann handle/x");
    assert_int_equal(batch.changes, 5);
}

static void test_times(void **state)
{
    (void)state;
    struct store_change private = change(STORE_CHANGE_PRIVATE, "a", NULL, NULL),
                        first = change(STORE_CHANGE_UPDATE, "a", NULL, NULL),
                        second = change(STORE_CHANGE_UPDATE, "b", NULL, NULL),
                        revoke = change(STORE_CHANGE_REVOKE, "b", NULL, NULL);
    private.at_ms = 1;
    first.at_ms = 5;
    second.at_ms = 9;
    edge_batch_clear(&batch);
    assert_true(edge_batch_take(&batch, &private) && edge_batch_take(&batch, &first) &&
                edge_batch_take(&batch, &second));
    assert_int_equal(batch.first_ms, 5);
    edge_batch_clear(&batch);
    assert_int_equal(batch.first_ms, 0);
    assert_true(edge_batch_take(&batch, &revoke)); /* its time is not when it was made */
    assert_int_equal(batch.first_ms, 0);
}

static void test_it_is_full(void **state)
{
    (void)state;
    char id[129], before[EDGE_VALUE_MAX + 1];
    int taken = 0;
    edge_batch_clear(&batch);
    for (;; taken++) {
        snprintf(id, sizeof id, "%0128d", taken);
        struct store_change c = change(STORE_CHANGE_CREATE, id, "a_handle_of_the_longest_kind_30", NULL);
        snprintf(before, sizeof before, "%s", buf_text(&batch.keys));
        if (!edge_batch_take(&batch, &c))
            break;
        assert_true(batch.keys.len <= EDGE_VALUE_MAX);
    }
    assert_in_range(taken, 20, 40);
    assert_string_equal(buf_text(&batch.keys), before); /* nothing half of it */
    assert_int_equal(batch.changes, taken);
    /* what says nothing still has room, until there was enough to look at */
    struct store_change nothing = change(STORE_CHANGE_PRIVATE, "a", NULL, NULL);
    while (edge_batch_take(&batch, &nothing))
        taken++;
    assert_int_equal(taken, EDGE_CHANGES_MAX);
    edge_batch_clear(&batch);
    assert_true(edge_batch_is_empty(&batch) && batch.changes == 0);
    for (taken = 0;; taken++) {
        snprintf(id, sizeof id, "%0128d", taken);
        if (!edge_batch_revoke(&batch, span_str(id), 1790000000))
            break;
        assert_true(batch.revoked.len <= EDGE_VALUE_MAX);
    }
    assert_in_range(taken, 20, 40);
}

/* One that is longer than any value goes alone: left out, the follower would never come past it. */
static void test_one_that_is_too_long(void **state)
{
    (void)state;
    static char subject[5000];
    memset(subject, 'a', sizeof subject - 1);
    struct store_change c = change(STORE_CHANGE_REVOKE, subject, NULL, NULL);
    edge_batch_clear(&batch);
    assert_true(edge_batch_take(&batch, &c));
    assert_false(edge_batch_take(&batch, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_each_kind_says),
        cmocka_unit_test(test_a_key_stands_there_once),
        cmocka_unit_test(test_a_single_token),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_it_is_full),
        cmocka_unit_test(test_one_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
