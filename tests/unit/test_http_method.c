/* Methods by name, lists of them, and the table of request headers. */
#include "http/header.h"
#include "http/method.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct name_row {
    struct span name;
    enum http_method method;
};

static const struct name_row names[] = {
    {SPAN_INIT("GET"), HTTP_GET},
    {SPAN_INIT("HEAD"), HTTP_HEAD},
    {SPAN_INIT("POST"), HTTP_POST},
    {SPAN_INIT("PUT"), HTTP_PUT},
    {SPAN_INIT("PATCH"), HTTP_PATCH},
    {SPAN_INIT("DELETE"), HTTP_DELETE},
    {SPAN_INIT("OPTIONS"), HTTP_OPTIONS},
    {SPAN_INIT("get"), HTTP_METHOD_OTHER}, /* case-sensitive: RFC 9110 section 9.1 */
    {SPAN_INIT("Get"), HTTP_METHOD_OTHER},
    {SPAN_INIT("GET "), HTTP_METHOD_OTHER},
    {SPAN_INIT(" GET"), HTTP_METHOD_OTHER},
    {SPAN_INIT("GE"), HTTP_METHOD_OTHER},
    {SPAN_INIT("GETS"), HTTP_METHOD_OTHER},
    {SPAN_INIT("GET\0"), HTTP_METHOD_OTHER},
    {SPAN_INIT("TRACE"), HTTP_METHOD_OTHER},
    {SPAN_INIT("CONNECT"), HTTP_METHOD_OTHER},
    {SPAN_INIT("PURGE"), HTTP_METHOD_OTHER},
    {SPAN_INIT("\xff\xfe"), HTTP_METHOD_OTHER},
    {SPAN_INIT(""), HTTP_METHOD_OTHER},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (http_method_of(names[i].name) != names[i].method)
            fail_msg("\"%.*s\": %d", SPAN_ARG(names[i].name), (int)http_method_of(names[i].name));
    assert_int_equal(http_method_of((struct span){NULL, 0}), HTTP_METHOD_OTHER);
}

static void test_name_and_back(void **state)
{
    (void)state;
    for (unsigned bit = HTTP_GET; bit <= HTTP_OPTIONS; bit <<= 1)
        assert_int_equal(http_method_of(span_str(http_method_name((enum http_method)bit))), bit);
    assert_string_equal(http_method_name(HTTP_METHOD_OTHER), "");
}

struct list_row {
    unsigned methods;
    const char *expected;
};

static const struct list_row lists[] = {
    {0, ""},
    {HTTP_GET, "GET"},
    {HTTP_GET | HTTP_HEAD, "GET, HEAD"},
    {HTTP_DELETE | HTTP_PUT | HTTP_GET | HTTP_HEAD, "GET, HEAD, PUT, DELETE"},
    {HTTP_METHOD_OTHER, ""},
    {HTTP_METHOD_OTHER | HTTP_OPTIONS, "OPTIONS"},
    {0x7f, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
};

static void test_lists(void **state)
{
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        buf_clear(&out);
        http_method_list(&out, lists[i].methods);
        assert_string_equal(buf_text(&out), lists[i].expected);
    }
    buf_fini(&out);
}

/* RFC 3875 section 4.1.18: HTTP_, upper case, "-" as "_"; the two that describe the body go without HTTP_. */
static void test_header_variables(void **state)
{
    (void)state;
    for (int h = 0; h < HTTP_HEADER_COUNT; h++) {
        struct span name = span_str(http_header_name((enum http_header)h));
        struct span variable = span_str(http_header_variable((enum http_header)h));
        bool bare = h == HTTP_HEADER_CONTENT_TYPE || h == HTTP_HEADER_CONTENT_LENGTH;
        assert_int_equal(span_starts(variable, SPAN("HTTP_")), !bare);
        variable = span_from(variable, bare ? 0 : 5);
        assert_int_equal(variable.len, name.len);
        for (size_t i = 0; i < name.len; i++) {
            char c = name.ptr[i] == '-' ? '_' : name.ptr[i];
            if (c >= 'a' && c <= 'z')
                c = (char)(c - ('a' - 'A'));
            assert_int_equal(variable.ptr[i], c);
        }
    }
    assert_string_equal(http_header_name(HTTP_HEADER_IF_NONE_MATCH), "If-None-Match");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_name_and_back),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_header_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
