/* Conditional requests: method, headers and state to what is done. */
#include "http/precondition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW   ((int64_t)1795425186)
#define MTIME ((int64_t)784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define SAME  "Sun, 06 Nov 1994 08:49:37 GMT"
#define OLDER "Sun, 06 Nov 1994 08:49:36 GMT"
#define NEWER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct span tags[] = {SPAN_INIT("\"p\""), SPAN_INIT("\"o\"")};

enum state { THERE, GONE };
enum {
    GO = HTTP_PRECONDITION_PROCEED,
    SAME_304 = HTTP_PRECONDITION_NOT_MODIFIED,
    FAIL_412 = HTTP_PRECONDITION_FAILED,
    NEED_428 = HTTP_PRECONDITION_REQUIRED,
    READS = HTTP_GET | HTTP_HEAD,
    CHANGES = HTTP_PUT | HTTP_PATCH | HTTP_DELETE,
};

struct row {
    const char *what;
    unsigned methods; /* each of them */
    enum state state;
    const char *match, *none_match, *modified, *unmodified; /* NULL: the request has no such header */
    int expected;
};

static const struct row rows[] = {
    /* without conditions */
    {"plain", READS, THERE, NULL, NULL, NULL, NULL, GO},
    {"plain, missing", READS | CHANGES | HTTP_POST, GONE, NULL, NULL, NULL, NULL, GO},
    {"a write wants If-Match", CHANGES, THERE, NULL, NULL, NULL, NULL, NEED_428},
    {"POST does not", HTTP_POST, THERE, NULL, NULL, NULL, NULL, GO},

    /* If-Match */
    {"right tag", READS | CHANGES | HTTP_POST, THERE, "\"p\"", NULL, NULL, NULL, GO},
    {"the other view's tag", CHANGES, THERE, "\"o\"", NULL, NULL, NULL, GO},
    {"one of a list", CHANGES, THERE, "\"x\", \"o\"", NULL, NULL, NULL, GO},
    {"star", READS | CHANGES, THERE, "*", NULL, NULL, NULL, GO},
    {"star in spaces", CHANGES, THERE, " * ", NULL, NULL, NULL, GO},
    {"compressed by the front server", CHANGES, THERE, "\"p-gzip\"", NULL, NULL, NULL, GO},
    {"old tag", READS | CHANGES | HTTP_POST, THERE, "\"x\"", NULL, NULL, NULL, FAIL_412},
    {"weak tag never", READS | CHANGES, THERE, "W/\"p\"", NULL, NULL, NULL, FAIL_412},
    {"weak and compressed never", CHANGES, THERE, "W/\"p-gzip\"", NULL, NULL, NULL, FAIL_412},
    {"empty", CHANGES, THERE, "", NULL, NULL, NULL, FAIL_412},
    {"no quotes", CHANGES, THERE, "p", NULL, NULL, NULL, FAIL_412},
    {"junk behind the right one", CHANGES, THERE, "\"p\" x", NULL, NULL, NULL, FAIL_412},
    {"star and a tag", CHANGES, THERE, "*, \"p\"", NULL, NULL, NULL, FAIL_412},
    {"star on what is missing", HTTP_PUT | HTTP_POST, GONE, "*", NULL, NULL, NULL, FAIL_412},
    {"tag of what is missing", HTTP_PUT | HTTP_POST, GONE, "\"p\"", NULL, NULL, NULL, FAIL_412},
    /* section 13.2.1: a 404 in any case */
    {"missing anyway", READS | HTTP_PATCH | HTTP_DELETE, GONE, "\"p\"", NULL, NULL, NULL, GO},
    {"missing anyway, star", READS | HTTP_PATCH | HTTP_DELETE, GONE, "*", NULL, NULL, NULL, GO},

    /* If-None-Match */
    {"current", READS, THERE, NULL, "\"p\"", NULL, NULL, SAME_304},
    {"current, weak", READS, THERE, NULL, "W/\"p\"", NULL, NULL, SAME_304},
    {"current, compressed", READS, THERE, NULL, "\"p-br\"", NULL, NULL, SAME_304},
    {"current, compressed and weak", READS, THERE, NULL, "W/\"p-gzip\"", NULL, NULL, SAME_304},
    {"current, one of a list", READS, THERE, NULL, "\"x\", \"p\"", NULL, NULL, SAME_304},
    {"star", READS, THERE, NULL, "*", NULL, NULL, SAME_304},
    {"old", READS, THERE, NULL, "\"x\"", NULL, NULL, GO},
    {"malformed", READS, THERE, NULL, "\"p", NULL, NULL, GO},
    {"malformed behind the current", READS, THERE, NULL, "\"p\", x", NULL, NULL, GO},
    {"empty", READS, THERE, NULL, "", NULL, NULL, GO},
    {"star on what is missing", READS | CHANGES | HTTP_POST, GONE, NULL, "*", NULL, NULL, GO},
    {"tag of what is missing", READS | CHANGES, GONE, NULL, "\"p\"", NULL, NULL, GO},
    {"create only, and it exists", CHANGES | HTTP_POST, THERE, NULL, "*", NULL, NULL, FAIL_412},
    {"write unless it is this one", CHANGES | HTTP_POST, THERE, NULL, "\"o\"", NULL, NULL, FAIL_412},
    {"write unless it is another", CHANGES, THERE, NULL, "\"x\"", NULL, NULL, NEED_428},
    {"write with a malformed one", CHANGES, THERE, NULL, "x", NULL, NULL, NEED_428},
    {"malformed one, creating", HTTP_PUT, GONE, NULL, "x", NULL, NULL, GO},

    /* both: If-Match goes first */
    {"both hold", CHANGES, THERE, "\"p\"", "\"x\"", NULL, NULL, GO},
    {"If-Match fails", READS | CHANGES, THERE, "\"x\"", "\"p\"", NULL, NULL, FAIL_412},
    {"If-None-Match fails behind it", READS, THERE, "\"p\"", "\"p\"", NULL, NULL, SAME_304},
    {"If-None-Match fails behind it", CHANGES, THERE, "\"p\"", "\"p\"", NULL, NULL, FAIL_412},
    {"contradiction", HTTP_PUT, THERE, "*", "*", NULL, NULL, FAIL_412},
    {"contradiction, missing", HTTP_PUT, GONE, "*", "*", NULL, NULL, FAIL_412},

    /* If-Modified-Since */
    {"not since then", READS, THERE, NULL, NULL, SAME, NULL, SAME_304},
    {"not since later", READS, THERE, NULL, NULL, NEWER, NULL, SAME_304},
    {"spaces round the date", READS, THERE, NULL, NULL, " " SAME " ", NULL, SAME_304},
    {"since before", READS, THERE, NULL, NULL, OLDER, NULL, GO},
    {"RFC 850", READS, THERE, NULL, NULL, "Sunday, 06-Nov-94 08:49:37 GMT", NULL, SAME_304},
    {"asctime", READS, THERE, NULL, NULL, "Sun Nov  6 08:49:37 1994", NULL, SAME_304},
    {"no date", READS, THERE, NULL, NULL, "yesterday", NULL, GO},
    {"empty date", READS, THERE, NULL, NULL, "", NULL, GO},
    {"two dates", READS, THERE, NULL, NULL, SAME ", " SAME, NULL, GO},
    {"old parameter behind it", READS, THERE, NULL, NULL, SAME "; length=3", NULL, GO},
    {"missing", READS, GONE, NULL, NULL, SAME, NULL, GO},
    {"not for writes", CHANGES, THERE, "\"p\"", NULL, SAME, NULL, GO},
    {"not for POST", HTTP_POST, THERE, NULL, NULL, SAME, NULL, GO},
    {"ignored beside If-None-Match", READS, THERE, NULL, "\"x\"", SAME, NULL, GO},
    {"ignored beside a malformed one", READS, THERE, NULL, "x", SAME, NULL, GO},
    {"If-None-Match decides", READS, THERE, NULL, "\"p\"", OLDER, NULL, SAME_304},
    {"behind If-Match", READS, THERE, "\"p\"", NULL, SAME, NULL, SAME_304},

    /* If-Unmodified-Since */
    {"unmodified", READS | HTTP_POST, THERE, NULL, NULL, NULL, SAME, GO},
    {"unmodified since later", READS, THERE, NULL, NULL, NULL, NEWER, GO},
    {"modified", READS | CHANGES | HTTP_POST, THERE, NULL, NULL, NULL, OLDER, FAIL_412},
    {"a date does for no If-Match", CHANGES, THERE, NULL, NULL, NULL, SAME, NEED_428},
    {"no date", READS, THERE, NULL, NULL, NULL, "never", GO},
    {"no date, write", CHANGES, THERE, NULL, NULL, NULL, "never", NEED_428},
    {"two dates", READS, THERE, NULL, NULL, NULL, OLDER ", " OLDER, GO},
    {"missing", READS | CHANGES, GONE, NULL, NULL, NULL, OLDER, GO},
    {"ignored beside If-Match", READS | CHANGES, THERE, "\"p\"", NULL, NULL, OLDER, GO},
    {"If-Match decides", READS | CHANGES, THERE, "\"x\"", NULL, NULL, SAME, FAIL_412},
    {"before If-None-Match", READS, THERE, NULL, "\"p\"", NULL, OLDER, FAIL_412},
    {"then If-None-Match", READS, THERE, NULL, "\"p\"", NULL, SAME, SAME_304},
    {"then If-Modified-Since", READS, THERE, NULL, NULL, SAME, SAME, SAME_304},
    {"before If-Modified-Since", READS, THERE, NULL, NULL, SAME, OLDER, FAIL_412},

    /* methods that select nothing */
    {"OPTIONS", HTTP_OPTIONS | HTTP_METHOD_OTHER, THERE, "\"x\"", "\"p\"", SAME, OLDER, GO},
    {"OPTIONS, missing", HTTP_OPTIONS | HTTP_METHOD_OTHER, GONE, "\"x\"", "*", SAME, OLDER, GO},
};

static struct http_request request_of(const struct row *row, unsigned method)
{
    struct http_request r = {.method = (enum http_method)method};
    r.headers[HTTP_HEADER_IF_MATCH] = span_str(row->match);
    r.headers[HTTP_HEADER_IF_NONE_MATCH] = span_str(row->none_match);
    r.headers[HTTP_HEADER_IF_MODIFIED_SINCE] = span_str(row->modified);
    r.headers[HTTP_HEADER_IF_UNMODIFIED_SINCE] = span_str(row->unmodified);
    return r;
}

static void test_rows(void **state)
{
    (void)state;
    const struct http_current there = {true, tags, 2, MTIME}, gone = {.modified_s = HTTP_NO_DATE};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned method = HTTP_GET; method <= HTTP_METHOD_OTHER; method <<= 1) {
            if ((rows[i].methods & method) == 0)
                continue;
            struct http_request r = request_of(&rows[i], method);
            int got = (int)http_precondition_evaluate(&r, rows[i].state == THERE ? &there : &gone, NOW);
            if (got != rows[i].expected)
                fail_msg("row %zu, %s %s: %d, not %d", i, http_method_name((enum http_method)method),
                         rows[i].what, got, rows[i].expected);
        }
    }
}

/* Without a date of its own, conditions on dates are as if they were not there (sections 13.1.3 and 13.1.4).
 */
static void test_no_modification_date(void **state)
{
    (void)state;
    const struct http_current current = {true, tags, 1, HTTP_NO_DATE};
    const struct row since = {"", 0, THERE, NULL, NULL, SAME, NULL, 0},
                     unless = {"", 0, THERE, NULL, NULL, NULL, OLDER, 0};
    struct http_request r = request_of(&since, HTTP_GET);
    assert_int_equal(http_precondition_evaluate(&r, &current, NOW), HTTP_PRECONDITION_PROCEED);
    r = request_of(&unless, HTTP_GET);
    assert_int_equal(http_precondition_evaluate(&r, &current, NOW), HTTP_PRECONDITION_PROCEED);
}

/* A reader of one view compares with that view's tag alone. */
static void test_one_view(void **state)
{
    (void)state;
    const struct http_current current = {true, &tags[0], 1, MTIME};
    const struct row other = {"", 0, THERE, NULL, "\"o\"", NULL, NULL, 0};
    struct http_request r = request_of(&other, HTTP_GET);
    assert_int_equal(http_precondition_evaluate(&r, &current, NOW), HTTP_PRECONDITION_PROCEED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_modification_date),
        cmocka_unit_test(test_one_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
