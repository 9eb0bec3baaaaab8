/* The key of a request that may be sent again: what is one, and what is not. */
#include "http/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    const char *value;
    const char *key; /* NULL: it is none */
};

static const struct row rows[] = {
    {"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
    {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
    {"  \"a\"\t", "a"},
    {"\"a b\"", "a b"},
    {"\" \"", " "},
    {"\"a\\\"b\\\\\"", "a\"b\\"},
    {"a:b/c=d@e!#$%&'*+-.^_`|~", "a:b/c=d@e!#$%&'*+-.^_`|~"},
    {"0", "0"},
    {"", NULL},
    {"  ", NULL},
    {"\"\"", NULL},
    {"\"", NULL},
    {"\"a", NULL},
    {"a\"", NULL},
    {"\"a\"b", NULL},
    {"\"a\" ", "a"},
    {"\"a\";x=1", NULL},
    {"\"a\", \"b\"", NULL},
    {"a, b", NULL},
    {"a b", NULL},
    {"a;b", NULL},
    {"\"a\\", NULL},
    {"\"a\\\"", NULL},
    {"\"a\\x\"", NULL},
    {"\"a\tb\"", NULL},
    {"\"a\x7f\"", NULL},
    {"\"a\x01\"", NULL},
    {"\"\xc3\xa9\"", NULL},
    {"\xc3\xa9", NULL},
    {"'a b'", NULL},
    {"<a>", NULL},
};

static void test_rows(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span key;
        enum err e = http_idempotency_key(span_str(rows[i].value), &arena, &key);
        bool good = rows[i].key == NULL ? e == ERR_INVALID && key.ptr == NULL
                                        : e == OK && span_eq(key, span_str(rows[i].key));
        if (!good)
            fail_msg("%s: %s, %.*s", rows[i].value, err_name(e), SPAN_ARG(key));
    }
    struct span key;
    assert_int_equal(http_idempotency_key((struct span){NULL, 0}, &arena, &key), ERR_NOT_FOUND);
    arena_fini(&arena);
}

static void test_lengths(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[1200];
    struct span key;
    memset(text, 'a', sizeof text);
    for (size_t len = 250; len < 1000; len++)
        assert_int_equal(http_idempotency_key(span_of(text, len), &arena, &key),
                         len <= HTTP_IDEMPOTENCY_KEY_MAX ? OK : ERR_INVALID);
    for (size_t len = 250; len < 1000; len++) {
        memset(text, 'a', sizeof text);
        text[0] = text[len + 1] = '"';
        assert_int_equal(http_idempotency_key(span_of(text, len + 2), &arena, &key),
                         len <= HTTP_IDEMPOTENCY_KEY_MAX ? OK : ERR_INVALID);
    }
    /* each character escaped */
    for (size_t len = 250; len < 500; len++) {
        memset(text, '\\', sizeof text);
        text[0] = text[2 * len + 1] = '"';
        assert_int_equal(http_idempotency_key(span_of(text, 2 * len + 2), &arena, &key),
                         len <= HTTP_IDEMPOTENCY_KEY_MAX ? OK : ERR_INVALID);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
