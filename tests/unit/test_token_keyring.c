/* The keyring: whose keys are whose, which sets and issuers are refused, and the document that is published.
 */
#include "support_token.h"
#include "token/keyring.h"
#include "token/scope.h"

#include "crypto/init.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    struct buf jwks; /* the set's path */
    struct token_keyring *ring;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f == NULL || (f->folder = support_folder()) == NULL)
        return -1;
    buf_printf(&f->jwks, "%s/set.json", f->folder);
    return token_keyring_new(&f->ring);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    token_keyring_free(&f->ring);
    support_remove(&f->folder);
    buf_fini(&f->jwks);
    free(f);
    return 0;
}

static const struct token_issuer_options own = {
    .name = SPAN_INIT("token"), .iss = SPAN_INIT("https://own.example"), .scopes = TOKEN_SCOPE_ALL};
static const struct token_issuer_options foreign = {.name = SPAN_INIT("partner"),
                                                    .iss = SPAN_INIT("https://partner.example"),
                                                    .audience = SPAN_INIT("api"),
                                                    .scopes = TOKEN_SCOPE_READ,
                                                    .subject_prefix = SPAN_INIT("partner:")};

static enum err add_set(struct fixture *f, const struct token_issuer_options *options, struct span text,
                        struct err_detail *detail)
{
    assert_int_equal(support_write(f->folder, "set.json", text, 0644), OK);
    return token_keyring_add_jwks(f->ring, options, buf_text(&f->jwks), detail);
}

static void put_key(const struct fixture *f, unsigned char byte, const char *kid, const char *members)
{
    struct crypto_ed25519_pair key = support_key(byte);
    struct buf text = support_jwk(&key, kid, true, members), name = {0};
    buf_printf(&name, "%s.jwk", kid);
    assert_int_equal(support_write(f->folder, buf_text(&name), buf_span(&text), 0600), OK);
    buf_fini(&text);
    buf_fini(&name);
}

/* {"keys":[the key of that byte, public, and then the rest]} */
static struct buf one_key_set(unsigned char byte, const char *kid, const char *rest)
{
    struct crypto_ed25519_pair key = support_key(byte);
    struct buf jwk = support_jwk(&key, kid, false, ""), text = {0};
    buf_printf(&text, "{\"keys\":[%s%s]}", buf_text(&jwk), rest);
    buf_fini(&jwk);
    return text;
}

/* Two issuers may use one kid: it means the one's key or the other's, by iss. */
static void test_same_kid(void **state)
{
    struct fixture *f = *state;
    struct crypto_ed25519_pair ours = support_key(1), theirs = support_key(2);
    struct buf set = one_key_set(2, "k", "");
    put_key(f, 1, "k", "");
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), OK);
    assert_int_equal(add_set(f, &foreign, buf_span(&set), NULL), OK);
    assert_int_equal(token_keyring_count(f->ring), 2);
    const struct token_issuer *us = token_keyring_issuer(f->ring, own.iss);
    const struct token_issuer *them = token_keyring_issuer(f->ring, foreign.iss);
    assert_memory_equal(token_issuer_key(us, SPAN("k")), ours.public_key, 32);
    assert_memory_equal(token_issuer_key(them, SPAN("k")), theirs.public_key, 32);
    assert_null(token_issuer_key(us, SPAN("K")));
    assert_null(token_issuer_key(us, SPAN("k\0")));
    assert_null(token_issuer_key(us, SPAN("")));
    assert_null(token_keyring_issuer(f->ring, SPAN("https://own.example/")));
    assert_null(token_keyring_issuer(f->ring, SPAN("https://OWN.example")));
    assert_null(token_keyring_issuer(f->ring, SPAN("")));
    const struct token_issuer_options *o = token_issuer_options(them);
    assert_true(span_eq(o->audience, SPAN("api")) && span_eq(o->subject_prefix, SPAN("partner:")));
    assert_int_equal(o->scopes, TOKEN_SCOPE_READ);
    buf_fini(&set);
}

/* Retired keys verify no more. */
static void test_retired(void **state)
{
    struct fixture *f = *state;
    put_key(f, 1, "old", ",\"retired_at\":\"2024-01-01T00:00:00Z\"");
    put_key(f, 2, "new", "");
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), OK);
    assert_int_equal(token_keyring_count(f->ring), 1);
    assert_null(token_issuer_key(token_keyring_issuer(f->ring, own.iss), SPAN("old")));
    assert_non_null(token_issuer_key(token_keyring_issuer(f->ring, own.iss), SPAN("new")));
}

/* Our own public halves alone, in one order, whatever order the files come in. */
static void test_published(void **state)
{
    static const char *const kids[] = {"m", "a", "zz", "z", "Z", "old"};
    struct fixture *f = *state;
    struct buf set = one_key_set(9, "foreign", ""), text = {0};
    json_t *json = NULL;
    token_keyring_write_jwks(f->ring, &text);
    assert_string_equal(buf_text(&text), "{\"keys\":[]}");
    for (unsigned char i = 0; i < 6; i++)
        put_key(f, (unsigned char)(i + 1), kids[i], i == 5 ? ",\"retired_at\":\"2024-01-01T00:00:00Z\"" : "");
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), OK);
    assert_int_equal(add_set(f, &foreign, buf_span(&set), NULL), OK);
    buf_clear(&text);
    token_keyring_write_jwks(f->ring, &text);
    assert_null(strstr(buf_text(&text), "\"d\""));
    assert_int_equal(json_load_strict(buf_span(&text), 3, &json, NULL), OK);
    const json_t *keys = json_object_get(json, "keys");
    static const char *const order[] = {"Z", "a", "m", "z", "zz"};
    assert_int_equal(json_array_size(keys), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *key = json_array_get(keys, i);
        assert_string_equal(json_string_value(json_object_get(key, "kid")), order[i]);
        assert_string_equal(json_string_value(json_object_get(key, "use")), "sig");
        assert_string_equal(json_string_value(json_object_get(key, "alg")), "EdDSA");
        assert_int_equal(json_object_size(key), 6);
    }
    json_decref(json);
    buf_fini(&set);
    buf_fini(&text);
}

#define TEN    "0123456789"
#define OF_127 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"

#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\""
#define X   ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static const struct {
    const char *what;
    struct span text;
    int count; /* keys taken; -1: refused */
} sets[] = {
    {"one key", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"a\"}]}"), 1},
    {"no key", SPAN_INIT("{\"keys\":[]}"), 0},
    {"other keys are passed over",
     SPAN_INIT("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\"},{\"kty\":\"EC\"},{},{" OKP X ",\"kid\":\"a\"},"
               "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"!\"}]}"),
     1},
    {"one for encryption without kid", SPAN_INIT("{\"keys\":[{" OKP X ",\"use\":\"enc\"}]}"), 0},
    {"one key under two names", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"a\"},{" OKP X ",\"kid\":\"b\"}]}"),
     2},
    {"a private half is of no use", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"a\",\"d\":\"AAAA\"}]}"), 1},
    {"other members", SPAN_INIT("{\"a\":1,\"keys\":[]}"), 0},

    {"no kid", SPAN_INIT("{\"keys\":[{" OKP X "}]}"), -1},
    {"no kid behind a good one", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"a\"},{" OKP X "}]}"), -1},
    {"a kid twice", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"a\"},{" OKP X ",\"kid\":\"a\"}]}"), -1},
    {"a kid twice, one between",
     SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"b\"},{" OKP X ",\"kid\":\"a\"},{" OKP X ",\"kid\":\"b\"}]}"),
     -1},
    {"an empty kid", SPAN_INIT("{\"keys\":[{" OKP X ",\"kid\":\"\"}]}"), -1},
    {"no x", SPAN_INIT("{\"keys\":[{" OKP ",\"kid\":\"a\"}]}"), -1},
    {"small order",
     SPAN_INIT("{\"keys\":[{" OKP ",\"x\":\"7P_______________________________________38\",\"kid\":\"a\"}]}"),
     -1},
    {"order 8",
     SPAN_INIT("{\"keys\":[{" OKP ",\"x\":\"JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU\",\"kid\":\"a\"}]}"),
     -1},
    {"all zeros",
     SPAN_INIT("{\"keys\":[{" OKP ",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"kid\":\"a\"}]}"),
     -1},
    {"a string for a key", SPAN_INIT("{\"keys\":[\"a\"]}"), -1},
    {"null for a key", SPAN_INIT("{\"keys\":[null]}"), -1},
    {"a lone key", SPAN_INIT("{" OKP X ",\"kid\":\"a\"}"), -1},
    {"a list alone", SPAN_INIT("[{" OKP X ",\"kid\":\"a\"}]"), -1},
    {"keys no list", SPAN_INIT("{\"keys\":{}}"), -1},
    {"no object", SPAN_INIT("null"), -1},
    {"no JSON", SPAN_INIT("keys"), -1},
    {"nothing", SPAN_INIT(""), -1},
    {"a member twice", SPAN_INIT("{\"keys\":[],\"keys\":[{" OKP X ",\"kid\":\"a\"}]}"), -1},
    {"something behind it", SPAN_INIT("{\"keys\":[]}x"), -1},
};

static void test_sets(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct err_detail detail = {0};
        enum err e = add_set(f, &foreign, sets[i].text, &detail);
        if (e != (sets[i].count < 0 ? ERR_INVALID : OK) ||
            (e != OK && strstr(detail.text, "/set.json: ") == NULL))
            fail_msg("%s: %s, \"%s\"", sets[i].what, err_name(e), detail.text);
        /* what was refused left nothing behind */
        assert_int_equal(token_keyring_count(f->ring), sets[i].count < 0 ? 0 : sets[i].count);
        assert_int_equal(token_keyring_issuer(f->ring, foreign.iss) != NULL, e == OK);
        token_keyring_free(&f->ring);
        assert_int_equal(token_keyring_new(&f->ring), OK);
    }
}

static void test_issuers(void **state)
{
    struct fixture *f = *state;
    const struct span set = SPAN("{\"keys\":[]}");
    struct token_issuer_options o = foreign;
    struct err_detail detail = {0};
    o.audience = (struct span){NULL, 0};
    assert_int_equal(add_set(f, &o, set, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "partner has no audience"));
    o.audience = SPAN("");
    assert_int_equal(add_set(f, &o, set, NULL), ERR_INVALID);
    o = foreign;
    o.iss = SPAN("");
    assert_int_equal(add_set(f, &o, set, NULL), ERR_INVALID);
    o = foreign;
    static const struct span bad[] = {SPAN_INIT(OF_127 "a"), SPAN_INIT("@"),        SPAN_INIT("a/"),
                                      SPAN_INIT("a b"),      SPAN_INIT("\xc3\xa4"), SPAN_INIT("a\0")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        o.subject_prefix = bad[i];
        assert_int_equal(add_set(f, &o, set, NULL), ERR_INVALID);
    }
    static const struct span good[] = {SPAN_INIT(OF_127), SPAN_INIT("."), SPAN_INIT("a:"), SPAN_INIT("query"),
                                       SPAN_INIT("")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        o.subject_prefix = good[i];
        assert_int_equal(add_set(f, &o, set, NULL), OK);
        token_keyring_free(&f->ring);
        assert_int_equal(token_keyring_new(&f->ring), OK);
    }
}

/* One iss is one issuer, or a kid could mean two keys. */
static void test_same_iss(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    struct token_issuer_options o = foreign;
    o.iss = own.iss;
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), OK);
    assert_int_equal(add_set(f, &o, SPAN("{\"keys\":[]}"), &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "partner has the same iss as token"));
    assert_int_equal(add_set(f, &foreign, SPAN("{\"keys\":[]}"), NULL), OK);
    assert_int_equal(add_set(f, &foreign, SPAN("{\"keys\":[]}"), NULL), ERR_INVALID);
}

static void test_files(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    assert_int_equal(token_keyring_add_jwks(f->ring, &foreign, "/nonexistent.json", &detail), ERR_NOT_FOUND);
    assert_non_null(strstr(detail.text, "/nonexistent.json"));
    assert_int_equal(token_keyring_add_jwks(f->ring, &foreign, f->folder, NULL), ERR_INVALID);
    assert_int_equal(token_keyring_add_folder(f->ring, &own, "/nonexistent", NULL), ERR_NOT_FOUND);
    assert_int_equal(support_write(f->folder, "set.json", SPAN("{\"keys\":[]}"), 0666), OK);
    assert_int_equal(token_keyring_add_jwks(f->ring, &foreign, buf_text(&f->jwks), NULL), ERR_DENIED);
    assert_int_equal(chmod(buf_text(&f->jwks), 0664), 0);
    assert_int_equal(token_keyring_add_jwks(f->ring, &foreign, buf_text(&f->jwks), NULL), OK);
    put_key(f, 1, "k", "");
    assert_int_equal(chmod(f->folder, 0777), 0);
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), ERR_DENIED);
    assert_null(token_keyring_issuer(f->ring, own.iss));
    assert_int_equal(chmod(f->folder, 0700), 0);
    assert_int_equal(token_keyring_add_folder(f->ring, &own, f->folder, NULL), OK);
}

static int set_up_all(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_kid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_issuers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_iss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
