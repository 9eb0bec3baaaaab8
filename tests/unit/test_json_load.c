/* JSON read strictly: what is let in, what is refused and with which words. */
#include "json/load.h"

#include "json/get.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ARRAYS_16     "[[[[[[[[[[[[[[[["
#define ARRAYS_16_END "]]]]]]]]]]]]]]]]"

struct row {
    const char *what;
    struct span text;
    const char *detail; /* part of it; NULL: good */
};

static const struct row rows[] = {
    {"an object", SPAN_INIT("{\"a\":1,\"b\":[true,false,null]}"), NULL},
    {"a string", SPAN_INIT("\"x\""), NULL},
    {"an integer", SPAN_INIT("0"), NULL},
    {"null", SPAN_INIT("null"), NULL},
    {"white space round it", SPAN_INIT(" \t\r\n{} \t\r\n"), NULL},
    {"the largest integer", SPAN_INIT("9223372036854775807"), NULL},
    {"the smallest integer", SPAN_INIT("-9223372036854775808"), NULL},
    {"the same name in two objects", SPAN_INIT("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), NULL},
    {"an empty name", SPAN_INIT("{\"\":1}"), NULL},
    {"an escaped NUL in a string", SPAN_INIT("\"a\\u0000b\""), NULL},
    {"a surrogate pair", SPAN_INIT("\"\\ud83d\\ude00\""), NULL},
    {"a noncharacter", SPAN_INIT("\"\xef\xbf\xbe\""), NULL},
    {"DEL", SPAN_INIT("\"\x7f\""), NULL},
    {"32 levels", SPAN_INIT(ARRAYS_16 ARRAYS_16 ARRAYS_16_END ARRAYS_16_END), NULL},
    {"32 levels of both kinds",
     SPAN_INIT("{\"a\":" ARRAYS_16 "[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]" ARRAYS_16_END "}"), NULL},
    {"many siblings",
     SPAN_INIT("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
               "[],[],[],[],[],[]]"),
     NULL},
    {"brackets in a string", SPAN_INIT("\"" ARRAYS_16 ARRAYS_16 "[{\""), NULL},
    {"brackets behind an escaped quote", SPAN_INIT("\"\\\"" ARRAYS_16 ARRAYS_16 "[\\\\\""), NULL},

    {"nothing", SPAN_INIT(""), "empty"},
    {"absent", {NULL, 0}, "empty"},
    {"white space only", SPAN_INIT(" \n"), "malformed JSON"},
    {"33 levels", SPAN_INIT(ARRAYS_16 ARRAYS_16 "[]" ARRAYS_16_END ARRAYS_16_END), "deeper than 32"},
    {"33 levels behind a string that ends in a backslash",
     SPAN_INIT("[\"\\\\\"," ARRAYS_16 ARRAYS_16 "0" ARRAYS_16_END ARRAYS_16_END "]"), "deeper than 32"},
    {"33 levels, never closed", SPAN_INIT(ARRAYS_16 ARRAYS_16 "["), "deeper than 32"},
    {"brackets that close too early", SPAN_INIT("]]]][[[["), "line 1, column 1"},
    {"a name twice", SPAN_INIT("{\"a\":1,\"a\":1}"), "a member name occurs twice"},
    {"a name twice, once escaped", SPAN_INIT("{\"a\":1,\"\\u0061\":2}"), "a member name occurs twice"},
    {"a name twice, deeper", SPAN_INIT("[{\"b\":{\"a\":1,\"c\":0,\"a\":2}}]"), "a member name occurs twice"},
    {"a second value", SPAN_INIT("{} {}"), "something stands behind the value"},
    {"a comma behind it", SPAN_INIT("1,"), "something stands behind the value"},
    {"a NUL behind it", SPAN_INIT("{}\0"), "a byte of 0"},
    {"a NUL before it", SPAN_INIT("\0{}"), "a byte of 0"},
    {"a NUL within a string", SPAN_INIT("\"a\0b\""), "a byte of 0"},
    {"a NUL behind a number", SPAN_INIT("123\0"), "a byte of 0"},
    {"a NUL within a number", SPAN_INIT("1\0002"), "a byte of 0"},
    {"a NUL behind a number in an object", SPAN_INIT("{\"a\":1\0}"), "a byte of 0"},
    {"a NUL behind a word", SPAN_INIT("[true\0]"), "a byte of 0"},
    {"an escaped NUL in a name", SPAN_INIT("{\"a\\u0000\":1}"), "U+0000"},
    {"a byte order mark", SPAN_INIT("\xef\xbb\xbf{}"), "line 1"},
    {"2^63", SPAN_INIT("9223372036854775808"), "a number is too large"},
    {"a real beyond all", SPAN_INIT("1e999"), "a number is too large"},
    {"a leading zero", SPAN_INIT("01"), "line 1"},
    {"a plus sign", SPAN_INIT("+1"), "line 1"},
    {"a point without digits", SPAN_INIT("1."), "line 1"},
    {"hexadecimal", SPAN_INIT("0x1"), "line 1"},
    {"NaN", SPAN_INIT("NaN"), "line 1"},
    {"Infinity", SPAN_INIT("Infinity"), "line 1"},
    {"a single quote", SPAN_INIT("'a'"), "line 1"},
    {"a comment", SPAN_INIT("/* */ 1"), "line 1"},
    {"a trailing comma", SPAN_INIT("[1,]"), "line 1"},
    {"a trailing comma in an object", SPAN_INIT("{\"a\":1,}"), "line 1"},
    {"a name without quotes", SPAN_INIT("{a:1}"), "line 1"},
    {"TRUE", SPAN_INIT("TRUE"), "line 1"},
    {"a control character in a string", SPAN_INIT("\"a\tb\""), "line 1"},
    {"an escape that there is not", SPAN_INIT("\"\\x41\""), "line 1"},
    {"half a surrogate pair", SPAN_INIT("\"\\ud800\""), "line 1"},
    {"the other half", SPAN_INIT("\"\\udc00\""), "line 1"},
    {"Latin 1", SPAN_INIT("\"\xe4\""), "not UTF-8"},
    {"an overlong slash", SPAN_INIT("\"\xc0\xaf\""), "not UTF-8"},
    {"a surrogate in UTF-8", SPAN_INIT("\"\xed\xa0\x80\""), "not UTF-8"},
    {"beyond U+10FFFF", SPAN_INIT("\"\xf4\x90\x80\x80\""), "not UTF-8"},
    {"UTF-8 cut short", SPAN_INIT("\"\xe2\x82\""), "not UTF-8"},
    {"a string without end", SPAN_INIT("\"abc"), "malformed JSON at line 1"},
    {"a string that ends in a backslash", SPAN_INIT("\"abc\\"), "malformed JSON at line 1"},
    {"an object without end", SPAN_INIT("{\"a\":1"), "line 1"},
    {"on the third line", SPAN_INIT("{\n\"a\": 1,\n  ?}"), "line 3, column 3"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct err_detail detail = {0};
        json_t *value = (json_t *)&detail; /* must be overwritten */
        enum err e = json_load_strict(r->text, JSON_MAX_DEPTH, &value, &detail);
        if (e != (r->detail == NULL ? OK : ERR_INVALID) || (value != NULL) != (r->detail == NULL) ||
            (r->detail == NULL ? detail.text[0] != '\0' : strstr(detail.text, r->detail) == NULL))
            fail_msg("%s: %s, \"%s\"", r->what, err_name(e), detail.text);
        json_decref(value);
    }
}

/* The limit is the caller's: a scalar has depth 0. */
static void test_depth(void **state)
{
    static const struct span nested[] = {SPAN_INIT("1"), SPAN_INIT("[]"), SPAN_INIT("[{}]"),
                                         SPAN_INIT("[{\"a\":[]}]")};
    (void)state;
    for (int depth = 0; depth < 4; depth++)
        for (int max = 0; max < 4; max++) {
            json_t *value = NULL;
            enum err e = json_load_strict(nested[depth], max, &value, NULL);
            assert_int_equal(e, depth <= max ? OK : ERR_INVALID);
            json_decref(value);
        }
}

/* A megabyte of brackets must not reach the parser's recursion. */
static void test_long(void **state)
{
    enum { LEN = 1 << 20 };
    char *text = test_malloc(LEN);
    json_t *value = NULL;
    (void)state;
    memset(text, '[', LEN);
    assert_int_equal(json_load_strict(span_of(text, LEN), JSON_MAX_DEPTH, &value, NULL), ERR_INVALID);
    memset(text, '\\', LEN);
    text[0] = '"';
    assert_int_equal(json_load_strict(span_of(text, LEN), JSON_MAX_DEPTH, &value, NULL), ERR_INVALID);
    test_free(text);
}

/* What was read is what was written, NUL and all. */
static void test_values(void **state)
{
    json_t *value = NULL;
    (void)state;
    assert_int_equal(json_load_strict(SPAN("{\"s\":\"a\\u0000b\",\"i\":-7,\"r\":2.5}"), 1, &value, NULL), OK);
    assert_true(span_eq(json_get_text(value, "s"), SPAN("a\0b")));
    assert_null(json_get_text(value, "i").ptr);
    assert_null(json_get_text(value, "none").ptr);
    assert_null(json_get_text(NULL, "s").ptr);
    assert_int_equal(json_integer_value(json_object_get(value, "i")), -7);
    assert_true(json_real_value(json_object_get(value, "r")) == 2.5);
    json_decref(value);
}

/* How many of jansson's allocations still succeed; negative: all. Its hook takes no argument of ours. */
static long left = -1;

static void *failing_malloc(size_t n)
{
    if (left == 0)
        return NULL;
    left -= left > 0;
    return malloc(n);
}

/* Whichever allocation fails, the answer is that, and never another value or that the text is wrong. */
static void test_memory(void **state)
{
    static const struct span text =
        SPAN_INIT("{\"a long string, for which the buffer grows\":\"0123456789abcdefghijklmnopqrstuvwxyz\","
                  "\"numbers\":[1,2,-3.5,1e9,12345678901234567],\"more\":{\"a\":null,\"b\":true,\"c\":[[]],"
                  "\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0}}");
    json_t *value = NULL;
    long count = 0;
    (void)state;
    json_set_alloc_funcs(failing_malloc, free);
    for (;; count++) {
        struct err_detail detail = {0};
        left = count;
        enum err e = json_load_strict(text, JSON_MAX_DEPTH, &value, &detail);
        left = -1;
        if (e == OK)
            break;
        if (e != ERR_NOMEM || value != NULL)
            fail_msg("allocation %ld: %s, \"%s\"", count, err_name(e), detail.text);
    }
    assert_true(count > 30);
    json_decref(value);
    json_set_alloc_funcs(malloc, free);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *parse_often(void *failures)
{
    static const struct span good = SPAN_INIT("{\"a\":[1,2,{\"b\":\"a string that is somewhat long\"}]}");
    for (int i = 0; i < ROUNDS; i++) {
        json_t *value = NULL;
        *(int *)failures += json_load_strict(good, JSON_MAX_DEPTH, &value, NULL) != OK;
        json_decref(value);
        *(int *)failures += json_load_strict(SPAN("{\"a\":"), JSON_MAX_DEPTH, &value, NULL) != ERR_INVALID;
    }
    return NULL;
}

/* Threads side by side do not disturb each other. */
static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failures[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_depth),   cmocka_unit_test(test_long),
        cmocka_unit_test(test_values), cmocka_unit_test(test_threads), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
