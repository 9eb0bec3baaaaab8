/*
 * The cache in front of a database that dawdles: a writer commits at each of the points where it could do harm,
 * by being called there, or by chance in other processes while the reader sleeps there; processes are killed
 * there; and the database goes back, or another one lies in its place.
 */
#include "cache/cache.h"
#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 8, LOG_MAX = 400000, READERS = 4, WRITERS = 2, SECONDS = 2 };

/* A database in shared memory: a version for each key, a log of which key was written, and a marker that each
 * commit changes. Whatever is read of it at once is one snapshot. */
struct world {
    struct cache_lock lock;
    _Atomic uint64_t marker;
    uint64_t identity, lineage;
    int64_t seq;
    int64_t version[KEYS];
    unsigned char log[LOG_MAX];
    uint64_t history; /* what entries say beside the key */
    _Atomic int64_t answered[KEYS];
    _Atomic uint64_t wrong, reads, writes, hits, set_backs;
    _Atomic bool stop;
};

/* Where something may happen. */
enum point { NOWHERE, BEFORE_LOG, BEHIND_LOG, BEHIND_LOAD, POINT_COUNT };
struct reader {
    struct world *world;
    struct cache cache;
    struct metrics metrics;
    struct metrics_gauges gauges;
    void (*at[POINT_COUNT])(struct reader *r, int key); /* what happens there */
    struct reader *other;
    bool by_chance; /* sleeps there, now and then */
    unsigned seed;
};

static void take(struct world *w)
{
    bool died;
    assert_int_equal(cache_lock_take(&w->lock, 60000000, &died), OK);
}

static void give(struct world *w)
{
    cache_lock_give(&w->lock);
}

static void write_key(struct world *w, int key)
{
    take(w);
    if (w->seq < LOG_MAX) {
        w->log[w->seq++] = (unsigned char)key;
        w->version[key] = w->seq;
        atomic_fetch_add(&w->marker, 1);
    }
    int64_t version = w->version[key];
    give(w);
    /* answered: whoever begins to read now must see it */
    int64_t before = atomic_load(&w->answered[key]);
    while (before < version && !atomic_compare_exchange_weak(&w->answered[key], &before, version))
        ;
    atomic_fetch_add(&w->writes, 1);
}

static void happen(struct reader *r, enum point point, int key)
{
    if (r->at[point] != NULL)
        r->at[point](r, key);
    if (r->by_chance && rand_r(&r->seed) % 8 == 0)
        usleep((useconds_t)(rand_r(&r->seed) % 2000));
}

static void name_of(int key, char name[4])
{
    snprintf(name, 4, "k%d", key);
}

/* ---- the database as the cache's source, and as what is read on a miss */

static bool is_unchanged(void *data, const struct cache_marker *marker)
{
    const struct reader *r = data;
    return atomic_load(&r->world->marker) == marker->words[0];
}

static enum err take_marker(void *data, struct cache_marker *out)
{
    const struct reader *r = data;
    *out = (struct cache_marker){.words = {atomic_load(&r->world->marker)}};
    return OK;
}

static uint64_t entry(const struct world *w, int64_t seq)
{
    return seq < 1 || seq > w->seq ? 0 : (w->history + (uint64_t)seq * 64 + w->log[seq - 1]) | 1;
}

static enum err read_changes(void *data, int64_t after, int64_t most,
                             void (*take_change)(void *sink, const struct cache_change *change), void *sink,
                             struct cache_state *state)
{
    struct reader *r = data;
    struct world *w = r->world;
    enum err e = OK;
    happen(r, BEFORE_LOG, 0);
    take(w);
    *state = (struct cache_state){.identity = w->identity,
                                  .seq = w->seq,
                                  .lineage = w->lineage,
                                  .entry = entry(w, w->seq),
                                  .after_entry = entry(w, after)};
    give(w);
    happen(r, BEHIND_LOG, 0);
    if (state->seq < after)
        return ERR_CONFLICT;
    if (state->seq - after > most)
        e = ERR_TOO_LARGE;
    for (int64_t seq = after + 1; e == OK && seq <= state->seq; seq++) {
        char name[4];
        name_of(w->log[seq - 1], name);
        uint32_t word = cache_word(&r->cache, CACHE_PUBLIC_VIEW, span_str(name));
        uint32_t subject = cache_word(&r->cache, CACHE_SUBJECT, span_str(name));
        struct cache_change change = {
            .seq = seq, .cause = METRIC_CACHE_INVALIDATIONS_UPDATE, .words = {word, subject}, .word_count = 2};
        take_change(sink, &change);
    }
    return e;
}

static enum err set_back(void *data)
{
    struct reader *r = data;
    take(r->world);
    r->world->identity++;
    r->world->lineage++;
    atomic_fetch_add(&r->world->marker, 1);
    give(r->world);
    atomic_fetch_add(&r->world->set_backs, 1);
    return OK;
}

struct loading {
    struct reader *reader;
    int key;
};

static enum err load(void *data, struct cache_fill *fill)
{
    struct loading *l = data;
    struct world *w = l->reader->world;
    take(w);
    int64_t version = w->version[l->key];
    fill->state = (struct cache_state){.identity = w->identity, .seq = w->seq};
    give(w);
    fill->ttl_ms = 60000;
    buf_append(&fill->value, span_of((const char *)&version, sizeof version));
    happen(l->reader, BEHIND_LOAD, l->key);
    return OK;
}

/* What a request does. */
static int64_t read_key(struct reader *r, int key, enum cache_outcome *outcome)
{
    struct loading loading = {r, key};
    struct cache_key k;
    struct span value;
    char name[4];
    int64_t version;
    name_of(key, name);
    cache_begin(&r->cache, 1000);
    assert_true(cache_key_make(&r->cache, CACHE_PUBLIC_VIEW, span_str(name), &k));
    assert_int_equal(cache_read(&r->cache, &k, load, &loading, &value, outcome), OK);
    assert_int_equal(value.len, sizeof version);
    memcpy(&version, value.ptr, sizeof version);
    return version;
}

/* ---- before each test: a world, memory, and a reader */

struct fixture {
    struct world *world;
    struct cache_memory memory;
    struct reader reader;
};

static void open_reader(struct fixture *f, struct reader *r)
{
    *r = (struct reader){.world = f->world};
    const struct cache_source source = {is_unchanged, take_marker, read_changes, set_back, r};
    assert_int_equal(cache_open(&r->cache, &f->memory, &source, &r->metrics, &r->gauges), OK);
}

static int setup(void **state)
{
    const struct cache_memory_options options = {.responses = 1 << 20, .verdicts = 1 << 18, .fingerprint = 7};
    struct err_detail detail = {0};
    struct fixture *f = calloc(1, sizeof *f);
    void *at = mmap(NULL, sizeof(struct world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f == NULL || at == MAP_FAILED || crypto_init() != OK)
        return -1;
    f->world = at;
    f->world->identity = 11;
    f->world->lineage = 5;
    if (cache_lock_init(&f->world->lock) != OK || cache_memory_create(&options, &f->memory, &detail) != OK)
        return -1;
    open_reader(f, &f->reader);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cache_close(&f->reader.cache);
    cache_memory_close(&f->memory);
    munmap(f->world, sizeof *f->world);
    free(f);
    return 0;
}

/* ---- one after the other */

static void write_same(struct reader *r, int key)
{
    write_key(r->world, key);
}

/* Another process gets there first, and brings the words up to date. */
static void write_and_look(struct reader *r, int key)
{
    enum cache_outcome outcome;
    write_key(r->world, key);
    read_key(r->other, KEYS - 1, &outcome);
}

/* A commit at each point, once: the read itself may show either; one that begins after it must show it. The log
 * is read on because of a change of the same key, which then is loaded anew, or of another one. */
static void test_a_commit_at_each_point(void **state)
{
    struct fixture *f = *state;
    struct reader *r = &f->reader, other;
    enum cache_outcome outcome;
    open_reader(f, &other);
    r->other = &other;
    for (int round = 0; round < 40; round++)
        for (enum point point = BEFORE_LOG; point < POINT_COUNT; point++) {
            /* with the words' lock held nobody else can look */
            bool look = round % 2 == 1 && point == BEHIND_LOAD;
            read_key(r, 0, &outcome);
            write_key(f->world, round / 2 % 2);
            r->at[point] = look ? write_and_look : write_same;
            read_key(r, 0, &outcome);
            r->at[point] = NULL;
            for (int i = 0; i < 3; i++) {
                assert_int_equal(read_key(r, 0, &outcome), f->world->version[0]);
                assert_int_equal(read_key(&other, 0, &outcome), f->world->version[0]);
            }
            assert_int_equal(outcome, CACHE_HIT);
        }
    cache_close(&other.cache);
}

/* The same at two points of one read, and seen by a reader of another process. */
static void test_commits_at_two_points(void **state)
{
    struct fixture *f = *state;
    struct reader *r = &f->reader, other;
    enum cache_outcome outcome;
    open_reader(f, &other);
    for (enum point one = BEFORE_LOG; one < POINT_COUNT; one++)
        for (enum point two = one; two < POINT_COUNT; two++) {
            write_key(f->world, 0);
            r->at[one] = r->at[two] = write_same;
            read_key(r, 0, &outcome);
            r->at[one] = r->at[two] = NULL;
            assert_int_equal(read_key(&other, 0, &outcome), f->world->version[0]);
            assert_int_equal(read_key(r, 0, &outcome), f->world->version[0]);
        }
    cache_close(&other.cache);
}

/* A change of something else leaves the record good, and reads of other keys make it no newer. */
static void test_what_stays(void **state)
{
    struct fixture *f = *state;
    enum cache_outcome outcome;
    read_key(&f->reader, 0, &outcome);
    for (int i = 1; i < KEYS; i++) {
        write_key(f->world, i);
        read_key(&f->reader, i, &outcome);
        assert_int_equal(outcome, CACHE_STORED);
        read_key(&f->reader, 0, &outcome);
        assert_int_equal(outcome, CACHE_HIT);
    }
}

static void test_verdict_from_before_a_revocation(void **state)
{
    struct fixture *f = *state;
    struct cache *c = &f->reader.cache;
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    char room[CACHE_VERDICT_MAX];
    struct span value;
    struct cache_key subject;
    cache_token_hash(c, SPAN("token"), hash);
    assert_true(cache_key_make(c, CACHE_SUBJECT, SPAN("k0"), &subject));
    cache_begin(c, 1000);
    const struct cache_state before = {.identity = f->world->identity, .seq = f->world->seq};
    assert_int_equal(cache_verdict_get(c, hash, room, &value), ERR_NOT_FOUND);
    cache_verdict_put(c, hash, SPAN("good"), before, 5000, &subject);
    assert_int_equal(cache_verdict_get(c, hash, room, &value), OK);
    cache_begin(c, 5000);
    assert_int_equal(cache_verdict_get(c, hash, room, &value), ERR_NOT_FOUND); /* its time is over */
    write_key(f->world, 0);
    cache_begin(c, 1000);
    assert_int_equal(cache_verdict_get(c, hash, room, &value), ERR_NOT_FOUND);
    /* who verified it before, and comes only now */
    cache_verdict_put(c, hash, SPAN("good"), before, 5000, &subject);
    assert_int_equal(cache_verdict_get(c, hash, room, &value), ERR_NOT_FOUND);
}

/* ---- killed at a point */

static void die(struct reader *r, int key)
{
    (void)r;
    (void)key;
    raise(SIGKILL);
}

static void test_killed_at_each_point(void **state)
{
    struct fixture *f = *state;
    enum cache_outcome outcome;
    int status;
    for (int round = 0; round < 8; round++)
        for (enum point point = BEFORE_LOG; point < POINT_COUNT; point++) {
            read_key(&f->reader, 0, &outcome);
            write_key(f->world, 0);
            pid_t child = fork();
            if (child == 0) {
                f->reader.at[point] = die;
                read_key(&f->reader, 0, &outcome);
                _exit(1);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFSIGNALED(status));
            /* its locks are had at once, and nothing of what it left undone is believed */
            assert_int_equal(read_key(&f->reader, 0, &outcome), f->world->version[0]);
            assert_int_not_equal(outcome, CACHE_BYPASSED);
            read_key(&f->reader, 0, &outcome);
            assert_int_equal(outcome, CACHE_HIT);
        }
    assert_int_equal(f->world->set_backs, 0);
}

/* ---- another database, or an earlier state of this one */

static void expect_dropped(struct fixture *f, unsigned set_backs)
{
    enum cache_outcome outcome;
    for (int key = 0; key < KEYS; key++) {
        assert_int_equal(read_key(&f->reader, key, &outcome), f->world->version[key]);
        assert_int_not_equal(outcome, CACHE_HIT);
    }
    assert_int_equal(read_key(&f->reader, 0, &outcome), f->world->version[0]);
    read_key(&f->reader, 1, &outcome);
    assert_int_equal(outcome, CACHE_HIT);
    assert_int_equal(f->world->set_backs, set_backs);
}

static void fill(struct fixture *f)
{
    enum cache_outcome outcome;
    for (int key = 0; key < KEYS; key++) {
        write_key(f->world, key);
        read_key(&f->reader, key, &outcome);
    }
}

static void test_another_database(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->world->identity = 99;
    f->world->lineage = 98;
    f->world->marker++;
    f->world->version[0] = -1;
    expect_dropped(f, 0);
}

static void test_a_copy_in_its_place(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->world->identity = 99;
    f->world->marker++;
    f->world->version[0] = -1;
    expect_dropped(f, 1);
}

static void test_set_back(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->world->seq -= 3;
    f->world->marker++;
    f->world->version[0] = -1;
    expect_dropped(f, 1);
}

/* Back, and then on another way past the number that was known. */
static void test_another_history(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->world->history = 1000000;
    for (int i = 0; i < 3; i++)
        write_key(f->world, 1);
    f->world->version[0] = -1;
    expect_dropped(f, 1);
    fill(f);
    f->world->history = 2000000; /* just as long as before */
    f->world->marker++;
    f->world->version[0] = -2;
    expect_dropped(f, 2);
}

static void test_more_changes_than_are_read(void **state)
{
    struct fixture *f = *state;
    fill(f);
    for (int i = 0; i <= CACHE_SYNC_MOST; i++)
        write_key(f->world, 0);
    expect_dropped(f, 0);
}

/* ---- by chance, in many processes */

static void read_by_chance(struct fixture *f, int number)
{
    struct reader r;
    enum cache_outcome outcome;
    open_reader(f, &r);
    r.by_chance = true;
    r.seed = (unsigned)number;
    while (!atomic_load(&f->world->stop)) {
        int key = rand_r(&r.seed) % KEYS;
        int64_t least = atomic_load(&f->world->answered[key]);
        int64_t version = read_key(&r, key, &outcome);
        atomic_fetch_add(&f->world->reads, 1);
        atomic_fetch_add(&f->world->hits, outcome == CACHE_HIT);
        atomic_fetch_add(&f->world->wrong, version < least);
    }
    _exit(0);
}

static void write_by_chance(struct fixture *f, int number)
{
    unsigned seed = (unsigned)number + 100;
    while (!atomic_load(&f->world->stop)) {
        write_key(f->world, rand_r(&seed) % KEYS);
        usleep((useconds_t)(rand_r(&seed) % 1500));
    }
    _exit(0);
}

static pid_t start(struct fixture *f, int number)
{
    pid_t child = fork();
    if (child == 0 && number < READERS)
        read_by_chance(f, number);
    if (child == 0)
        write_by_chance(f, number);
    assert_true(child > 0);
    return child;
}

/* Readers are killed and replaced too: with their locks, at any moment. */
static void test_by_chance(void **state)
{
    struct fixture *f = *state;
    pid_t children[READERS + WRITERS];
    for (int i = 0; i < READERS + WRITERS; i++)
        children[i] = start(f, i);
    for (int i = 0; i < SECONDS * 50; i++) {
        usleep(20000);
        int victim = i % READERS;
        kill(children[victim], SIGKILL);
        assert_int_equal(waitpid(children[victim], NULL, 0), children[victim]);
        children[victim] = start(f, victim);
    }
    atomic_store(&f->world->stop, true);
    for (int i = 0; i < READERS + WRITERS; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    print_message("%lu reads, %lu hits, %lu writes\n", (unsigned long)f->world->reads,
                  (unsigned long)f->world->hits, (unsigned long)f->world->writes);
    assert_int_equal(f->world->wrong, 0);
    assert_true(f->world->reads > 100 && f->world->hits > 10 && f->world->writes > 50);
    assert_int_equal(f->world->set_backs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_commit_at_each_point),
        TEST(test_commits_at_two_points),
        TEST(test_what_stays),
        TEST(test_verdict_from_before_a_revocation),
        TEST(test_killed_at_each_point),
        TEST(test_another_database),
        TEST(test_a_copy_in_its_place),
        TEST(test_set_back),
        TEST(test_another_history),
        TEST(test_more_changes_than_are_read),
        TEST(test_by_chance),
    };
    return cmocka_run_group_tests_name("cache in front of a slow database", tests, NULL, NULL);
}
