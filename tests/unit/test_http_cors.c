/* CORS: the setting, and the lines for each kind of asker. */
#include "http/cors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct good_row {
    struct span setting;
    bool any;
    const char *origins[4];
};

static const struct good_row good[] = {
    {SPAN_INIT(""), false, {0}},
    {SPAN_INIT("   "), false, {0}},
    {SPAN_INIT("*"), true, {0}},
    {SPAN_INIT(" * "), true, {0}},
    {SPAN_INIT("https://app.example"), false, {"https://app.example"}},
    {SPAN_INIT("HTTPS://App.Example"), false, {"https://app.example"}},
    {SPAN_INIT("https://a.example  http://b.example:8080 "),
     false,
     {"https://a.example", "http://b.example:8080"}},
    {SPAN_INIT("http://localhost:3000 http://127.0.0.1:3000 http://[::1]:3000"),
     false,
     {"http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"}},
    {SPAN_INIT("https://a.example:443"), false, {"https://a.example"}},
    {SPAN_INIT("http://a.example:80"), false, {"http://a.example"}},
    {SPAN_INIT("https://a.example:80"), false, {"https://a.example:80"}},
    {SPAN_INIT("capacitor://localhost"), false, {"capacitor://localhost"}},
    {SPAN_INIT("chrome-extension://abcdefghijklmnop"), false, {"chrome-extension://abcdefghijklmnop"}},
    {SPAN_INIT("https://xn--bcher-kva.example"), false, {"https://xn--bcher-kva.example"}},
};

static void test_good(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct http_cors cors;
        struct err_detail detail = {0};
        if (http_cors_parse(good[i].setting, &arena, &cors, &detail) != OK)
            fail_msg("\"%.*s\": %s", SPAN_ARG(good[i].setting), detail.text);
        assert_int_equal(cors.any, good[i].any);
        size_t n = 0;
        for (; n < 4 && good[i].origins[n] != NULL; n++) {
            assert_true(n < cors.count);
            if (!span_eq(cors.origins[n], span_str(good[i].origins[n])))
                fail_msg("%.*s is not %s", SPAN_ARG(cors.origins[n]), good[i].origins[n]);
        }
        assert_int_equal(cors.count, n);
    }
    arena_fini(&arena);
}

static const struct span bad[] = {
    SPAN_INIT("* https://a.example"),
    SPAN_INIT("https://a.example *"),
    SPAN_INIT("**"),
    SPAN_INIT("null"),
    SPAN_INIT("a.example"),
    SPAN_INIT("//a.example"),
    SPAN_INIT("://a.example"),
    SPAN_INIT("https:"),
    SPAN_INIT("https:/a.example"),
    SPAN_INIT("https://"),
    SPAN_INIT("https://a.example/"),
    SPAN_INIT("https://a.example/app"),
    SPAN_INIT("https://a.example?x"),
    SPAN_INIT("https://*.a.example"),
    SPAN_INIT("https://a.example:*"),
    SPAN_INIT("https://user@a.example"),
    SPAN_INIT("https://a.example:"),
    SPAN_INIT("https://a.example:x"),
    SPAN_INIT("https://a.example:0"),
    SPAN_INIT("https://a.example:080"),
    SPAN_INIT("https://a.example:65536"),
    SPAN_INIT("https://a.example:-1"),
    SPAN_INIT("https://:443"),
    SPAN_INIT("https://[::1"),
    SPAN_INIT("https://[]"),
    SPAN_INIT("https://[::1]x"),
    SPAN_INIT("https://[a.example]"),
    SPAN_INIT("https://a.example,https://b.example"),
    SPAN_INIT("https://a.example\thttps://b.example"),
    SPAN_INIT("https://b\xc3\xbc"
              "cher.example"),
    SPAN_INIT("https://a.example\r\n"),
    SPAN_INIT("https://a.example\0"),
    SPAN_INIT("3https://a.example"),
    SPAN_INIT("https://a.example https://b.example/"),
};

static void test_bad(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_cors cors = {.any = true, .count = 7};
        struct err_detail detail = {0};
        enum err e = http_cors_parse(bad[i], &arena, &cors, &detail);
        if (e != ERR_INVALID || cors.any || cors.count != 0)
            fail_msg("\"%.*s\": %s", SPAN_ARG(bad[i]), err_name(e));
        assert_true(detail.text[0] != '\0');
    }
    arena_fini(&arena);
}

#define EXPOSE                                                                                               \
    "Access-Control-Expose-Headers: ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "        \
    "X-Request-Id, "                                                                                         \
    "Content-Location, Cache-Status, Age, Server-Timing\r\n"
#define PREFLIGHT                                                                                            \
    "Access-Control-Allow-Methods: GET, HEAD, PUT\r\n"                                                       \
    "Access-Control-Allow-Headers: Authorization, Content-Type, If-Match, If-None-Match, "                   \
    "If-Modified-Since, "                                                                                    \
    "If-Unmodified-Since, Prefer, Idempotency-Key\r\n"                                                       \
    "Access-Control-Max-Age: 7200\r\n"
#define NAMED "https://app.example http://localhost:3000"

struct write_row {
    const char *what;
    const char *setting;
    enum http_method method;
    struct span origin;
    const char *asked_method; /* Access-Control-Request-Method; NULL: none */
    const char *lines;
};

static const struct write_row written[] = {
    {"off, no origin", "", HTTP_GET, {NULL, 0}, NULL, ""},
    {"off, origin", "", HTTP_GET, SPAN_INIT("https://app.example"), NULL, ""},
    {"off, preflight", "", HTTP_OPTIONS, SPAN_INIT("https://app.example"), "PUT", ""},
    {"any, no origin", "*", HTTP_GET, {NULL, 0}, NULL, "Access-Control-Allow-Origin: *\r\n" EXPOSE},
    {"any, origin", "*", HTTP_GET, SPAN_INIT("https://x.example"), NULL,
     "Access-Control-Allow-Origin: *\r\n" EXPOSE},
    {"any, null origin", "*", HTTP_GET, SPAN_INIT("null"), NULL, "Access-Control-Allow-Origin: *\r\n" EXPOSE},
    {"any, preflight", "*", HTTP_OPTIONS, SPAN_INIT("https://x.example"), "PUT",
     "Access-Control-Allow-Origin: *\r\n" EXPOSE PREFLIGHT},
    {"any, plain OPTIONS", "*", HTTP_OPTIONS, {NULL, 0}, NULL, "Access-Control-Allow-Origin: *\r\n" EXPOSE},
    {"named, no origin", NAMED, HTTP_GET, {NULL, 0}, NULL, "Vary: Origin\r\n"},
    {"named, the first", NAMED, HTTP_GET, SPAN_INIT("https://app.example"), NULL,
     "Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n" EXPOSE},
    {"named, the second, write", NAMED, HTTP_PUT, SPAN_INIT("http://localhost:3000"), NULL,
     "Vary: Origin\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n" EXPOSE},
    {"named, other case", NAMED, HTTP_GET, SPAN_INIT("https://App.example"), NULL,
     "Vary: Origin\r\nAccess-Control-Allow-Origin: https://App.example\r\n" EXPOSE},
    {"named, preflight", NAMED, HTTP_OPTIONS, SPAN_INIT("https://app.example"), "PUT",
     "Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n" EXPOSE PREFLIGHT},
    {"named, OPTIONS that is no preflight", NAMED, HTTP_OPTIONS, SPAN_INIT("https://app.example"), NULL,
     "Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n" EXPOSE},
    {"named, GET with a preflight's header", NAMED, HTTP_GET, SPAN_INIT("https://app.example"), "PUT",
     "Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n" EXPOSE},
    {"named, preflight of another", NAMED, HTTP_OPTIONS, SPAN_INIT("https://evil.example"), "PUT",
     "Vary: Origin\r\n"},
    {"named, another", NAMED, HTTP_GET, SPAN_INIT("https://evil.example"), NULL, "Vary: Origin\r\n"},
    {"named, another scheme", NAMED, HTTP_GET, SPAN_INIT("http://app.example"), NULL, "Vary: Origin\r\n"},
    {"named, another port", NAMED, HTTP_GET, SPAN_INIT("https://app.example:8443"), NULL, "Vary: Origin\r\n"},
    {"named, a longer one", NAMED, HTTP_GET, SPAN_INIT("https://app.example.evil.example"), NULL,
     "Vary: Origin\r\n"},
    {"named, a shorter one", NAMED, HTTP_GET, SPAN_INIT("https://app.exampl"), NULL, "Vary: Origin\r\n"},
    {"named, below it", NAMED, HTTP_GET, SPAN_INIT("https://x.app.example"), NULL, "Vary: Origin\r\n"},
    {"named, both in one", NAMED, HTTP_GET, SPAN_INIT(NAMED), NULL, "Vary: Origin\r\n"},
    {"named, a path", NAMED, HTTP_GET, SPAN_INIT("https://app.example/"), NULL, "Vary: Origin\r\n"},
    {"named, null", NAMED, HTTP_GET, SPAN_INIT("null"), NULL, "Vary: Origin\r\n"},
    {"named, star", NAMED, HTTP_GET, SPAN_INIT("*"), NULL, "Vary: Origin\r\n"},
    {"named, empty", NAMED, HTTP_GET, SPAN_INIT(""), NULL, "Vary: Origin\r\n"},
    {"named, a line feed", NAMED, HTTP_GET, SPAN_INIT("https://app.example\n"), NULL, "Vary: Origin\r\n"},
};

static void test_written(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct http_response r = {0};
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        const struct write_row *row = &written[i];
        struct http_request request = {.method = row->method};
        struct http_cors cors;
        request.headers[HTTP_HEADER_ORIGIN] = row->origin;
        request.headers[HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD] = span_str(row->asked_method);
        http_response_reset(&r);
        assert_int_equal(http_cors_parse(span_str(row->setting), &arena, &cors, NULL), OK);
        http_cors_write(&cors, &request, HTTP_GET | HTTP_HEAD | HTTP_PUT, &r);
        if (buf_status(&r.head) != OK || strcmp(buf_text(&r.head), row->lines) != 0)
            fail_msg("%s:\n%s", row->what, buf_text(&r.head));
        /* tokens are in a header: a page never needs to send credentials */
        assert_false(http_response_has_header(&r, "Access-Control-Allow-Credentials"));
    }
    http_response_fini(&r);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
