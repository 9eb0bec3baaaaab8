/*
 * How often the cache's table has what is asked for, beside an exact LRU of the same bytes and beside
 * evicting what is used farthest in the future, which nothing can beat by much. All of the table's bytes
 * count (header, index, ghost, record heads, keys), of the LRU's its values alone. usage: bench_hit_ratio
 * [TRACE [SHARE-PERCENT…]] A trace is a row of big-endian 32-bit keys, one a request; without one: Zipf. A
 * key's size is clip(lognormal(median 800, sigma 0.8), 200, 16384), drawn from a hash of the key.
 */
#include "cache/table.h"
#include "crypto/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHORTEST = 200, LONGEST = 16384, MEDIAN = 800, ZIPF_KEYS = 100000, ZIPF_REQUESTS = 3000000 };
#define NEVER UINT32_MAX

struct trace {
    uint32_t *requests; /* numbers of keys, from 0 */
    size_t len;
    uint32_t *next;  /* of each request: the next of the same key, or NEVER */
    uint32_t *sizes; /* of each key */
    uint32_t keys;
    uint64_t bytes; /* of all keys' values */
};

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p == NULL) {
        perror("bench_hit_ratio");
        exit(1);
    }
    return p;
}

/* A good spread of any number (SplitMix64's last step). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static double uniform(uint64_t x)
{
    return ((double)(mix(x) >> 11) + 0.5) / 9007199254740992.0;
}

static uint32_t size_of(uint32_t name)
{
    double normal =
        sqrt(-2 * log(uniform(name))) * cos(2 * acos(-1) * uniform(name ^ (uint64_t)0x5a5a << 40));
    double size = MEDIAN * exp(0.8 * normal);
    return size < SHORTEST ? SHORTEST : size > LONGEST ? LONGEST : (uint32_t)size;
}

static uint32_t *read_names(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    unsigned char word[4];
    size_t room = 1 << 20;
    uint32_t *names = allocate(room, sizeof *names);
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    for (*len = 0; fread(word, sizeof word, 1, f) == 1; (*len)++) {
        if (*len == room)
            names = realloc(names, (room *= 2) * sizeof *names);
        if (names == NULL)
            exit(1);
        names[*len] = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
    }
    fclose(f);
    return names;
}

static uint32_t *make_zipf(size_t *len)
{
    double *sum = allocate(ZIPF_KEYS, sizeof *sum), total = 0;
    uint32_t *names = allocate(ZIPF_REQUESTS, sizeof *names);
    for (uint32_t i = 0; i < ZIPF_KEYS; i++)
        sum[i] = total += pow(i + 1, -0.9);
    for (size_t i = 0; i < ZIPF_REQUESTS; i++) {
        double at = uniform((uint64_t)1 << 60 | i) * total;
        uint32_t low = 0, high = ZIPF_KEYS - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sum[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }
        names[i] = low;
    }
    free(sum);
    *len = ZIPF_REQUESTS;
    return names;
}

/* Numbers the keys, sizes them, links the requests. */
static struct trace prepare(uint32_t *names, size_t len)
{
    struct trace t = {.requests = names, .len = len};
    const size_t mask = ((size_t)1 << 24) - 1;
    uint64_t *numbers = allocate(mask + 1, sizeof *numbers); /* name << 32 | number + 1 */
    t.sizes = allocate(len, sizeof *t.sizes);
    t.next = allocate(len, sizeof *t.next);
    uint32_t *last = allocate(len, sizeof *last);
    for (size_t i = 0; i < len; i++) {
        size_t at = mix(names[i]) & mask;
        while (numbers[at] != 0 && numbers[at] >> 32 != names[i])
            at = (at + 1) & mask;
        if (numbers[at] == 0) {
            t.sizes[t.keys] = size_of(names[i]);
            t.bytes += t.sizes[t.keys];
            numbers[at] = (uint64_t)names[i] << 32 | ++t.keys;
        }
        names[i] = (uint32_t)numbers[at] - 1;
    }
    memset(last, 0xff, len * sizeof *last);
    for (size_t i = len; i-- > 0;) {
        t.next[i] = last[names[i]];
        last[names[i]] = (uint32_t)i;
    }
    free(numbers);
    free(last);
    return t;
}

static double run_lru(const struct trace *t, uint64_t capacity)
{
    struct link {
        uint32_t older, newer;
        bool in;
    } *links = allocate(t->keys + 1, sizeof *links);
    const uint32_t end = t->keys; /* older than all and newer than all */
    uint64_t held = 0, hits = 0;
    links[end] = (struct link){end, end, false};
    for (size_t i = 0; i < t->len; i++) {
        uint32_t key = t->requests[i];
        if (links[key].in) {
            hits++;
            links[links[key].older].newer = links[key].newer;
            links[links[key].newer].older = links[key].older;
        } else {
            held += t->sizes[key];
        }
        links[key] = (struct link){links[end].older, end, true};
        links[links[key].older].newer = key;
        links[end].older = key;
        while (held > capacity) {
            uint32_t oldest = links[end].newer;
            held -= t->sizes[oldest];
            links[oldest].in = false;
            links[end].newer = links[oldest].newer;
            links[links[oldest].newer].older = end;
        }
    }
    free(links);
    return (double)hits / (double)t->len;
}

struct heap {
    uint64_t *items; /* next use << 32 | key; the greatest first */
    size_t len;
};

static void heap_push(struct heap *h, uint64_t item)
{
    size_t at = h->len++;
    for (; at > 0 && h->items[(at - 1) / 2] < item; at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = item;
}

static uint64_t heap_pop(struct heap *h)
{
    uint64_t top = h->items[0], item = h->items[--h->len];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->len; at = child) {
        if (child + 1 < h->len && h->items[child + 1] > h->items[child])
            child++;
        if (h->items[child] <= item)
            break;
        h->items[at] = h->items[child];
    }
    h->items[at] = item;
    return top;
}

static double run_farthest(const struct trace *t, uint64_t capacity)
{
    struct heap heap = {allocate(t->len + 1, sizeof *heap.items), 0};
    uint32_t *next = allocate(t->keys, sizeof *next); /* of what is held */
    bool *in = allocate(t->keys, sizeof *in);
    uint64_t held = 0, hits = 0;
    for (size_t i = 0; i < t->len; i++) {
        uint32_t key = t->requests[i];
        if (in[key])
            hits++;
        else
            held += t->sizes[key];
        in[key] = true;
        next[key] = t->next[i];
        heap_push(&heap, (uint64_t)next[key] << 32 | key);
        while (held > capacity) {
            uint64_t top = heap_pop(&heap);
            uint32_t victim = (uint32_t)top;
            if (!in[victim] || next[victim] != top >> 32)
                continue; /* it was used meanwhile */
            in[victim] = false;
            held -= t->sizes[victim];
        }
    }
    free(heap.items);
    free(next);
    free(in);
    return (double)hits / (double)t->len;
}

static double run_table(const struct trace *t, uint64_t capacity, size_t typical_len,
                        struct cache_table_facts *facts)
{
    const unsigned char secret[CRYPTO_SIPHASH_KEY_LEN] = "a key of sixteen";
    static char value[LONGEST], out[LONGEST];
    const struct cache_table_options options = {(size_t)capacity, typical_len};
    struct err_detail detail = {0};
    struct cache_table table;
    uint64_t hits = 0, failed = 0;
    size_t len;
    void *block = aligned_alloc(CACHE_TABLE_ALIGN, (size_t)(capacity + 63) / 64 * 64);
    if (block == NULL || cache_table_format(block, &options, &detail) != OK ||
        cache_table_attach(&table, block, options.bytes, &detail) != OK) {
        fprintf(stderr, "bench_hit_ratio: %s\n", detail.text);
        exit(1);
    }
    for (size_t i = 0; i < t->len; i++) {
        const struct span key = span_of((const char *)&t->requests[i], sizeof t->requests[i]);
        const uint32_t size = t->sizes[t->requests[i]];
        uint64_t hash = crypto_siphash(secret, key);
        if (cache_table_get(&table, hash, key, out, sizeof out, &len) == OK)
            hits++;
        else if (cache_table_put(&table, hash, key, span_of(value, size), 0, NULL) != OK)
            failed++;
    }
    if (failed > 0)
        printf("%llu puts failed\n", (unsigned long long)failed);
    cache_table_facts(&table, facts);
    free(block);
    return (double)hits / (double)t->len;
}

int main(int argc, char **argv)
{
    size_t len;
    uint32_t *names = argc > 1 ? read_names(argv[1], &len) : make_zipf(&len);
    struct trace t = prepare(names, len);
    double shares[16] = {5, 10};
    int count = 2;
    if (argc > 2)
        count = 0;
    for (int i = 2; i < argc && count < 16; i++)
        shares[count++] = strtod(argv[i], NULL);
    printf("%s: %zu requests of %u keys, %.1f MB\n", argc > 1 ? argv[1] : "zipf 0.9", t.len, t.keys,
           (double)t.bytes / 1e6);
    printf("%7s %9s %8s %8s %8s %9s %10s %8s\n", "share", "KiB", "lru", "table", "gain", "farthest",
           "overhead", "live");
    for (int i = 0; i < count; i++) {
        const uint64_t capacity = (uint64_t)((double)t.bytes * shares[i] / 100);
        struct cache_table_facts facts;
        double lru = run_lru(&t, capacity), ours = run_table(&t, capacity, 0, &facts);
        printf("%6.1f%% %9.0f %8.4f %8.4f %+8.4f %9.4f %9.1f%% %7.1f%%\n", shares[i], (double)capacity / 1024,
               lru, ours, ours - lru, run_farthest(&t, capacity),
               100.0 * (double)facts.overhead_bytes / (double)capacity,
               100.0 * (double)facts.bytes_held / (double)facts.data_bytes);
    }
    free(t.requests);
    free(t.next);
    free(t.sizes);
    return 0;
}
