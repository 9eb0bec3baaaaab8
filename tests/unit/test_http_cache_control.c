/* The caching policy: mode, settings and kind of answer to header lines. */
#include "http/cache_control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define POLICY(mode, max_age, negative_ttl)                                                                  \
    {                                                                                                        \
        HTTP_SHARED_CACHE_##mode, (max_age), 300, 30, 600, (negative_ttl)                                    \
    }
#define CDN "CDN-Cache-Control: max-age=300, stale-while-revalidate=30, stale-if-error=600\r\n"

struct row {
    const char *what;
    struct http_cache_policy policy;
    enum http_cache_kind kind;
    const char *id, *handle; /* NULL: absent */
    bool shared;
    const char *lines;
};

static const struct row rows[] = {
    {"revalidate: public view", POLICY(REVALIDATE, 0, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", NULL, true,
     "Cache-Control: public, no-cache, must-revalidate\r\n"},
    {"revalidate: by handle", POLICY(REVALIDATE, 0, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", "ann", true,
     "Cache-Control: public, no-cache, must-revalidate\r\n"},
    {"revalidate: reader's own cache", POLICY(REVALIDATE, 60, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", NULL, false,
     "Cache-Control: private, max-age=60, must-revalidate\r\n"},
    {"revalidate: missing", POLICY(REVALIDATE, 0, 30), HTTP_CACHE_MISSING, "u1", NULL, false,
     "Cache-Control: no-store\r\n"},
    {"revalidate: missing, whatever max_age", POLICY(REVALIDATE, 60, 30), HTTP_CACHE_MISSING, "u1", NULL,
     false, "Cache-Control: no-store\r\n"},

    {"edge: public view", POLICY(EDGE, 0, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", NULL, true,
     "Cache-Control: public, no-cache, must-revalidate\r\n" CDN "Surrogate-Key: profile/u1\r\n"},
    {"edge: by handle", POLICY(EDGE, 0, 30), HTTP_CACHE_PUBLIC_VIEW, "auth0|1", "ann", true,
     "Cache-Control: public, no-cache, must-revalidate\r\n" CDN
     "Surrogate-Key: profile/auth0|1 handle/ann\r\n"},
    {"edge: reader's own cache", POLICY(EDGE, 60, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", NULL, true,
     "Cache-Control: private, max-age=60, must-revalidate\r\n" CDN "Surrogate-Key: profile/u1\r\n"},
    {"edge: missing by id", POLICY(EDGE, 0, 30), HTTP_CACHE_MISSING, "u1", NULL, true,
     "Cache-Control: no-store\r\nCDN-Cache-Control: max-age=30\r\nSurrogate-Key: profile/u1\r\n"},
    {"edge: missing by handle", POLICY(EDGE, 0, 30), HTTP_CACHE_MISSING, NULL, "ann", true,
     "Cache-Control: no-store\r\nCDN-Cache-Control: max-age=30\r\nSurrogate-Key: handle/ann\r\n"},
    {"edge: missing is not cached", POLICY(EDGE, 0, 0), HTTP_CACHE_MISSING, "u1", NULL, false,
     "Cache-Control: no-store\r\n"},
    {"edge: owner's view", POLICY(EDGE, 0, 30), HTTP_CACHE_OWNER_VIEW, "u1", NULL, false,
     "Cache-Control: private, no-cache\r\nVary: Authorization\r\n"},
    {"edge: problem", POLICY(EDGE, 0, 30), HTTP_CACHE_PROBLEM, "u1", NULL, false,
     "Cache-Control: no-store\r\n"},
    {"edge: open document", POLICY(EDGE, 0, 30), HTTP_CACHE_OPEN_DOCUMENT, NULL, NULL, true,
     "Cache-Control: public, max-age=300\r\n"},
    {"edge: write result", POLICY(EDGE, 0, 30), HTTP_CACHE_WRITE_RESULT, "u1", NULL, false,
     "Cache-Control: private, no-cache\r\n"},
    {"edge: avatar", POLICY(EDGE, 60, 30), HTTP_CACHE_AVATAR, "0af9", NULL, true,
     "Cache-Control: public, max-age=86400, immutable\r\n" CDN "Surrogate-Key: avatar/0af9\r\n"},
    {"avatar", POLICY(REVALIDATE, 60, 30), HTTP_CACHE_AVATAR, "0af9", NULL, true,
     "Cache-Control: public, max-age=86400, immutable\r\n"},
    {"private: avatar", POLICY(PRIVATE, 0, 30), HTTP_CACHE_AVATAR, "0af9", NULL, true,
     "Cache-Control: public, max-age=86400, immutable\r\n"},
    {"edge: list", POLICY(EDGE, 0, 30), HTTP_CACHE_LIST, NULL, NULL, false,
     "Cache-Control: private, no-cache\r\n"},

    {"private: public view", POLICY(PRIVATE, 0, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", "ann", false,
     "Cache-Control: private, no-cache\r\n"},
    {"private: reader's own cache", POLICY(PRIVATE, 60, 30), HTTP_CACHE_PUBLIC_VIEW, "u1", NULL, false,
     "Cache-Control: private, max-age=60, must-revalidate\r\n"},
    {"private: owner's view", POLICY(PRIVATE, 0, 30), HTTP_CACHE_OWNER_VIEW, "u1", NULL, false,
     "Cache-Control: private, no-cache\r\nVary: Authorization\r\n"},
    {"private: missing", POLICY(PRIVATE, 0, 30), HTTP_CACHE_MISSING, "u1", NULL, false,
     "Cache-Control: no-store\r\n"},
    {"private: open document", POLICY(PRIVATE, 0, 30), HTTP_CACHE_OPEN_DOCUMENT, NULL, NULL, true,
     "Cache-Control: public, max-age=300\r\n"},
    {"owner's view, whatever max_age", POLICY(REVALIDATE, 60, 30), HTTP_CACHE_OWNER_VIEW, "u1", NULL, false,
     "Cache-Control: private, no-cache\r\nVary: Authorization\r\n"},
    {"list, whatever max_age", POLICY(REVALIDATE, 60, 30), HTTP_CACHE_LIST, NULL, NULL, false,
     "Cache-Control: private, no-cache\r\n"},
};

static void test_rows(void **state)
{
    (void)state;
    struct http_response r = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        http_response_reset(&r);
        http_cache_control_write(&row->policy, row->kind, span_str(row->id), span_str(row->handle), &r);
        if (strcmp(buf_text(&r.head), row->lines) != 0)
            fail_msg("%s:\n%s", row->what, buf_text(&r.head));
        if (http_cache_is_shared(&row->policy, row->kind) != row->shared)
            fail_msg("%s: shared or not", row->what);
    }
    http_response_fini(&r);
}

/* Zeros are said: a cache has defaults of its own for what is left out. */
static void test_edge_zeros(void **state)
{
    (void)state;
    const struct http_cache_policy policy = {.shared_cache = HTTP_SHARED_CACHE_EDGE};
    struct http_response r = {0};
    http_cache_control_write(&policy, HTTP_CACHE_PUBLIC_VIEW, SPAN("u1"), (struct span){NULL, 0}, &r);
    assert_non_null(strstr(buf_text(&r.head),
                           "CDN-Cache-Control: max-age=0, stale-while-revalidate=0, stale-if-error=0\r\n"));
    http_response_fini(&r);
}

/* What bears no key could not be purged, and so is not given to the edge. */
static void test_edge_without_key(void **state)
{
    (void)state;
    const struct http_cache_policy policy = POLICY(EDGE, 0, 30);
    const struct span none = {NULL, 0};
    for (int kind = 0; kind < HTTP_CACHE_KIND_COUNT; kind++) {
        struct http_response r = {0};
        http_cache_control_write(&policy, (enum http_cache_kind)kind, none, none, &r);
        assert_false(http_response_has_header(&r, "CDN-Cache-Control"));
        assert_false(http_response_has_header(&r, "Surrogate-Key"));
        http_response_fini(&r);
    }
}

/* In every mode and for every kind exactly one Cache-Control; the edge's lines in edge mode alone. */
static void test_every_combination(void **state)
{
    (void)state;
    for (int mode = 0; mode < HTTP_SHARED_CACHE_COUNT; mode++) {
        for (int kind = 0; kind < HTTP_CACHE_KIND_COUNT; kind++) {
            const struct http_cache_policy policy = {(enum http_shared_cache)mode, 0, 300, 30, 300, 30};
            struct http_response r = {0};
            http_cache_control_write(&policy, (enum http_cache_kind)kind, SPAN("u1"), SPAN("ann"), &r);
            const char *first = strstr(buf_text(&r.head), "Cache-Control: ");
            assert_ptr_equal(first, buf_text(&r.head));
            assert_null(strstr(first + 1, "\nCache-Control: "));
            bool edge = http_response_has_header(&r, "CDN-Cache-Control");
            assert_int_equal(edge, mode == HTTP_SHARED_CACHE_EDGE &&
                                       (kind == HTTP_CACHE_PUBLIC_VIEW || kind == HTTP_CACHE_MISSING ||
                                        kind == HTTP_CACHE_AVATAR));
            assert_int_equal(http_response_has_header(&r, "Surrogate-Key"), edge);
            http_response_fini(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_edge_zeros),
        cmocka_unit_test(test_edge_without_key),
        cmocka_unit_test(test_every_combination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
