#include "fcgi/variables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_VARIABLES = 8 };
static const struct {
    const char *what;
    const char *variables[MAX_VARIABLES];
    const char *mount;
    enum err want;
    const char *path;
    const char *query; /* NULL: absent */
} targets[] = {
    {"plain", {"REQUEST_METHOD=GET", "REQUEST_URI=/v1/me"}, "", OK, "/v1/me", NULL},
    {"query", {"REQUEST_METHOD=GET", "REQUEST_URI=/v1/me?a=b&c"}, "", OK, "/v1/me", "a=b&c"},
    {"empty query", {"REQUEST_METHOD=GET", "REQUEST_URI=/v1/me?"}, "", OK, "/v1/me", ""},
    {"REQUEST_URI is believed before the decoded variables",
     {"REQUEST_METHOD=GET", "REQUEST_URI=/v1/profiles/a%2Fb", "SCRIPT_NAME=", "PATH_INFO=/v1/profiles/a/b"},
     "",
     OK,
     "/v1/profiles/a%2Fb",
     NULL},
    {"order does not matter", {"REQUEST_URI=/v1/me", "REQUEST_METHOD=GET"}, "", OK, "/v1/me", NULL},
    {"mount", {"REQUEST_METHOD=GET", "REQUEST_URI=/profiles/v1/me"}, "/profiles", OK, "/v1/me", NULL},
    {"CGI's own variables",
     {"REQUEST_METHOD=GET", "SCRIPT_NAME=", "PATH_INFO=/v1/me"},
     "",
     OK,
     "/v1/me",
     NULL},
    {"script under the mount",
     {"REQUEST_METHOD=GET", "SCRIPT_NAME=/cgi-bin/profiled", "PATH_INFO=/v1/me", "QUERY_STRING=x=1"},
     "/cgi-bin/profiled",
     OK,
     "/v1/me",
     "x=1"},
    {"empty QUERY_STRING is none",
     {"REQUEST_METHOD=GET", "SCRIPT_NAME=", "PATH_INFO=/v1/me", "QUERY_STRING="},
     "",
     OK,
     "/v1/me",
     NULL},
    {"a decoded question mark stays in the path",
     {"REQUEST_METHOD=GET", "SCRIPT_NAME=", "PATH_INFO=/v1/profiles/a?b"},
     "",
     OK,
     "/v1/profiles/a%3Fb",
     NULL},
    {"no method", {"REQUEST_URI=/v1/me"}, "", ERR_INVALID, "", NULL},
    {"empty method", {"REQUEST_METHOD=", "REQUEST_URI=/v1/me"}, "", ERR_INVALID, "", NULL},
    {"nothing", {NULL}, "", ERR_INVALID, "", NULL},
    {"no path at all", {"REQUEST_METHOD=GET"}, "", ERR_INVALID, "", NULL},
    {"outside the mount", {"REQUEST_METHOD=GET", "REQUEST_URI=/v1/me"}, "/profiles", ERR_INVALID, "", NULL},
    {"half a segment of the mount",
     {"REQUEST_METHOD=GET", "REQUEST_URI=/profilesx/v1/me"},
     "/profiles",
     ERR_INVALID,
     "",
     NULL},
    {"authority form", {"REQUEST_METHOD=GET", "REQUEST_URI=host:80"}, "", ERR_INVALID, "", NULL},
    {"variable without a value", {"REQUEST_METHOD", "REQUEST_URI=/v1/me"}, "", ERR_INVALID, "", NULL},
};

/* An environment of the test's own, as a process has it. The caller frees it with forget. */
static char **environment_of(const char *const *variables, size_t most)
{
    char **copy = calloc(most + 1, sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < most && variables[i] != NULL; i++)
        assert_non_null(copy[i] = strdup(variables[i]));
    return copy;
}

static void forget(char **environment)
{
    for (char **v = environment; *v != NULL; v++)
        free(*v);
    free(environment);
}

static void targets_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct arena arena = {0};
        struct http_request r = {0};
        char **variables = environment_of(targets[i].variables, MAX_VARIABLES);
        enum err e = fcgi_variables_read(variables, span_str(targets[i].mount), &arena, &r);
        if (e != targets[i].want)
            fail_msg("%s: %s", targets[i].what, err_name(e));
        if (!span_eq(r.path, span_str(targets[i].path)))
            fail_msg("%s: path %.*s", targets[i].what, SPAN_ARG(r.path));
        if (e == OK && (r.query.ptr == NULL) != (targets[i].query == NULL))
            fail_msg("%s: query there or not", targets[i].what);
        if (targets[i].query != NULL && !span_eq(r.query, span_str(targets[i].query)))
            fail_msg("%s: query %.*s", targets[i].what, SPAN_ARG(r.query));
        arena_fini(&arena);
        forget(variables);
    }
}

static void headers_are_found(void **state)
{
    (void)state;
    const char *const given[] = {"REQUEST_METHOD=PATCH",
                         "REQUEST_URI=/v1/me",
                         "HTTP_IF_MATCH=\"a=b\"",
                         "CONTENT_TYPE=",
                         "CONTENT_LENGTH=0",
                         "HTTP_AUTHORIZATION=Bearer x",
                         "HTTP_X_SOMETHING=unimportant",
                         "HTTP_PREFER=",
                         NULL};
    char **variables = environment_of(given, sizeof given / sizeof given[0] - 1);
    struct arena arena = {0};
    struct http_request r = {0};
    assert_int_equal(fcgi_variables_read(variables, SPAN(""), &arena, &r), OK);
    assert_int_equal(r.method, HTTP_PATCH);
    assert_true(span_eq(http_request_header(&r, HTTP_HEADER_IF_MATCH), SPAN("\"a=b\"")));
    assert_true(span_eq(http_request_header(&r, HTTP_HEADER_AUTHORIZATION), SPAN("Bearer x")));
    assert_true(span_eq(http_request_header(&r, HTTP_HEADER_CONTENT_LENGTH), SPAN("0")));
    assert_false(http_request_has(&r, HTTP_HEADER_CONTENT_TYPE)); /* CGI's way of saying that there is none */
    assert_true(http_request_has(&r, HTTP_HEADER_PREFER));
    assert_false(http_request_has(&r, HTTP_HEADER_ORIGIN));
    arena_fini(&arena);
    forget(variables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(targets_are_found),
                                       cmocka_unit_test(headers_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
