/* For the tests of what the Varnish module knows: its files in a folder of their own, tokens, a verifier. */
#pragma once
#include "support_token.h"

#include "crypto/init.h"
#include "guard/verifier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NOW = 1800000000, SECOND = 1000000 };
#define ISS "https://issuer.example"

static char folder_text[] = "/tmp/profiled-test-XXXXXX";

static inline const char *path_of(const char *name)
{
    static char path[4][256];
    static int turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder_text, name);
    return p;
}

static inline void put_file(const char *name, struct span text)
{
    struct err_detail why = {0};
    assert_int_equal(file_write(path_of(name), text, 0644, &why), OK);
}

static inline void put_jwks(const char *kid, const struct crypto_ed25519_pair *key)
{
    struct buf text = {0};
    buf_lit(&text, "{\"keys\":[");
    token_jwk_write_open(&text, span_str(kid), key->public_key);
    buf_lit(&text, "}]}");
    put_file("jwks", buf_span(&text));
    buf_fini(&text);
}

static inline struct buf token(const struct crypto_ed25519_pair *key, const char *kid, const char *claims)
{
    struct buf header = {0}, payload = {0};
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    buf_printf(&payload, "{\"iss\":\"" ISS "\",\"aud\":\"a\",%s}", claims);
    struct buf jwt = support_jwt(buf_span(&header), buf_span(&payload), key);
    buf_fini(&header);
    buf_fini(&payload);
    return jwt;
}

static inline void put_list(const struct crypto_ed25519_pair *key, const char *typ, const char *claims)
{
    struct buf header = {0};
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"%s\"}", typ);
    struct buf jwt = support_jwt(buf_span(&header), span_str(claims), key);
    buf_char(&jwt, '\n');
    put_file("list", buf_span(&jwt));
    buf_fini(&header);
    buf_fini(&jwt);
}

static inline struct guard_verifier *verifier_of(int64_t max_ttl_s)
{
    struct err_detail why = {0};
    struct guard_verifier *v = NULL;
    struct guard_verifier_options options = {
        .own = {.name = SPAN("token"), .iss = SPAN(ISS), .audience = SPAN("a"), .scopes = TOKEN_SCOPE_ALL},
        .jwks = path_of("jwks"),
        .revocations = path_of("list"),
        .policy = {.leeway_s = 30, .max_ttl_s = max_ttl_s},
        .max_lag_us = 30 * (int64_t)SECOND,
        .tokens = 64,
    };
    assert_int_equal(guard_verifier_new(&options, &v, &why), OK);
    return v;
}

static inline struct guard_verifier *verifier(void)
{
    return verifier_of(0);
}

#define LIST(iss, exp, position, revoked)                                                                    \
    "{\"iss\":\"" iss "\",\"iat\":1799999990,\"exp\":" exp ",\"position\":" position ",\"revoked\":" revoked \
    "}"

static inline int set_up(void **state)
{
    (void)state;
    return crypto_init() == OK && mkdtemp(folder_text) != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    (void)unlink(path_of("jwks"));
    (void)unlink(path_of("list"));
    return rmdir(folder_text);
}
