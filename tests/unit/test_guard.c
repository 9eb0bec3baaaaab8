/* What the Varnish module knows, without Varnish: the memo, revocations, the signed list, the fence, and when
 * all of it may be trusted. */
#include "support_token.h"

#include "base/clock.h"
#include "crypto/init.h"
#include "guard/fence.h"
#include "guard/memo.h"
#include "guard/revoked.h"
#include "guard/verifier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NOW = 1800000000, SECOND = 1000000 };
#define ISS "https://issuer.example"

static char folder_text[] = "/tmp/profiled-test-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][256];
    static int turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder_text, name);
    return p;
}

static void put_file(const char *name, struct span text)
{
    struct err_detail why = {0};
    assert_int_equal(file_write(path_of(name), text, 0644, &why), OK);
}

static void put_jwks(const char *kid, const struct crypto_ed25519_pair *key)
{
    struct buf text = {0};
    buf_lit(&text, "{\"keys\":[");
    token_jwk_write_open(&text, span_str(kid), key->public_key);
    buf_lit(&text, "}]}");
    put_file("jwks", buf_span(&text));
    buf_fini(&text);
}

static struct buf token(const struct crypto_ed25519_pair *key, const char *kid, const char *claims)
{
    struct buf header = {0}, payload = {0};
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    buf_printf(&payload, "{\"iss\":\"" ISS "\",\"aud\":\"a\",%s}", claims);
    struct buf jwt = support_jwt(buf_span(&header), buf_span(&payload), key);
    buf_fini(&header);
    buf_fini(&payload);
    return jwt;
}

static void put_list(const struct crypto_ed25519_pair *key, const char *typ, const char *claims)
{
    struct buf header = {0};
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"%s\"}", typ);
    struct buf jwt = support_jwt(buf_span(&header), span_str(claims), key);
    buf_char(&jwt, '\n');
    put_file("list", buf_span(&jwt));
    buf_fini(&header);
    buf_fini(&jwt);
}

static struct guard_verifier *verifier(void)
{
    struct err_detail why = {0};
    struct guard_verifier *v = NULL;
    struct guard_verifier_options options = {
        .own = {.name = SPAN("token"), .iss = SPAN(ISS), .audience = SPAN("a"), .scopes = TOKEN_SCOPE_ALL},
        .jwks = path_of("jwks"),
        .revocations = path_of("list"),
        .policy = {.leeway_s = 30},
        .max_lag_us = 30 * (int64_t)SECOND,
        .tokens = 64,
    };
    assert_int_equal(guard_verifier_new(&options, &v, &why), OK);
    return v;
}

static bool authorised(struct guard_verifier *v, struct span jwt, unsigned scopes, int64_t now_s)
{
    struct buf value = {0};
    struct err_detail why = {0};
    struct span subject;
    char room[IDENT_MAX_LEN];
    buf_lit(&value, "Bearer ");
    buf_append(&value, jwt);
    bool good = guard_verifier_authorised(v, buf_span(&value), scopes, now_s, &subject, room, &why);
    assert_int_equal(good, subject.ptr != NULL);
    buf_fini(&value);
    return good;
}

static void test_memo(void **state)
{
    (void)state;
    struct guard_memo *memo = NULL;
    unsigned char hash[GUARD_MEMO_HASH_LEN], again[GUARD_MEMO_HASH_LEN];
    struct guard_verdict verdict = {.expires_s = 5, .subject_len = 1, .subject = "a"}, out;
    assert_int_equal(guard_memo_new(100, &memo), OK);
    size_t size = guard_memo_size(memo);
    assert_true(size >= 100 && size <= 256);
    guard_memo_hash(memo, SPAN("token"), hash);
    guard_memo_hash(memo, SPAN("token"), again);
    assert_memory_equal(hash, again, sizeof hash);
    assert_int_equal(guard_memo_find(memo, hash, &out), ERR_NOT_FOUND);
    guard_memo_put(memo, hash, &verdict);
    assert_int_equal(guard_memo_find(memo, hash, &out), OK);
    assert_int_equal(out.expires_s, 5);
    guard_memo_put(memo, hash, &verdict);
    assert_int_equal(guard_memo_count(memo), 1);
    /* the whole hash counts, not where it points to */
    hash[GUARD_MEMO_HASH_LEN - 1] ^= 1;
    assert_int_equal(guard_memo_find(memo, hash, &out), ERR_NOT_FOUND);
    /* bounded, and what ends later stays */
    for (int i = 0; i < 10000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        verdict.expires_s = i;
        guard_memo_hash(memo, span_str(text), hash);
        guard_memo_put(memo, hash, &verdict);
    }
    assert_int_equal(guard_memo_count(memo), size);
    assert_int_equal(guard_memo_find(memo, hash, &out), OK);
    guard_memo_free(&memo);
    assert_null(memo);
}

static void test_revoked(void **state)
{
    (void)state;
    struct guard_revoked *table = NULL;
    assert_int_equal(guard_revoked_new(1000, &table), OK);
    assert_false(guard_revoked_has(table, SPAN("ann"), 5));
    assert_int_equal(guard_revoked_put(table, SPAN("ann"), 10), OK);
    assert_int_equal(guard_revoked_put(table, SPAN("ann"), 7), OK); /* later ones stay */
    assert_true(guard_revoked_has(table, SPAN("ann"), 10));
    assert_false(guard_revoked_has(table, SPAN("ann"), 11));
    assert_true(guard_revoked_has(table, SPAN("ann"), TOKEN_NO_TIME));
    assert_int_equal(guard_revoked_put(table, SPAN("a b"), 1), ERR_INVALID);
    assert_int_equal(guard_revoked_put_header(table, SPAN("x%7Cy=5  b=6")), OK);
    assert_true(guard_revoked_has(table, SPAN("x|y"), 5));
    assert_true(guard_revoked_has(table, SPAN("b"), 6));
    assert_int_equal(guard_revoked_put_header(table, (struct span){NULL, 0}), OK);
    static const char *const bad[] = {
        "b", "=5", "b=", "b=x", "b=-1", "b%=5", "b%00=5", "@b=5", "b=99999999999999999999",
        "@0123456789abcdefghijABCDEFGHIJ-=5", "@0123456789abcdefghijABCDEFGHIJ-_x=5",
        "@0123456789abcdefghijABCDEFGHIJ-.=5", "@0123456789abcdefghijABCDEFGHIJ-_=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf text = {0};
        buf_printf(&text, "%s c%zu=5", bad[i], i);
        assert_int_equal(guard_revoked_put_header(table, buf_span(&text)), ERR_INVALID);
        buf_clear(&text);
        buf_printf(&text, "c%zu", i);
        assert_true(guard_revoked_has(table, buf_span(&text), 5)); /* what could be read is in */
        buf_fini(&text);
    }
    static const char name[TOKEN_NAME_LEN + 1] = "0123456789abcdefghijABCDEFGHIJ-_";
    assert_false(guard_revoked_has_token(table, name));
    assert_int_equal(guard_revoked_put_header(table, SPAN("@0123456789abcdefghijABCDEFGHIJ-_=5 d=1")), OK);
    assert_true(guard_revoked_has_token(table, name));
    assert_false(guard_revoked_has(table, SPAN("0123456789abcdefghijABCDEFGHIJ-_"), 5)); /* no subject's name */
    assert_false(guard_revoked_has_token(table, "0123456789abcdefghijABCDEFGHIJ--"));
    enum err e = OK;
    for (int i = 0; e == OK && i < 2000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "s%d", i);
        e = guard_revoked_put(table, span_str(text), i);
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(guard_revoked_count(table), 1000);
    assert_true(guard_revoked_has(table, SPAN("s500"), 500));
    guard_revoked_free(&table);
}

static void test_fence(void **state)
{
    (void)state;
    int64_t before = guard_fence_now();
    assert_false(guard_fence_outdated(SPAN("profile/a handle/b"), before));
    guard_fence_purge(SPAN(" profile/x, handle/b "));
    assert_true(guard_fence_outdated(SPAN("profile/a handle/b"), before));
    assert_true(guard_fence_outdated(SPAN("profile/x"), before));
    assert_false(guard_fence_outdated(SPAN("profile/a"), before));
    assert_false(guard_fence_outdated(SPAN("handle/b"), guard_fence_now() + 1));
    guard_fence_purge_all();
    assert_true(guard_fence_outdated(SPAN("profile/a"), before));
}

static void test_tokens(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1), other = support_key(2);
    put_jwks("k", &key);
    struct guard_verifier *v = verifier();
    struct buf good =
        token(&key, "k", "\"sub\":\"ann\",\"scope\":\"profile:read\",\"iat\":1799999990,\"exp\":1800000100");
    struct buf forged = token(&other, "k", "\"sub\":\"ann\",\"scope\":\"profile:read\",\"exp\":1800000100");
    struct buf timeless = token(&key, "k", "\"sub\":\"bob\",\"scope\":\"profile:admin\",\"exp\":1800000100");
    struct span absent = {NULL, 0};
    for (int turn = 0; turn < 2; turn++) { /* verified, then remembered */
        assert_true(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW));
        assert_true(authorised(v, buf_span(&timeless), TOKEN_SCOPE_READ, NOW));
        assert_false(authorised(v, buf_span(&good), TOKEN_SCOPE_WRITE, NOW));
        assert_false(authorised(v, buf_span(&forged), TOKEN_SCOPE_READ, NOW));
        assert_false(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW + 200));
    }
    assert_int_equal(guard_verifier_remembered(v), 2); /* refused ones never are */
    assert_true(guard_verifier_hear(v, SPAN("ann=1799999989"), SPAN("3"), false, 0));
    assert_true(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW));
    assert_true(guard_verifier_hear(v, SPAN("ann=1799999990 bob=1"), absent, false, 0));
    assert_false(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW));
    assert_false(authorised(v, buf_span(&timeless), TOKEN_SCOPE_READ, NOW));
    buf_fini(&good);
    buf_fini(&forged);
    buf_fini(&timeless);
    guard_verifier_free(&v);
}

static void test_rotation(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1), next = support_key(3);
    struct guard_report report = {0};
    put_jwks("k", &key);
    struct guard_verifier *v = verifier();
    struct buf old = token(&key, "k", "\"sub\":\"ann\",\"exp\":1800000100");
    struct buf new = token(&next, "n", "\"sub\":\"ann\",\"exp\":1800000100");
    (void)guard_verifier_current(v, 0, NOW, &report);
    assert_true(authorised(v, buf_span(&old), 0, NOW));
    assert_false(authorised(v, buf_span(&new), 0, NOW));
    put_file("jwks", SPAN("nonsense"));
    (void)guard_verifier_current(v, SECOND / 2, NOW, &report);
    assert_int_equal(report.keys.text[0], '\0'); /* not looked at yet */
    (void)guard_verifier_current(v, SECOND, NOW, &report);
    assert_int_not_equal(report.keys.text[0], '\0');
    assert_true(authorised(v, buf_span(&old), 0, NOW));
    put_jwks("n", &next);
    (void)guard_verifier_current(v, 2 * SECOND, NOW, &report);
    assert_false(authorised(v, buf_span(&old), 0, NOW)); /* though it was remembered */
    assert_true(authorised(v, buf_span(&new), 0, NOW));
    buf_fini(&old);
    buf_fini(&new);
    guard_verifier_free(&v);
}

#define LIST(iss, exp, position, revoked)                                                                    \
    "{\"iss\":\"" iss "\",\"iat\":1799999990,\"exp\":" exp ",\"position\":" position ",\"revoked\":" revoked \
    "}"

static void test_current(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1), other = support_key(2);
    struct guard_report report = {0};
    struct span absent = {NULL, 0};
    int64_t at = 0;
    put_jwks("k", &key);
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "9", "[]"));
    struct guard_verifier *v = verifier();
    assert_true(guard_verifier_lag_us(v, at) == INT64_MAX);
    assert_false(guard_verifier_current(v, at, NOW, &report)); /* nothing heard */
    assert_true(guard_verifier_hear(v, absent, SPAN("0"), false, at));
    assert_false(guard_verifier_current(v, at += SECOND, NOW, &report)); /* no position is no word */
    assert_true(guard_verifier_hear(v, absent, SPAN("10"), false, at));
    assert_false(guard_verifier_current(v, at += SECOND, NOW, &report)); /* the list ends before it */

    static const struct {
        const char *typ, *claims;
        bool forged;
    } bad[] = {
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[]"), true},
        {"JWT", LIST(ISS, "1800000100", "10", "[]"), false},
        {"revocations+jwt", LIST("https://other.example", "1800000100", "10", "[]"), false},
        {"revocations+jwt", LIST(ISS, "1799999900", "10", "[]"), false},
        {"revocations+jwt", LIST(ISS, "\"x\"", "10", "[]"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "-1", "[]"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "{}"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[{\"subject\":\"ann\"}]"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[{\"subject\":\"a b\",\"until\":1}]"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[],\"tokens\":{}"), false},
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"x\",\"until\":1}]"), false},
        {"revocations+jwt",
         LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"0123456789abcdefghijABCDEFGHIJ-_\"}]"), false},
        {"revocations+jwt", "[]", false},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        report = (struct guard_report){0};
        put_list(bad[i].forged ? &other : &key, bad[i].typ, bad[i].claims);
        assert_false(guard_verifier_current(v, at += SECOND, NOW, &report));
        assert_int_not_equal(report.revocations.text[0], '\0');
    }
    put_list(&key, "revocations+jwt",
             LIST(ISS, "1800000100", "10", "[{\"subject\":\"ann\",\"until\":1800000000}]"));
    assert_true(guard_verifier_current(v, at += SECOND, NOW, &report));
    struct buf ann = token(&key, "k", "\"sub\":\"ann\",\"iat\":1800000000,\"exp\":1800000100");
    assert_false(authorised(v, buf_span(&ann), 0, NOW));
    buf_fini(&ann);

    assert_true(guard_verifier_hear(v, absent, SPAN("12"), false, at)); /* pushed, one after the other */
    assert_true(guard_verifier_current(v, at + 30 * (int64_t)SECOND, NOW, &report));
    assert_false(guard_verifier_current(v, at + 30 * (int64_t)SECOND + 1, NOW, &report)); /* silence */
    assert_true(guard_verifier_hear(v, absent, SPAN("13"), true, at));
    assert_false(
        guard_verifier_current(v, at, NOW, &report)); /* all dropped: what was before may be missing */
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "13", "[]"));
    at += 32 * (int64_t)SECOND;
    assert_true(guard_verifier_hear(v, absent, SPAN("13"), false, at));
    assert_true(guard_verifier_current(v, at, NOW, &report));
    assert_true(
        guard_verifier_hear(v, absent, SPAN("5"), false, at)); /* another history: a restored database */
    assert_true(guard_verifier_current(v, at, NOW, &report));
    assert_false(guard_verifier_hear(v, SPAN("unreadable"), SPAN("14"), false, at));
    assert_false(guard_verifier_current(v, at, NOW, &report));
    guard_verifier_free(&v);
}

/* A single one, pushed or listed: remembered as good or not, it is dead at once, and its subject's others live. */
static void test_single_tokens(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1);
    struct guard_report report = {0};
    struct buf tokens[4], line = {0};
    static const char *const ids[] = {"\"jti\":\"1\",", "\"jti\":\"2\",", "\"jti\":\"3\",", ""};
    char names[4][TOKEN_NAME_LEN];
    int64_t at = 0;
    put_jwks("k", &key);
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "9", "[]"));
    struct guard_verifier *v = verifier();
    for (int i = 0; i < 4; i++) {
        char claims[128];
        snprintf(claims, sizeof claims, "%s\"sub\":\"ann\",\"iat\":1800000000,\"exp\":1800000100", ids[i]);
        tokens[i] = token(&key, "k", claims);
        struct token_identity who = {.issuer = SPAN(ISS)};
        char jti[2] = {(char)('1' + i), '\0'};
        if (i < 3)
            who.jti = span_str(jti);
        token_name(&who, buf_span(&tokens[i]), names[i]);
        assert_true(authorised(v, buf_span(&tokens[i]), 0, NOW));
    }
    buf_printf(&line, "@%.32s=1800000100 @%.32s=1800000100", names[0], names[3]);
    assert_true(guard_verifier_hear(v, buf_span(&line), SPAN("10"), false, at));
    for (int i = 0; i < 4; i++)
        assert_int_equal(authorised(v, buf_span(&tokens[i]), 0, NOW), i == 1 || i == 2);
    buf_clear(&line);
    buf_printf(&line, LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"%.32s\",\"until\":1800000100}]"),
               names[2]);
    put_list(&key, "revocations+jwt", buf_text(&line));
    assert_true(guard_verifier_current(v, at += 2 * SECOND, NOW, &report));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(authorised(v, buf_span(&tokens[i]), 0, NOW), i == 1);
        buf_fini(&tokens[i]);
    }
    buf_fini(&line);
    guard_verifier_free(&v);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init() == OK && mkdtemp(folder_text) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path_of("jwks"));
    (void)unlink(path_of("list"));
    return rmdir(folder_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memo),   cmocka_unit_test(test_revoked),  cmocka_unit_test(test_fence),
        cmocka_unit_test(test_tokens), cmocka_unit_test(test_rotation), cmocka_unit_test(test_current),
        cmocka_unit_test(test_single_tokens),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
