/* Query strings, parameter by parameter. */
#include "http/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PAIRS_MAX = 4 };
struct pair {
    const char *name, *value;
};
struct query_row {
    const char *what;
    struct span query;
    enum err end; /* ERR_NOT_FOUND: read to the end */
    struct pair pairs[PAIRS_MAX];
};

static const struct query_row rows[] = {
    {"absent", {NULL, 0}, ERR_NOT_FOUND, {{0}}},
    {"empty", SPAN_INIT(""), ERR_NOT_FOUND, {{0}}},
    {"one", SPAN_INIT("id=a"), ERR_NOT_FOUND, {{"id", "a"}}},
    {"the same twice, in order", SPAN_INIT("id=b&id=a"), ERR_NOT_FOUND, {{"id", "b"}, {"id", "a"}}},
    {"empty value", SPAN_INIT("q="), ERR_NOT_FOUND, {{"q", ""}}},
    {"no equals sign", SPAN_INIT("q"), ERR_NOT_FOUND, {{"q", ""}}},
    {"equals sign in the value", SPAN_INIT("q=a=b"), ERR_NOT_FOUND, {{"q", "a=b"}}},
    {"plus is a space", SPAN_INIT("q=a+b&r+s=t"), ERR_NOT_FOUND, {{"q", "a b"}, {"r s", "t"}}},
    {"encoded plus", SPAN_INIT("q=a%2Bb"), ERR_NOT_FOUND, {{"q", "a+b"}}},
    {"encoded separators", SPAN_INIT("q=a%26b%3Dc"), ERR_NOT_FOUND, {{"q", "a&b=c"}}},
    {"decoded once", SPAN_INIT("q=%2526"), ERR_NOT_FOUND, {{"q", "%26"}}},
    {"encoded name", SPAN_INIT("%69d=a"), ERR_NOT_FOUND, {{"id", "a"}}},
    {"UTF-8", SPAN_INIT("q=%C3%A4\xc3\xb6"), ERR_NOT_FOUND, {{"q", "\xc3\xa4\xc3\xb6"}}},
    {"nothing between", SPAN_INIT("&&a=1&&b=2&"), ERR_NOT_FOUND, {{"a", "1"}, {"b", "2"}}},
    {"only separators", SPAN_INIT("&&&"), ERR_NOT_FOUND, {{0}}},
    {"a semicolon separates nothing", SPAN_INIT("a=1;b=2"), ERR_NOT_FOUND, {{"a", "1;b=2"}}},
    {"question mark", SPAN_INIT("a=?"), ERR_NOT_FOUND, {{"a", "?"}}},
    {"bad escape in the value", SPAN_INIT("q=%"), ERR_INVALID, {{0}}},
    {"bad escape in the name", SPAN_INIT("%zz=a"), ERR_INVALID, {{0}}},
    {"bad escape behind a good one", SPAN_INIT("a=1&b=%4"), ERR_INVALID, {{"a", "1"}}},
    {"escape cut by a separator", SPAN_INIT("a=%4&1"), ERR_INVALID, {{0}}},
    {"encoded NUL", SPAN_INIT("q=%00"), ERR_INVALID, {{0}}},
    {"NUL", SPAN_INIT("q=a\0b"), ERR_INVALID, {{0}}},
    {"NUL in the name", SPAN_INIT("q\0=a"), ERR_INVALID, {{0}}},
    {"no UTF-8", SPAN_INIT("q=%FF"), ERR_INVALID, {{0}}},
    {"no UTF-8 in the name", SPAN_INIT("\xc3=a"), ERR_INVALID, {{0}}},
    {"overlong UTF-8", SPAN_INIT("q=%C0%AF"), ERR_INVALID, {{0}}},
    {"surrogate", SPAN_INIT("q=%ED%A0%80"), ERR_INVALID, {{0}}},
    {"character cut", SPAN_INIT("q=%E2%82"), ERR_INVALID, {{0}}},
    {"no name", SPAN_INIT("=a"), ERR_INVALID, {{0}}},
    {"equals sign alone", SPAN_INIT("="), ERR_INVALID, {{0}}},
};

static void check(const struct query_row *row, struct arena *arena)
{
    struct http_query query = {row->query};
    struct span name, value;
    enum err e;
    size_t n = 0;
    for (; (e = http_query_next(&query, arena, &name, &value)) == OK; n++) {
        if (n == PAIRS_MAX || row->pairs[n].name == NULL)
            fail_msg("%s: too many", row->what);
        if (!span_eq(name, span_str(row->pairs[n].name)) || !span_eq(value, span_str(row->pairs[n].value)))
            fail_msg("%s: \"%.*s\"=\"%.*s\"", row->what, SPAN_ARG(name), SPAN_ARG(value));
        assert_non_null(value.ptr);
    }
    if (e != row->end)
        fail_msg("%s: %s", row->what, err_name(e));
    if (n < PAIRS_MAX && row->pairs[n].name != NULL)
        fail_msg("%s: too few", row->what);
    assert_null(name.ptr);
    assert_null(value.ptr);
}

static void test_rows(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], &arena);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
