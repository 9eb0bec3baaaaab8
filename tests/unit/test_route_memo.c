/* The memo of verified tokens: whom one speaks for comes back whole, and not when its key, its time, its
 * subject's tokens or its own bytes are other ones. */
#include "support_source.h"

#include "route/memo.h"

enum { NOW_S = 1000000, TTL_S = 300, EPOCH = 5, MEBIBYTE = 1 << 20 };

static const struct token_policy policy = {.leeway_s = 10, .max_ttl_s = 3600};

struct world {
    struct cache_memory memory;
    struct fake *fake;
    struct metrics metrics;
    struct metrics_gauges gauges;
    struct cache cache;
    struct route_memo memo;
    struct arena arena;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const struct cache_memory_options options = {.verdicts = MEBIBYTE};
    struct err_detail detail = {0};
    if (w == NULL)
        return 1;
    assert_int_equal(cache_memory_create(&options, &w->memory, &detail), OK);
    w->fake = support_shared(sizeof *w->fake);
    *w->fake = (struct fake){.version = 1, .state = {.identity = 7, .seq = 10}};
    const struct cache_source source = fake_source(w->fake);
    assert_int_equal(cache_open(&w->cache, &w->memory, &source, &w->metrics, &w->gauges), OK);
    w->memo = (struct route_memo){.cache = &w->cache, .keys_epoch = EPOCH};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    cache_close(&w->cache);
    cache_memory_close(&w->memory);
    munmap(w->fake, sizeof *w->fake);
    arena_fini(&w->arena);
    free(w);
    return 0;
}

static struct token_identity ada(void)
{
    return (struct token_identity){.subject = SPAN("ada"),
                                   .issuer = SPAN("https://issuer.example"),
                                   .jti = SPAN("j1"),
                                   .scopes = TOKEN_SCOPE_READ,
                                   .expires_s = NOW_S + TTL_S,
                                   .not_before_s = NOW_S - 60,
                                   .issued_s = NOW_S - 60};
}

static enum err find_under(struct world *w, const char *token, const struct token_policy *under,
                           int64_t now_s, struct token_identity *out)
{
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    cache_begin(&w->cache, now_s * 1000);
    return route_memo_find(&w->memo, span_str(token), under, now_s, &w->arena, out, hash);
}

static enum err find(struct world *w, const char *token, int64_t now_s, struct token_identity *out)
{
    return find_under(w, token, &policy, now_s, out);
}

static void remember(struct world *w, const char *token, const struct token_identity *identity)
{
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    cache_begin(&w->cache, (int64_t)NOW_S * 1000);
    cache_token_hash(&w->cache, span_str(token), hash);
    route_memo_remember(&w->memo, hash, &policy, identity, w->fake->state);
}

static void assert_alike(const struct token_identity *a, const struct token_identity *b)
{
    assert_true(span_eq(a->subject, b->subject));
    assert_true(span_eq(a->issuer, b->issuer));
    assert_int_equal(a->jti.ptr == NULL, b->jti.ptr == NULL);
    assert_true(a->jti.ptr == NULL || span_eq(a->jti, b->jti));
    assert_int_equal(a->scopes, b->scopes);
    assert_int_equal(a->expires_s, b->expires_s);
    assert_int_equal(a->not_before_s, b->not_before_s);
    assert_int_equal(a->issued_s, b->issued_s);
}

static void test_it_comes_back_whole(void **state)
{
    struct world *w = *state;
    struct token_identity rows[6], out;
    for (size_t i = 0; i < 6; i++)
        rows[i] = ada();
    rows[1].jti = (struct span){NULL, 0}; /* absent */
    rows[2].jti = SPAN("");               /* and empty is not absent */
    rows[3].issuer = SPAN("");
    rows[4].not_before_s = rows[4].issued_s = TOKEN_NO_TIME;
    rows[5].scopes = ~0u;
    for (size_t i = 0; i < 6; i++) {
        char token[] = {'t', (char)('0' + i), '\0'};
        assert_int_equal(find(w, token, NOW_S, &out), ERR_NOT_FOUND);
        remember(w, token, &rows[i]);
        assert_int_equal(find(w, token, NOW_S, &out), OK);
        assert_alike(&out, &rows[i]);
    }
}

static void test_another_token(void **state)
{
    struct world *w = *state;
    static const char *const others[] = {"", "toke", "tokeN", "token ", "token.", "xtoken"};
    const struct token_identity identity = ada();
    struct token_identity out;
    remember(w, "token", &identity);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(find(w, others[i], NOW_S, &out), ERR_NOT_FOUND);
        assert_null(out.subject.ptr);
        assert_int_equal(out.scopes, 0);
    }
}

static void test_times(void **state)
{
    struct world *w = *state;
    const struct token_identity identity = ada();
    const struct token_policy strict = {.leeway_s = 0, .max_ttl_s = 3600}, shorter = {.max_ttl_s = TTL_S};
    struct token_identity out;
    const struct {
        int64_t now_s;
        const struct token_policy *policy;
        enum err e;
    } rows[] = {
        {NOW_S, &policy, OK},
        {NOW_S + TTL_S - 1, &strict, OK},
        {NOW_S + TTL_S, &strict, ERR_NOT_FOUND},
        {NOW_S + TTL_S, &policy, OK}, /* leeway */
        {NOW_S + TTL_S + 9, &policy, OK},
        {NOW_S + TTL_S + 10, &policy, ERR_NOT_FOUND},
        {NOW_S + TTL_S * 100, &policy, ERR_NOT_FOUND},
        {NOW_S - 60, &strict, OK},
        {NOW_S - 61, &strict, ERR_NOT_FOUND}, /* a clock that was set back */
        {NOW_S - 71, &policy, ERR_NOT_FOUND},
        {0, &policy, ERR_NOT_FOUND},
        {NOW_S, &shorter, ERR_NOT_FOUND}, /* a policy that has changed since */
    };
    remember(w, "token", &identity);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (find_under(w, "token", rows[i].policy, rows[i].now_s, &out) != rows[i].e)
            fail_msg("row %zu", i);
}

static void test_other_keys(void **state)
{
    struct world *w = *state;
    const struct token_identity identity = ada();
    struct token_identity out;
    remember(w, "token", &identity);
    static const uint64_t epochs[] = {0, EPOCH - 1, EPOCH + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        w->memo.keys_epoch = epochs[i];
        assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
        assert_null(out.subject.ptr);
    }
    w->memo.keys_epoch = EPOCH;
    assert_int_equal(find(w, "token", NOW_S, &out), OK);
}

static void test_revocation(void **state)
{
    struct world *w = *state;
    const struct token_identity identity = ada();
    struct token_identity out;
    remember(w, "token", &identity);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_SUBJECT, SPAN("bob")));
    fake_commit(w->fake, cache_word(&w->cache, CACHE_PUBLIC_VIEW, SPAN("ada")));
    fake_commit(w->fake, cache_word(&w->cache, CACHE_OWNER_VIEW, SPAN("ada")));
    assert_int_equal(find(w, "token", NOW_S, &out), OK);
    fake_commit(w->fake, cache_word(&w->cache, CACHE_SUBJECT, SPAN("ada")));
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    /* verified before the revocation, put after it */
    struct cache_state before = w->fake->state;
    before.seq--;
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    cache_token_hash(&w->cache, SPAN("token"), hash);
    route_memo_remember(&w->memo, hash, &policy, &identity, before);
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    remember(w, "token", &identity); /* issued after it */
    assert_int_equal(find(w, "token", NOW_S, &out), OK);
}

static void test_a_source_that_fails(void **state)
{
    struct world *w = *state;
    const struct token_identity identity = ada();
    struct token_identity out;
    remember(w, "token", &identity);
    fake_commit(w->fake, 0);
    w->fake->read = ERR_IO;
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    w->fake->read = OK;
    assert_int_equal(find(w, "token", NOW_S, &out), OK);
    w->fake->state.identity = 0; /* the state is not known */
    remember(w, "other", &identity);
    w->fake->state.identity = 7;
    assert_int_equal(find(w, "other", NOW_S, &out), ERR_NOT_FOUND);
}

static void test_what_is_too_long(void **state)
{
    struct world *w = *state;
    static char text[CACHE_VERDICT_MAX], token[TOKEN_MAX_LEN + 2];
    struct token_identity identity = ada(), out;
    memset(text, 'x', sizeof text);
    memset(token, 't', sizeof token - 1);
    identity.issuer = span_of(text, sizeof text);
    remember(w, "a", &identity);
    assert_int_equal(find(w, "a", NOW_S, &out), ERR_NOT_FOUND);
    identity = ada();
    identity.jti = span_of(text, sizeof text - 60);
    remember(w, "b", &identity);
    assert_int_equal(find(w, "b", NOW_S, &out), ERR_NOT_FOUND);
    identity = ada();
    identity.subject = span_of(text, CACHE_KEY_MAX); /* no key to look for its revocation by */
    remember(w, "c", &identity);
    assert_int_equal(find(w, "c", NOW_S, &out), ERR_NOT_FOUND);
    identity = ada();
    identity.issuer = span_of(text, 3500);
    remember(w, "d", &identity);
    assert_int_equal(find(w, "d", NOW_S, &out), OK);
    assert_alike(&out, &identity);
    identity = ada();
    remember(w, token, &identity);
    assert_int_equal(find(w, token, NOW_S, &out), ERR_NOT_FOUND);
}

/* What lies in the table is only believed as far as it fits. */
static void test_records_that_are_none(void **state)
{
    struct world *w = *state;
    static const char bytes[64] = {EPOCH};
    struct token_identity out;
    struct cache_key subject;
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    assert_true(cache_key_make(&w->cache, CACHE_SUBJECT, SPAN("ada"), &subject));
    cache_token_hash(&w->cache, SPAN("token"), hash);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        cache_begin(&w->cache, (int64_t)NOW_S * 1000);
        cache_verdict_put(&w->cache, hash, span_of(bytes, len), w->fake->state, (int64_t)NOW_S * 2000,
                          &subject);
        assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    }
}

static void test_the_memo_is_off(void **state)
{
    struct world *w = *state;
    const struct token_identity identity = ada();
    const struct cache_memory_options off = {.responses = 1};
    const struct cache_source source = fake_source(w->fake);
    struct cache_memory memory;
    struct err_detail detail = {0};
    struct token_identity out;
    static const unsigned char hash[CACHE_TOKEN_HASH_LEN] = {0};
    cache_close(&w->cache);
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    route_memo_remember(&w->memo, hash, &policy, &identity, w->fake->state);
    assert_int_equal(cache_memory_create(&off, &memory, &detail), OK);
    assert_int_equal(cache_open(&w->cache, &memory, &source, &w->metrics, &w->gauges), OK);
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    route_memo_remember(&w->memo, hash, &policy, &identity, w->fake->state);
    assert_int_equal(find(w, "token", NOW_S, &out), ERR_NOT_FOUND);
    cache_memory_close(&memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_comes_back_whole),
        TEST(test_another_token),
        TEST(test_times),
        TEST(test_other_keys),
        TEST(test_revocation),
        TEST(test_a_source_that_fails),
        TEST(test_what_is_too_long),
        TEST(test_records_that_are_none),
        TEST(test_the_memo_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
