/* The read-through and the memo of tokens, over a source that does as it is told: what is kept, what is
 * given, and how often the loader is called. */
#include "support_source.h"

#include <pthread.h>
#include <stdio.h>

enum { NOW_MS = 1000000, TTL_MS = 5000, MEBIBYTE = 1 << 20 };

struct world {
    struct cache_memory memory;
    struct fake *fake;
    struct metrics metrics;
    struct metrics_gauges gauges;
    struct cache cache;
    /* the loader */
    const char *value;
    size_t value_len;
    int64_t ttl_ms;
    uint64_t identity;
    bool negative;
    const struct cache_key *depends;
    enum err e;
    int loads;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const struct cache_memory_options options = {.responses = MEBIBYTE, .verdicts = MEBIBYTE};
    struct err_detail detail = {0};
    if (w == NULL)
        return 1;
    assert_int_equal(cache_memory_create(&options, &w->memory, &detail), OK);
    w->fake = support_shared(sizeof *w->fake);
    *w->fake = (struct fake){.version = 1, .state = {.identity = 7, .seq = 10}};
    const struct cache_source source = fake_source(w->fake);
    assert_int_equal(cache_open(&w->cache, &w->memory, &source, &w->metrics, &w->gauges), OK);
    w->value = "value";
    w->value_len = 5;
    w->ttl_ms = TTL_MS;
    w->identity = 7;
    cache_begin(&w->cache, NOW_MS);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    cache_close(&w->cache);
    cache_memory_close(&w->memory);
    munmap(w->fake, sizeof *w->fake);
    free(w);
    return 0;
}

static enum err load(void *data, struct cache_fill *fill)
{
    struct world *w = data;
    w->loads++;
    if (w->e != OK)
        return w->e;
    buf_append(&fill->value, span_of(w->value, w->value_len));
    fill->state = (struct cache_state){.identity = w->identity, .seq = w->fake->state.seq};
    fill->ttl_ms = w->ttl_ms;
    fill->negative = w->negative;
    fill->depends = w->depends;
    return OK;
}

static struct cache_key key_of(const struct cache *c, enum cache_kind kind, const char *name)
{
    struct cache_key key;
    assert_true(cache_key_make(c, kind, span_str(name), &key));
    return key;
}

/* An exchange at that time that reads one key: what came of it. */
static enum cache_outcome read_at(struct world *w, int64_t now_ms, enum cache_kind kind, const char *name)
{
    const struct cache_key key = key_of(&w->cache, kind, name);
    enum cache_outcome outcome;
    struct span value;
    cache_begin(&w->cache, now_ms);
    assert_int_equal(cache_read(&w->cache, &key, load, w, &value, &outcome), w->e);
    if (w->e == OK) {
        assert_int_equal(value.len, w->value_len);
        assert_memory_equal(value.ptr, w->value, w->value_len);
    }
    return outcome;
}

static enum cache_outcome read_one(struct world *w, const char *name)
{
    return read_at(w, NOW_MS, CACHE_PUBLIC_VIEW, name);
}

static void test_a_miss_and_then_hits(void **state)
{
    struct world *w = *state;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(read_one(w, "ada"), CACHE_HIT);
    assert_int_equal(w->loads, 1);
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_HITS), 3);
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_MISSES), 1);
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_FILLS), 1);
}

static void test_keys_are_told_apart(void **state)
{
    struct world *w = *state;
    static const struct {
        enum cache_kind kind;
        const char *name;
    } others[] = {
        {CACHE_OWNER_VIEW, "ada"},  {CACHE_HANDLE, "ada"},       {CACHE_SUBJECT, "ada"},
        {CACHE_PUBLIC_VIEW, "Ada"}, {CACHE_PUBLIC_VIEW, "ad"},   {CACHE_PUBLIC_VIEW, "ada "},
        {CACHE_PUBLIC_VIEW, ""},    {CACHE_PUBLIC_VIEW, "pada"},
    };
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(read_at(w, NOW_MS, others[i].kind, others[i].name), CACHE_STORED);
}

static void test_keys_that_are_too_long(void **state)
{
    struct world *w = *state;
    static const char name[2 * CACHE_KEY_MAX] = {0};
    struct cache_key key;
    static const struct {
        size_t len;
        bool right;
    } rows[] = {{0, true},
                {CACHE_KEY_MAX - 1, true},
                {CACHE_KEY_MAX, false},
                {CACHE_KEY_MAX + 1, false},
                {sizeof name, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct span s = span_of(name, rows[i].len);
        assert_int_equal(cache_key_make(&w->cache, CACHE_HANDLE, s, &key), rows[i].right);
        assert_true(cache_word(&w->cache, CACHE_HANDLE, s) < CACHE_WORDS);
    }
}

static void test_missing_ones_are_kept_too(void **state)
{
    struct world *w = *state;
    w->negative = true;
    assert_int_equal(read_one(w, "nobody"), CACHE_STORED);
    assert_int_equal(read_one(w, "nobody"), CACHE_HIT);
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_NEGATIVE_HITS), 1);
    assert_int_equal(metrics_get(&w->metrics, METRIC_CACHE_HITS), 0);
}

static void test_its_time_ends(void **state)
{
    struct world *w = *state;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    assert_int_equal(read_at(w, NOW_MS + TTL_MS - 1, CACHE_PUBLIC_VIEW, "ada"), CACHE_HIT);
    assert_int_equal(read_at(w, NOW_MS + TTL_MS, CACHE_PUBLIC_VIEW, "ada"), CACHE_STORED);
    assert_int_equal(w->loads, 2);
}

static void test_what_is_not_kept(void **state)
{
    struct world *w = *state;
    w->ttl_ms = 0;
    assert_int_equal(read_one(w, "ada"), CACHE_MISSED);
    w->ttl_ms = -1;
    assert_int_equal(read_one(w, "ada"), CACHE_MISSED);
    w->ttl_ms = TTL_MS;
    w->identity = 0; /* of a state that is not known */
    assert_int_equal(read_one(w, "ada"), CACHE_MISSED);
    w->identity = 8; /* kept, and never good: of a database that it is not in step with */
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    w->identity = 7;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    assert_int_equal(read_one(w, "ada"), CACHE_HIT);
}

static void test_what_is_too_large(void **state)
{
    struct world *w = *state;
    static char large[CACHE_TABLE_RECORD_MAX * 2];
    memset(large, 'x', sizeof large);
    w->value = large;
    w->value_len = sizeof large;
    for (int i = 0; i < 2; i++)
        assert_int_equal(read_one(w, "ada"), CACHE_MISSED);
    w->value_len = 1000;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    assert_int_equal(read_one(w, "ada"), CACHE_HIT);
    w->value_len = 0;
    assert_int_equal(read_one(w, "empty"), CACHE_STORED);
    assert_int_equal(read_one(w, "empty"), CACHE_HIT);
}

static void test_a_change_makes_it_old(void **state)
{
    struct world *w = *state;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_OWNER_VIEW, SPAN("ada")));
    assert_int_equal(read_one(w, "ada"), CACHE_HIT);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("ada")));
    w->value = "newer";
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    assert_int_equal(read_one(w, "ada"), CACHE_HIT);
}

static void test_a_change_of_what_it_depends_on(void **state)
{
    struct world *w = *state;
    const struct cache_key ada = key_of(&w->cache, CACHE_PUBLIC_VIEW, "ada");
    w->depends = &ada;
    assert_int_equal(read_at(w, NOW_MS, CACHE_HANDLE, "countess"), CACHE_STORED);
    assert_int_equal(read_at(w, NOW_MS, CACHE_HANDLE, "countess"), CACHE_HIT);
    fake_commit(w->fake, cache_word_of(ada.hash));
    assert_int_equal(read_at(w, NOW_MS, CACHE_HANDLE, "countess"), CACHE_STORED);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_HANDLE, SPAN("countess")));
    assert_int_equal(read_at(w, NOW_MS, CACHE_HANDLE, "countess"), CACHE_STORED);
}

/* A commit that falls into the very read: what was read before it is a miss when it is looked up after. */
static enum err load_slowly(void *data, struct cache_fill *fill)
{
    struct world *w = data;
    enum err e = load(data, fill);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("ada")));
    return e;
}

static void test_a_slow_loader(void **state)
{
    struct world *w = *state;
    const struct cache_key key = key_of(&w->cache, CACHE_PUBLIC_VIEW, "ada");
    enum cache_outcome outcome;
    struct span value;
    assert_int_equal(cache_read(&w->cache, &key, load_slowly, w, &value, &outcome), OK);
    assert_int_equal(outcome, CACHE_STORED);
    w->value = "newer";
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
}

static void test_asks_once_an_exchange(void **state)
{
    struct world *w = *state;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    const struct cache_key key = key_of(&w->cache, CACHE_PUBLIC_VIEW, "ada");
    enum cache_outcome outcome;
    struct span value;
    fake_commit(w->fake, cache_word_of(key.hash));
    /* the same exchange began before */
    assert_int_equal(cache_read(&w->cache, &key, load, w, &value, &outcome), OK);
    assert_int_equal(outcome, CACHE_HIT);
    cache_begin(&w->cache, NOW_MS);
    assert_int_equal(cache_read(&w->cache, &key, load, w, &value, &outcome), OK);
    assert_int_equal(outcome, CACHE_STORED);
}

static void test_round_a_source_that_fails(void **state)
{
    struct world *w = *state;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED);
    fake_commit(w->fake, 0);
    w->fake->read = ERR_IO;
    for (int i = 0; i < 2; i++)
        assert_int_equal(read_one(w, "ada"), CACHE_BYPASSED);
    assert_int_equal(w->loads, 3);
    w->fake->read = OK;
    assert_int_equal(read_one(w, "ada"), CACHE_HIT);
}

static void test_the_loaders_errors(void **state)
{
    struct world *w = *state;
    static const enum err errors[] = {ERR_IO, ERR_BUSY, ERR_NOMEM, ERR_NOT_FOUND, ERR_FULL};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        w->e = errors[i];
        assert_int_equal(read_one(w, "ada"), CACHE_MISSED);
    }
    w->e = OK;
    assert_int_equal(read_one(w, "ada"), CACHE_STORED); /* and the flight is free */
}

static void test_without_memory(void **state)
{
    struct world *w = *state;
    const struct cache_memory_options off = {0};
    const struct cache_memory_options verdicts = {.verdicts = 1};
    const struct cache_source source = fake_source(w->fake);
    struct cache_memory none;
    struct err_detail detail = {0};
    for (int i = 0; i < 2; i++) {
        cache_close(&w->cache);
        assert_int_equal(cache_memory_create(i == 0 ? &off : &verdicts, &none, &detail), OK);
        assert_int_equal(cache_open(&w->cache, &none, &source, &w->metrics, &w->gauges), OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(read_one(w, "ada"), CACHE_BYPASSED);
        assert_int_equal(cache_has_verdicts(&w->cache), i == 1);
        cache_memory_close(&none);
    }
    cache_close(&w->cache); /* as in a CGI process */
    assert_int_equal(read_one(w, "ada"), CACHE_BYPASSED);
    assert_int_equal(w->fake->reads, 0);
}

/* ---- the memo */

static bool remembers(struct world *w, int64_t now_ms, const unsigned char hash[CACHE_TOKEN_HASH_LEN])
{
    char out[CACHE_VERDICT_MAX];
    struct span value;
    cache_begin(&w->cache, now_ms);
    if (cache_verdict_get(&w->cache, hash, out, &value) != OK)
        return false;
    assert_int_equal(value.len, 7);
    assert_memory_equal(value.ptr, "verdict", 7);
    return true;
}

static void test_verdicts(void **state)
{
    struct world *w = *state;
    const struct cache_state now = {.identity = 7, .seq = 10};
    const struct cache_key subject = key_of(&w->cache, CACHE_SUBJECT, "ada");
    unsigned char hash[CACHE_TOKEN_HASH_LEN], other[CACHE_TOKEN_HASH_LEN];
    cache_token_hash(&w->cache, SPAN("a token"), hash);
    cache_token_hash(&w->cache, SPAN("b token"), other);
    assert_memory_not_equal(hash, other, sizeof hash);
    assert_false(remembers(w, NOW_MS, hash));
    cache_verdict_put(&w->cache, hash, SPAN("verdict"), now, NOW_MS + TTL_MS, &subject);
    assert_true(remembers(w, NOW_MS, hash));
    assert_false(remembers(w, NOW_MS, other));
    /* the same place in the table is not the same token */
    memcpy(other, hash, sizeof other);
    other[CACHE_TOKEN_HASH_LEN - 1] ^= 1;
    assert_false(remembers(w, NOW_MS, other));
    assert_true(remembers(w, NOW_MS + TTL_MS - 1, hash));
    assert_false(remembers(w, NOW_MS + TTL_MS, hash));
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("ada")));
    assert_true(remembers(w, NOW_MS, hash));
    fake_commit(w->fake, cache_word_of(subject.hash));
    assert_false(remembers(w, NOW_MS, hash));
}

static void test_verdicts_that_are_not_kept(void **state)
{
    struct world *w = *state;
    static const char large[CACHE_VERDICT_MAX] = {0};
    const struct cache_state now = {.identity = 7, .seq = 10}, unknown = {.identity = 0, .seq = 10},
                             old = {.identity = 7, .seq = 9};
    const struct cache_key subject = key_of(&w->cache, CACHE_SUBJECT, "ada");
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    cache_token_hash(&w->cache, SPAN("a token"), hash);
    cache_verdict_put(&w->cache, hash, SPAN("verdict"), unknown, NOW_MS + TTL_MS, &subject);
    assert_false(remembers(w, NOW_MS, hash));
    cache_verdict_put(&w->cache, hash, SPAN("verdict"), old, NOW_MS + TTL_MS, &subject);
    assert_false(remembers(w, NOW_MS, hash));
    cache_verdict_put(&w->cache, hash, SPAN("verdict"), now, NOW_MS, &subject);
    assert_false(remembers(w, NOW_MS, hash));
    cache_verdict_put(&w->cache, hash, span_of(large, sizeof large), now, NOW_MS + TTL_MS, &subject);
    assert_false(remembers(w, NOW_MS, hash));
    fake_commit(w->fake, 0);
    w->fake->read = ERR_IO; /* it cannot be told whether it is good still */
    cache_begin(&w->cache, NOW_MS);
    cache_verdict_put(&w->cache, hash, SPAN("verdict"), now, NOW_MS + TTL_MS, &subject);
    assert_false(remembers(w, NOW_MS, hash));
    w->fake->read = OK;
    assert_false(remembers(w, NOW_MS, hash));
}

/* ---- many processes that miss the same key */

enum { PROCESSES = 16, ROUNDS = 200, DEATHS = 10 };

struct crowd {
    pthread_barrier_t barrier;
    _Atomic int loads, bypasses, wrong;
    int dies; /* the loader of this number */
};

struct member {
    struct world *world;
    struct crowd *crowd;
};

static enum err load_in_crowd(void *data, struct cache_fill *fill)
{
    const struct member *m = data;
    int number = atomic_fetch_add(&m->crowd->loads, 1) + 1;
    usleep(number == m->crowd->dies ? 3000 : 300);
    if (number == m->crowd->dies)
        raise(SIGKILL);
    return load(m->world, fill);
}

static void read_in_crowd(struct member *m, int round)
{
    struct cache *c = &m->world->cache;
    enum cache_outcome outcome;
    struct span value;
    char name[16];
    snprintf(name, sizeof name, "k%d", round);
    const struct cache_key key = key_of(c, CACHE_PUBLIC_VIEW, name);
    cache_begin(c, NOW_MS);
    if (cache_read(c, &key, load_in_crowd, m, &value, &outcome) != OK ||
        !span_eq(value, span_of(m->world->value, m->world->value_len)))
        m->crowd->wrong++;
    if (outcome == CACHE_BYPASSED)
        m->crowd->bypasses++;
}

static struct crowd *make_crowd(void)
{
    struct crowd *crowd = support_shared(sizeof *crowd);
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    assert_int_equal(pthread_barrier_init(&crowd->barrier, &shared, PROCESSES + 1), 0);
    return crowd;
}

static void test_many_cost_one_load(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd();
    struct member member = {w, crowd};
    pid_t children[PROCESSES];
    int late = 0;
    for (int i = 0; i < PROCESSES; i++) {
        if ((children[i] = fork()) != 0)
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            pthread_barrier_wait(&crowd->barrier);
            read_in_crowd(&member, round);
            pthread_barrier_wait(&crowd->barrier);
        }
        _exit(0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        crowd->loads = crowd->bypasses = 0;
        pthread_barrier_wait(&crowd->barrier);
        pthread_barrier_wait(&crowd->barrier);
        /* on a machine that has no time somebody may give up waiting, and read for himself */
        assert_int_equal(crowd->loads, 1 + crowd->bypasses);
        late += crowd->bypasses > 0;
    }
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(support_wait(children[i]), 0);
    assert_int_equal(crowd->wrong, 0);
    assert_true(late < ROUNDS / 10);
    munmap(crowd, sizeof *crowd);
}

static void test_the_leader_is_killed(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd();
    struct member member = {w, crowd};
    pid_t children[PROCESSES];
    crowd->dies = 1;
    for (int round = 0; round < DEATHS; round++) {
        int killed = 0;
        crowd->loads = crowd->bypasses = 0;
        for (int i = 0; i < PROCESSES; i++) {
            if ((children[i] = fork()) != 0)
                continue;
            pthread_barrier_wait(&crowd->barrier);
            read_in_crowd(&member, round);
            _exit(0);
        }
        pthread_barrier_wait(&crowd->barrier);
        for (int i = 0; i < PROCESSES; i++)
            killed += WIFSIGNALED(support_wait(children[i]));
        assert_int_equal(killed, 1);
        assert_int_equal(crowd->loads, 2 + crowd->bypasses);
    }
    assert_int_equal(crowd->wrong, 0);
    munmap(crowd, sizeof *crowd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_miss_and_then_hits),
        TEST(test_keys_are_told_apart),
        TEST(test_keys_that_are_too_long),
        TEST(test_missing_ones_are_kept_too),
        TEST(test_its_time_ends),
        TEST(test_what_is_not_kept),
        TEST(test_what_is_too_large),
        TEST(test_a_change_makes_it_old),
        TEST(test_a_change_of_what_it_depends_on),
        TEST(test_a_slow_loader),
        TEST(test_asks_once_an_exchange),
        TEST(test_round_a_source_that_fails),
        TEST(test_the_loaders_errors),
        TEST(test_without_memory),
        TEST(test_verdicts),
        TEST(test_verdicts_that_are_not_kept),
        TEST(test_many_cost_one_load),
        TEST(test_the_leader_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
