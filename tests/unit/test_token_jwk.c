/* One key as JSON: read, written, its thumbprint, its secret half taken out. */
#include "token/jwk.h"

#include "crypto/init.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* RFC 8037 appendix A.1 */
#define X   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define D   "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\""

#define TEN     "0123456789"
#define FIFTY   TEN TEN TEN TEN TEN
#define KID_255 FIFTY FIFTY FIFTY FIFTY FIFTY "01234"

struct row {
    const char *what;
    struct span jwk;
    enum err err;
};

static const struct row rows[] = {
    {"RFC 8037 A.1", SPAN_INIT("{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\"}"), OK},
    {"RFC 8037 A.2", SPAN_INIT("{" OKP ",\"x\":\"" X "\"}"), OK},
    {"all members",
     SPAN_INIT("{" OKP ",\"x\":\"" X
               "\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"]}"),
     OK},
    {"RFC 9864's name", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"alg\":\"Ed25519\"}"), OK},
    {"verify among others", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"key_ops\":[1,\"x\",\"verify\"]}"), OK},
    {"a private key's operation", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"key_ops\":[\"sign\"]}"), OK},
    {"unknown members", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"x5u\":\"https://x\",\"ext\":true}"), OK},
    {"the longest kid", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":\"" KID_255 "\"}"), OK},

    {"an RSA key", SPAN_INIT("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"kid\":\"k\"}"), ERR_NOT_FOUND},
    {"an octet key", SPAN_INIT("{\"kty\":\"oct\",\"k\":\"" X "\"}"), ERR_NOT_FOUND},
    {"X25519", SPAN_INIT("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}"), ERR_NOT_FOUND},
    {"Ed448", SPAN_INIT("{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" X "\"}"), ERR_NOT_FOUND},
    {"kty in other case", SPAN_INIT("{\"kty\":\"okp\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}"), ERR_NOT_FOUND},
    {"EC with our curve", SPAN_INIT("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}"), ERR_NOT_FOUND},
    {"no kty", SPAN_INIT("{\"crv\":\"Ed25519\",\"x\":\"" X "\"}"), ERR_NOT_FOUND},
    {"no members", SPAN_INIT("{}"), ERR_NOT_FOUND},
    {"for encryption", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"use\":\"enc\"}"), ERR_NOT_FOUND},
    {"use of another type", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"use\":1}"), ERR_NOT_FOUND},
    {"another alg", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"alg\":\"HS256\"}"), ERR_NOT_FOUND},
    {"other operations", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"key_ops\":[\"deriveKey\"]}"), ERR_NOT_FOUND},
    {"no operations", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"key_ops\":[]}"), ERR_NOT_FOUND},
    {"operations that are no list", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"key_ops\":\"verify\"}"),
     ERR_NOT_FOUND},

    {"no object", SPAN_INIT("[]"), ERR_INVALID},
    {"a string", SPAN_INIT("\"" X "\""), ERR_INVALID},
    {"no x", SPAN_INIT("{" OKP "}"), ERR_INVALID},
    {"x of another type", SPAN_INIT("{" OKP ",\"x\":1}"), ERR_INVALID},
    {"an empty x", SPAN_INIT("{" OKP ",\"x\":\"\"}"), ERR_INVALID},
    {"x with padding", SPAN_INIT("{" OKP ",\"x\":\"" X "=\"}"), ERR_INVALID},
    {"x too short", SPAN_INIT("{" OKP ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}"), ERR_INVALID},
    {"x too long", SPAN_INIT("{" OKP ",\"x\":\"" X "A\"}"), ERR_INVALID},
    {"x with stray bits", SPAN_INIT("{" OKP ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}"),
     ERR_INVALID},
    {"x in the other alphabet", SPAN_INIT("{" OKP ",\"x\":\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
     ERR_INVALID},
    {"x of small order", SPAN_INIT("{" OKP ",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
     ERR_INVALID},
    {"x of all zeros", SPAN_INIT("{" OKP ",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
     ERR_INVALID},
    {"x not on the curve", SPAN_INIT("{" OKP ",\"x\":\"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
     ERR_INVALID},
    {"x not canonical", SPAN_INIT("{" OKP ",\"x\":\"7v_______________________________________38\"}"),
     ERR_INVALID},
    {"an empty kid", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":\"\"}"), ERR_INVALID},
    {"kid of another type", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":7}"), ERR_INVALID},
    {"kid null", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":null}"), ERR_INVALID},
    {"kid with NUL", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":\"a\\u0000\"}"), ERR_INVALID},
    {"kid too long", SPAN_INIT("{" OKP ",\"x\":\"" X "\",\"kid\":\"" KID_255 "5\"}"), ERR_INVALID},
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_detail detail = {0};
        struct token_jwk key;
        json_t *jwk = NULL;
        assert_int_equal(json_load_strict(rows[i].jwk, 4, &jwk, NULL), OK);
        enum err e = token_jwk_read(jwk, &key, &detail);
        if (e != rows[i].err || (detail.text[0] != '\0') != (e == ERR_INVALID))
            fail_msg("%s: %s, \"%s\"", rows[i].what, err_name(e), detail.text);
        json_decref(jwk);
    }
}

/* RFC 8037 appendix A.3 */
static void test_thumbprint(void **state)
{
    struct token_jwk key;
    json_t *jwk = NULL;
    char kid[TOKEN_THUMBPRINT_LEN + 1];
    (void)state;
    assert_int_equal(json_load_strict(rows[1].jwk, 1, &jwk, NULL), OK);
    assert_int_equal(token_jwk_read(jwk, &key, NULL), OK);
    token_jwk_thumbprint(key.public_key, kid);
    assert_string_equal(kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_null(key.kid.ptr);
    json_decref(jwk);
}

static void test_write(void **state)
{
    struct token_jwk key, again;
    json_t *jwk = NULL;
    struct buf text = {0};
    (void)state;
    assert_int_equal(json_load_strict(rows[0].jwk, 1, &jwk, NULL), OK);
    assert_int_equal(token_jwk_read(jwk, &key, NULL), OK);
    json_decref(jwk);
    token_jwk_write_open(&text, SPAN("a\"b"), key.public_key);
    assert_string_equal(buf_text(&text),
                        "{" OKP ",\"kid\":\"a\\\"b\",\"x\":\"" X "\",\"use\":\"sig\",\"alg\":\"EdDSA\"");
    buf_char(&text, '}');
    assert_int_equal(json_load_strict(buf_span(&text), 1, &jwk, NULL), OK);
    assert_int_equal(token_jwk_read(jwk, &again, NULL), OK);
    assert_true(span_eq(again.kid, SPAN("a\"b")));
    assert_memory_equal(again.public_key, key.public_key, 32);
    json_decref(jwk);
    buf_fini(&text);
}

#define HIDDEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
    const char *what, *text;
    bool taken;
    const char *left; /* NULL: the text is as it was */
} secrets[] = {
    {"first", "{\"d\":\"" D "\",\"x\":1}", true, "{\"d\":\"" HIDDEN "\",\"x\":1}"},
    {"last, spaced", "{\"x\":1 ,\n\t\"d\" :\r\n \"" D "\" }", true,
     "{\"x\":1 ,\n\t\"d\" :\r\n \"" HIDDEN "\" }"},
    {"behind a value d", "{\"kid\":\"d\",\"d\":\"" D "\"}", true, "{\"kid\":\"d\",\"d\":\"" HIDDEN "\"}"},
    {"behind a deeper d", "{\"a\":{\"d\":\"" X "\"},\"d\":\"" D "\"}", true,
     "{\"a\":{\"d\":\"" X "\"},\"d\":\"" HIDDEN "\"}"},
    {"behind a string with quotes", "{\"a\":\"\\\"d\\\":\\\"x\\\"\\\\\",\"d\":\"" D "\"}", true,
     "{\"a\":\"\\\"d\\\":\\\"x\\\"\\\\\",\"d\":\"" HIDDEN "\"}"},
    {"brackets in a string", "{\"a\":\"{[\",\"d\":\"" D "\"}", true, "{\"a\":\"{[\",\"d\":\"" HIDDEN "\"}"},
    {"too short: hidden all the same", "{\"d\":\"nWGx\"}", false, "{\"d\":\"AAAA\"}"},
    {"padded: hidden all the same", "{\"d\":\"" D "=\"}", false, "{\"d\":\"" HIDDEN "A\"}"},
    {"stray bits", "{\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2B\"}", false,
     "{\"d\":\"" HIDDEN "\"}"},
    {"no d", "{\"x\":\"" X "\"}", false, NULL},
    {"in a list", "[\"d\",\"" D "\"]", false, NULL},
    {"a value only", "{\"a\":\"d\"}", false, NULL},
    {"of another type", "{\"d\":1,\"x\":\"" X "\"}", false, NULL},
    {"longer name", "{\"dd\":\"" D "\"}", false, NULL},
    {"not closed", "{\"d\":\"" D, false, NULL},
    {"ends behind the colon", "{\"d\":", false, NULL},
    {"ends behind the name", "{\"d\"", false, NULL},
    {"ends within the name", "{\"d", false, NULL},
    {"ends in a backslash", "{\"\\", false, NULL},
    {"nothing", "", false, NULL},
};

static void test_take_seed(void **state)
{
    static const unsigned char zeros[CRYPTO_ED25519_SEED_LEN];
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        unsigned char seed[CRYPTO_ED25519_SEED_LEN];
        struct crypto_ed25519_pair pair;
        size_t len = strlen(secrets[i].text);
        /* without a NUL behind it, so that the sanitizer sees any reading on */
        char *text = malloc(len > 0 ? len : 1);
        assert_non_null(text);
        memcpy(text, secrets[i].text, len);
        memset(seed, 0xee, sizeof seed);
        bool taken = token_jwk_take_seed(text, len, seed);
        if (taken != secrets[i].taken ||
            memcmp(text, secrets[i].left == NULL ? secrets[i].text : secrets[i].left, len) != 0)
            fail_msg("%s: %d, %.*s", secrets[i].what, taken, (int)len, text);
        if (taken) {
            crypto_ed25519_from_seed(seed, &pair);
            assert_memory_equal(pair.public_key, "\xd7\x5a\x98\x01", 4); /* RFC 8037 A.1's own */
        } else {
            assert_memory_equal(seed, zeros, sizeof seed);
        }
        free(text);
    }
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_thumbprint),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_take_seed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
