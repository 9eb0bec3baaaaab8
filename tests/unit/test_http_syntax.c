/* What header fields are made of: tokens, quoted strings, UTF-8. */
#include "http/syntax.h"
#include "http/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* RFC 9110 section 5.6.2: visible ASCII without the delimiters. */
static void test_token_chars(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool expected = c > 0x20 && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
        if (http_is_token_char((char)c) != expected)
            fail_msg("%d", c);
    }
}

struct quoted_row {
    struct span text;
    const char *inside; /* NULL: refused */
    const char *rest;
};

static const struct quoted_row quoted[] = {
    {SPAN_INIT("\"\""), "", ""},
    {SPAN_INIT("\"a b\" c"), "a b", " c"},
    {SPAN_INIT("\"a\\\"b\"c"), "a\\\"b", "c"},
    {SPAN_INIT("\"\\\\\"x"), "\\\\", "x"},
    {SPAN_INIT("\"\t\xc3\xa4\""), "\t\xc3\xa4", ""},
    {SPAN_INIT(""), NULL, NULL},
    {SPAN_INIT("a"), NULL, NULL},
    {SPAN_INIT("'a'"), NULL, NULL},
    {SPAN_INIT("\""), NULL, NULL},
    {SPAN_INIT("\"a"), NULL, NULL},
    {SPAN_INIT("\"a\\"), NULL, NULL},
    {SPAN_INIT("\"a\\\""), NULL, NULL},
    {SPAN_INIT("\"a\nb\""), NULL, NULL},
    {SPAN_INIT("\"a\\\nb\""), NULL, NULL},
    {SPAN_INIT("\"a\0b\""), NULL, NULL},
    {SPAN_INIT("\"a\\\0b\""), NULL, NULL},
    {SPAN_INIT("\"a\x7f\""), NULL, NULL},
};

static void test_quoted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        const struct quoted_row *row = &quoted[i];
        struct span rest = row->text, inside = SPAN("as before");
        bool taken = http_take_quoted(&rest, &inside);
        if (taken != (row->inside != NULL))
            fail_msg("%.*s: taken or not", SPAN_ARG(row->text));
        if (!span_eq(inside, taken ? span_str(row->inside) : SPAN("as before")) ||
            !span_eq(rest, taken ? span_str(row->rest) : row->text))
            fail_msg("%.*s: \"%.*s\", \"%.*s\"", SPAN_ARG(row->text), SPAN_ARG(inside), SPAN_ARG(rest));
    }
}

static void test_take(void **state)
{
    (void)state;
    struct span rest = SPAN(" \tab=\"c\";d"), word = {NULL, 0};
    http_take_space(&rest);
    assert_false(http_take_char(&rest, ' '));
    assert_true(span_eq(http_take_token(&rest), SPAN("ab")));
    assert_int_equal(http_take_token(&rest).len, 0);
    assert_false(http_take_word(&rest, &word));
    assert_true(http_take_char(&rest, '='));
    assert_true(http_take_word(&rest, &word));
    assert_true(span_eq(word, SPAN("c")));
    assert_true(http_take_char(&rest, ';'));
    assert_true(http_take_word(&rest, &word));
    assert_true(span_eq(word, SPAN("d")));
    assert_int_equal(rest.len, 0);
    assert_false(http_take_char(&rest, 'x'));
    assert_false(http_take_word(&rest, &word));
    rest = (struct span){NULL, 0};
    http_take_space(&rest);
    assert_int_equal(http_take_token(&rest).len, 0);
    assert_false(http_take_quoted(&rest, &word));
}

struct utf8_row {
    struct span text;
    size_t prefix;
};

static const struct utf8_row utf8[] = {
    {SPAN_INIT(""), 0},
    {SPAN_INIT("abc"), 3},
    {SPAN_INIT("a\0b"), 3},
    {SPAN_INIT("\x7f"), 1},
    {SPAN_INIT("\xc2\x80"), 2},
    {SPAN_INIT("\xdf\xbf"), 2},
    {SPAN_INIT("\xe0\xa0\x80"), 3},
    {SPAN_INIT("\xed\x9f\xbf"), 3},
    {SPAN_INIT("\xee\x80\x80"), 3},
    {SPAN_INIT("\xef\xbf\xbf"), 3},
    {SPAN_INIT("\xf0\x90\x80\x80"), 4},
    {SPAN_INIT("\xf4\x8f\xbf\xbf"), 4},
    {SPAN_INIT("a\x80"), 1}, /* a continuation alone */
    {SPAN_INIT("a\xbf"), 1},
    {SPAN_INIT("a\xc0\x80"), 1}, /* overlong */
    {SPAN_INIT("a\xc1\xbf"), 1},
    {SPAN_INIT("a\xe0\x80\x80"), 1},
    {SPAN_INIT("a\xe0\x9f\xbf"), 1},
    {SPAN_INIT("a\xf0\x80\x80\x80"), 1},
    {SPAN_INIT("a\xf0\x8f\xbf\xbf"), 1},
    {SPAN_INIT("a\xed\xa0\x80"), 1}, /* surrogates */
    {SPAN_INIT("a\xed\xbf\xbf"), 1},
    {SPAN_INIT("a\xf4\x90\x80\x80"), 1}, /* above U+10FFFF */
    {SPAN_INIT("a\xf5\x80\x80\x80"), 1},
    {SPAN_INIT("a\xff"), 1},
    {SPAN_INIT("a\xc3"), 1}, /* cut */
    {SPAN_INIT("a\xe2\x82"), 1},
    {SPAN_INIT("a\xf0\x9f\x98"), 1},
    {SPAN_INIT("a\xc3"
               "b"),
     1},
    {SPAN_INIT("a\xe2\x82"
               "b"),
     1},
    {SPAN_INIT("a\xe2"
               "b\x82"),
     1},
    {SPAN_INIT("\xc3\xa4\xc3"), 2},
};

static void test_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof utf8 / sizeof utf8[0]; i++) {
        size_t n = http_utf8_prefix(utf8[i].text);
        if (n != utf8[i].prefix)
            fail_msg("row %zu: %zu, not %zu", i, n, utf8[i].prefix);
        assert_int_equal(http_utf8_valid(utf8[i].text), n == utf8[i].text.len);
    }
    assert_true(http_utf8_valid((struct span){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_chars),
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
