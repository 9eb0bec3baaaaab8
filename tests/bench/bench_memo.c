/*
 * What the check of a token costs: verified (split, strict JSON, Ed25519, claims), and found in the memo
 * (keyed BLAKE2b of the token, a look into shared memory, times and stamp), for tokens that lie warm and for
 * as many as the memo holds, at random. The database's state is taken as unchanged, as it is in nearly all
 * requests. Prints a table. usage: bench_memo [TOKENS]
 */
#include "base/clock.h"
#include "crypto/init.h"
#include "route/memo.h"
#include "token/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOW_S = 1800000000 };

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_memo: %s failed\n", what);
    exit(EXIT_FAILURE);
}

static bool unchanged(void *data, const struct cache_marker *marker)
{
    (void)data;
    (void)marker;
    return true;
}

static enum err take_marker(void *data, struct cache_marker *out)
{
    (void)data;
    *out = (struct cache_marker){.words = {1}};
    return OK;
}

static enum err read_changes(void *data, int64_t after, int64_t most,
                             void (*take)(void *sink, const struct cache_change *change), void *sink,
                             struct cache_state *state)
{
    (void)data, (void)after, (void)most, (void)take, (void)sink;
    *state = (struct cache_state){.identity = 1, .seq = 1};
    return OK;
}

static enum err set_back(void *data)
{
    (void)data;
    return OK;
}

struct bench {
    struct token_keyring *ring;
    struct token_policy policy;
    struct route_memo memo;
    struct arena arena;
    struct span *tokens;
    size_t count;
};

/* Own tokens, of a key made for this. */
static void make_tokens(struct bench *b, const char *folder)
{
    const struct token_issuer_options own = {.name = SPAN("token"),
                                             .iss = SPAN("https://issuer.example"),
                                             .audience = SPAN("profiles"),
                                             .scopes = ~0U,
                                             .subject_prefix = SPAN("")};
    struct token_signer signer;
    struct err_detail detail = {0};
    struct buf token = {0};
    must(token_keyring_new(&b->ring) == OK &&
             token_keyring_add_folder(b->ring, &own, folder, &detail) == OK &&
             token_signer_load(folder, &signer, &detail) == OK,
         detail.text);
    for (size_t i = 0; i < b->count; i++) {
        char subject[32];
        snprintf(subject, sizeof subject, "reader-%zu", i);
        const struct token_grant grant = {.issuer = own.iss,
                                          .subject = span_str(subject),
                                          .audience = own.audience,
                                          .scopes = TOKEN_SCOPE_READ,
                                          .issued_s = NOW_S,
                                          .expires_s = NOW_S + 3600};
        buf_clear(&token);
        must(token_mint(TOKEN_JWT, &signer, &grant, &token, &detail) == OK, "minting");
        b->tokens[i] = arena_copy(&b->arena, buf_span(&token));
    }
    token_signer_wipe(&signer);
    buf_fini(&token);
}

static double verify_all(struct bench *b, size_t rounds)
{
    struct arena arena = {0};
    struct token_identity who;
    struct err_detail detail = {0};
    int64_t begun_us = clock_monotonic_us();
    for (size_t i = 0; i < rounds; i++, arena_reset(&arena))
        must(token_verify(b->ring, &b->policy, b->tokens[i % b->count], NOW_S, &arena, &who, &detail) == OK,
             "verification");
    arena_fini(&arena);
    return (double)(clock_monotonic_us() - begun_us) / (double)rounds;
}

static void remember_all(struct bench *b)
{
    struct arena arena = {0};
    for (size_t i = 0; i < b->count; i++, arena_reset(&arena)) {
        unsigned char hash[CACHE_TOKEN_HASH_LEN];
        struct token_identity who;
        struct err_detail detail = {0};
        cache_begin(b->memo.cache, (int64_t)NOW_S * 1000);
        must(token_verify(b->ring, &b->policy, b->tokens[i], NOW_S, &arena, &who, &detail) == OK,
             "verification");
        cache_token_hash(b->memo.cache, b->tokens[i], hash);
        route_memo_remember(&b->memo, hash, &b->policy, &who, (struct cache_state){.identity = 1, .seq = 1});
    }
    arena_fini(&arena);
}

static double find(struct bench *b, size_t of, size_t rounds)
{
    struct arena arena = {0};
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    struct token_identity who;
    uint32_t x = 1;
    int64_t begun_us = clock_monotonic_us();
    for (size_t i = 0; i < rounds; i++, arena_reset(&arena)) {
        x = x * 1664525 + 1013904223;
        cache_begin(b->memo.cache, (int64_t)NOW_S * 1000);
        must(route_memo_find(&b->memo, b->tokens[(x >> 8) % of], &b->policy, NOW_S, &arena, &who, hash) == OK,
             "the memo");
    }
    arena_fini(&arena);
    return (double)(clock_monotonic_us() - begun_us) / (double)rounds;
}

int main(int argc, char **argv)
{
    struct bench b = {.policy = {.leeway_s = 30}, .count = argc > 1 ? (size_t)atol(argv[1]) : 10000};
    const struct cache_source source = {unchanged, take_marker, read_changes, set_back, NULL};
    const struct cache_memory_options options = {.verdicts = 16 << 20};
    static struct metrics metrics;
    static struct metrics_gauges gauges;
    struct cache_memory memory;
    struct cache cache;
    struct err_detail detail = {0};
    if (argc < 2 || b.count == 0)
        b.count = 10000;
    const char *folder = getenv("KEYS");
    must(crypto_init() == OK, "libsodium");
    must(folder != NULL, "KEYS=FOLDER (profiled key new makes one) in the environment:");
    must((b.tokens = calloc(b.count, sizeof b.tokens[0])) != NULL, "memory");
    make_tokens(&b, folder);
    must(cache_memory_create(&options, &memory, &detail) == OK &&
             cache_open(&cache, &memory, &source, &metrics, &gauges) == OK,
         "the cache's memory");
    b.memo = (struct route_memo){.cache = &cache, .keys_epoch = 1};
    remember_all(&b);
    double verified = verify_all(&b, 5000), warm = find(&b, 1, 500000), many = find(&b, b.count, 500000);
    printf("| a token of %zu bytes            | us a check | cheaper than verifying |\n", b.tokens[0].len);
    printf("|-----------------------------------|------------|------------------------|\n");
    printf("| verified                          | %10.2f | %22.1f |\n", verified, 1.0);
    printf("| remembered, one token             | %10.2f | %22.1f |\n", warm, verified / warm);
    printf("| remembered, %7zu at random     | %10.2f | %22.1f |\n", b.count, many, verified / many);
    cache_close(&cache);
    cache_memory_close(&memory);
    token_keyring_free(&b.ring);
    arena_fini(&b.arena);
    free(b.tokens);
    return EXIT_SUCCESS;
}
