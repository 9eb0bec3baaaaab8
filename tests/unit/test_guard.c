/* What the Varnish module knows, without Varnish: the memo, revocations, the signed list, the fence, and when
 * all of it may be trusted. */
#include "support_guard.h"

#include "guard/fence.h"
#include "guard/memo.h"
#include "guard/revoked.h"

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
    assert_int_equal(guard_revoked_new(1000, -1, &table), OK);
    assert_false(guard_revoked_has(table, SPAN("ann"), 5));
    assert_int_equal(guard_revoked_put(table, SPAN("ann"), 10, NOW), OK);
    assert_int_equal(guard_revoked_put(table, SPAN("ann"), 7, NOW), OK); /* later ones stay */
    assert_true(guard_revoked_has(table, SPAN("ann"), 10));
    assert_false(guard_revoked_has(table, SPAN("ann"), 11));
    assert_true(guard_revoked_has(table, SPAN("ann"), TOKEN_NO_TIME));
    assert_int_equal(guard_revoked_put(table, SPAN("a b"), 1, NOW), ERR_INVALID);
    assert_int_equal(guard_revoked_put_header(table, SPAN("x%7Cy=5  b=6"), NOW), OK);
    assert_true(guard_revoked_has(table, SPAN("x|y"), 5));
    assert_true(guard_revoked_has(table, SPAN("b"), 6));
    assert_int_equal(guard_revoked_put_header(table, (struct span){NULL, 0}, NOW), OK);
    static const char *const bad[] = {"b",
                                      "=5",
                                      "b=",
                                      "b=x",
                                      "b=-1",
                                      "b%=5",
                                      "b%00=5",
                                      "@b=5",
                                      "b=99999999999999999999",
                                      "@0123456789abcdefghijABCDEFGHIJ-=5",
                                      "@0123456789abcdefghijABCDEFGHIJ-_x=5",
                                      "@0123456789abcdefghijABCDEFGHIJ-.=5",
                                      "@0123456789abcdefghijABCDEFGHIJ-_=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf text = {0};
        buf_printf(&text, "%s c%zu=5", bad[i], i);
        assert_int_equal(guard_revoked_put_header(table, buf_span(&text), NOW), ERR_INVALID);
        buf_clear(&text);
        buf_printf(&text, "c%zu", i);
        assert_true(guard_revoked_has(table, buf_span(&text), 5)); /* what could be read is in */
        buf_fini(&text);
    }
    static const char name[TOKEN_NAME_LEN + 1] = "0123456789abcdefghijABCDEFGHIJ-_";
    assert_false(guard_revoked_has_token(table, name));
    assert_int_equal(guard_revoked_put_header(table, SPAN("@0123456789abcdefghijABCDEFGHIJ-_=5 d=1"), NOW),
                     OK);
    assert_true(guard_revoked_has_token(table, name));
    assert_false(
        guard_revoked_has(table, SPAN("0123456789abcdefghijABCDEFGHIJ-_"), 5)); /* no subject's name */
    assert_false(guard_revoked_has_token(table, "0123456789abcdefghijABCDEFGHIJ--"));
    enum err e = OK;
    for (int i = 0; e == OK && i < 2000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "s%d", i);
        e = guard_revoked_put(table, span_str(text), i, NOW);
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(guard_revoked_count(table), 1000);
    assert_true(guard_revoked_has(table, SPAN("s500"), 500));
    guard_revoked_free(&table);
}

/* What no living token can fall under goes, and only that; the table does not grow with what was ever
 * revoked. */
static void test_forgotten(void **state)
{
    (void)state;
    enum { REACH_S = 100, EACH_S = 10 };
    struct guard_revoked *table = NULL;
    char text[24];
    assert_int_equal(guard_revoked_new(2 * REACH_S * EACH_S, REACH_S, &table), OK);
    for (int i = 0; i < 100 * REACH_S * EACH_S; i++) {
        int64_t now_s = NOW + i / EACH_S;
        (void)snprintf(text, sizeof text, "s%d", i);
        assert_int_equal(guard_revoked_put(table, span_str(text), now_s, now_s), OK);
        if (i < REACH_S * EACH_S)
            continue;
        (void)snprintf(text, sizeof text, "s%d", i - REACH_S * EACH_S + EACH_S);
        assert_true(guard_revoked_has(table, span_str(text), NOW));
    }
    assert_true(guard_revoked_count(table) <= 2 * REACH_S * EACH_S);
    assert_false(guard_revoked_has(table, SPAN("s0"), NOW));
    /* neither clock alone makes it forget: a second of the pool's that is far ahead, or ours */
    assert_int_equal(guard_revoked_put(table, SPAN("ahead"), NOW + 1000000, NOW + 10000), OK);
    assert_true(guard_revoked_has(table, span_str(text), NOW));
    for (int i = 0; i < REACH_S * EACH_S / 2; i++) {
        (void)snprintf(text, sizeof text, "t%d", i);
        assert_int_equal(guard_revoked_put(table, span_str(text), NOW + 10000, NOW + 10000), OK);
    }
    (void)snprintf(text, sizeof text, "s%d", 100 * REACH_S * EACH_S - 1);
    assert_true(guard_revoked_has(table, span_str(text), NOW));
    guard_revoked_free(&table);

    /* ours is ahead, the newest that was heard is not */
    assert_int_equal(guard_revoked_new(100, REACH_S, &table), OK);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "s%d", i);
        assert_int_equal(guard_revoked_put(table, span_str(text), NOW, NOW + 1000000), OK);
    }
    assert_int_equal(guard_revoked_count(table), 100);
    assert_int_equal(guard_revoked_put(table, SPAN("more"), NOW, NOW + 2000000), ERR_FULL);
    assert_true(guard_revoked_has(table, SPAN("s0"), NOW));
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
    assert_true(guard_verifier_hear(v, SPAN("ann=1799999989"), SPAN("3"), false, 0, NOW));
    assert_true(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW));
    assert_true(guard_verifier_hear(v, SPAN("ann=1799999990 bob=1"), absent, false, 0, NOW));
    assert_false(authorised(v, buf_span(&good), TOKEN_SCOPE_READ, NOW));
    assert_false(authorised(v, buf_span(&timeless), TOKEN_SCOPE_READ, NOW));
    buf_fini(&good);
    buf_fini(&forged);
    buf_fini(&timeless);
    guard_verifier_free(&v);
}

/* Where old revocations are forgotten, a token that does not say when it was issued is not ours to judge. */
static void test_timeless(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1);
    put_jwks("k", &key);
    struct guard_verifier *v = verifier_of(1000);
    struct buf dated = token(&key, "k", "\"sub\":\"ann\",\"iat\":1799999990,\"exp\":1800000100");
    struct buf timeless = token(&key, "k", "\"sub\":\"ann\",\"exp\":1800000100");
    struct buf too_long = token(&key, "k", "\"sub\":\"ann\",\"iat\":1799999990,\"exp\":1800009990");
    for (int turn = 0; turn < 2; turn++) {
        assert_true(authorised(v, buf_span(&dated), 0, NOW));
        assert_false(authorised(v, buf_span(&timeless), 0, NOW));
        assert_false(authorised(v, buf_span(&too_long), 0, NOW));
    }
    buf_fini(&dated);
    buf_fini(&timeless);
    buf_fini(&too_long);
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
    assert_true(guard_verifier_hear(v, absent, SPAN("0"), false, at, NOW));
    assert_false(guard_verifier_current(v, at += SECOND, NOW, &report)); /* no position is no word */
    assert_true(guard_verifier_hear(v, absent, SPAN("10"), false, at, NOW));
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
        {"revocations+jwt", LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"x\",\"until\":1}]"),
         false},
        {"revocations+jwt",
         LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"0123456789abcdefghijABCDEFGHIJ-_\"}]"),
         false},
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

    assert_true(guard_verifier_hear(v, absent, SPAN("12"), false, at, NOW)); /* pushed, one after the other */
    assert_true(guard_verifier_current(v, at + 30 * (int64_t)SECOND, NOW, &report));
    assert_false(guard_verifier_current(v, at + 30 * (int64_t)SECOND + 1, NOW, &report)); /* silence */
    assert_true(guard_verifier_hear(v, absent, SPAN("13"), true, at, NOW));
    assert_false(
        guard_verifier_current(v, at, NOW, &report)); /* all dropped: what was before may be missing */
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "13", "[]"));
    at += 32 * (int64_t)SECOND;
    assert_true(guard_verifier_hear(v, absent, SPAN("13"), false, at, NOW));
    assert_true(guard_verifier_current(v, at, NOW, &report));
    assert_true(
        guard_verifier_hear(v, absent, SPAN("5"), false, at, NOW)); /* another history: a restored database */
    assert_true(guard_verifier_current(v, at, NOW, &report));
    assert_false(guard_verifier_hear(v, SPAN("unreadable"), SPAN("14"), false, at, NOW));
    assert_false(guard_verifier_current(v, at, NOW, &report));
    guard_verifier_free(&v);
}

/* A single one, pushed or listed: remembered as good or not, it is dead at once, and its subject's others
 * live. */
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
    assert_true(guard_verifier_hear(v, buf_span(&line), SPAN("10"), false, at, NOW));
    for (int i = 0; i < 4; i++)
        assert_int_equal(authorised(v, buf_span(&tokens[i]), 0, NOW), i == 1 || i == 2);
    buf_clear(&line);
    buf_printf(&line,
               LIST(ISS, "1800000100", "10", "[],\"tokens\":[{\"token\":\"%.32s\",\"until\":1800000100}]"),
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

/* Each VCL has a verifier of its own, and one that was put aside hears nothing: taken up again, it has to
 * begin anew. */
static void test_two(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1);
    struct guard_report report = {0};
    struct span absent = {NULL, 0};
    put_jwks("k", &key);
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "10", "[]"));
    struct guard_verifier *old = verifier(), *new = verifier();
    struct buf ann = token(&key, "k", "\"sub\":\"ann\",\"iat\":1799999990,\"exp\":1800000100");
    assert_true(guard_verifier_hear(old, absent, SPAN("10"), false, 0, NOW));
    assert_true(guard_verifier_current(old, 0, NOW, &report));
    assert_false(guard_verifier_current(new, 0, NOW, &report));
    assert_true(guard_verifier_hear(new, SPAN("ann=1800000000"), SPAN("11"), false, 0, NOW));
    assert_false(guard_verifier_current(new, SECOND, NOW, &report)); /* the list ends before it */
    assert_true(authorised(old, buf_span(&ann), 0, NOW));
    assert_false(guard_verifier_current(old, SECOND, NOW, &report)); /* it missed that */
    assert_true(guard_verifier_hear(old, absent, SPAN("11"), false, SECOND, NOW));
    assert_false(guard_verifier_current(old, SECOND, NOW, &report));
    assert_false(guard_verifier_current(new, SECOND, NOW, &report));
    put_list(&key, "revocations+jwt",
             LIST(ISS, "1800000100", "11", "[{\"subject\":\"ann\",\"until\":1800000000}]"));
    assert_true(guard_verifier_current(old, 2 * SECOND, NOW, &report));
    assert_false(authorised(old, buf_span(&ann), 0, NOW));
    buf_fini(&ann);
    guard_verifier_free(&old);
    guard_verifier_free(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memo),      cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_forgotten), cmocka_unit_test(test_fence),
        cmocka_unit_test(test_tokens),    cmocka_unit_test(test_timeless),
        cmocka_unit_test(test_rotation),  cmocka_unit_test(test_current),
        cmocka_unit_test(test_two),       cmocka_unit_test(test_single_tokens),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
