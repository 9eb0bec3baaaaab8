/* The Prefer header. */
#include "http/prefer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

struct return_row {
    struct span prefer;
    enum http_prefer_return expected;
};

static const struct return_row returns[] = {
    {SPAN_INIT("return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=representation"), HTTP_RETURN_REPRESENTATION},
    {SPAN_INIT("Return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=\"minimal\""), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return = minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT(" return=minimal "), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("respond-async, wait=10, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=minimal; foo=\"some parameter\""), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("foo; bar, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("foo=\"a, return=representation\", return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("foo=\"a\\\", return=representation\", return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT(",, return=minimal,,"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=minimal;"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=minimal ;; a ; b=c"), HTTP_RETURN_MINIMAL},
    /* the first counts */
    {SPAN_INIT("return=minimal, return=representation"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=representation, return=minimal"), HTTP_RETURN_REPRESENTATION},
    {SPAN_INIT("return=other, return=minimal"), HTTP_RETURN_UNSAID},
    /* a malformed one is passed over, and what stands behind it counts */
    {SPAN_INIT("return=, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("return=representation x, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("@, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("=minimal, return=minimal"), HTTP_RETURN_MINIMAL},
    {SPAN_INIT("a; b=, return=minimal"), HTTP_RETURN_MINIMAL},
    /* nothing of it */
    {{NULL, 0}, HTTP_RETURN_UNSAID},
    {SPAN_INIT(""), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return="), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=\"\""), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=Minimal"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=minimalist"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("returns=minimal"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("minimal"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("foo; return=minimal"), HTTP_RETURN_UNSAID}, /* a parameter, not a preference */
    {SPAN_INIT("return:minimal"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=\"minimal"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=\"minimal, return=minimal"), HTTP_RETURN_UNSAID}, /* the string does not end */
    {SPAN_INIT("return=minimal\0"), HTTP_RETURN_UNSAID},
    {SPAN_INIT("return=mini\0mal"), HTTP_RETURN_UNSAID},
};

static void test_return(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof returns / sizeof returns[0]; i++)
        if (http_prefer_return(returns[i].prefer) != returns[i].expected)
            fail_msg("\"%.*s\": %d", SPAN_ARG(returns[i].prefer), (int)http_prefer_return(returns[i].prefer));
}

static void test_find(void **state)
{
    (void)state;
    const struct span prefer = SPAN("timing, wait=10, handling=\"lenient\\\"\"; x=y");
    struct span value;
    assert_true(http_prefer_find(prefer, SPAN("timing"), &value));
    assert_int_equal(value.len, 0);
    assert_non_null(value.ptr);
    assert_true(http_prefer_find(prefer, SPAN("WAIT"), &value));
    assert_true(span_eq(value, SPAN("10")));
    assert_true(http_prefer_find(prefer, SPAN("handling"), &value));
    assert_true(span_eq(value, SPAN("lenient\\\"")));
    assert_false(http_prefer_find(prefer, SPAN("x"), &value));
    assert_int_equal(value.len, 0);
    assert_false(http_prefer_find(prefer, SPAN("tim"), &value));
    assert_false(http_prefer_find((struct span){NULL, 0}, SPAN("timing"), &value));
}

/* Quotes without end: read once, not once for each of them. A slow reader would not come back from this. */
static void test_many_quotes(void **state)
{
    (void)state;
    const size_t len = 4 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i += 2) {
        text[i] = '"';
        text[i + 1] = '\\';
    }
    assert_int_equal(http_prefer_return(span_of(text, len)), HTTP_RETURN_UNSAID);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_return),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_many_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
