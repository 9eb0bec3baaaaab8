/* One value at a time: text in, number or reason out. */
#include "config/nearest.h"
#include "config/value.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct config_row size_row = {"t", "size", CONFIG_SIZE, "", 1024, INT64_C(1) << 40, NULL, ""};
static const struct config_row big_row = {"t", "big", CONFIG_SIZE, "", 0, INT64_MAX, NULL, ""};
static const struct config_row time_row = {"t", "time", CONFIG_DURATION, "", 0, 3600, NULL, ""};
static const struct config_row whole_row = {"t", "whole", CONFIG_INTEGER, "", 1, 1024, NULL, ""};
static const struct config_row bool_row = {"t", "bool", CONFIG_BOOL, "", 0, 0, NULL, ""};
static const struct config_row word_row = {"t", "word", CONFIG_CHOICE, "", 0, 0, "revalidate edge private",
                                           ""};
static const struct config_row text_row = {"t", "text", CONFIG_STRING, "", 0, 0, NULL, ""};

struct value_case {
    const struct config_row *row;
    const char *text;
    int64_t number;     /* when reason is NULL */
    const char *reason; /* a part of it; NULL: the text is right */
};

static const struct value_case cases[] = {
    {&size_row, "1024", 1024, NULL},
    {&size_row, "16K", 16384, NULL},
    {&size_row, "16k", 16384, NULL},
    {&size_row, "64M", 67108864, NULL},
    {&size_row, "1G", 1073741824, NULL},
    {&size_row, "1T", INT64_C(1) << 40, NULL},
    {&big_row, "9223372036854775807", INT64_MAX, NULL},
    {&big_row, "8388607T", INT64_C(8388607) << 40, NULL},
    {&time_row, "0", 0, NULL},
    {&time_row, "30", 30, NULL},
    {&time_row, "30s", 30, NULL},
    {&time_row, "5m", 300, NULL},
    {&time_row, "1h", 3600, NULL},
    {&time_row, "0d", 0, NULL},
    {&whole_row, "1", 1, NULL},
    {&whole_row, "1024", 1024, NULL},
    {&whole_row, "0007", 7, NULL},
    {&bool_row, "off", 0, NULL},
    {&bool_row, "on", 1, NULL},
    {&word_row, "revalidate", 0, NULL},
    {&word_row, "private", 2, NULL},
    {&text_row, "", 0, NULL},
    {&text_row, "Gr\xc3\xbc\xc3\x9f\x65 \xf0\x9f\x8c\xb1\t.", 0, NULL},

    {&size_row, "1023", 0, "from 1K to 1T"},
    {&size_row, "2T", 0, "a size (such as 512, 16K, 64M, 1G)"},
    {&size_row, "", 0, "is not a size"},
    {&size_row, "K", 0, "is not a size"},
    {&size_row, "16KB", 0, "is not a size"},
    {&size_row, "16 K", 0, "is not a size"},
    {&size_row, "-16K", 0, "is not a size"},
    {&size_row, "+16K", 0, "is not a size"},
    {&size_row, "1.5M", 0, "is not a size"},
    {&size_row, "0x400", 0, "is not a size"},
    {&size_row, "16s", 0, "is not a size"},
    {&big_row, "9223372036854775808", 0, "is not a size"},
    {&big_row, "8388608T", 0, "is not a size"},
    {&big_row, "18446744073709551616", 0, "is not a size"},
    {&big_row, "99999999999999999999999999999999999999999999999999999999999999999999999", 0, "is not a size"},
    {&time_row, "3601", 0, "from 0 to 1h"},
    {&time_row, "2h", 0, "from 0 to 1h"},
    {&time_row, "30ms", 0, "a time (such as 30s, 5m, 1h, 1d)"},
    {&time_row, "30 s", 0, "is not a time"},
    {&time_row, "s", 0, "is not a time"},
    {&time_row, "off", 0, "is not a time"},
    {&whole_row, "0", 0, "a whole number from 1 to 1024"},
    {&whole_row, "1025", 0, "t.whole: `1025` is not a whole number"},
    {&whole_row, "many", 0, "`many`"},
    {&whole_row, "4K", 0, "whole number"},
    {&whole_row, " 4", 0, "whole number"},
    {&bool_row, "", 0, "none of: off on"},
    {&bool_row, "1", 0, "none of: off on"},
    {&bool_row, "true", 0, "none of: off on"},
    {&bool_row, "ON", 0, "none of: off on"},
    {&word_row, "revalidat", 0, "did you mean `revalidate`?"},
    {&word_row, "Edge", 0, "did you mean `edge`?"},
    {&word_row, "", 0, "none of: revalidate edge private"},
    {&word_row, "revalidate edge", 0, "none of"},
    {&text_row, "a\nb", 0, "control characters"},
    {&text_row, "a\x1b[31m", 0, "control characters"},
    {&text_row, "a\x7f", 0, "control characters"},
    {&text_row, "\xff", 0, "UTF-8"},
    {&text_row, "\xc3", 0, "UTF-8"},
    {&text_row, "\xc0\xaf", 0, "UTF-8"},
    {&text_row, "\xe0\x80\xaf", 0, "UTF-8"},
    {&text_row, "\xed\xa0\x80", 0, "UTF-8"},
    {&text_row, "\xf4\x90\x80\x80", 0, "UTF-8"},
    {&text_row, "\xf0\x8f\xbf\xbf", 0, "UTF-8"},
    {&text_row, "\xe2\x82", 0, "UTF-8"},
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct value_case *c = &cases[i];
        struct err_detail detail = {0};
        int64_t number = -7;
        enum err e = config_value_parse(c->row, span_str(c->text), &number, &detail);
        if (c->reason == NULL && (e != OK || number != c->number))
            fail_msg("%s `%s`: %s, %lld", c->row->key, c->text, detail.text, (long long)number);
        if (c->reason != NULL && (e != ERR_INVALID || number != -7 || strstr(detail.text, c->reason) == NULL))
            fail_msg("%s `%s`: %s, %s", c->row->key, c->text, err_name(e), detail.text);
    }
}

static void a_nul_is_no_text(void **state)
{
    (void)state;
    struct err_detail detail = {0};
    int64_t number;
    assert_int_equal(config_value_parse(&text_row, span_of("a\0b", 3), &number, &detail), ERR_INVALID);
    assert_false(config_text_valid(span_of("\0", 1)));
}

static void distances(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } pairs[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"workers", "workers", 0},
        {"wrokers", "workers", 1},
        {"worker", "workers", 1},
        {"listn", "listen", 1},
        {"mxa_age", "max_age", 1},
        {"ab", "ba", 1},
        {"abc", "xyz", 3},
        {"kitten", "sitting", 3},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        unsigned d = config_distance(span_str(pairs[i].a), span_str(pairs[i].b));
        if (d != pairs[i].distance || d != config_distance(span_str(pairs[i].b), span_str(pairs[i].a)))
            fail_msg("%s, %s: %u", pairs[i].a, pairs[i].b, d);
    }
    char longer[200];
    memset(longer, 'a', sizeof longer);
    assert_int_equal(config_distance(span_of(longer, sizeof longer), SPAN("a")), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(a_nul_is_no_text),
        cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
