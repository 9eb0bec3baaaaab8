/* JWTs taken apart, and what their headers may ask for. */
#include "token/jwt.h"

#include "crypto/init.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* RFC 8037 appendix A.4 */
#define A4_HEADER    "eyJhbGciOiJFZERTQSJ9"
#define A4_PAYLOAD   "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define A4_SIGNATURE "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static void test_rfc8037(void **state)
{
    static const unsigned char seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                           0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                           0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    struct crypto_ed25519_pair pair;
    struct arena arena = {0};
    struct token_parts parts;
    unsigned char signature[64];
    (void)state;
    crypto_ed25519_from_seed(seed, &pair);
    assert_int_equal(token_jwt_split(SPAN(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE), &arena, &parts, NULL),
                     OK);
    assert_true(span_eq(parts.header, SPAN("{\"alg\":\"EdDSA\"}")));
    assert_true(span_eq(parts.payload, SPAN("Example of Ed25519 signing")));
    assert_true(span_eq(parts.message, SPAN(A4_HEADER "." A4_PAYLOAD)));
    assert_true(crypto_ed25519_verify(pair.public_key, parts.message, parts.signature));
    /* and the signature is the one that we make */
    crypto_ed25519_sign(pair.secret_key, parts.message, signature);
    assert_memory_equal(signature, parts.signature, sizeof signature);
    arena_fini(&arena);
}

static const struct {
    const char *what;
    struct span token;
} malformed[] = {
    {"absent", {NULL, 0}},
    {"empty", SPAN_INIT("")},
    {"one dot", SPAN_INIT(".")},
    {"two dots", SPAN_INIT("..")},
    {"one part", SPAN_INIT(A4_HEADER)},
    {"two parts", SPAN_INIT(A4_HEADER "." A4_PAYLOAD)},
    {"no signature", SPAN_INIT(A4_HEADER "." A4_PAYLOAD ".")},
    {"a part more", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE ".")},
    {"five parts, as in encryption",
     SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE "." A4_PAYLOAD "." A4_PAYLOAD)},
    {"a dot too early", SPAN_INIT("." A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE)},
    {"header padded", SPAN_INIT(A4_HEADER "=." A4_PAYLOAD "." A4_SIGNATURE)},
    {"payload padded", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "=." A4_SIGNATURE)},
    {"signature padded", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE "==")},
    {"stray bits in the payload", SPAN_INIT(A4_HEADER ".RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd." A4_SIGNATURE)},
    {"stray bits in the signature",
     SPAN_INIT(A4_HEADER
               "." A4_PAYLOAD
               ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAh")},
    {"the other alphabet",
     SPAN_INIT(A4_HEADER
               "." A4_PAYLOAD
               ".hgyY0il/MGCjP0JzlnLWG1PPOt7+09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr/MuM0KAg")},
    {"signature of 63 bytes",
     SPAN_INIT(A4_HEADER
               "." A4_PAYLOAD "."
               "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0K")},
    {"signature of 65 bytes", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE "A")},
    {"signature twice", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE A4_SIGNATURE)},
    {"a space before", SPAN_INIT(" " A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE)},
    {"a newline behind", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE "\n")},
    {"a newline within", SPAN_INIT(A4_HEADER "."
                                             "RXhhbXBsZSBvZiBF\nZDI1NTE5IHNpZ25pbmc." A4_SIGNATURE)},
    {"NUL within", SPAN_INIT(A4_HEADER "."
                                       "RXhhbXBs\0." A4_SIGNATURE)},
    {"NUL behind", SPAN_INIT(A4_HEADER "." A4_PAYLOAD "." A4_SIGNATURE "\0")},
    {"percent-encoding", SPAN_INIT(A4_HEADER "%2e" A4_PAYLOAD "." A4_SIGNATURE)},
    {"JSON serialization", SPAN_INIT("{\"payload\":\"" A4_PAYLOAD "\",\"protected\":\"" A4_HEADER "\"}")},
};

static void test_malformed(void **state)
{
    static const struct token_parts nothing;
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct err_detail detail = {0};
        struct arena arena = {0};
        struct token_parts parts;
        memset(&parts, 0xee, sizeof parts);
        if (token_jwt_split(malformed[i].token, &arena, &parts, &detail) != ERR_INVALID)
            fail_msg("%s was let in", malformed[i].what);
        assert_memory_equal(&parts, &nothing, sizeof parts);
        assert_string_equal(detail.text, "the token is malformed");
        arena_fini(&arena);
    }
}

static const struct {
    const char *what;
    struct span header;
    bool alg, typ; /* what each check says */
} headers[] = {
    {"EdDSA", SPAN_INIT("{\"alg\":\"EdDSA\"}"), true, true},
    {"Ed25519", SPAN_INIT("{\"alg\":\"Ed25519\"}"), true, true},
    {"JWT", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"), true, true},
    {"jwt", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"jwt\"}"), true, true},
    {"at+jwt", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}"), true, true},
    {"AT+JWT", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"AT+JWT\"}"), true, true},
    {"application/at+jwt", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"application/at+jwt\"}"), true, true},
    {"Application/JWT", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"Application/JWT\"}"), true, true},
    {"ways to other keys",
     SPAN_INIT("{\"alg\":\"EdDSA\",\"jwk\":{},\"jku\":\"http://x\",\"x5u\":\"http://x\",\"x5c\":[]}"), true,
     true},

    {"no alg", SPAN_INIT("{}"), false, true},
    {"none", SPAN_INIT("{\"alg\":\"none\"}"), false, true},
    {"None", SPAN_INIT("{\"alg\":\"None\"}"), false, true},
    {"HS256", SPAN_INIT("{\"alg\":\"HS256\"}"), false, true},
    {"RS256", SPAN_INIT("{\"alg\":\"RS256\"}"), false, true},
    {"ES256", SPAN_INIT("{\"alg\":\"ES256\"}"), false, true},
    {"Ed448", SPAN_INIT("{\"alg\":\"Ed448\"}"), false, true},
    {"eddsa", SPAN_INIT("{\"alg\":\"eddsa\"}"), false, true},
    {"EDDSA", SPAN_INIT("{\"alg\":\"EDDSA\"}"), false, true},
    {"ed25519", SPAN_INIT("{\"alg\":\"ed25519\"}"), false, true},
    {"EdDSA and a space", SPAN_INIT("{\"alg\":\"EdDSA \"}"), false, true},
    {"EdDSA and NUL", SPAN_INIT("{\"alg\":\"EdDSA\\u0000\"}"), false, true},
    {"empty alg", SPAN_INIT("{\"alg\":\"\"}"), false, true},
    {"alg null", SPAN_INIT("{\"alg\":null}"), false, true},
    {"alg in a list", SPAN_INIT("{\"alg\":[\"EdDSA\"]}"), false, true},
    {"Alg", SPAN_INIT("{\"Alg\":\"EdDSA\"}"), false, true},
    {"crit", SPAN_INIT("{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}"), false, true},
    {"crit of what is known", SPAN_INIT("{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":true}"), false, true},
    {"empty crit", SPAN_INIT("{\"alg\":\"EdDSA\",\"crit\":[]}"), false, true},
    {"crit null", SPAN_INIT("{\"alg\":\"EdDSA\",\"crit\":null}"), false, true},
    {"crit false", SPAN_INIT("{\"alg\":\"EdDSA\",\"crit\":false}"), false, true},
    {"no object", SPAN_INIT("[\"alg\",\"EdDSA\"]"), false, true},
    {"a string", SPAN_INIT("\"EdDSA\""), false, true},
    {"another typ", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"JOSE\"}"), true, false},
    {"an ID token's", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\"}"), true, false},
    {"a security event", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"secevent+jwt\"}"), true, false},
    {"typ empty", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"\"}"), true, false},
    {"typ null", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":null}"), true, false},
    {"typ in a list", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":[\"JWT\"]}"), true, false},
    {"the prefix alone", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"application/\"}"), true, false},
    {"the prefix twice", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"application/application/jwt\"}"), true,
     false},
    {"another prefix", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"text/jwt\"}"), true, false},
    {"parameters", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT;x=y\"}"), true, false},
    {"JWT and NUL", SPAN_INIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT\\u0000\"}"), true, false},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct err_detail alg = {0}, typ = {0};
        json_t *header = NULL;
        assert_int_equal(json_load_strict(headers[i].header, 4, &header, NULL), OK);
        if (token_jwt_check_alg(header, &alg) != (headers[i].alg ? OK : ERR_INVALID) ||
            (alg.text[0] == '\0') != headers[i].alg)
            fail_msg("%s: alg, \"%s\"", headers[i].what, alg.text);
        if (token_jwt_check_typ(header, &typ) != (headers[i].typ ? OK : ERR_INVALID) ||
            (typ.text[0] == '\0') != headers[i].typ)
            fail_msg("%s: typ, \"%s\"", headers[i].what, typ.text);
        json_decref(header);
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
        cmocka_unit_test(test_rfc8037),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
