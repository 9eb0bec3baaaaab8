/* JSON written: what is escaped, how numbers look, and that they read back as the same. */
#include "json/write.h"

#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *what;
    struct span in;
    struct span out;
};

static const struct row strings[] = {
    {"empty", SPAN_INIT(""), SPAN_INIT("\"\"")},
    {"absent", {NULL, 0}, SPAN_INIT("\"\"")},
    {"plain", SPAN_INIT("abc"), SPAN_INIT("\"abc\"")},
    {"a slash stays", SPAN_INIT("a/b"), SPAN_INIT("\"a/b\"")},
    {"UTF-8 stays", SPAN_INIT("\xc3\xa4\xf0\x9f\x98\x80"), SPAN_INIT("\"\xc3\xa4\xf0\x9f\x98\x80\"")},
    {"DEL and U+2028 stay", SPAN_INIT("\x7f\xe2\x80\xa8"), SPAN_INIT("\"\x7f\xe2\x80\xa8\"")},
    {"quote and backslash", SPAN_INIT("\"\\"), SPAN_INIT("\"\\\"\\\\\"")},
    {"first", SPAN_INIT("\nab"), SPAN_INIT("\"\\nab\"")},
    {"last", SPAN_INIT("ab\n"), SPAN_INIT("\"ab\\n\"")},
    {"in a row", SPAN_INIT("a\n\n\tb\r"), SPAN_INIT("\"a\\n\\n\\tb\\r\"")},
    {"short forms", SPAN_INIT("\b\t\n\f\r"), SPAN_INIT("\"\\b\\t\\n\\f\\r\"")},
    {"others", SPAN_INIT("\x01\x1f\x0b"), SPAN_INIT("\"\\u0001\\u001f\\u000b\"")},
    {"NUL", SPAN_INIT("a\0b"), SPAN_INIT("\"a\\u0000b\"")},
};

static void test_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct buf out = {0};
        json_write_string(&out, strings[i].in);
        if (!span_eq(buf_span(&out), strings[i].out))
            fail_msg("%s: %s", strings[i].what, buf_text(&out));
        buf_fini(&out);
    }
}

/* As it is read, and as it is written again. */
static const struct row values[] = {
    {"constants", SPAN_INIT("[null, true, false]"), SPAN_INIT("[null,true,false]")},
    {"empty ones", SPAN_INIT("[ {}, [ ] ]"), SPAN_INIT("[{},[]]")},
    {"the order of names", SPAN_INIT("{\"z\":1, \"a\":2, \"m\":3}"), SPAN_INIT("{\"z\":1,\"a\":2,\"m\":3}")},
    {"names are escaped", SPAN_INIT("{\"a\\\"\\n\":1}"), SPAN_INIT("{\"a\\\"\\n\":1}")},
    {"integers", SPAN_INIT("[0,-1,9223372036854775807,-9223372036854775808]"),
     SPAN_INIT("[0,-1,9223372036854775807,-9223372036854775808]")},
    {"a real with no fraction stays a real", SPAN_INIT("[1.0,-0.0,100.0,1e15]"),
     SPAN_INIT("[1.0,-0.0,100.0,1e+15]")},
    {"the fewest digits", SPAN_INIT("[0.1,0.10000,2.5,1e-7,3.141592653589793]"),
     SPAN_INIT("[0.1,0.1,2.5,1e-07,3.141592653589793]")},
    {"16 and 17 digits", SPAN_INIT("[0.30000000000000004,5e-324,9007199254740993.0]"),
     SPAN_INIT("[0.30000000000000004,4.94065645841247e-324,9007199254740992.0]")},
    {"the largest", SPAN_INIT("[1.7976931348623157e308]"), SPAN_INIT("[1.7976931348623157e+308]")},
    {"nested", SPAN_INIT("{\"a\":[{\"b\":[1,{\"c\":\"d\"}]}]}"),
     SPAN_INIT("{\"a\":[{\"b\":[1,{\"c\":\"d\"}]}]}")},
    {"a string with NUL", SPAN_INIT("\"\\u0000\""), SPAN_INIT("\"\\u0000\"")},
    {"an escape that is not asked for", SPAN_INIT("\"\\/\\u00e4\""), SPAN_INIT("\"/\xc3\xa4\"")},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buf out = {0};
        json_t *value = NULL;
        assert_int_equal(json_load_strict(values[i].in, JSON_MAX_DEPTH, &value, NULL), OK);
        json_write_value(&out, value);
        if (!span_eq(buf_span(&out), values[i].out))
            fail_msg("%s: %s", values[i].what, buf_text(&out));
        json_decref(value);
        buf_fini(&out);
    }
}

/* Any double comes back bit for bit, and as a real. */
static void test_reals(void **state)
{
    uint64_t x = 88172645463325252; /* a fixed xorshift sequence */
    struct buf out = {0};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double real;
        json_t *back = NULL;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(&real, &x, sizeof real);
        json_t *value = json_real(real); /* NULL for what JSON cannot say */
        if (value == NULL)
            continue;
        buf_clear(&out);
        json_write_value(&out, value);
        assert_int_equal(json_load_strict(buf_span(&out), 0, &back, NULL), OK);
        if (!json_is_real(back) || json_real_value(back) != real)
            fail_msg("%.17g became %s", real, buf_text(&out));
        json_decref(value);
        json_decref(back);
    }
    buf_fini(&out);
}

/* A buffer that is full keeps its error and what it held. */
static void test_limit(void **state)
{
    struct buf out = {.limit = 8};
    (void)state;
    json_write_string(&out, SPAN("abcdef"));
    assert_int_equal(buf_status(&out), OK);
    json_write_string(&out, SPAN(""));
    assert_int_equal(buf_status(&out), ERR_TOO_LARGE);
    buf_clear(&out);
    json_write_string(&out, SPAN("a\n\n\n\n"));
    assert_int_equal(buf_status(&out), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
