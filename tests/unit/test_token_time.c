/* Moments in tokens: NumericDate and RFC 3339. */
#include "token/time.h"

#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    struct span text;
    int64_t s; /* -1: refused */
    int32_t ns;
};

static const struct row numeric[] = {
    {SPAN_INIT("0"), 0, 0},
    {SPAN_INIT("1700000000"), 1700000000, 0},
    {SPAN_INIT("1700000000.0"), 1700000000, 0},
    {SPAN_INIT("1700000000.5"), 1700000000, 500000000},
    {SPAN_INIT("1.7e9"), 1700000000, 0},
    {SPAN_INIT("0.25"), 0, 250000000},
    {SPAN_INIT("1e-300"), 0, 1},
    {SPAN_INIT("-0.0"), 0, 0},
    {SPAN_INIT("253402300799"), 253402300799, 0},
    {SPAN_INIT("253402300800"), -1, 0},
    {SPAN_INIT("253402300799.5"), -1, 0},
    {SPAN_INIT("-1"), -1, 0},
    {SPAN_INIT("-0.5"), -1, 0},
    {SPAN_INIT("-1e300"), -1, 0},
    {SPAN_INIT("1e300"), -1, 0},
    {SPAN_INIT("9223372036854775807"), -1, 0},
    {SPAN_INIT("-9223372036854775808"), -1, 0},
    {SPAN_INIT("\"1700000000\""), -1, 0},
    {SPAN_INIT("\"2023-11-14T22:13:20Z\""), -1, 0},
    {SPAN_INIT("null"), -1, 0},
    {SPAN_INIT("true"), -1, 0},
    {SPAN_INIT("[1700000000]"), -1, 0},
    {SPAN_INIT("{}"), -1, 0},
};

static void test_numeric(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numeric / sizeof numeric[0]; i++) {
        struct token_time t = {7, 7};
        json_t *value = NULL;
        assert_int_equal(json_load_strict(numeric[i].text, 1, &value, NULL), OK);
        bool good = token_time_numeric(value, &t);
        if (good != (numeric[i].s >= 0) || t.s != (good ? numeric[i].s : 0) || t.ns != numeric[i].ns)
            fail_msg("%.*s: %d, %lld s %d ns", SPAN_ARG(numeric[i].text), good, (long long)t.s, (int)t.ns);
        json_decref(value);
    }
    struct token_time t = {7, 7};
    assert_false(token_time_numeric(NULL, &t));
    assert_int_equal(t.s, 0);
}

static const struct row texts[] = {
    {SPAN_INIT("1970-01-01T00:00:00Z"), 0, 0},
    {SPAN_INIT("2023-11-14T22:13:20Z"), 1700000000, 0},
    {SPAN_INIT("2023-11-14t22:13:20z"), 1700000000, 0},
    {SPAN_INIT("2023-11-14T22:13:20+00:00"), 1700000000, 0},
    {SPAN_INIT("2023-11-14T22:13:20-00:00"), 1700000000, 0},
    {SPAN_INIT("2023-11-15T03:43:20+05:30"), 1700000000, 0},
    {SPAN_INIT("2023-11-14T14:13:20-08:00"), 1700000000, 0},
    {SPAN_INIT("2023-11-14T22:13:20.5Z"), 1700000000, 500000000},
    {SPAN_INIT("2023-11-14T22:13:20.000000000Z"), 1700000000, 0},
    {SPAN_INIT("2023-11-14T22:13:20.123456789Z"), 1700000000, 123456789},
    {SPAN_INIT("2023-11-14T22:13:20.0000000000000001Z"), 1700000000, 1},
    {SPAN_INIT("2023-11-14T22:13:20.1234567891Z"), 1700000000, 123456789},
    {SPAN_INIT("2024-02-29T00:00:00Z"), 1709164800, 0},
    {SPAN_INIT("2000-02-29T00:00:00Z"), 951782400, 0},
    {SPAN_INIT("2024-03-01T00:00:00Z"), 1709251200, 0},
    {SPAN_INIT("2023-12-31T23:59:59Z"), 1704067199, 0},
    {SPAN_INIT("2016-12-31T23:59:60Z"), 1483228800, 0},
    {SPAN_INIT("2017-01-01T00:59:60+01:00"), 1483228800, 0},
    {SPAN_INIT("9999-12-31T23:59:59Z"), 253402300799, 0},
    {SPAN_INIT("1970-01-01T01:00:00+01:00"), 0, 0},

    {SPAN_INIT(""), -1, 0},
    {{NULL, 0}, -1, 0},
    {SPAN_INIT("2023-11-14"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20"), -1, 0},
    {SPAN_INIT("2023-11-14 22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13Z"), -1, 0},
    {SPAN_INIT("20231114T221320Z"), -1, 0},
    {SPAN_INIT("2023-1-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-11-14T2:13:20Z"), -1, 0},
    {SPAN_INIT("2023-00-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-13-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-11-00T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-11-31T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-02-29T00:00:00Z"), -1, 0},
    {SPAN_INIT("2100-02-29T00:00:00Z"), -1, 0},
    {SPAN_INIT("2023-11-14T24:00:00Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:60:00Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:61Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:60Z"), -1, 0},
    {SPAN_INIT("2023-11-14T23:59:60+01:00"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20.Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20,5Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20+00"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20+0000"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20+24:00"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20+00:60"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20*00:00"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20ZZ"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20Z "), -1, 0},
    {SPAN_INIT(" 2023-11-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:20Z\0"), -1, 0},
    {SPAN_INIT("2023-11-14T22:13:2\0Z"), -1, 0},
    {SPAN_INIT("+2023-11-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("-023-11-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("12023-11-14T22:13:20Z"), -1, 0},
    {SPAN_INIT("0000-01-01T00:00:00Z"), -1, 0},
    {SPAN_INIT("1969-12-31T23:59:59Z"), -1, 0},
    {SPAN_INIT("1970-01-01T00:00:00+00:01"), -1, 0},
    {SPAN_INIT("9999-12-31T23:59:60Z"), -1, 0},
    {SPAN_INIT("9999-12-31T23:59:59-00:01"), -1, 0},
    {SPAN_INIT("1700000000"), -1, 0},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct token_time t = {7, 7};
        bool good = token_time_rfc3339(texts[i].text, &t);
        if (good != (texts[i].s >= 0) || t.s != (good ? texts[i].s : 0) || t.ns != texts[i].ns)
            fail_msg("%.*s: %d, %lld s %d ns", SPAN_ARG(texts[i].text), good, (long long)t.s, (int)t.ns);
    }
}

/* What is written reads back, over all of the range. */
static void test_write(void **state)
{
    struct buf text = {0};
    (void)state;
    for (int64_t s = 0; s <= 253402300799; s += 86399 * 97) {
        struct token_time t;
        buf_clear(&text);
        token_time_write(&text, s);
        assert_int_equal(text.len, 20);
        if (!token_time_rfc3339(buf_span(&text), &t) || t.s != s)
            fail_msg("%lld became %s", (long long)s, buf_text(&text));
    }
    buf_clear(&text);
    token_time_write(&text, 1709164799);
    token_time_write(&text, 1709164800);
    token_time_write_ms(&text, INT64_C(1709251199007));
    token_time_write(&text, INT64_MAX);
    token_time_write_ms(&text, -1);
    assert_string_equal(buf_text(&text), "2024-02-28T23:59:59Z"
                                         "2024-02-29T00:00:00Z"
                                         "2024-02-29T23:59:59.007Z"
                                         "9999-12-31T23:59:59Z"
                                         "1970-01-01T00:00:00.000Z");
    buf_fini(&text);
}

static void test_ceil(void **state)
{
    (void)state;
    assert_int_equal(token_time_ceil((struct token_time){5, 0}), 5);
    assert_int_equal(token_time_ceil((struct token_time){5, 1}), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_ceil),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
