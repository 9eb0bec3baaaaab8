/* Content-Type: which are taken, which are refused, and what is said then. */
#include "http/media_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATCHES = HTTP_MEDIA_MERGE_PATCH | HTTP_MEDIA_JSON_PATCH, ALL = HTTP_MEDIA_JSON | PATCHES };

struct row {
    struct span value;
    unsigned expected; /* 0: refused */
};

static const struct row rows[] = {
    {SPAN_INIT("application/json"), HTTP_MEDIA_JSON},
    {SPAN_INIT("APPLICATION/Json"), HTTP_MEDIA_JSON},
    {SPAN_INIT(" application/json\t"), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/merge-patch+json"), HTTP_MEDIA_MERGE_PATCH},
    {SPAN_INIT("application/json-patch+json"), HTTP_MEDIA_JSON_PATCH},
    {SPAN_INIT("application/json;charset=utf-8"), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/json ; charset=UTF-8"), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/json; Charset=\"utf-8\""), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/merge-patch+json; charset=utf-8"), HTTP_MEDIA_MERGE_PATCH},
    {SPAN_INIT("application/json; profile=\"a;b,c\\\"d\"; charset=utf-8"), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/json;"),
     HTTP_MEDIA_JSON}, /* RFC 9110 section 5.6.6 lets a parameter be missing */
    {SPAN_INIT("application/json;; ;"), HTTP_MEDIA_JSON},
    {SPAN_INIT("application/json; q=\"\""), HTTP_MEDIA_JSON},
    /* another charset */
    {SPAN_INIT("application/json; charset=iso-8859-1"), 0},
    {SPAN_INIT("application/json; charset=utf-16"), 0},
    {SPAN_INIT("application/json; charset=us-ascii"), 0},
    {SPAN_INIT("application/json; charset=utf8"), 0}, /* no name of a charset */
    {SPAN_INIT("application/json; charset=\"\""), 0},
    {SPAN_INIT("application/json; charset=utf-8; charset=utf-16"), 0},
    {SPAN_INIT("application/json; charset=utf-16; charset=utf-8"), 0},
    {SPAN_INIT("application/json; charset=\"utf-8 \""), 0},
    {SPAN_INIT("application/json; charset='utf-8'"), 0},
    /* another type */
    {SPAN_INIT("text/plain"), 0},
    {SPAN_INIT("text/json"), 0},
    {SPAN_INIT("application/json5"), 0},
    {SPAN_INIT("application/jso"), 0},
    {SPAN_INIT("application/problem+json"), 0},
    {SPAN_INIT("application/x-www-form-urlencoded"), 0},
    {SPAN_INIT("multipart/form-data; boundary=x"), 0},
    {SPAN_INIT("*/*"), 0},
    {SPAN_INIT("application/*"), 0},
    /* malformed */
    {SPAN_INIT(""), 0},
    {SPAN_INIT("  "), 0},
    {SPAN_INIT("json"), 0},
    {SPAN_INIT("application"), 0},
    {SPAN_INIT("application/"), 0},
    {SPAN_INIT("/json"), 0},
    {SPAN_INIT("application /json"), 0},
    {SPAN_INIT("application/ json"), 0},
    {SPAN_INIT("application/json/x"), 0},
    {SPAN_INIT("application/json charset=utf-8"), 0},
    {SPAN_INIT("application/json, application/json"), 0},
    {SPAN_INIT("application/json; charset"), 0},
    {SPAN_INIT("application/json; charset="), 0},
    {SPAN_INIT("application/json; charset =utf-8"), 0},
    {SPAN_INIT("application/json; charset= utf-8"), 0},
    {SPAN_INIT("application/json; =utf-8"), 0},
    {SPAN_INIT("application/json; a=\"b"), 0},
    {SPAN_INIT("application/json; a=\"b\\"), 0},
    {SPAN_INIT("application/json; a=\"b\\\""), 0},
    {SPAN_INIT("application/json; a=\"b\"c"), 0},
    {SPAN_INIT("\"application/json\""), 0},
    {SPAN_INIT("application/json\0"), 0},
    {SPAN_INIT("application/json;\0"), 0},
    {SPAN_INIT("application/json; a=\"\0\""), 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_detail detail = {0};
        unsigned got = 99;
        enum err e = http_media_type_parse(rows[i].value, ALL, &got, &detail);
        if (e != (rows[i].expected == 0 ? ERR_INVALID : OK) || got != rows[i].expected)
            fail_msg("\"%.*s\": %s, %u", SPAN_ARG(rows[i].value), err_name(e), got);
        if ((e == OK) != (detail.text[0] == '\0'))
            fail_msg("\"%.*s\": \"%s\"", SPAN_ARG(rows[i].value), detail.text);
    }
    unsigned got = 99;
    assert_int_equal(http_media_type_parse((struct span){NULL, 0}, ALL, &got, NULL), ERR_INVALID);
    assert_int_equal(got, 0);
}

/* A good type that this resource does not take. */
static void test_not_accepted(void **state)
{
    (void)state;
    struct err_detail detail = {0};
    unsigned got;
    assert_int_equal(http_media_type_parse(SPAN("application/json"), PATCHES, &got, &detail), ERR_INVALID);
    assert_int_equal(got, 0);
    assert_string_equal(detail.text,
                        "The Content-Type is another one; this takes application/merge-patch+json or "
                        "application/json-patch+json");
    detail.text[0] = '\0';
    assert_int_equal(
        http_media_type_parse(SPAN("application/json-patch+json"), HTTP_MEDIA_JSON, &got, &detail),
        ERR_INVALID);
    assert_string_equal(detail.text, "The Content-Type is another one; this takes application/json");
    assert_int_equal(http_media_type_parse(SPAN("application/json"), 0, &got, NULL), ERR_INVALID);
}

static void test_list(void **state)
{
    (void)state;
    struct buf out = {0};
    http_media_type_list(&out, PATCHES);
    assert_string_equal(buf_text(&out), "application/merge-patch+json, application/json-patch+json");
    buf_clear(&out);
    http_media_type_list(&out, HTTP_MEDIA_JSON);
    assert_string_equal(buf_text(&out), "application/json");
    buf_clear(&out);
    http_media_type_list(&out, 0);
    assert_string_equal(buf_text(&out), "");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_not_accepted),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
