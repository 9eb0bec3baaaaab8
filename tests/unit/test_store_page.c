/* The change log a piece at a time, the list of revocations, and the notice that somebody writes. */
#include "support_store.h"

#include "store/notice.h"
#include "store/watch.h"

#include <poll.h>

struct taken {
    int most, count; /* most: takes no more */
    int64_t seqs[32], at_ms[32];
    char ids[32][32];
};

static bool take(void *data, const struct store_change *change)
{
    struct taken *t = data;
    if (t->count == t->most)
        return false;
    t->seqs[t->count] = change->seq;
    t->at_ms[t->count] = change->at_ms;
    snprintf(t->ids[t->count++], 32, "%.*s", SPAN_ARG(change->profile_id));
    return true;
}

static bool take_revocation(void *data, struct span subject, int64_t until_s)
{
    struct taken *t = data;
    if (t->count == t->most)
        return false;
    t->seqs[t->count] = until_s;
    snprintf(t->ids[t->count++], 32, "%.*s", SPAN_ARG(subject));
    return true;
}

static void fill(struct support_store *s, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char id[8];
        snprintf(id, sizeof id, "id%d", i);
        struct profile p = support_profile(id, id);
        assert_int_equal(support_insert(s, &p), OK);
    }
}

static void test_pages(void **state)
{
    struct support_store *s = *state;
    struct store_page page, next, last;
    struct taken t = {.most = 4};
    fill(s, 1, 10);
    ASSERT_OK(store_changes_page(s->store, 0, take, &t, &page, detail));
    assert_int_equal(t.count, 4);
    assert_int_equal(page.upto, 4);
    assert_int_equal(page.snapshot.seq, 10);
    assert_string_equal(t.ids[0], "id1");
    assert_true(t.at_ms[0] > 1500000000000);
    /* what the place is known by again */
    t = (struct taken){.most = 4};
    ASSERT_OK(store_changes_page(s->store, 4, take, &t, &next, detail));
    assert_int_equal(t.seqs[0], 5);
    assert_int_equal(next.upto, 8);
    assert_true(next.snapshot.after_entry == page.upto_entry && page.upto_entry != 0);
    assert_true(next.snapshot.lineage == page.snapshot.lineage);
    t = (struct taken){.most = 4};
    ASSERT_OK(store_changes_page(s->store, 8, take, &t, &last, detail));
    assert_int_equal(last.upto, 10);
    assert_true(last.upto_entry == last.snapshot.entry && last.upto_entry != 0);
    t = (struct taken){.most = 4};
    ASSERT_OK(store_changes_page(s->store, 10, take, &t, &page, detail));
    assert_int_equal(t.count, 0);
    assert_int_equal(page.upto, 10);
    assert_true(page.upto_entry == last.upto_entry);
    /* none taken */
    t = (struct taken){.most = 0};
    ASSERT_OK(store_changes_page(s->store, 3, take, &t, &page, detail));
    assert_int_equal(page.upto, 3);
    /* the number says another thing than it did */
    support_sql(s, "DROP TRIGGER changes_update; UPDATE changes SET at = at + 1 WHERE seq = 4");
    ASSERT_OK(store_changes_page(s->store, 4, take, &t, &page, detail));
    assert_true(page.snapshot.after_entry != next.snapshot.after_entry);
}

static void test_how_pages_end(void **state)
{
    struct support_store *s = *state;
    struct store_page page;
    struct taken t = {.most = 32};
    fill(s, 1, 10);
    assert_int_equal(store_changes_page(s->store, 11, take, &t, &page, NULL), ERR_CONFLICT);
    assert_int_equal(page.snapshot.seq, 10);
    /* a hole, in a page that does not come to the end as well */
    support_sql(s, "DELETE FROM changes WHERE seq = 5");
    assert_int_equal(store_changes_page(s->store, 0, take, &t, &page, NULL), ERR_TOO_LARGE);
    t = (struct taken){.most = 2};
    assert_int_equal(store_changes_page(s->store, 3, take, &t, &page, NULL), ERR_TOO_LARGE);
    t = (struct taken){.most = 2};
    ASSERT_OK(store_changes_page(s->store, 5, take, &t, &page, detail));
    assert_int_equal(page.snapshot.after_entry, 0);
    support_sql(s, "DELETE FROM changes WHERE seq < 10");
    t = (struct taken){.most = 1};
    assert_int_equal(store_changes_page(s->store, 5, take, &t, &page, NULL), ERR_TOO_LARGE);
}

static void test_revocations(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct store_page page;
    struct taken t = {.most = 32};
    ASSERT_OK(store_revocations_read(s->store, SPAN(""), INT64_MIN, take_revocation, &t, &snapshot, detail));
    assert_int_equal(t.count, 0);
    support_sql(s,
                "INSERT INTO revoke (subject, until_s) VALUES ('c', 30), ('a', 10), ('b', 20), ('a|x', 40)");
    ASSERT_OK(store_revocations_read(s->store, (struct span){NULL, 0}, INT64_MIN, take_revocation, &t,
                                     &snapshot, detail));
    assert_int_equal(t.count, 4);
    assert_string_equal(t.ids[0], "a");
    assert_string_equal(t.ids[1], "a|x");
    assert_int_equal(t.seqs[3], 30);
    assert_int_equal(snapshot.seq, 4);
    t = (struct taken){.most = 32};
    ASSERT_OK(store_revocations_read(s->store, SPAN("a"), 20, take_revocation, &t, &snapshot, detail));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.ids[0], "a|x");
    assert_string_equal(t.ids[1], "c");
    t = (struct taken){.most = 1};
    ASSERT_OK(
        store_revocations_read(s->store, SPAN("a|x"), INT64_MIN, take_revocation, &t, &snapshot, detail));
    assert_string_equal(t.ids[0], "b");
    t = (struct taken){.most = 32};
    ASSERT_OK(store_changes_page(s->store, 0, take, &t, &page, detail));
    assert_true(page.snapshot.lineage == snapshot.lineage && page.snapshot.entry == snapshot.entry);
    assert_int_equal(t.at_ms[0], 30000); /* the second that it reaches up to */
}

static bool notice_comes(int fd, const char *url)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 2000) == 1 && store_notice_take(fd, url);
}

static void test_notices(void **state)
{
    struct support_store *s = *state;
    char command[512];
    fill(s, 1, 1);
    int fd = store_notice_open(s->url);
    assert_true(fd >= 0);
    assert_false(store_notice_take(fd, s->url));
    fill(s, 2, 2);
    assert_true(notice_comes(fd, s->url));
    assert_false(store_notice_take(fd, s->url));
    support_sql(s, "INSERT INTO revoke (subject, until_s) VALUES ('c', 30)");
    assert_true(notice_comes(fd, s->url));
    /* another file of the folder */
    snprintf(command, sizeof command, "echo x >'%s/other'; echo x >'%s.edge'; echo x >'%s-wal2'", s->folder,
             s->path, s->path);
    assert_int_equal(system(command), 0);
    assert_false(store_notice_take(fd, s->url));
    /* a database that is put in its place */
    snprintf(command, sizeof command, "cp '%s' '%s/copy' && mv '%s/copy' '%s'", s->path, s->folder, s->folder,
             s->path);
    assert_int_equal(system(command), 0);
    assert_true(notice_comes(fd, s->url));
    close(fd);
    assert_int_equal(store_notice_open("sqlite:/nowhere/at/all.db"), -1);
    assert_int_equal(store_notice_open("postgres:x"), -1);
    assert_false(store_notice_take(-1, s->url));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_pages), TEST(test_how_pages_end), TEST(test_revocations),
                                       TEST(test_notices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
