/* From the front server's variables to path and query; percent-encoding both ways. */
#include "http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct split_row {
    const char *what;
    struct span uri;
    enum err err;
    const char *path;
    const char *query; /* NULL: absent */
};

static const struct split_row splits[] = {
    {"root", SPAN_INIT("/"), OK, "/", NULL},
    {"path", SPAN_INIT("/v1/me"), OK, "/v1/me", NULL},
    {"query", SPAN_INIT("/v1/profiles?id=a&id=b"), OK, "/v1/profiles", "id=a&id=b"},
    {"empty query", SPAN_INIT("/v1/me?"), OK, "/v1/me", ""},
    {"two question marks", SPAN_INIT("/a?b?c"), OK, "/a", "b?c"},
    {"still encoded", SPAN_INIT("/a%2Fb%3Fc?d%26e"), OK, "/a%2Fb%3Fc", "d%26e"},
    {"bad escapes are for later", SPAN_INIT("/a%zz"), OK, "/a%zz", NULL},
    {"raw bar, as curl sends it", SPAN_INIT("/v1/profiles/auth0|17"), OK, "/v1/profiles/auth0|17", NULL},
    {"double slash", SPAN_INIT("//a//b"), OK, "//a//b", NULL},
    {"raw bytes over ASCII", SPAN_INIT("/\xc3\xa4"), OK, "/\xc3\xa4", NULL},
    {"absolute-form", SPAN_INIT("http://example.org/v1/me?x=1"), OK, "/v1/me", "x=1"},
    {"absolute-form, https, port", SPAN_INIT("https://example.org:8443/v1/me"), OK, "/v1/me", NULL},
    {"absolute-form, upper case", SPAN_INIT("HTTP://EXAMPLE.ORG/A"), OK, "/A", NULL},
    {"absolute-form without path", SPAN_INIT("http://example.org"), OK, "/", NULL},
    {"absolute-form, query only", SPAN_INIT("http://example.org?a=b"), OK, "/", "a=b"},
    {"absolute-form, IPv6", SPAN_INIT("http://[::1]:80/a"), OK, "/a", NULL},
    {"address within the query", SPAN_INIT("/a?u=http://b/c"), OK, "/a", "u=http://b/c"},
    {"empty", SPAN_INIT(""), ERR_INVALID, NULL, NULL},
    {"asterisk-form", SPAN_INIT("*"), ERR_INVALID, NULL, NULL},
    {"authority-form", SPAN_INIT("example.org:443"), ERR_INVALID, NULL, NULL},
    {"no slash", SPAN_INIT("v1/me"), ERR_INVALID, NULL, NULL},
    {"query alone", SPAN_INIT("?a=b"), ERR_INVALID, NULL, NULL},
    {"another scheme", SPAN_INIT("ftp://example.org/a"), ERR_INVALID, NULL, NULL},
    {"scheme alone", SPAN_INIT("http://"), ERR_INVALID, NULL, NULL},
    {"no host", SPAN_INIT("http:///a"), ERR_INVALID, NULL, NULL},
    {"no host, query", SPAN_INIT("http://?a"), ERR_INVALID, NULL, NULL},
    {"one slash", SPAN_INIT("http:/a"), ERR_INVALID, NULL, NULL},
    {"fragment", SPAN_INIT("/a#b"), ERR_INVALID, NULL, NULL},
    {"fragment in the query", SPAN_INIT("/a?b#c"), ERR_INVALID, NULL, NULL},
    {"space", SPAN_INIT("/a b"), ERR_INVALID, NULL, NULL},
    {"space behind", SPAN_INIT("/a "), ERR_INVALID, NULL, NULL},
    {"tab", SPAN_INIT("/a\tb"), ERR_INVALID, NULL, NULL},
    {"line feed", SPAN_INIT("/a\nb"), ERR_INVALID, NULL, NULL},
    {"NUL", SPAN_INIT("/a\0b"), ERR_INVALID, NULL, NULL},
    {"NUL in the query", SPAN_INIT("/a?\0"), ERR_INVALID, NULL, NULL},
    {"DEL", SPAN_INIT("/a\x7f"), ERR_INVALID, NULL, NULL},
};

static void test_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        const struct split_row *row = &splits[i];
        struct span path, query;
        enum err e = http_target_split(row->uri, &path, &query);
        if (e != row->err)
            fail_msg("%s: %s", row->what, err_name(e));
        if (!span_eq(path, span_str(row->path)) || (path.ptr == NULL) != (row->path == NULL))
            fail_msg("%s: path %.*s", row->what, SPAN_ARG(path));
        if (!span_eq(query, span_str(row->query)) || (query.ptr == NULL) != (row->query == NULL))
            fail_msg("%s: query %.*s", row->what, SPAN_ARG(query));
    }
    struct span path, query;
    assert_int_equal(http_target_split((struct span){NULL, 0}, &path, &query), ERR_INVALID);
}

struct mount_row {
    const char *path;
    const char *mount;
    const char *left; /* NULL: outside */
};

static const struct mount_row mounts[] = {
    {"/v1/me", "", "/v1/me"},
    {"/v1/me", "/", "/v1/me"},
    {"/p/v1/me", "/p", "/v1/me"},
    {"/p/v1/me", "/p/", "/v1/me"},
    {"/p/v1/me", "/p//", "/v1/me"},
    {"/p", "/p", "/"},
    {"/p/", "/p", "/"},
    {"/p", "/p/", "/"},
    {"/p//v1", "/p", "//v1"},
    {"/a/b/c", "/a/b", "/c"},
    {"/%70/v1", "/p", "/v1"},
    {"/p%72ofile%73/v1", "/profiles", "/v1"},
    {"/%c3%A4/v1", "/\xc3\xa4", "/v1"},
    {"/%70", "/p", "/"},
    {"/profilesx", "/profiles", NULL},
    {"/profile", "/profiles", NULL},
    {"/v1/me", "/p", NULL},
    {"/", "/p", NULL},
    {"/P/v1", "/p", NULL},
    {"/a/bc", "/a/b", NULL},
    {"/a%2Fb/c", "/a/b", NULL},
    {"%2Fp/v1", "/p", NULL},
    {"/p%2Fv1", "/p", NULL},
    {"/%7/v1", "/p", NULL},
    {"/%zz/v1", "/p", NULL},
    {"/%", "/p", NULL},
    {"/%7", "/p", NULL},
    {"//p/v1", "/p", NULL},
    {"/%2570/v1", "/p", NULL}, /* decoded once */
};

static void test_unmount(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        const struct mount_row *row = &mounts[i];
        struct span path = span_str(row->path);
        enum err e = http_target_unmount(&path, span_str(row->mount));
        if (e != (row->left == NULL ? ERR_NOT_FOUND : OK) ||
            !span_eq(path, span_str(row->left == NULL ? row->path : row->left)))
            fail_msg("%s less %s: %s, %.*s", row->path, row->mount, err_name(e), SPAN_ARG(path));
    }
}

struct compose_row {
    const char *what;
    struct span script_name, path_info;
    const char *path; /* NULL: ERR_INVALID */
};

static const struct compose_row composed[] = {
    {"a script and a path", SPAN_INIT("/cgi-bin/profiled"), SPAN_INIT("/v1/me"), "/cgi-bin/profiled/v1/me"},
    {"at the root", SPAN_INIT(""), SPAN_INIT("/v1/me"), "/v1/me"},
    {"at the root, with a slash", SPAN_INIT("/"), SPAN_INIT("/v1/me"), "/v1/me"},
    {"all in the script's name", SPAN_INIT("/v1/me"), SPAN_INIT(""), "/v1/me"},
    {"absent path", SPAN_INIT("/v1/me"), {NULL, 0}, "/v1/me"},
    {"absent name", {NULL, 0}, SPAN_INIT("/v1/me"), "/v1/me"},
    {"slash behind the name alone", SPAN_INIT("/v1/"), SPAN_INIT(""), "/v1/"},
    {"root", SPAN_INIT("/"), SPAN_INIT(""), "/"},
    {"percent", SPAN_INIT(""), SPAN_INIT("/a%41"), "/a%2541"},
    {"question mark, hash", SPAN_INIT(""), SPAN_INIT("/a?b#c"), "/a%3Fb%23c"},
    {"space, bar, quote", SPAN_INIT(""), SPAN_INIT("/a b|c\""), "/a%20b%7Cc%22"},
    {"line feed", SPAN_INIT(""), SPAN_INIT("/a\n"), "/a%0A"},
    {"UTF-8", SPAN_INIT(""), SPAN_INIT("/\xc3\xa4"), "/%C3%A4"},
    {"what a path may hold", SPAN_INIT(""), SPAN_INIT("/-._~:@!$&'()*+,;="), "/-._~:@!$&'()*+,;="},
    {"nothing", SPAN_INIT(""), SPAN_INIT(""), NULL},
    {"both absent", {NULL, 0}, {NULL, 0}, NULL},
    {"no slash in front", SPAN_INIT(""), SPAN_INIT("v1/me"), NULL},
    {"no slash before the name", SPAN_INIT("v1"), SPAN_INIT("/me"), NULL},
    {"NUL in the name", SPAN_INIT("/a\0"), SPAN_INIT("/me"), NULL},
    {"NUL in the path", SPAN_INIT(""), SPAN_INIT("/a\0b"), NULL},
};

static void test_compose(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++) {
        const struct compose_row *row = &composed[i];
        struct span path;
        enum err e = http_target_compose(row->script_name, row->path_info, &arena, &path);
        if (e != (row->path == NULL ? ERR_INVALID : OK) || !span_eq(path, span_str(row->path)))
            fail_msg("%s: %s, %.*s", row->what, err_name(e), SPAN_ARG(path));
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* Lengths that would overflow are refused before anything is read. */
static void test_compose_huge(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct span path, huge = span_of("/a", SIZE_MAX / 2);
    assert_int_equal(http_target_compose(SPAN(""), huge, &arena, &path), ERR_NOMEM);
    assert_null(path.ptr);
    arena_fini(&arena);
}

struct decode_row {
    struct span raw;
    bool valid;
    struct span path; /* decoded as a path's segment */
    struct span form; /* decoded as a query's */
};

static const struct decode_row decoded[] = {
    {SPAN_INIT("abc"), true, SPAN_INIT("abc"), SPAN_INIT("abc")},
    {SPAN_INIT(""), true, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("a+b"), true, SPAN_INIT("a+b"), SPAN_INIT("a b")},
    {SPAN_INIT("a%2Bb"), true, SPAN_INIT("a+b"), SPAN_INIT("a+b")},
    {SPAN_INIT("a%20b"), true, SPAN_INIT("a b"), SPAN_INIT("a b")},
    {SPAN_INIT("auth0%7C17"), true, SPAN_INIT("auth0|17"), SPAN_INIT("auth0|17")},
    {SPAN_INIT("auth0%7c17"), true, SPAN_INIT("auth0|17"), SPAN_INIT("auth0|17")},
    {SPAN_INIT("%2F%2f"), true, SPAN_INIT("//"), SPAN_INIT("//")},
    {SPAN_INIT("%2541"), true, SPAN_INIT("%41"), SPAN_INIT("%41")}, /* once */
    {SPAN_INIT("%25"), true, SPAN_INIT("%"), SPAN_INIT("%")},
    {SPAN_INIT("%FF%0a"), true, SPAN_INIT("\xff\n"), SPAN_INIT("\xff\n")},
    {SPAN_INIT("%2E%2E"), true, SPAN_INIT(".."), SPAN_INIT("..")},
    {SPAN_INIT("%"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("a%"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%4"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%%41"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%4g"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%g4"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("% 4"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%+4"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%-1"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%u0041"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%00"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("a%00b"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("a\0b"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("\0"), false, SPAN_INIT(""), SPAN_INIT("")},
    {SPAN_INIT("%41\0"), false, SPAN_INIT(""), SPAN_INIT("")},
};

static void test_decode(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof decoded / sizeof decoded[0]; i++) {
        const struct decode_row *row = &decoded[i];
        struct span path, form;
        enum err e = http_percent_decode(row->raw, &arena, &path);
        enum err f = http_percent_decode_form(row->raw, &arena, &form);
        enum err expected = row->valid ? OK : ERR_INVALID;
        if (e != expected || f != expected || (path.ptr != NULL) != row->valid ||
            (form.ptr != NULL) != row->valid)
            fail_msg("%.*s: %s, %s", SPAN_ARG(row->raw), err_name(e), err_name(f));
        if (!span_eq(path, row->path) || !span_eq(form, row->form))
            fail_msg("%.*s: \"%.*s\", \"%.*s\"", SPAN_ARG(row->raw), SPAN_ARG(path), SPAN_ARG(form));
    }
    arena_fini(&arena);
}

/* Where nothing is encoded nothing is copied. */
static void test_decode_borrows(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct span raw = SPAN("abc"), out;
    assert_int_equal(http_percent_decode(raw, &arena, &out), OK);
    assert_ptr_equal(out.ptr, raw.ptr);
    assert_null(arena.first);
    assert_int_equal(http_percent_decode((struct span){NULL, 0}, &arena, &out), OK);
    assert_non_null(out.ptr);
    assert_int_equal(out.len, 0);
    arena_fini(&arena);
}

struct encode_row {
    struct span plain;
    const char *encoded;
};

static const struct encode_row encoded[] = {
    {SPAN_INIT(""), ""},
    {SPAN_INIT("azAZ09-._~:@+"), "azAZ09-._~:@+"},
    {SPAN_INIT("auth0|17"), "auth0%7C17"},
    {SPAN_INIT("||"), "%7C%7C"},
    {SPAN_INIT("|a"), "%7Ca"},
    {SPAN_INIT("a/b?c#d%e"), "a%2Fb%3Fc%23d%25e"},
    {SPAN_INIT("a b\r\n"), "a%20b%0D%0A"},
    {SPAN_INIT("\xc3\xa4\xff"), "%C3%A4%FF"},
    {SPAN_INIT("a\0b"), "a%00b"},
};

static void test_encode(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof encoded / sizeof encoded[0]; i++) {
        buf_clear(&out);
        http_percent_encode(&out, encoded[i].plain);
        assert_string_equal(buf_text(&out), encoded[i].encoded);
        struct span back;
        if (memchr(encoded[i].plain.ptr, '\0', encoded[i].plain.len) != NULL)
            continue;
        assert_int_equal(http_percent_decode(buf_span(&out), &arena, &back), OK);
        assert_true(span_eq(back, encoded[i].plain));
    }
    buf_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),   cmocka_unit_test(test_unmount),
        cmocka_unit_test(test_compose), cmocka_unit_test(test_compose_huge),
        cmocka_unit_test(test_decode),  cmocka_unit_test(test_decode_borrows),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
