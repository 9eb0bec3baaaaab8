/* Dates: written, read in the three forms of RFC 9110 section 5.6.7, refused in many more. */
#include "http/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#define NOW ((int64_t)1795425186) /* 2026-11-23T09:13:06Z */

struct good_row {
    const char *text;
    int64_t now_s;
    int64_t expected;
};

static const struct good_row good[] = {
    /* the three forms of one moment */
    {"Sun, 06 Nov 1994 08:49:37 GMT", NOW, 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", NOW, 784111777},
    {"Sun Nov  6 08:49:37 1994", NOW, 784111777},
    {"Sun Nov 06 08:49:37 1994", NOW, 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", NOW, 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", NOW, -1},
    {"Mon, 23 Nov 2026 09:13:06 GMT", NOW, NOW},
    {"Tue, 29 Feb 2000 12:00:00 GMT", NOW, 951825600},
    {"Thu, 29 Feb 2024 23:59:59 GMT", NOW, 1709251199},
    {"Sun, 31 Dec 2023 23:59:59 GMT", NOW, 1704067199},
    {"Fri, 31 Dec 9999 23:59:59 GMT", NOW, 253402300799},
    {"Mon, 01 Jan 0001 00:00:00 GMT", NOW, -62135596800},
    {"Sat, 01 Jan 0000 00:00:00 GMT", NOW, -62167219200},
    {"Tue, 29 Feb 0000 00:00:00 GMT", NOW, -62162121600},
    {"Thu Jan  1 00:00:00 1970", NOW, 0},
    {"Fri Dec 31 23:59:59 1999", NOW, 946684799},
    /* a leap second is the first second of the next day */
    {"Sat, 31 Dec 2016 23:59:60 GMT", NOW, 1483228800},
    /* the name of the day carries nothing */
    {"Mon, 06 Nov 1994 08:49:37 GMT", NOW, 784111777},
    /* two digits: the latest year that is not more than 50 years after now */
    {"Thursday, 01-Jan-70 00:00:00 GMT", NOW, 3155760000},
    {"Friday, 01-Jan-71 00:00:00 GMT", NOW, 3187296000},
    {"Monday, 23-Nov-76 09:13:06 GMT", NOW, 3373348386}, /* 50 years to the second: not more */
    {"Tuesday, 23-Nov-76 09:13:07 GMT", NOW, 217588387}, /* a second more: 1976 */
    {"Saturday, 01-Jan-77 00:00:00 GMT", NOW, 220924800},
    {"Tuesday, 29-Feb-00 00:00:00 GMT", NOW, 951782400},
    {"Monday, 23-Nov-26 09:13:06 GMT", NOW, NOW},
    {"Friday, 01-Jan-10 00:00:00 GMT", 3471292800, 4417977600}, /* in 2080, 10 is 2110 */
    {"Saturday, 01-Jan-94 00:00:00 GMT", 0, 757382400},         /* in 1970, 94 is 1994, */
    {"Wednesday, 01-Jan-20 00:00:00 GMT", 0, 1577836800},       /* 20 is 2020, */
    {"Saturday, 01-Jan-21 00:00:00 GMT", 0, -1546300800},       /* and 21 was 1921 */
    {"Wednesday, 02-Jan-20 00:00:00 GMT", 0, -1577836800},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t s = 42;
        enum err e = http_date_parse(span_str(good[i].text), good[i].now_s, &s);
        if (e != OK || s != good[i].expected)
            fail_msg("%s: %s, %lld", good[i].text, err_name(e), (long long)s);
    }
}

static const char *const bad[] = {
    "",
    " ",
    "0",
    "784111777",
    "now",
    "GMT",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 ",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 EST",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=17",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 006 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 NOV 1994 08:49:37 GMT",
    "Sun, 06 November 1994 08:49:37 GMT",
    "Sun, 06 11 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT", /* a leap second is the last one of a day */
    "Sun, 06 Nov 1994 23:59:61 GMT",
    "Sun, 06 Nov 1994 -1:49:37 GMT",
    "Sun, 06 Nov 1994 +8:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Dec 1994 08:49:37 GMT",
    "Sun, 30 Feb 2024 08:49:37 GMT",
    "Wed, 29 Feb 2023 08:49:37 GMT",
    "Mon, 29 Feb 2100 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Sol, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37",
    "Sunday, 29-Feb-23 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   6 08:49:37 1994",
    "Sun Nov 6  08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  6 08:49:37 GMT 1994",
    "Sun Nov  0 08:49:37 1994",
    "Sun Nov    08:49:37 1994",
    "Sun, Nov  6 08:49:37 1994",
    "Sunday Nov  6 08:49:37 1994",
    "Sun Nov 31 08:49:37 1994",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t s = 42;
        enum err e = http_date_parse(span_str(bad[i]), NOW, &s);
        if (e != ERR_INVALID || s != 42)
            fail_msg("\"%s\": %s, %lld", bad[i], err_name(e), (long long)s);
    }
    int64_t s = 42;
    assert_int_equal(http_date_parse((struct span){NULL, 0}, NOW, &s), ERR_INVALID);
    assert_int_equal(http_date_parse(SPAN("Sun, 06 Nov 1994 08:49:37 GMT\0"), NOW, &s), ERR_INVALID);
    assert_int_equal(http_date_parse(SPAN("Sun, 06 Nov 1994 08\0"
                                          "49:37 GMT"),
                                     NOW, &s),
                     ERR_INVALID);
    assert_int_equal(s, 42);
}

/* Every beginning of a good date is a bad one: no byte behind the end is read. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const whole[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t len = 0; len < strlen(whole[i]); len++) {
            int64_t s;
            assert_int_equal(http_date_parse(span_of(whole[i], len), NOW, &s), ERR_INVALID);
        }
    }
}

struct write_row {
    int64_t s;
    const char *expected;
};

static const struct write_row written[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {951825600, "Tue, 29 Feb 2000 12:00:00 GMT"},
    {1704067199, "Sun, 31 Dec 2023 23:59:59 GMT"},
    {1704067200, "Mon, 01 Jan 2024 00:00:00 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT"},
};

static void test_written(void **state)
{
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        buf_clear(&out);
        http_date_write(&out, written[i].s);
        assert_string_equal(buf_text(&out), written[i].expected);
        assert_int_equal(out.len, HTTP_DATE_LEN);
    }
    buf_fini(&out);
}

/* Against the C library, over 8,000 years: the same text, and back again the same number. */
static void test_against_gmtime(void **state)
{
    (void)state;
    struct buf out = {0};
    for (int64_t s = 0; s <= 253402300799; s += 86400 * 13 + 7919) {
        time_t t = (time_t)s;
        struct tm utc;
        char expected[64];
        int64_t back = -1;
        assert_non_null(gmtime_r(&t, &utc));
        assert_int_equal(strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &utc),
                         HTTP_DATE_LEN);
        buf_clear(&out);
        http_date_write(&out, s);
        assert_string_equal(buf_text(&out), expected);
        assert_int_equal(http_date_parse(buf_span(&out), NOW, &back), OK);
        assert_true(back == s);
    }
    buf_fini(&out);
}

static void test_failed_buffer(void **state)
{
    (void)state;
    struct buf out = {.limit = HTTP_DATE_LEN - 1};
    http_date_write(&out, 0);
    assert_int_equal(buf_status(&out), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_against_gmtime),
        cmocka_unit_test(test_failed_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
