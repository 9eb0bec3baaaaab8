/* The syntax of a profile's id. */
#include "base/ident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TEN    "0123456789"
#define OF_128 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567"

struct row {
    const char *what;
    struct span id;
    bool valid;
};

static const struct row rows[] = {
    {"one letter", SPAN_INIT("a"), true},
    {"all kinds", SPAN_INIT("aZ09._~:|@+-"), true},
    {"a UUID", SPAN_INIT("018f3c5e-7b1a-7cc3-98c4-dc0c0c07398f"), true},
    {"an address", SPAN_INIT("ann@example.org"), true},
    {"three dots", SPAN_INIT("..."), true},
    {"dots and more", SPAN_INIT("..a"), true},
    {"query and more", SPAN_INIT("query1"), true},
    {"query in capitals", SPAN_INIT("Query"), true},
    {"beginning with a hyphen", SPAN_INIT("-a"), true},
    {"the longest", SPAN_INIT(OF_128), true},
    {"absent", {NULL, 0}, false},
    {"empty", SPAN_INIT(""), false},
    {"one too long", SPAN_INIT(OF_128 "8"), false},
    {"a handle", SPAN_INIT("@ann"), false},
    {"an at sign", SPAN_INIT("@"), false},
    {"dot", SPAN_INIT("."), false},
    {"dot dot", SPAN_INIT(".."), false},
    {"query", SPAN_INIT("query"), false},
    {"a slash", SPAN_INIT("a/b"), false},
    {"a backslash", SPAN_INIT("a\\b"), false},
    {"a space", SPAN_INIT("a b"), false},
    {"a percent sign", SPAN_INIT("a%41"), false},
    {"a question mark", SPAN_INIT("a?"), false},
    {"a hash", SPAN_INIT("a#"), false},
    {"a quote", SPAN_INIT("a\""), false},
    {"NUL at the end", SPAN_INIT("a\0"), false},
    {"NUL within", SPAN_INIT("a\0b"), false},
    {"a newline", SPAN_INIT("a\n"), false},
    {"DEL", SPAN_INIT("a\x7f"), false},
    {"beyond ASCII", SPAN_INIT("\xc3\xa4"), false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (ident_valid(rows[i].id) != rows[i].valid)
            fail_msg("%s", rows[i].what);
}

/* Every single byte, against the list as the contract writes it. */
static void test_each_byte(void **state)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:|@+-";
    (void)state;
    for (int c = 0; c < 256; c++) {
        char id[2] = {'x', (char)c};
        bool expected = c != 0 && strchr(allowed, c) != NULL;
        if (ident_valid(span_of(id, 2)) != expected)
            fail_msg("byte %d", c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_each_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
