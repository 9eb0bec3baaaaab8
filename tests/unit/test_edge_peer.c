/* What the follower decides of an address: no network, no database, and a clock of its own. */
#include "edge/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW_MS = 1790000000 };
static const struct edge_place place = {.lineage = 7, .seq = 100, .entry = 1001};
static int64_t now_us = 1000000;

/* A page of that log, read on from `after`. */
static struct store_page page_of(int64_t after, int64_t upto, int64_t newest)
{
    return (struct store_page){
        .snapshot = {.seq = newest,
                     .lineage = 7,
                     .entry = (uint64_t)newest * 10 + 1,
                     .after_entry = (uint64_t)after * 10 + 1},
        .upto = upto,
        .upto_entry = (uint64_t)upto * 10 + 1,
    };
}

static struct edge_place to_of(const struct store_page *page)
{
    return (struct edge_place){page->snapshot.lineage, page->upto, page->upto_entry};
}

static struct edge_peer following(void)
{
    struct edge_peer peer;
    struct store_page page = page_of(100, 100, 100);
    edge_peer_init(&peer, &place);
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_READ);
    assert_int_equal(edge_peer_judge(&peer, OK, &page, true, 0, NOW_MS), EDGE_VERDICT_NOTHING);
    return peer;
}

static void test_a_new_one_is_purged(void **state)
{
    (void)state;
    const struct edge_place none = {0}, end = {7, 120, 1201};
    struct edge_peer peer;
    edge_peer_init(&peer, &none);
    assert_int_equal(peer.all, EDGE_REASON_NEW);
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_ALL);
    edge_peer_sent(&peer, &none); /* a first part */
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_NOTHING);
    edge_peer_confirmed(&peer, false, now_us);
    assert_int_equal(peer.at.lineage, 0);
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_ALL);
    edge_peer_sent(&peer, &end);
    edge_peer_confirmed(&peer, true, now_us);
    assert_int_equal(peer.at.seq, 120);
    assert_int_equal(peer.all, EDGE_REASON_NONE);
    /* and then what came meanwhile */
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_READ);
}

static void test_it_follows(void **state)
{
    (void)state;
    struct edge_peer peer = following();
    struct store_page page = page_of(100, 103, 110);
    struct edge_place to = to_of(&page);
    /* never had a word: at once */
    assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_HEARTBEAT);
    edge_peer_sent(&peer, &peer.at);
    edge_peer_confirmed(&peer, true, now_us);
    assert_int_equal(edge_peer_wants(&peer, now_us + 1), EDGE_WANT_NOTHING);
    assert_int_equal(edge_peer_wants(&peer, now_us + EDGE_HEARTBEAT_MS * 1000 - 1), EDGE_WANT_NOTHING);
    assert_int_equal(edge_peer_wants(&peer, now_us + EDGE_HEARTBEAT_MS * 1000), EDGE_WANT_HEARTBEAT);
    assert_int_equal(edge_peer_due_us(&peer), now_us + EDGE_HEARTBEAT_MS * 1000);

    edge_peer_notice(&peer);
    assert_int_equal(edge_peer_wants(&peer, now_us + 1), EDGE_WANT_READ);
    assert_int_equal(edge_peer_judge(&peer, OK, &page, false, NOW_MS - 5, NOW_MS), EDGE_VERDICT_SEND);
    assert_int_equal(peer.behind_since_ms, NOW_MS - 5);
    assert_int_equal(peer.at.seq, 100); /* not before it is confirmed */
    edge_peer_sent(&peer, &to);
    edge_peer_notice(&peer);
    assert_int_equal(edge_peer_wants(&peer, now_us + 99999999), EDGE_WANT_NOTHING); /* one at a time */
    assert_int_equal(edge_peer_due_us(&peer), INT64_MAX);
    edge_peer_confirmed(&peer, true, now_us);
    assert_int_equal(peer.at.seq, 103);
    assert_int_equal(peer.at.entry, 1031);
    assert_int_equal(edge_peer_wants(&peer, now_us + 1), EDGE_WANT_READ); /* there is more */
    /* which says nothing to a cache: passed over without a word */
    page = page_of(103, 110, 110);
    assert_int_equal(edge_peer_judge(&peer, OK, &page, true, 0, NOW_MS), EDGE_VERDICT_NOTHING);
    assert_int_equal(peer.at.seq, 110);
    assert_int_equal(peer.at.entry, 1101);
    assert_int_equal(peer.behind_since_ms, 0);
    assert_int_equal(edge_peer_wants(&peer, now_us + 1), EDGE_WANT_NOTHING);
}

static void test_a_failure_is_made_good(void **state)
{
    (void)state;
    struct edge_peer peer = following();
    struct store_page page = page_of(100, 103, 103);
    struct edge_place to = to_of(&page);
    edge_peer_notice(&peer);
    assert_int_equal(edge_peer_judge(&peer, OK, &page, false, 0, NOW_MS), EDGE_VERDICT_SEND);
    assert_false(peer.behind);
    int64_t at_us = now_us;
    for (unsigned i = 1; i <= 10; i++) {
        edge_peer_sent(&peer, &to);
        edge_peer_failed(&peer, false, at_us, NOW_MS + 50);
        assert_int_equal(peer.failures, i);
        assert_int_equal(peer.at.seq, 100);
        assert_int_equal(peer.behind_since_ms, NOW_MS); /* the first time counts */
        assert_int_equal(edge_peer_due_us(&peer), at_us + edge_pause_ms(i, false) * 1000);
        assert_int_equal(edge_peer_wants(&peer, edge_peer_due_us(&peer) - 1), EDGE_WANT_NOTHING);
        edge_peer_notice(&peer); /* nothing is hurried by another write */
        assert_int_equal(edge_peer_wants(&peer, edge_peer_due_us(&peer) - 1), EDGE_WANT_NOTHING);
        at_us = edge_peer_due_us(&peer);
        assert_int_equal(edge_peer_wants(&peer, at_us), EDGE_WANT_READ); /* from where it was confirmed */
        assert_int_equal(edge_peer_judge(&peer, OK, &page, false, 0, NOW_MS + 60), EDGE_VERDICT_SEND);
    }
    edge_peer_sent(&peer, &to);
    edge_peer_confirmed(&peer, true, at_us);
    assert_int_equal(peer.failures, 0);
    assert_int_equal(peer.at.seq, 103);
    assert_int_equal(peer.behind_since_ms, 0);
}

static void test_a_heartbeat_fails(void **state)
{
    (void)state;
    struct edge_peer peer = following();
    edge_peer_sent(&peer, &peer.at);
    edge_peer_failed(&peer, false, now_us, NOW_MS);
    assert_int_equal(peer.behind_since_ms, 0); /* nothing waits */
    assert_int_equal(edge_peer_wants(&peer, peer.due_us - 1), EDGE_WANT_NOTHING);
    assert_int_equal(edge_peer_wants(&peer, peer.due_us), EDGE_WANT_HEARTBEAT);
    /* what was written meanwhile goes first */
    edge_peer_notice(&peer);
    assert_int_equal(edge_peer_wants(&peer, peer.due_us), EDGE_WANT_READ);
}

static void test_pauses(void **state)
{
    (void)state;
    assert_int_equal(edge_pause_ms(1, false), 50);
    assert_int_equal(edge_pause_ms(2, false), 100);
    assert_int_equal(edge_pause_ms(5, false), 800);
    assert_int_equal(edge_pause_ms(6, false), 1000);
    assert_int_equal(edge_pause_ms(4000000000U, false), 1000);
    assert_int_equal(edge_pause_ms(1, true), 50);
    assert_int_equal(edge_pause_ms(8, true), 5000);
    assert_int_equal(edge_pause_ms(4000000000U, true), 5000);
}

/* Whatever does not fit what was confirmed: everything is purged. */
static void test_another_log(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum err e;
        uint64_t lineage, after_entry;
        int64_t newest;
        enum edge_reason reason;
    } rows[] = {
        {"another epoch", OK, 8, 1001, 101, EDGE_REASON_DATABASE},
        {"another epoch, shorter", ERR_CONFLICT, 8, 0, 50, EDGE_REASON_DATABASE},
        {"another epoch, tidied", ERR_TOO_LARGE, 8, 0, 200, EDGE_REASON_DATABASE},
        {"set back", ERR_CONFLICT, 7, 0, 50, EDGE_REASON_DATABASE},
        {"set back and written past", OK, 7, 999, 200, EDGE_REASON_DATABASE},
        {"set back, written up to the same number", OK, 7, 999, 100, EDGE_REASON_DATABASE},
        {"tidied past it", ERR_TOO_LARGE, 7, 0, 200, EDGE_REASON_TIDIED},
        {"tidied up to it", OK, 7, 0, 200, EDGE_REASON_TIDIED},
        {"far behind", OK, 7, 1001, 100 + EDGE_BEHIND_MOST + 1, EDGE_REASON_BEHIND},
        {"just not too far", OK, 7, 1001, 100 + EDGE_BEHIND_MOST, EDGE_REASON_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct edge_peer peer = following();
        struct store_page page = page_of(100, 101, rows[i].newest);
        page.snapshot.lineage = rows[i].lineage;
        page.snapshot.after_entry = rows[i].after_entry;
        edge_peer_notice(&peer);
        enum edge_verdict verdict = edge_peer_judge(&peer, rows[i].e, &page, false, 0, NOW_MS);
        if (peer.all != rows[i].reason ||
            verdict != (rows[i].reason == EDGE_REASON_NONE ? EDGE_VERDICT_SEND : EDGE_VERDICT_ALL))
            fail_msg("%s: %s", rows[i].what, edge_reason_text(peer.all));
        assert_int_equal(peer.at.seq, 100);
        if (verdict == EDGE_VERDICT_ALL)
            assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_ALL);
    }
}

/* A storage that fails says nothing about the log. */
static void test_faults(void **state)
{
    (void)state;
    const enum err faults[] = {ERR_BUSY, ERR_IO, ERR_FULL, ERR_NOMEM, ERR_NOT_FOUND, ERR_INVALID};
    const struct store_page nothing = {0};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct edge_peer peer = following();
        edge_peer_notice(&peer);
        assert_int_equal(edge_peer_judge(&peer, faults[i], &nothing, true, 0, NOW_MS), EDGE_VERDICT_FAULT);
        assert_int_equal(peer.all, EDGE_REASON_NONE);
        assert_int_equal(peer.at.seq, 100);
        assert_int_equal(edge_peer_wants(&peer, now_us), EDGE_WANT_READ);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_one_is_purged),
        cmocka_unit_test(test_it_follows),
        cmocka_unit_test(test_a_failure_is_made_good),
        cmocka_unit_test(test_a_heartbeat_fails),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_another_log),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
