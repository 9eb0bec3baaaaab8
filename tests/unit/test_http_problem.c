/* Problem documents, and the page that explains them. */
#include "http/problem.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#define ID "0123456789abcdef0123456789abcdef"

static json_t *body_of(const struct http_response *r)
{
    json_t *doc = json_loadb(buf_text(&r->body), r->body.len, JSON_REJECT_DUPLICATES, NULL);
    if (doc == NULL)
        fail_msg("no JSON: %s", buf_text(&r->body));
    return doc;
}

static void check_text(const json_t *object, const char *name, const char *expected)
{
    const char *got = json_string_value(json_object_get(object, name));
    if (expected == NULL ? got != NULL : got == NULL || strcmp(got, expected) != 0)
        fail_msg("%s: %s, not %s", name, got == NULL ? "absent" : got,
                 expected == NULL ? "absent" : expected);
}

static void test_every_type(void **state)
{
    (void)state;
    struct http_response r = {0};
    for (int t = 0; t < HTTP_PROBLEM_COUNT; t++) {
        const struct http_problem_row *row = http_problem_row((enum http_problem_type)t);
        const struct http_problem problem = {.type = (enum http_problem_type)t};
        char type[64];
        http_problem_write(&r, ID, &problem);
        assert_int_equal(r.status, row->status);
        assert_int_equal(buf_status(&r.head), OK);
        json_t *doc = body_of(&r);
        assert_true(snprintf(type, sizeof type, "/problems.html#%.*s", SPAN_ARG(row->slug)) <
                    (int)sizeof type);
        check_text(doc, "type", type);
        check_text(doc, "title", row->title.ptr);
        check_text(doc, "instance", ID);
        check_text(doc, "detail", NULL);
        assert_int_equal(json_integer_value(json_object_get(doc, "status")), row->status);
        assert_null(json_object_get(doc, "errors"));
        assert_non_null(strstr(buf_text(&r.head), "Content-Type: application/problem+json\r\n"));
        assert_non_null(strstr(buf_text(&r.head), "Cache-Control: no-store\r\n"));
        assert_non_null(strstr(buf_text(&r.head), "X-Request-Id: " ID "\r\n"));
        assert_int_equal(http_response_has_header(&r, "Retry-After"), row->retry_after_s > 0);
        /* a status that we say has a name */
        assert_string_not_equal(http_status_reason(row->status), "Unknown");
        json_decref(doc);
    }
    http_response_fini(&r);
}

/* RFC 9110 section 15.6.4, and what a client of a full or absent storage is promised */
static void test_retry_after(void **state)
{
    (void)state;
    struct http_response r = {0};
    struct http_problem problem = {.type = HTTP_PROBLEM_STORAGE_UNAVAILABLE};
    http_problem_write(&r, ID, &problem);
    assert_non_null(strstr(buf_text(&r.head), "\r\nRetry-After: 5\r\n"));
    problem = (struct http_problem){.type = HTTP_PROBLEM_RATE_LIMITED, .retry_after_s = 17};
    http_problem_write(&r, ID, &problem);
    assert_non_null(strstr(buf_text(&r.head), "\r\nRetry-After: 17\r\n"));
    http_response_fini(&r);
}

static void test_faults(void **state)
{
    (void)state;
    const struct http_problem_fault faults[] = {
        {SPAN_INIT("/handle"), SPAN_INIT("is needed")},
        {SPAN_INIT("/address/a~1b\"\\"), SPAN_INIT("must be a string,\nnot \x01 that")},
        {{NULL, 0}, {NULL, 0}},
    };
    const struct http_problem problem = {HTTP_PROBLEM_INVALID_PROFILE, SPAN_INIT("Two \"faults\""), faults, 3, 0,
                                         SPAN_INIT("\"more\":[7]")};
    struct http_response r = {0};
    http_problem_write(&r, ID, &problem);
    json_t *doc = body_of(&r);
    check_text(doc, "detail", "Two \"faults\"");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(doc, "more"), 0)), 7);
    json_t *errors = json_object_get(doc, "errors");
    assert_int_equal(json_array_size(errors), 3);
    check_text(json_array_get(errors, 0), "pointer", "/handle");
    check_text(json_array_get(errors, 0), "detail", "is needed");
    check_text(json_array_get(errors, 1), "pointer", "/address/a~1b\"\\");
    check_text(json_array_get(errors, 1), "detail", "must be a string,\nnot \x01 that");
    check_text(json_array_get(errors, 2), "pointer", "");
    json_decref(doc);
    http_response_fini(&r);
}

/* A text cut inside a character, or of a client's bytes, must not spoil the document. */
static void test_text_that_is_no_utf8(void **state)
{
    (void)state;
    static const struct {
        struct span detail;
        const char *expected;
    } rows[] = {
        {SPAN_INIT("caf\xc3\xa9"), "caf\xc3\xa9"},
        {SPAN_INIT("caf\xc3"), "caf"},
        {SPAN_INIT("\xff"
                   "abc"),
         ""},
        {SPAN_INIT("a\xed\xa0\x80"
                   "b"),
         "a"},
        {SPAN_INIT("a\xc0\x80"), "a"},
    };
    struct http_response r = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct http_problem problem = {.type = HTTP_PROBLEM_UNKNOWN_PARAMETER,
                                             .detail = rows[i].detail};
        http_problem_write(&r, ID, &problem);
        json_t *doc = body_of(&r);
        check_text(doc, "detail", rows[i].expected);
        json_decref(doc);
    }
    http_response_fini(&r);
}

/* Nothing of an answer that was begun is left. */
static void test_restarts(void **state)
{
    (void)state;
    struct http_response r = {.status = 200};
    const struct http_problem problem = {.type = HTTP_PROBLEM_INTERNAL};
    http_response_header(&r, "ETag", SPAN("\"x\""));
    http_response_header(&r, "Bad", SPAN("a\nb"));
    buf_lit(&r.body, "{\"half\":");
    http_problem_write(&r, ID, &problem);
    assert_int_equal(r.status, 500);
    assert_int_equal(buf_status(&r.head), OK);
    assert_false(http_response_has_header(&r, "ETag"));
    json_decref(body_of(&r));
    http_response_fini(&r);
}

static void test_body_over_limit(void **state)
{
    (void)state;
    struct http_response r = {.body.limit = 20};
    const struct http_problem problem = {.type = HTTP_PROBLEM_INTERNAL};
    http_problem_write(&r, ID, &problem);
    assert_int_equal(buf_status(&r.body), ERR_TOO_LARGE);
    http_response_fini(&r);
}

/* The one problem that the edge may keep bears nothing of the one who asked. */
static void test_missing(void **state)
{
    (void)state;
    struct http_cache_policy policy = {HTTP_SHARED_CACHE_EDGE, 0, 300, 30, 300, 30};
    const struct span none = {NULL, 0};
    struct http_response r = {0};

    http_problem_write_missing(&r, ID, &policy, SPAN("u1"), none);
    assert_int_equal(r.status, 404);
    assert_null(strstr(buf_text(&r.head), ID));
    assert_null(strstr(buf_text(&r.body), ID));
    assert_non_null(
        strstr(buf_text(&r.head), "CDN-Cache-Control: max-age=30\r\nSurrogate-Key: profile/u1\r\n"));
    json_t *doc = body_of(&r);
    check_text(doc, "instance", NULL);
    check_text(doc, "type", "/problems.html#no-such-profile");
    json_decref(doc);

    http_problem_write_missing(&r, ID, &policy, none, SPAN("ann"));
    assert_non_null(strstr(buf_text(&r.head), "Surrogate-Key: handle/ann\r\n"));

    for (int mode = HTTP_SHARED_CACHE_REVALIDATE; mode < HTTP_SHARED_CACHE_COUNT; mode++) {
        policy.shared_cache = (enum http_shared_cache)mode;
        policy.negative_ttl_s = mode == HTTP_SHARED_CACHE_EDGE ? 0 : 30;
        http_problem_write_missing(&r, ID, &policy, SPAN("u1"), none);
        assert_non_null(strstr(buf_text(&r.head), "X-Request-Id: " ID "\r\n"));
        assert_false(http_response_has_header(&r, "CDN-Cache-Control"));
        doc = body_of(&r);
        check_text(doc, "instance", ID);
        json_decref(doc);
    }
    http_response_fini(&r);
}

/* A fault of the storage is never the client's, and never says anything about a token or a profile. */
static void test_of_fault(void **state)
{
    (void)state;
    assert_int_equal(http_problem_of_fault(ERR_BUSY), HTTP_PROBLEM_STORAGE_UNAVAILABLE);
    assert_int_equal(http_problem_of_fault(ERR_IO), HTTP_PROBLEM_STORAGE_UNAVAILABLE);
    assert_int_equal(http_problem_of_fault(ERR_FULL), HTTP_PROBLEM_STORAGE_FULL);
    assert_int_equal(http_problem_of_fault(ERR_NOMEM), HTTP_PROBLEM_OVERLOADED);
    for (int e = OK; e <= ERR_COUNT; e++)
        assert_true(http_problem_row(http_problem_of_fault((enum err)e))->status >= 500);
}

/* The id of each problem's section of the page; absent at its end. */
static struct span next_id(struct span *page)
{
    static const char mark[] = "class=\"problem\" id=\"";
    const char *at = page->len == 0 ? NULL : memmem(page->ptr, page->len, mark, sizeof mark - 1);
    if (at == NULL)
        return (struct span){NULL, 0};
    *page = span_from(*page, (size_t)(at - page->ptr) + sizeof mark - 1);
    return span_cut(page, '"');
}

static int slug_index(struct span slug)
{
    for (int t = 0; t < HTTP_PROBLEM_COUNT; t++)
        if (span_eq(http_problem_row((enum http_problem_type)t)->slug, slug))
            return t;
    return -1;
}

/* Each problem has its anchor on the page, once, with its title in it, and the page has no anchor besides. */
static void test_page(void **state)
{
    (void)state;
    struct buf text = {0};
    struct err_detail detail = {0};
    bool seen[HTTP_PROBLEM_COUNT] = {false};
    if (file_read(SOURCE_DIR "/www/problems.html", 1 << 20, &text, &detail) != OK)
        fail_msg("%s", detail.text);
    struct span page = buf_span(&text), id;
    while ((id = next_id(&page)).ptr != NULL) {
        int t = slug_index(id);
        if (t < 0)
            fail_msg("an anchor for no problem: %.*s", SPAN_ARG(id));
        if (seen[t])
            fail_msg("an anchor that is there twice: %.*s", SPAN_ARG(id));
        seen[t] = true;
        struct span title = http_problem_row((enum http_problem_type)t)->title;
        const char *end = memmem(page.ptr, page.len, "</section>", 10);
        if (end == NULL || memmem(page.ptr, (size_t)(end - page.ptr), title.ptr, title.len) == NULL)
            fail_msg("%.*s: its section does not bear the title \"%.*s\"", SPAN_ARG(id), SPAN_ARG(title));
    }
    for (int t = 0; t < HTTP_PROBLEM_COUNT; t++)
        if (!seen[t])
            fail_msg("no anchor for %s", http_problem_row((enum http_problem_type)t)->slug.ptr);
    buf_fini(&text);
}

/* The pages work under a Content-Security-Policy that lets in no script and no style but files of the site's.
 */
static void test_pages_need_no_inline_code(void **state)
{
    (void)state;
    static const char *const pages[] = {SOURCE_DIR "/www/problems.html", SOURCE_DIR "/www/index.html",
                                        SOURCE_DIR "/www/status.html", SOURCE_DIR "/www/api.html"};
    static const char *const inline_code[] = {
        "<style", "<script>", " style=", " onclick=", " onload=", "javascript:", "src=\"http", "href=\"//"};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct buf text = {0};
        assert_int_equal(file_read(pages[i], 1 << 20, &text, NULL), OK);
        assert_true(text.len > 0);
        for (size_t j = 0; j < sizeof inline_code / sizeof inline_code[0]; j++)
            if (strstr(buf_text(&text), inline_code[j]) != NULL)
                fail_msg("%s holds %s", pages[i], inline_code[j]);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type), cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_faults),     cmocka_unit_test(test_text_that_is_no_utf8),
        cmocka_unit_test(test_restarts),   cmocka_unit_test(test_body_over_limit),
        cmocka_unit_test(test_missing),    cmocka_unit_test(test_of_fault),
        cmocka_unit_test(test_page),       cmocka_unit_test(test_pages_need_no_inline_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
