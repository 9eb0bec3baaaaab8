/* Bearer tokens: taken out of Authorization, asked for by a challenge. */
#include "http/bearer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct token_row {
    struct span value;
    enum err err;
    const char *token; /* NULL: absent */
};

static const struct token_row tokens[] = {
    {SPAN_INIT("Bearer abc"), OK, "abc"},
    {SPAN_INIT("bearer abc"), OK, "abc"},
    {SPAN_INIT("BEARER abc"), OK, "abc"},
    {SPAN_INIT("Bearer   abc"), OK, "abc"},
    {SPAN_INIT(" Bearer abc "), OK, "abc"},
    {SPAN_INIT("Bearer a.b-c_d~e+f/g=="), OK, "a.b-c_d~e+f/g=="},
    {SPAN_INIT("Bearer v4.public.abc.def"), OK, "v4.public.abc.def"},
    {{NULL, 0}, ERR_NOT_FOUND, NULL},
    {SPAN_INIT(""), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("Basic abc"), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("Bearerabc"), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("Bear abc"), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("abc"), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("DPoP abc"), ERR_NOT_FOUND, NULL},
    {SPAN_INIT("Bearer"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer "), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer\tabc"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer=abc"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer: abc"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer abc def"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer abc, Bearer def"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer abc,"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer \"abc\""), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer token=abc"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer ="), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer a=b"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer <token>"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer abc\0"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer a\nb"), ERR_INVALID, NULL},
    {SPAN_INIT("Bearer \xc3\xa4"), ERR_INVALID, NULL},
};

static void test_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct span token;
        enum err e = http_bearer_token(tokens[i].value, &token);
        if (e == OK && !http_bearer_is_b64token(token)) {
            e = ERR_INVALID;
            token = (struct span){NULL, 0};
        }
        if (e != tokens[i].err || !span_eq(token, span_str(tokens[i].token)) ||
            (token.ptr == NULL) != (tokens[i].token == NULL))
            fail_msg("\"%.*s\": %s, \"%.*s\"", SPAN_ARG(tokens[i].value), err_name(e), SPAN_ARG(token));
    }
}

struct challenge_row {
    const char *error;
    struct span description, scope;
    const char *expected;
};

static const struct challenge_row challenges[] = {
    {NULL, {NULL, 0}, {NULL, 0}, ""},
    {"invalid_token", {NULL, 0}, {NULL, 0}, ", error=\"invalid_token\""},
    {"invalid_token",
     SPAN_INIT("The token has expired"),
     {NULL, 0},
     ", error=\"invalid_token\", error_description=\"The token has expired\""},
    {"insufficient_scope",
     {NULL, 0},
     SPAN_INIT("profile:read profile:write"),
     ", error=\"insufficient_scope\", scope=\"profile:read profile:write\""},
    {"insufficient_scope", SPAN_INIT("no"), SPAN_INIT("a"),
     ", error=\"insufficient_scope\", error_description=\"no\", scope=\"a\""},
    {"invalid_token", SPAN_INIT(""), SPAN_INIT(""), ", error=\"invalid_token\""},
    /* nothing breaks out of the quotes, or of the line */
    {"invalid_token",
     SPAN_INIT("a\", scope=\"x\\"),
     {NULL, 0},
     ", error=\"invalid_token\", error_description=\"a?, scope=?x?\""},
    {"invalid_token",
     SPAN_INIT("a\r\nSet-Cookie: b"),
     {NULL, 0},
     ", error=\"invalid_token\", error_description=\"a??Set-Cookie: b\""},
    {"invalid_token",
     SPAN_INIT("\0\t\x7f\xc3\xa4"),
     {NULL, 0},
     ", error=\"invalid_token\", error_description=\"?????\""},
};

static void test_challenges(void **state)
{
    (void)state;
    struct buf expected = {0};
    for (size_t i = 0; i < sizeof challenges / sizeof challenges[0]; i++) {
        const struct challenge_row *row = &challenges[i];
        struct http_response r = {0};
        buf_clear(&expected);
        buf_lit(&expected, "WWW-Authenticate: Bearer realm=\"profiled\"");
        buf_append(&expected, span_str(row->expected));
        buf_lit(&expected, "\r\n");
        http_bearer_challenge(&r, row->error, row->description, row->scope);
        assert_string_equal(buf_text(&r.head), buf_text(&expected));
        assert_int_equal(buf_status(&r.head), OK);
        http_response_fini(&r);
    }
    buf_fini(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens), cmocka_unit_test(test_challenges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
