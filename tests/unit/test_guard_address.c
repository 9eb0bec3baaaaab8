/* One address for one part of a profile, and every other address left as it is. */
#include "guard/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void check(const char *given, const char *expected)
{
    const size_t len = strlen(given);
    char *url = malloc(len + 1), *out = malloc(len + 1),
         *again = malloc(len + 1); /* so that a byte too many is seen */
    assert_true(url != NULL && out != NULL && again != NULL);
    memcpy(url, given, len);
    size_t n = guard_address_write(span_of(url, len), out);
    if (!span_eq(span_of(out, n), span_str(expected)))
        fail_msg("%s became %.*s in place of %s", given, (int)n, out, expected);
    /* once is enough */
    assert_int_equal(guard_address_write(span_of(out, n), again), n);
    assert_memory_equal(out, again, n);
    free(url);
    free(out);
    free(again);
}

static void test_in_order(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/p/a?fields=name,bio", "/p/a?fields=bio,name"},
        {"/p/a?fields=bio,name", "/p/a?fields=bio,name"},
        {"/p/a?fields=name,name,bio,name", "/p/a?fields=bio,name"},
        {"/p/a?fields=name,id,bio", "/p/a?fields=bio,name"},
        {"/p/a?fields=id,name", "/p/a?fields=name"},
        {"/p/a?fields=id", "/p/a?fields=id"},
        {"/p/a?fields=id,id,id", "/p/a?fields=id"},
        {"/p/a?fields=name%2Cbio", "/p/a?fields=bio,name"},
        {"/p/a?fields=name%2cbio,zoneinfo", "/p/a?fields=bio,name,zoneinfo"},
        {"/p/a?fields=name,name_x,nam", "/p/a?fields=nam,name,name_x"},
        {"/p/a?a=2,1&fields=b,a&z", "/p/a?a=2,1&fields=a,b&z"},
        {"?fields=b,a", "?fields=a,b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1]);
}

static void test_left_as_it_is(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "/",
        "/p/a",
        "/p/a?",
        "/p/a??",
        "/p/a?&",
        "/p/a?&&x",
        "/p/fields=b,a",
        "/p/a?fields",
        "/p/a?fields=",
        "/p/a?fields=,",
        "/p/a?fields=b,",
        "/p/a?fields=,b",
        "/p/a?fields=b,,a",
        "/p/a?fields=b%2",
        "/p/a?fields=b%2C",
        "/p/a?fields=%2Cb",
        "/p/a?fields=b%",
        "/p/a?fields=b%2Da",
        "/p/a?fields=B,a",
        "/p/a?fields=b, a",
        "/p/a?fields=b+a",
        "/p/a?fields=b,a=",
        "/p/a?fields=b;a",
        "/p/a?fields=%62,a",
        "/p/a?Fields=b,a",
        "/p/a?xfields=b,a",
        "/p/a?fieldsx=b,a",
        "/p/a?field=b,a",
        "/p/a?f%69elds=b,a",
        "/p/a?x=b,a",
        "/p/a?fields=b,a1",
        "/p/a?fields=b,a#",
        "/p/a?fields=\xff,a",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i], rows[i]);
    /* more names than there are */
    char many[200] = "/p/a?fields=b";
    for (int i = 0; i < 32; i++)
        strcat(many, ",a");
    check(many, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_order), cmocka_unit_test(test_left_as_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
