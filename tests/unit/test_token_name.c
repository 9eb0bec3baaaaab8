/* What a token is revoked under: one name for one token, and never one for two. */
#include "token/name.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    const char *what;
    const char *issuer, *jti; /* jti NULL: it has none */
    const char *token;
};

/* Each another token. */
static const struct row rows[] = {
    {"by issuer and jti", "https://a.example", "1", "aaa"},
    {"another jti", "https://a.example", "2", "aaa"},
    {"another issuer", "https://b.example", "1", "aaa"},
    {"a byte from the one to the other", "https://a.example1", "", "aa1"},
    {"the same the other way", "https://a.exampl", "e1", "aaa"},
    {"a jti that is a token", "https://a.example", "aaa", "aaa"},
    {"without a jti, by itself", "https://a.example", NULL, "aaa"},
    {"another one", "https://a.example", NULL, "aab"},
    {"an empty jti names none", "https://a.example", "", "aac"},
    {"a longer one", "https://a.example", NULL, "aaaa"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void name_of(const struct row *r, const char *token, char out[TOKEN_NAME_LEN])
{
    const struct token_identity who = {.issuer = span_str(r->issuer), .jti = span_str(r->jti)};
    token_name(&who, span_str(token), out);
}

static void test_no_two_are_alike(void **state)
{
    (void)state;
    char names[ROWS][TOKEN_NAME_LEN];
    for (size_t i = 0; i < ROWS; i++) {
        name_of(&rows[i], rows[i].token, names[i]);
        for (size_t k = 0; k < TOKEN_NAME_LEN; k++)
            assert_non_null(
                memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", names[i][k], 64));
        for (size_t k = 0; k < i; k++)
            if (memcmp(names[i], names[k], TOKEN_NAME_LEN) == 0)
                fail_msg("%s and %s have one name", rows[i].what, rows[k].what);
    }
}

static void test_a_jti_is_enough(void **state)
{
    (void)state;
    char a[TOKEN_NAME_LEN], b[TOKEN_NAME_LEN];
    for (size_t i = 0; i < ROWS; i++) {
        name_of(&rows[i], "one text", a);
        name_of(&rows[i], "another text", b);
        bool named = rows[i].jti != NULL && rows[i].jti[0] != '\0';
        if ((memcmp(a, b, TOKEN_NAME_LEN) == 0) != named)
            fail_msg("%s", rows[i].what);
    }
}

static void test_it_stays_the_same(void **state)
{
    (void)state;
    /* Python: k = blake2b(b"https://a.example").digest(); urlsafe_b64encode(blake2b(b"1", digest_size=24,
     * key=k).digest()) */
    char name[TOKEN_NAME_LEN];
    name_of(&rows[0], rows[0].token, name);
    assert_memory_equal(name, "JRGhlArWNt2_9-oVA_NWJ07JQrTFLAi6", TOKEN_NAME_LEN);
    name_of(&rows[6], rows[6].token, name);
    assert_memory_equal(name, "2la9Ugo5z231SUTYSCbBiWnykBCKnJBh", TOKEN_NAME_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_two_are_alike),
        cmocka_unit_test(test_a_jti_is_enough),
        cmocka_unit_test(test_it_stays_the_same),
    };
    return crypto_init() == OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
