/* Header lines, what is refused in them, and reason phrases. */
#include "http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_lines(void **state)
{
    (void)state;
    struct http_response r = {0};
    http_response_header(&r, "ETag", SPAN("\"x\""));
    http_response_header(&r, "Vary", SPAN(""));
    http_response_header(&r, "Link", (struct span){NULL, 0});
    size_t start = http_response_header_begin(&r, "Age");
    buf_i64(&r.head, 17);
    http_response_header_end(&r, start);
    assert_string_equal(buf_text(&r.head), "ETag: \"x\"\r\nVary: \r\nLink: \r\nAge: 17\r\n");
    assert_int_equal(buf_status(&r.head), OK);
    http_response_fini(&r);
}

struct refused_row {
    const char *what;
    struct span value;
};

static const struct refused_row refused[] = {
    {"line feed", SPAN_INIT("a\nSet-Cookie: b")},
    {"carriage return", SPAN_INIT("a\rb")},
    {"both", SPAN_INIT("a\r\nSet-Cookie: b")},
    {"an empty line", SPAN_INIT("\r\n\r\n<html>")},
    {"line feed in front", SPAN_INIT("\na")},
    {"line feed behind", SPAN_INIT("a\n")},
    {"carriage return behind", SPAN_INIT("a\r")},
    {"NUL", SPAN_INIT("a\0b")},
    {"NUL behind", SPAN_INIT("a\0")},
    {"NUL alone", SPAN_INIT("\0")},
    {"folded line", SPAN_INIT("a\r\n b")},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct http_response r = {0};
        http_response_header(&r, "Location", refused[i].value);
        if (buf_status(&r.head) == OK)
            fail_msg("%s: let through", refused[i].what);
        /* it stays refused, whatever is added behind it */
        http_response_header(&r, "Vary", SPAN("Origin"));
        assert_int_not_equal(buf_status(&r.head), OK);
        /* and the response is good for another answer */
        http_response_restart(&r, 500);
        assert_int_equal(buf_status(&r.head), OK);
        assert_int_equal(r.status, 500);
        http_response_header(&r, "A", SPAN("b"));
        assert_string_equal(buf_text(&r.head), "A: b\r\n");
        http_response_fini(&r);
    }
}

static void test_refused_when_put_together(void **state)
{
    (void)state;
    struct http_response r = {0};
    http_response_header(&r, "A", SPAN("b"));
    size_t start = http_response_header_begin(&r, "C");
    buf_lit(&r.head, "d");
    buf_char(&r.head, '\n');
    http_response_header_end(&r, start);
    assert_int_not_equal(buf_status(&r.head), OK);
    http_response_fini(&r);
}

/* A head over its limit is given up whole, not cut. */
static void test_over_limit(void **state)
{
    (void)state;
    struct http_response r = {.head.limit = 16};
    http_response_header(&r, "A", SPAN("0123456789012345"));
    assert_int_equal(buf_status(&r.head), ERR_TOO_LARGE);
    http_response_fini(&r);
}

static void test_has_header(void **state)
{
    (void)state;
    struct http_response r = {0};
    assert_false(http_response_has_header(&r, "ETag"));
    http_response_header(&r, "Cache-Control", SPAN("no-store, ETag: x"));
    http_response_header(&r, "X-ETag", SPAN("y"));
    http_response_header(&r, "ETagger", SPAN("z"));
    assert_false(http_response_has_header(&r, "ETag"));
    assert_false(http_response_has_header(&r, "Cache"));
    assert_false(http_response_has_header(&r, ""));
    assert_true(http_response_has_header(&r, "cache-control"));
    assert_true(http_response_has_header(&r, "X-ETAG"));
    http_response_header(&r, "ETag", SPAN("\"x\""));
    assert_true(http_response_has_header(&r, "etag"));
    http_response_fini(&r);
}

static void test_reset_keeps_memory(void **state)
{
    (void)state;
    struct http_response r = {0};
    r.status = 200;
    http_response_header(&r, "A", SPAN("b"));
    buf_lit(&r.body, "body");
    const char *head = r.head.ptr, *body = r.body.ptr;
    http_response_reset(&r);
    assert_int_equal(r.status, 0);
    assert_int_equal(r.head.len, 0);
    assert_int_equal(r.body.len, 0);
    assert_ptr_equal(r.head.ptr, head);
    assert_ptr_equal(r.body.ptr, body);
    http_response_fini(&r);
    assert_null(r.head.ptr);
    assert_null(r.body.ptr);
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(200), "OK");
    assert_string_equal(http_status_reason(304), "Not Modified");
    assert_string_equal(http_status_reason(412), "Precondition Failed");
    assert_string_equal(http_status_reason(428), "Precondition Required");
    assert_string_equal(http_status_reason(507), "Insufficient Storage");
    assert_string_equal(http_status_reason(299), "Unknown");
    assert_string_equal(http_status_reason(0), "Unknown");
    assert_string_equal(http_status_reason(-1), "Unknown");
}

static void test_extended(void **state)
{
    (void)state;
    struct http_response r = {0};
    http_response_extend_header(&r, "A", SPAN("x"));
    assert_int_equal(r.head.len, 0);
    http_response_header(&r, "AB", SPAN("1"));
    http_response_header(&r, "A", SPAN(""));
    http_response_header(&r, "a", SPAN("3"));
    http_response_header(&r, "C", SPAN("4"));
    http_response_extend_header(&r, "a", SPAN("?b"));
    assert_string_equal(buf_text(&r.head), "AB: 1\r\nA: ?b\r\na: 3\r\nC: 4\r\n");
    http_response_extend_header(&r, "c", SPAN("5"));
    http_response_extend_header(&r, "b", SPAN("6"));
    assert_string_equal(buf_text(&r.head), "AB: 1\r\nA: ?b\r\na: 3\r\nC: 45\r\n");
    char long_one[1000];
    memset(long_one, 'x', sizeof long_one);
    http_response_extend_header(&r, "AB", span_of(long_one, sizeof long_one));
    assert_int_equal(r.head.len, 1000 + 27);
    assert_string_equal(buf_text(&r.head) + 1005, "\r\nA: ?b\r\na: 3\r\nC: 45\r\n");
    http_response_fini(&r);
}

/* A worker does not keep the memory of the longest answer that it ever gave. */
static void test_reset_gives_back_what_is_much(void **state)
{
    (void)state;
    struct http_response r = {0};
    assert_non_null(buf_reserve(&r.body, 3 << 20));
    http_response_reset(&r);
    assert_int_equal(r.body.size, 0);
    buf_lit(&r.body, "x");
    assert_string_equal(buf_text(&r.body), "x");
    http_response_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_when_put_together),
        cmocka_unit_test(test_over_limit),
        cmocka_unit_test(test_has_header),
        cmocka_unit_test(test_reset_keeps_memory),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_extended),
        cmocka_unit_test(test_reset_gives_back_what_is_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
