/* Tokens that we make are tokens that we take, and say what they were made to say. */
#include "support_token.h"
#include "token/mint.h"
#include "token/verify.h"

#include "crypto/init.h"
#include "token/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW 1700000000

static struct token_keyring *ring;
static struct token_signer signer;

static const struct token_grant grant = {
    .issuer = SPAN_INIT("https://own.example"),
    .subject = SPAN_INIT("ann"),
    .audience = SPAN_INIT("profiled"),
    .jti = SPAN_INIT("j1"),
    .scopes = TOKEN_SCOPE_READ | TOKEN_SCOPE_WRITE,
    .issued_s = NOW,
    .expires_s = NOW + 3600,
};
static const struct token_policy policy = {.max_ttl_s = 3600};

static void test_jwt(void **state)
{
    struct arena arena = {0};
    struct buf token = {0};
    struct token_parts parts;
    (void)state;
    assert_int_equal(token_mint(TOKEN_JWT, &signer, &grant, &token, NULL), OK);
    assert_int_equal(token_jwt_split(buf_span(&token), &arena, &parts, NULL), OK);
    assert_true(span_eq(parts.header, SPAN("{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"k\\\"1\"}")));
    assert_true(
        span_eq(parts.payload, SPAN("{\"iss\":\"https://own.example\",\"sub\":\"ann\",\"aud\":\"profiled\","
                                    "\"iat\":1700000000,\"exp\":1700003600,\"jti\":\"j1\","
                                    "\"scope\":\"profile:read profile:write\"}")));
    buf_fini(&token);
    arena_fini(&arena);
}

static void test_paseto(void **state)
{
    struct arena arena = {0};
    struct buf token = {0};
    struct token_parts parts;
    (void)state;
    assert_int_equal(token_mint(TOKEN_PASETO, &signer, &grant, &token, NULL), OK);
    assert_int_equal(token_paseto_split(buf_span(&token), (struct span){NULL, 0}, &arena, &parts, NULL), OK);
    assert_true(span_eq(parts.header, SPAN("{\"kid\":\"k\\\"1\"}")));
    assert_true(
        span_eq(parts.payload, SPAN("{\"iss\":\"https://own.example\",\"sub\":\"ann\",\"aud\":\"profiled\","
                                    "\"iat\":\"2023-11-14T22:13:20Z\",\"exp\":\"2023-11-14T23:13:20Z\","
                                    "\"jti\":\"j1\",\"scope\":\"profile:read profile:write\"}")));
    buf_fini(&token);
    arena_fini(&arena);
}

/* At exactly the longest life, without leeway; and a second later on either side it is not. */
static void test_verified(void **state)
{
    (void)state;
    for (int format = TOKEN_JWT; format <= TOKEN_PASETO; format++) {
        struct arena arena = {0};
        struct token_identity id;
        struct buf token = {0};
        buf_lit(&token, "before ");
        assert_int_equal(token_mint((enum token_format)format, &signer, &grant, &token, NULL), OK);
        assert_true(span_starts(buf_span(&token), SPAN("before ")));
        struct span made = span_from(buf_span(&token), 7);
        assert_int_equal(token_verify(ring, &policy, made, NOW, &arena, &id, NULL), OK);
        assert_true(span_eq(id.subject, SPAN("ann")) && span_eq(id.jti, SPAN("j1")));
        assert_int_equal(id.scopes, grant.scopes);
        assert_int_equal(id.issued_s, NOW);
        assert_int_equal(id.expires_s, NOW + 3600);
        assert_int_equal(token_verify(ring, &policy, made, NOW + 3599, &arena, &id, NULL), OK);
        assert_int_equal(token_verify(ring, &policy, made, NOW + 3600, &arena, &id, NULL), ERR_EXPIRED);
        assert_int_equal(token_verify(ring, &policy, made, NOW - 1, &arena, &id, NULL), ERR_EXPIRED);
        buf_fini(&token);
        arena_fini(&arena);
    }
}

static void test_left_out(void **state)
{
    struct token_grant least = {.issuer = SPAN("i"), .subject = SPAN("s"), .issued_s = 1, .expires_s = 2};
    struct arena arena = {0};
    struct buf token = {0};
    struct token_parts parts;
    (void)state;
    assert_int_equal(token_mint(TOKEN_JWT, &signer, &least, &token, NULL), OK);
    assert_int_equal(token_jwt_split(buf_span(&token), &arena, &parts, NULL), OK);
    assert_true(span_eq(parts.payload, SPAN("{\"iss\":\"i\",\"sub\":\"s\",\"iat\":1,\"exp\":2}")));
    buf_fini(&token);
    arena_fini(&arena);
}

static void test_refused(void **state)
{
    static char long_text[TOKEN_MAX_LEN];
    static const struct span latin = SPAN_INIT("\xe4");
    struct err_detail detail = {0};
    struct buf token = {0};
    (void)state;
    memset(long_text, 'a', sizeof long_text);
    buf_lit(&token, "before");
    for (int format = TOKEN_JWT; format <= TOKEN_PASETO; format++) {
        struct token_grant bad = grant;
        bad.subject = latin;
        assert_int_equal(token_mint((enum token_format)format, &signer, &bad, &token, &detail), ERR_INVALID);
        assert_string_equal(detail.text, "a claim is not UTF-8");
        bad = grant;
        bad.audience = latin;
        assert_int_equal(token_mint((enum token_format)format, &signer, &bad, &token, NULL), ERR_INVALID);
        bad.audience = span_of(long_text, sizeof long_text);
        detail.text[0] = '\0';
        assert_int_equal(token_mint((enum token_format)format, &signer, &bad, &token, &detail), ERR_INVALID);
        assert_string_equal(detail.text, "the token would be longer than 4096 bytes");
        detail.text[0] = '\0';
        assert_string_equal(buf_text(&token), "before");
    }
    buf_fini(&token);
}

static int set_up(void **state)
{
    const struct token_issuer_options options = {.name = SPAN("token"),
                                                 .iss = SPAN("https://own.example"),
                                                 .audience = SPAN("profiled"),
                                                 .scopes = TOKEN_SCOPE_ALL};
    (void)state;
    if (crypto_init() != OK)
        return -1;
    struct crypto_ed25519_pair key = support_key(1);
    struct buf jwk = support_jwk(&key, "k\"1", true, "");
    char *folder = support_folder();
    bool good = folder != NULL && support_write(folder, "k.jwk", buf_span(&jwk), 0600) == OK &&
                token_keyring_new(&ring) == OK &&
                token_keyring_add_folder(ring, &options, folder, NULL) == OK &&
                token_signer_load(folder, &signer, NULL) == OK;
    support_remove(&folder);
    buf_fini(&jwk);
    return good ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    token_keyring_free(&ring);
    token_signer_wipe(&signer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jwt),      cmocka_unit_test(test_paseto),  cmocka_unit_test(test_verified),
        cmocka_unit_test(test_left_out), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
