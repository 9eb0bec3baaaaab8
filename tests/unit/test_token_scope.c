/* Scopes: their names, what admin implies, names that nobody knows. */
#include "token/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    R = TOKEN_SCOPE_READ,
    L = TOKEN_SCOPE_LIST,
    W = TOKEN_SCOPE_WRITE,
    A = TOKEN_SCOPE_ADMIN,
    M = TOKEN_SCOPE_METRICS,
};

static const struct {
    const char *what;
    struct span list;
    unsigned scopes;
    struct span unknown;
} rows[] = {
    {"absent", {NULL, 0}, 0, {NULL, 0}},
    {"empty", SPAN_INIT(""), 0, {NULL, 0}},
    {"one", SPAN_INIT("profile:read"), R, {NULL, 0}},
    {"all",
     SPAN_INIT("profile:read profile:list profile:write profile:admin metrics:read"),
     R | L | W | A | M,
     {NULL, 0}},
    {"admin implies nothing yet", SPAN_INIT("profile:admin"), A, {NULL, 0}},
    {"twice", SPAN_INIT("profile:list profile:list"), L, {NULL, 0}},
    {"spaces", SPAN_INIT("  metrics:read   profile:write "), M | W, {NULL, 0}},
    {"spaces only", SPAN_INIT("   "), 0, {NULL, 0}},
    {"one unknown", SPAN_INIT("openid"), 0, SPAN_INIT("openid")},
    {"the first unknown", SPAN_INIT("profile:read openid email"), R, SPAN_INIT("openid")},
    {"other case", SPAN_INIT("Profile:Read"), 0, SPAN_INIT("Profile:Read")},
    {"a beginning", SPAN_INIT("profile:rea"), 0, SPAN_INIT("profile:rea")},
    {"longer", SPAN_INIT("profile:reader"), 0, SPAN_INIT("profile:reader")},
    {"a tab is no separator", SPAN_INIT("profile:read\tprofile:admin"), 0,
     SPAN_INIT("profile:read\tprofile:admin")},
    {"nor is a comma", SPAN_INIT("profile:read,profile:admin"), 0, SPAN_INIT("profile:read,profile:admin")},
    {"nor a newline", SPAN_INIT("profile:admin\n"), 0, SPAN_INIT("profile:admin\n")},
    {"NUL within", SPAN_INIT("profile:admin\0 metrics:read"), M, SPAN_INIT("profile:admin\0")},
    {"a star", SPAN_INIT("profile:*"), 0, SPAN_INIT("profile:*")},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span unknown = SPAN("?");
        if (token_scope_parse(rows[i].list, &unknown) != rows[i].scopes ||
            !span_eq(unknown, rows[i].unknown) || (unknown.ptr == NULL) != (rows[i].unknown.ptr == NULL) ||
            token_scope_parse(rows[i].list, NULL) != rows[i].scopes)
            fail_msg("%s", rows[i].what);
    }
}

static void test_expand(void **state)
{
    (void)state;
    for (unsigned scopes = 0; scopes <= TOKEN_SCOPE_ALL; scopes++)
        assert_int_equal(token_scope_expand(scopes), (scopes & A) != 0 ? scopes | R | L | W : scopes);
}

static void test_write(void **state)
{
    (void)state;
    for (unsigned scopes = 0; scopes <= TOKEN_SCOPE_ALL; scopes++) {
        struct buf text = {0};
        token_scope_write(&text, scopes);
        assert_int_equal(token_scope_parse(buf_span(&text), NULL), scopes);
        assert_null(strstr(buf_text(&text), "  "));
        buf_fini(&text);
    }
    struct buf text = {0};
    token_scope_write(&text, M | R | A);
    assert_string_equal(buf_text(&text), "profile:read profile:admin metrics:read");
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
