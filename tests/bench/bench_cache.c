/*
 * What the cache's table costs beside copying the same bytes: a hit of 1 KiB when one record is asked for
 * again and again and when all of them are at random, a miss, an insertion with and without eviction, and for
 * comparison one store of a version word. A hit includes the hash of its key. Prints nanoseconds, the best of
 * several rounds, since whatever else the machine does only ever adds; ratios are of one round, the median.
 * Then how full mixed sizes leave it, and what a scan does to what is in use.
 * usage: bench_cache [MIB]
 */
#include "cache/table.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 15, CALLS = 200000, VALUE_LEN = 1024, KEY_LEN = 40 };

static const unsigned char secret[CRYPTO_SIPHASH_KEY_LEN] = "a key of sixteen";

struct bench {
    struct cache_table table;
    size_t bytes;
    uint32_t count;    /* of records that it holds by now, numbered from 0 */
    uint32_t *order;   /* CALLS numbers of records at random */
    char (*asked)[48]; /* and their keys: who asks has just made the key, so it is at hand */
    char (*keys)[48];  /* KEY_LEN characters of each */
    char *copy;        /* as many values as records, to be copied from */
    uint32_t fresh;    /* a number that no record has */
    uint64_t failed;
};

static uint64_t random_state = 88172645463325252;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (at == MAP_FAILED) {
        perror("bench_cache");
        exit(1);
    }
    return at;
}

static struct cache_table open_table(size_t bytes)
{
    struct cache_table t;
    struct err_detail detail = {0};
    const struct cache_table_options options = {bytes, 0};
    void *at = map(bytes);
    if (cache_table_format(at, &options, &detail) != OK || cache_table_attach(&t, at, bytes, &detail) != OK) {
        fprintf(stderr, "bench_cache: %s\n", detail.text);
        exit(1);
    }
    return t;
}

static void close_table(struct cache_table *t)
{
    munmap(t->block, t->bytes);
}

/* The key of a number, as long as that of a response: a path, a view, a form. */
static void make_key(char out[48], uint32_t number)
{
    snprintf(out, 48, "public:identity:0192f0c1-7c1e-%010u", number);
}

static enum err put(struct cache_table *t, const char *key, const char *value, size_t len)
{
    struct span k = span_of(key, KEY_LEN);
    return cache_table_put(t, crypto_siphash(secret, k), k, span_of(value, len), 0, NULL);
}

static enum err get(struct cache_table *t, const char *key, char *out, size_t room)
{
    size_t len;
    struct span k = span_of(key, KEY_LEN);
    return cache_table_get(t, crypto_siphash(secret, k), k, out, room, &len);
}

static char sink[64 * 1024];

/* The compiler must think that the bytes are looked at. */
static inline void used(const void *bytes)
{
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

static double copy_hot(struct bench *b)
{
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++) {
        memcpy(sink, b->copy, VALUE_LEN);
        used(sink);
    }
    return now_ns() - begin;
}

static double copy_random(struct bench *b)
{
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++) {
        memcpy(sink, b->copy + (size_t)b->order[i] * VALUE_LEN, VALUE_LEN);
        used(sink);
    }
    return now_ns() - begin;
}

static double hit_hot(struct bench *b)
{
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++)
        b->failed += get(&b->table, b->keys[b->count - 1], sink, sizeof sink) != OK;
    return now_ns() - begin;
}

static double hit_random(struct bench *b)
{
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++)
        b->failed += get(&b->table, b->asked[i], sink, sizeof sink) != OK;
    return now_ns() - begin;
}

static double miss(struct bench *b)
{
    char key[48];
    make_key(key, UINT32_MAX);
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++) {
        key[20] = (char)('a' + i % 26);
        key[21] = (char)('a' + i / 26 % 26);
        b->failed += get(&b->table, key, sink, sizeof sink) != ERR_NOT_FOUND;
    }
    return now_ns() - begin;
}

static double hash_alone(struct bench *b)
{
    uint64_t sum = 0;
    double begin = now_ns();
    for (int i = 0; i < CALLS; i++)
        sum += crypto_siphash(secret, span_of(b->keys[i & 1], KEY_LEN));
    used(&sum);
    return now_ns() - begin;
}

static double version_store(struct bench *b)
{
    _Atomic uint64_t *word = (_Atomic uint64_t *)(void *)b->copy;
    double begin = now_ns();
    for (uint64_t i = 0; i < CALLS; i++)
        atomic_store_explicit(word, i, memory_order_release);
    return now_ns() - begin;
}

/* New keys into a full table: each drops one. Their making is not counted. */
static double insertion(struct bench *b)
{
    enum { AT_ONCE = 1000 };
    static char keys[AT_ONCE][48];
    double took = 0;
    for (int done = 0; done < CALLS; done += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            make_key(keys[i], b->fresh++);
        double begin = now_ns();
        for (int i = 0; i < AT_ONCE; i++)
            b->failed += put(&b->table, keys[i], b->copy, VALUE_LEN) != OK;
        took += now_ns() - begin;
    }
    return took;
}

/* Of what the table holds, at random; again before each round, since insertions move it. */
static void fill(struct bench *b)
{
    b->failed += cache_table_clear(&b->table, 0) != OK;
    for (uint32_t i = 0; i < b->count; i++)
        b->failed += put(&b->table, b->keys[i], b->copy, VALUE_LEN) != OK;
    for (int i = 0; i < CALLS; i++) {
        b->order[i] = (uint32_t)(random_next() % b->count);
        memcpy(b->asked[i], b->keys[b->order[i]], sizeof b->asked[i]);
    }
}

static const struct row {
    const char *name;
    double (*run)(struct bench *b);
    int beside; /* the row that it is a multiple of; -1: none */
    double limit;
} rows[] = {
    {"memcpy 1 KiB, hot", copy_hot, -1, 0},
    {"hit 1 KiB, hot", hit_hot, 0, 4},
    {"memcpy 1 KiB, random", copy_random, -1, 0},
    {"hit 1 KiB, random", hit_random, 2, 6},
    {"miss", miss, -1, 0},
    {"hash of the key, in each of them", hash_alone, -1, 0},
    {"insertion 1 KiB, with eviction", insertion, -1, 0},
    {"a version word's store", version_store, -1, 0},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void measure(struct bench *b)
{
    static double took[ROW_COUNT][ROUNDS], ratios[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        fill(b);
        for (int i = 0; i < ROW_COUNT; i++)
            took[i][round] = rows[i].run(b) / CALLS;
    }
    printf("%-34s %9s %9s %7s\n", "", "ns", "times", "limit");
    for (int i = 0; i < ROW_COUNT; i++) {
        double best = took[i][0];
        for (int round = 0; round < ROUNDS; round++)
            best = took[i][round] < best ? took[i][round] : best;
        if (rows[i].beside < 0) {
            printf("%-34s %9.1f\n", rows[i].name, best);
            continue;
        }
        for (int round = 0; round < ROUNDS; round++)
            ratios[round] = took[i][round] / took[rows[i].beside][round];
        qsort(ratios, ROUNDS, sizeof ratios[0], by_value);
        printf("%-34s %9.1f %9.2f %7.0f\n", rows[i].name, best, ratios[ROUNDS / 2], rows[i].limit);
    }
}

/* Ten times what it holds, of 200 bytes to 16 KiB. */
static void mixed_sizes(size_t bytes)
{
    struct cache_table t = open_table(bytes);
    struct cache_table_facts facts;
    char key[48];
    uint64_t put_bytes = 0, failed = 0;
    uint32_t number = 0;
    for (; put_bytes < (uint64_t)bytes * 10; number++) {
        size_t len = 200 + random_next() % (16384 - 200 + 1);
        make_key(key, number);
        failed += put(&t, key, sink, len) != OK;
        put_bytes += len;
    }
    cache_table_facts(&t, &facts);
    printf("\nmixed sizes: %" PRIu32 " insertions of ten times the bytes, %" PRIu64
           " failed; %.1f%% of %" PRIu64 " data bytes live\n",
           number, failed, 100.0 * (double)facts.bytes_held / (double)facts.data_bytes, facts.data_bytes);
    close_table(&t);
}

/* Reads through: puts what is not there. */
static bool read_through(struct bench *b, uint32_t number)
{
    char key[48];
    make_key(key, number);
    if (get(&b->table, key, sink, sizeof sink) == OK)
        return true;
    b->failed += put(&b->table, key, sink, VALUE_LEN) != OK;
    return false;
}

/* What is in use fills half of it; then come a million reads of ids at random. With `amid`, one read in ten
 * is of what is in use, and those are what counts; else it is not asked for until the million is over. */
static void scan(size_t bytes, uint32_t ids, bool amid)
{
    enum { READS = 1000000, OTHERS = 100000000 };
    struct bench b = {.table = open_table(bytes)};
    const uint32_t hot = (uint32_t)(bytes / 2 / (VALUE_LEN + 80));
    uint64_t before = 0, after = 0, asked = 0;
    for (int round = 0; round < 5; round++) {
        before = 0;
        for (uint32_t i = 0; i < hot; i++)
            before += read_through(&b, i);
    }
    for (int i = 0; i < READS; i++) {
        (void)read_through(&b, OTHERS + (uint32_t)(random_next() % ids));
        if (amid && i % 9 == 0) {
            after += read_through(&b, (uint32_t)(random_next() % hot));
            asked++;
        }
    }
    for (uint32_t i = 0; !amid && i < hot; i++, asked++)
        after += read_through(&b, i);
    printf("a million reads of %10u ids at random%s: hits of what is in use %.2f%%, then %.2f%%\n", ids,
           amid ? ", it being used meanwhile" : "", 100.0 * (double)before / hot,
           100.0 * (double)after / (double)asked);
    if (b.failed > 0)
        printf("%" PRIu64 " puts failed\n", b.failed);
    close_table(&b.table);
}

int main(int argc, char **argv)
{
    const size_t bytes = (size_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 64) << 20;
    struct bench b = {.table = open_table(bytes), .bytes = bytes, .fresh = 1000000000};
    b.count = (uint32_t)(bytes * 85 / 100 / (VALUE_LEN + 16 + KEY_LEN));
    b.keys = map(b.count * sizeof *b.keys);
    b.copy = map((size_t)b.count * VALUE_LEN);
    b.order = map(CALLS * sizeof *b.order);
    b.asked = map(CALLS * sizeof *b.asked);
    for (uint32_t i = 0; i < b.count; i++)
        make_key(b.keys[i], i);
    printf("%zu MiB, %u records of 1 KiB\n", bytes >> 20, b.count);
    measure(&b);
    if (b.failed > 0)
        printf("%" PRIu64 " calls did not end as expected\n", b.failed);
    mixed_sizes(bytes);
    scan(bytes, 1000000, false);
    scan(bytes, 1000000000, false);
    scan(bytes, 1000000, true);
    return 0;
}
