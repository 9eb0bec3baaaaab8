/* The cache in step with its source: which records are good after what, and what is not believed. */
#include "support_source.h"

#include "base/clock.h"

enum { NOW_MS = 1000000, LATER_MS = 2000000 };

struct world {
    struct fake *fake;
    struct cache_coherence *shared;
    _Atomic uint64_t *words;
    struct metrics metrics;
    struct metrics_gauges gauges;
    struct cache_follower one, other; /* two processes' parts */
};

static struct cache_follower follower_of(struct world *w)
{
    return (struct cache_follower){.shared = w->shared,
                                   .words = w->words,
                                   .source = fake_source(w->fake),
                                   .metrics = &w->metrics,
                                   .gauges = &w->gauges};
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL)
        return 1;
    w->fake = support_shared(sizeof *w->fake);
    w->shared = support_shared(sizeof *w->shared);
    w->words = support_shared(CACHE_WORDS * sizeof *w->words);
    *w->fake = (struct fake){.version = 1, .state = {.identity = 7, .seq = 10}};
    assert_int_equal(cache_coherence_init(w->shared), OK);
    w->one = follower_of(w);
    w->other = follower_of(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    munmap(w->fake, sizeof *w->fake);
    munmap(w->shared, sizeof *w->shared);
    munmap(w->words, CACHE_WORDS * sizeof *w->words);
    free(w);
    return 0;
}

static bool good(struct cache_follower *f, uint64_t identity, int64_t seq, uint32_t word)
{
    const struct cache_stamp stamp = {
        .identity = identity, .seq = seq, .expires_ms = LATER_MS, .words = {word, word}};
    return cache_stamp_is_good(f, &stamp, NOW_MS);
}

static void test_begins_with_nothing(void **state)
{
    struct world *w = *state;
    assert_false(good(&w->one, 7, 10, 0)); /* not before it has caught up */
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->asked_after, INT64_MAX); /* of an unknown database the log is not read */
    assert_true(good(&w->one, 7, 10, 0));
    assert_false(good(&w->one, 7, 9, 0)); /* what it was before is not known */
    assert_false(good(&w->one, 8, 10, 0));
    assert_false(good(&w->one, 0, 10, 0));
}

static void test_asks_once(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++)
        assert_true(cache_follower_catch_up(&w->one));
    for (int i = 0; i < 5; i++) /* and another process not at all */
        assert_true(cache_follower_catch_up(&w->other));
    assert_int_equal(w->fake->reads, 1);
    assert_true(good(&w->other, 7, 10, 3));
}

static void test_a_change_makes_old(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    assert_true(good(&w->one, 7, 10, 5)); /* until it is asked */
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->asked_after, 10);
    assert_false(good(&w->one, 7, 10, 5));
    assert_true(good(&w->one, 7, 11, 5));
    assert_true(good(&w->one, 7, 10, 6));
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_INVALIDATIONS_UPDATE), 1);
}

static void test_either_word_makes_old(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    assert_true(cache_follower_catch_up(&w->one));
    struct cache_stamp stamp = {.identity = 7, .seq = 10, .expires_ms = LATER_MS, .words = {4, 6}};
    assert_true(cache_stamp_is_good(&w->one, &stamp, NOW_MS));
    stamp.words[1] = 5;
    assert_false(cache_stamp_is_good(&w->one, &stamp, NOW_MS));
    stamp.words[1] = 4, stamp.words[0] = 5;
    assert_false(cache_stamp_is_good(&w->one, &stamp, NOW_MS));
}

static void test_stamps_that_are_refused(void **state)
{
    struct world *w = *state;
    const struct cache_stamp fine = {.identity = 7, .seq = 10, .expires_ms = LATER_MS, .words = {1, 2}};
    const struct row {
        const char *what;
        struct cache_stamp stamp;
    } rows[] = {
        {"no identity", {0, 10, LATER_MS, {1, 2}, 0, 0}},
        {"another identity", {8, 10, LATER_MS, {1, 2}, 0, 0}},
        {"a negative number", {7, -1, LATER_MS, {1, 2}, 0, 0}},
        {"the least number", {7, INT64_MIN, LATER_MS, {1, 2}, 0, 0}},
        {"below the floor", {7, 9, LATER_MS, {1, 2}, 0, 0}},
        {"its time is over", {7, 10, NOW_MS, {1, 2}, 0, 0}},
        {"long over", {7, 10, INT64_MIN, {1, 2}, 0, 0}},
        {"no such word", {7, 10, LATER_MS, {CACHE_WORDS, 2}, 0, 0}},
        {"nor such a second one", {7, 10, LATER_MS, {1, UINT32_MAX}, 0, 0}},
        {"all ones", {UINT64_MAX, -1, -1, {UINT32_MAX, UINT32_MAX}, UINT32_MAX, UINT32_MAX}},
        {"all zeros", {0}},
    };
    assert_true(cache_follower_catch_up(&w->one));
    assert_true(cache_stamp_is_good(&w->one, &fine, NOW_MS));
    assert_true(cache_stamp_is_good(&w->one, &fine, LATER_MS - 1));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (cache_stamp_is_good(&w->one, &rows[i].stamp, NOW_MS))
            fail_msg("good although %s", rows[i].what);
}

static void commit_to_5(struct fake *f)
{
    fake_commit(f, 5);
}

/* The log is read with that commit in it, and once more under its own marker. */
static void test_a_commit_between_marker_and_log(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 4);
    w->fake->before_read = commit_to_5;
    assert_true(cache_follower_catch_up(&w->one));
    assert_false(good(&w->one, 7, 11, 5));
    int reads = w->fake->reads;
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->reads, reads + 1);
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->reads, reads + 1);
}

static void replace(struct fake *f)
{
    f->version = 101;
    f->state = (struct cache_state){.identity = 9, .seq = 3};
}

static void put_back(struct fake *f)
{
    f->version = 1;
    f->state = (struct cache_state){.identity = 7, .seq = 10};
}

/* Its marker was the first database's, its log the other's. When the first one is there again, nobody may
 * take its marker for the sign that the words are in step with it. */
static void test_another_database_between_marker_and_log(void **state)
{
    struct world *w = *state;
    w->fake->before_read = replace;
    assert_true(cache_follower_catch_up(&w->one));
    assert_true(good(&w->one, 9, 3, 0));
    put_back(w->fake);
    assert_true(cache_follower_catch_up(&w->one));
    assert_true(cache_follower_catch_up(&w->other));
    assert_false(good(&w->one, 9, 3, 0));
    assert_false(good(&w->other, 9, 3, 0));
    assert_true(good(&w->one, 7, 10, 0));
}

static void test_another_database(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    assert_true(cache_follower_catch_up(&w->one));
    replace(w->fake);
    assert_true(cache_follower_catch_up(&w->one));
    assert_false(good(&w->one, 7, 11, 6));
    assert_true(good(&w->one, 9, 3, 5)); /* it counts for itself */
    assert_false(good(&w->one, 9, 2, 5));
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_INVALIDATIONS_DATABASE), 1);
}

/* The words that made its records old are gone. */
static void test_the_first_database_comes_back(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    assert_true(cache_follower_catch_up(&w->one));
    const struct fake first = *w->fake;
    replace(w->fake);
    assert_true(cache_follower_catch_up(&w->one));
    *w->fake = first;
    assert_true(cache_follower_catch_up(&w->one));
    assert_false(good(&w->one, 7, 10, 5));
    assert_true(good(&w->one, 7, 11, 5));
}

/* One process looks at words that another has begun anew: it finds out, and catches up itself. */
static void test_an_era_that_ended_elsewhere(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    const struct fake first = *w->fake;
    replace(w->fake);
    assert_true(cache_follower_catch_up(&w->other));
    *w->fake = first;
    assert_true(cache_follower_catch_up(&w->other));
    assert_false(good(&w->one, 7, 10, 5));
    assert_true(cache_follower_catch_up(&w->one));
    assert_true(good(&w->one, 7, 10, 5));
}

static void test_too_many_changes(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    w->fake->state.seq += CACHE_SYNC_MOST + 1;
    w->fake->version++;
    assert_true(cache_follower_catch_up(&w->one));
    assert_false(good(&w->one, 7, 10, 1));
    assert_false(good(&w->one, 7, 10 + CACHE_SYNC_MOST, 1));
    assert_true(good(&w->one, 7, 11 + CACHE_SYNC_MOST, 1));
    assert_int_equal(atomic_load(&w->words[1]), 0);
}

static void test_set_back(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    w->fake->state.seq = 4;
    w->fake->version++;
    w->fake->renew = ERR_IO;
    for (int i = 0; i < 3; i++) /* as long as it cannot have another name */
        assert_false(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->renewals, 3);
    w->fake->renew = OK;
    assert_false(cache_follower_catch_up(&w->one));
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->renewals, 4);
    assert_false(good(&w->one, 7, 10, 1));
    assert_true(good(&w->one, 1007, 4, 1));
}

static void test_sources_that_fail(void **state)
{
    struct world *w = *state;
    static const enum err errors[] = {ERR_IO, ERR_NOMEM, ERR_NOT_FOUND, ERR_INVALID, ERR_FULL};
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        w->fake->take = errors[i];
        assert_false(cache_follower_catch_up(&w->one));
        w->fake->take = OK;
        w->fake->read = errors[i];
        assert_false(cache_follower_catch_up(&w->one));
        assert_false(cache_follower_catch_up(&w->other));
        w->fake->read = OK;
    }
    w->fake->read = ERR_BUSY;
    assert_false(cache_follower_catch_up(&w->one));
    w->fake->read = OK;
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->asked_after, 10); /* nothing was taken for done */
    assert_false(good(&w->one, 7, 10, 5));
}

static void test_no_marker_to_be_had(void **state)
{
    struct world *w = *state;
    w->fake->take = ERR_BUSY;
    for (int i = 1; i <= 3; i++) { /* right all the same, and never remembered */
        assert_true(cache_follower_catch_up(&w->one));
        assert_int_equal(w->fake->reads, i);
        assert_true(good(&w->one, 7, 10, 0));
    }
    assert_true(cache_follower_catch_up(&w->other));
    assert_int_equal(w->fake->reads, 4);
    w->fake->take = OK;
    assert_true(cache_follower_catch_up(&w->one));
    assert_true(cache_follower_catch_up(&w->one));
    assert_int_equal(w->fake->reads, 5);
}

static void die(struct fake *f)
{
    (void)f;
    raise(SIGKILL);
}

/* At each of the places where the source is called: whoever comes next reads it all again. */
static void test_the_owner_dies(void **state)
{
    struct world *w = *state;
    assert_true(cache_follower_catch_up(&w->one));
    for (int place = 0; place < 2; place++) {
        const int64_t before = w->fake->state.seq;
        fake_commit(w->fake, 5);
        fake_commit(w->fake, 6);
        pid_t child = fork();
        if (child == 0) {
            *(place == 0 ? &w->fake->before_read : &w->fake->in_read) = die;
            (void)!cache_follower_catch_up(&w->other);
            _exit(0);
        }
        assert_true(WIFSIGNALED(support_wait(child)));
        assert_true(cache_follower_catch_up(&w->one));
        assert_int_equal(w->fake->asked_after, before);
        assert_false(good(&w->one, 7, before, 5));
        assert_false(good(&w->one, 7, before + 1, 6));
        assert_true(good(&w->one, 7, before + 2, 6));
    }
}

static void stop(struct fake *f)
{
    (void)f;
    raise(SIGSTOP);
}

static void test_the_owner_is_stopped(void **state)
{
    struct world *w = *state;
    int status;
    assert_true(cache_follower_catch_up(&w->one));
    fake_commit(w->fake, 5);
    pid_t child = fork();
    if (child == 0) {
        w->fake->before_read = stop;
        _exit(cache_follower_catch_up(&w->other) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    const int64_t began_us = clock_monotonic_us();
    assert_false(cache_follower_catch_up(&w->one)); /* it goes round, and does not wait for long */
    assert_true(clock_monotonic_us() - began_us >= CACHE_SYNC_WAIT_US);
    kill(child, SIGCONT);
    assert_int_equal(support_wait(child), 0);
    int reads = w->fake->reads;
    assert_true(cache_follower_catch_up(&w->one)); /* the other has done it */
    assert_int_equal(w->fake->reads, reads);
    assert_false(good(&w->one, 7, 10, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_begins_with_nothing),
        TEST(test_asks_once),
        TEST(test_a_change_makes_old),
        TEST(test_either_word_makes_old),
        TEST(test_stamps_that_are_refused),
        TEST(test_a_commit_between_marker_and_log),
        TEST(test_another_database_between_marker_and_log),
        TEST(test_another_database),
        TEST(test_the_first_database_comes_back),
        TEST(test_an_era_that_ended_elsewhere),
        TEST(test_too_many_changes),
        TEST(test_set_back),
        TEST(test_sources_that_fail),
        TEST(test_no_marker_to_be_had),
        TEST(test_the_owner_dies),
        TEST(test_the_owner_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
