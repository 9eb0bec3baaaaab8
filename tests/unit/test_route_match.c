#include "route/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *path;
    const char *pattern;
    bool fits;
    const char *captures[HTTP_MAX_CAPTURES];
} fits[] = {
    {"/v1/me", "/v1/me", true, {0}},
    {"/v1/profiles/alice", "/v1/profiles/{id}", true, {"alice"}},
    {"/v1/profiles/al%69ce", "/v1/profiles/{id}", true, {"alice"}},
    {"/%761/profiles/alice", "/v1/profiles/{id}", true, {"alice"}},
    {"/v1/profiles/a%2Fb", "/v1/profiles/{id}", true, {"a/b"}},
    {"/v1/profiles/a%252Fb", "/v1/profiles/{id}", true, {"a%2Fb"}},
    {"/v1/profiles/a+b", "/v1/profiles/{id}", true, {"a+b"}},
    {"/v1/profiles/alice/full", "/v1/profiles/{id}/full", true, {"alice"}},
    {"/v1/profiles/@alice", "/v1/profiles/@{handle}", true, {"alice"}},
    {"/v1/profiles/%40alice", "/v1/profiles/@{handle}", true, {"alice"}},
    {"/a/b", "/{x}/{y}", true, {"a", "b"}},
    {"/v1/me/", "/v1/me", false, {0}},
    {"/v1//me", "/v1/me", false, {0}},
    {"//v1/me", "/v1/me", false, {0}},
    {"/v1", "/v1/me", false, {0}},
    {"/v1/me/x", "/v1/me", false, {0}},
    {"/v1/mexico", "/v1/me", false, {0}},
    {"/V1/me", "/v1/me", false, {0}},
    {"/", "/v1/me", false, {0}},
    {"/v1/profiles/", "/v1/profiles/{id}", false, {0}},
    {"/v1/profiles/@", "/v1/profiles/@{handle}", false, {0}},
    {"/v1/profiles/alice", "/v1/profiles/@{handle}", false, {0}},
    {"/v1/profiles/alice%2Ffull", "/v1/profiles/{id}/full", false, {0}},
    {"/v1/profiles/alice/full/", "/v1/profiles/{id}/full", false, {0}},
    {"/v1/profiles", "/v1/profiles?id", true, {0}},
    {"/v1/profiles/alice", "/v1/profiles/{id}?s", true, {"alice"}},
    {"/v1/profiles%3Fid", "/v1/profiles?id", false, {0}},
    {"/v1/profiles/id", "/v1/profiles?id", false, {0}},
};

static const struct {
    const char *a, *b;
    bool same;
} pairs[] = {
    {"/v1/profiles", "/v1/profiles", true},
    {"/v1/profiles?id", "/v1/profiles", true},
    {"/v1/profiles", "/v1/profiles?id", true},
    {"/v1/profiles?id", "/v1/profiles?q", true},
    {"/v1/profiles", "/v1/profiles/{id}", false},
    {"/v1/profile?s", "/v1/profiles", false},
    {"/v1/me", "/v1/profiles", false},
    {"/v1/profiles/{id}", "/v1/profiles/@{handle}", false},
};

static const struct {
    const char *pattern, *query;
    bool asked;
} parameters[] = {
    {"/v1/profiles", NULL, true},
    {"/v1/profiles", "id=a", true},
    {"/v1/profiles?id", "id=a", true},
    {"/v1/profiles?id", "id", true},
    {"/v1/profiles?id", "limit=2&id=a", true},
    {"/v1/profiles?id", "%69d=a", true},
    {"/v1/profiles?id", NULL, false},
    {"/v1/profiles?id", "", false},
    {"/v1/profiles?id", "ids=a&idx&i=d", false},
    {"/v1/profiles?id", "limit=id", false},
    {"/v1/profiles?id", "ID=a", false},
    {"/v1/profiles?id", "limit=%zz&id=a", false}, /* malformed: read up to there */
};

static void resources(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (route_pattern_same(pairs[i].a, pairs[i].b) != pairs[i].same)
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
}

static void asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        struct arena arena = {0};
        if (route_pattern_asked(parameters[i].pattern, span_str(parameters[i].query), &arena) !=
            parameters[i].asked)
            fail_msg("%s of %s", parameters[i].pattern, parameters[i].query);
        arena_fini(&arena);
    }
}

static void patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        struct arena arena = {0};
        struct route_path path;
        struct span captures[HTTP_MAX_CAPTURES];
        size_t count = 99;
        assert_int_equal(route_path_split(span_str(fits[i].path), &arena, &path), OK);
        bool got = route_pattern_fits(fits[i].pattern, &path, captures, &count);
        if (got != fits[i].fits)
            fail_msg("%s and %s", fits[i].path, fits[i].pattern);
        if (!got)
            assert_int_equal(count, 99); /* left as it was */
        for (size_t c = 0; got && c < HTTP_MAX_CAPTURES; c++) {
            if (fits[i].captures[c] == NULL)
                assert_true(count <= c);
            else if (c >= count || !span_eq(captures[c], span_str(fits[i].captures[c])))
                fail_msg("capture %zu of %s by %s", c, fits[i].path, fits[i].pattern);
        }
        arena_fini(&arena);
    }
}

static const struct {
    const char *path;
    enum err want;
} refused[] = {
    {"", ERR_INVALID},
    {"v1/me", ERR_INVALID},
    {"*", ERR_INVALID},
    {"/v1/%", ERR_INVALID},
    {"/v1/%4", ERR_INVALID},
    {"/v1/%zz", ERR_INVALID},
    {"/v1/%00", ERR_INVALID},
    {"/a/b/c/d/e/f/g/h/i", ERR_NOT_FOUND},
    {"/////////////////////////////", ERR_NOT_FOUND},
};

static void no_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct arena arena = {0};
        struct route_path path;
        if (route_path_split(span_str(refused[i].path), &arena, &path) != refused[i].want)
            fail_msg("%s", refused[i].path);
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns), cmocka_unit_test(resources),
                                       cmocka_unit_test(asked), cmocka_unit_test(no_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
