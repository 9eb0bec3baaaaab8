/* Entity tags: ours written, lists of others' searched. */
#include "http/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Two views' tags, as for a write. */
static const struct span ours[] = {SPAN_INIT("\"9f3a-1p4f2\""), SPAN_INIT("\"9f3a-1o4f3\"")};

struct list_row {
    const char *what;
    struct span list;
    bool strong, weak; /* matches under If-Match, under If-None-Match */
};

static const struct list_row lists[] = {
    {"the tag", SPAN_INIT("\"9f3a-1p4f2\""), true, true},
    {"the other view's", SPAN_INIT("\"9f3a-1o4f3\""), true, true},
    {"spaces round it", SPAN_INIT(" \t\"9f3a-1p4f2\" \t"), true, true},
    {"first of two", SPAN_INIT("\"9f3a-1p4f2\", \"x\""), true, true},
    {"last of three", SPAN_INIT("\"x\", \"y\", \"9f3a-1p4f2\""), true, true},
    {"without spaces", SPAN_INIT("\"x\",\"9f3a-1p4f2\",\"y\""), true, true},
    {"behind a tag with a comma", SPAN_INIT("\"a,b\", \"9f3a-1p4f2\""), true, true},
    {"behind an empty tag", SPAN_INIT("\"\", \"9f3a-1p4f2\""), true, true},
    {"behind a tag with a backslash", SPAN_INIT("\"a\\\", \"9f3a-1p4f2\""), true, true},
    {"behind a tag of bytes over ASCII", SPAN_INIT("\"\xc3\xa4\", \"9f3a-1p4f2\""), true, true},
    {"behind a weak one", SPAN_INIT("W/\"x\", \"9f3a-1p4f2\""), true, true},
    {"behind a star in quotes", SPAN_INIT("\"*\", \"9f3a-1p4f2\""), true, true},
    {"empty elements", SPAN_INIT(", ,, \"9f3a-1p4f2\" ,,"), true, true},
    {"trailing comma", SPAN_INIT("\"9f3a-1p4f2\","), true, true},
    /* nginx makes it weak: enough to answer 304, never enough to write */
    {"weak", SPAN_INIT("W/\"9f3a-1p4f2\""), false, true},
    {"weak, in a list", SPAN_INIT("\"x\", W/\"9f3a-1p4f2\""), false, true},
    {"weak and strong", SPAN_INIT("W/\"9f3a-1p4f2\", \"9f3a-1p4f2\""), true, true},
    /* what compressing front servers make of it */
    {"gzip", SPAN_INIT("\"9f3a-1p4f2-gzip\""), true, true},
    {"br", SPAN_INIT("\"9f3a-1p4f2-br\""), true, true},
    {"zstd", SPAN_INIT("\"9f3a-1p4f2-zstd\""), true, true},
    {"deflate", SPAN_INIT("\"9f3a-1p4f2-deflate\""), true, true},
    {"gzip, the other view's", SPAN_INIT("\"9f3a-1o4f3-gzip\""), true, true},
    {"gzip, weak", SPAN_INIT("W/\"9f3a-1p4f2-gzip\""), false, true},
    {"gzip behind the quote", SPAN_INIT("\"9f3a-1p4f2\"-gzip"), true, true},
    {"gzip behind the quote, in a list", SPAN_INIT("\"x\"-gzip , \"9f3a-1p4f2\"-gzip ,\"y\""), true, true},
    {"gzip behind the quote, weak", SPAN_INIT("W/\"9f3a-1p4f2\"-gzip"), false, true},
    /* other tags */
    {"nothing", SPAN_INIT(""), false, false},
    {"absent", {NULL, 0}, false, false},
    {"commas only", SPAN_INIT(" , ,"), false, false},
    {"another", SPAN_INIT("\"x\""), false, false},
    {"empty tag", SPAN_INIT("\"\""), false, false},
    {"other case", SPAN_INIT("\"9F3A-1P4F2\""), false, false},
    {"shorter", SPAN_INIT("\"9f3a-1p4f\""), false, false},
    {"longer", SPAN_INIT("\"9f3a-1p4f23\""), false, false},
    {"unknown coding", SPAN_INIT("\"9f3a-1p4f2-bzip2\""), false, false},
    {"coding alone", SPAN_INIT("\"-gzip\""), false, false},
    {"coding without its hyphen", SPAN_INIT("\"9f3a-1p4f2gzip\""), false, false},
    {"hyphen without a coding", SPAN_INIT("\"9f3a-1p4f2-\""), false, false},
    {"two codings", SPAN_INIT("\"9f3a-1p4f2-gzip-br\""), false, false},
    {"coding in upper case", SPAN_INIT("\"9f3a-1p4f2-GZIP\""), false, false},
    {"coding and more", SPAN_INIT("\"9f3a-1p4f2-gzipx\""), false, false},
    {"star", SPAN_INIT("*"), false, false}, /* another function's */
    {"star in quotes", SPAN_INIT("\"*\""), false, false},
    {"both within one pair of quotes", SPAN_INIT("\"9f3a-1p4f2, 9f3a-1o4f3\""), false, false},
    /* malformed: matches nothing, wherever the fault is */
    {"no quotes", SPAN_INIT("9f3a-1p4f2"), false, false},
    {"single quotes", SPAN_INIT("'9f3a-1p4f2'"), false, false},
    {"no closing quote", SPAN_INIT("\"9f3a-1p4f2"), false, false},
    {"no opening quote", SPAN_INIT("9f3a-1p4f2\""), false, false},
    {"small w", SPAN_INIT("w/\"9f3a-1p4f2\""), false, false},
    {"W without a slash", SPAN_INIT("W\"9f3a-1p4f2\""), false, false},
    {"space behind W/", SPAN_INIT("W/ \"9f3a-1p4f2\""), false, false},
    {"W/ alone", SPAN_INIT("W/"), false, false},
    {"twice W/", SPAN_INIT("W/W/\"9f3a-1p4f2\""), false, false},
    {"no comma", SPAN_INIT("\"9f3a-1p4f2\" \"x\""), false, false},
    {"semicolon", SPAN_INIT("\"9f3a-1p4f2\"; \"x\""), false, false},
    {"junk behind", SPAN_INIT("\"9f3a-1p4f2\", x"), false, false},
    {"junk before", SPAN_INIT("x, \"9f3a-1p4f2\""), false, false},
    {"open quote behind", SPAN_INIT("\"9f3a-1p4f2\", \"x"), false, false},
    {"star in the list", SPAN_INIT("*, \"9f3a-1p4f2\""), false, false},
    {"star behind", SPAN_INIT("\"9f3a-1p4f2\", *"), false, false},
    {"space in a tag", SPAN_INIT("\"a b\", \"9f3a-1p4f2\""), false, false},
    {"control character in a tag", SPAN_INIT("\"a\x01\", \"9f3a-1p4f2\""), false, false},
    {"DEL in a tag", SPAN_INIT("\"a\x7f\", \"9f3a-1p4f2\""), false, false},
    {"NUL", SPAN_INIT("\"9f3a-1p4f2\"\0"), false, false},
    {"NUL in a tag", SPAN_INIT("\"9f3a-1p4f2\0\""), false, false},
    {"unknown coding behind the quote", SPAN_INIT("\"9f3a-1p4f2\"-foo"), false, false},
    {"hyphen behind the quote", SPAN_INIT("\"9f3a-1p4f2\"-"), false, false},
    {"coding behind the quote without hyphen", SPAN_INIT("\"9f3a-1p4f2\"gzip"), false, false},
    {"escaped quote is no quote", SPAN_INIT("\"a\\\"9f3a-1p4f2\""), false, false},
};

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct list_row *row = &lists[i];
        if (http_etag_list_matches(row->list, ours, 2, HTTP_ETAG_STRONG) != row->strong)
            fail_msg("%s: strong comparison", row->what);
        if (http_etag_list_matches(row->list, ours, 2, HTTP_ETAG_WEAK) != row->weak)
            fail_msg("%s: weak comparison", row->what);
        /* and never without a tag to compare with */
        assert_false(http_etag_list_matches(row->list, ours, 0, HTTP_ETAG_WEAK));
    }
}

/* The table of RFC 9110 section 8.8.3.2. */
static void test_comparison(void **state)
{
    (void)state;
    static const struct {
        struct span asked, ours;
        bool strong, weak;
    } rows[] = {
        {SPAN_INIT("W/\"1\""), SPAN_INIT("W/\"1\""), false, true},
        {SPAN_INIT("W/\"1\""), SPAN_INIT("W/\"2\""), false, false},
        {SPAN_INIT("W/\"1\""), SPAN_INIT("\"1\""), false, true},
        {SPAN_INIT("\"1\""), SPAN_INIT("W/\"1\""), false, true},
        {SPAN_INIT("\"1\""), SPAN_INIT("\"1\""), true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(http_etag_list_matches(rows[i].asked, &rows[i].ours, 1, HTTP_ETAG_STRONG),
                         rows[i].strong);
        assert_int_equal(http_etag_list_matches(rows[i].asked, &rows[i].ours, 1, HTTP_ETAG_WEAK),
                         rows[i].weak);
    }
}

static void test_any(void **state)
{
    (void)state;
    assert_true(http_etag_is_any(SPAN("*")));
    assert_true(http_etag_is_any(SPAN(" * ")));
    static const struct span not_any[] = {SPAN_INIT(""),   SPAN_INIT("\"*\""),    SPAN_INIT("**"),
                                          SPAN_INIT("*,"), SPAN_INIT("*, \"x\""), SPAN_INIT("W/*"),
                                          SPAN_INIT("*\0")};
    for (size_t i = 0; i < sizeof not_any / sizeof not_any[0]; i++)
        assert_false(http_etag_is_any(not_any[i]));
    assert_false(http_etag_is_any((struct span){NULL, 0}));
}

struct write_row {
    const char *epoch;
    char view;
    int64_t sequence;
    const char *expected;
};

static const struct write_row written[] = {
    {"9f3a2c1b7d", HTTP_ETAG_PUBLIC, 0x4f2, "\"9f3a2c1b7d-1p4f2\""},
    {"9f3a2c1b7d", HTTP_ETAG_OWNER, 0x4f2, "\"9f3a2c1b7d-1o4f2\""},
    {"a", HTTP_ETAG_PUBLIC, 0, "\"a-1p0\""},
    {"a", HTTP_ETAG_PUBLIC, 1, "\"a-1p1\""},
    {"a", HTTP_ETAG_PUBLIC, 16, "\"a-1p10\""},
    {"a", HTTP_ETAG_PUBLIC, INT64_MAX, "\"a-1p7fffffffffffffff\""},
};

static void test_written(void **state)
{
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        buf_clear(&out);
        http_etag_write(&out, span_str(written[i].epoch), written[i].view, written[i].sequence);
        assert_string_equal(buf_text(&out), written[i].expected);
        struct span tag = buf_span(&out);
        assert_true(http_etag_list_matches(tag, &tag, 1, HTTP_ETAG_STRONG));
    }
    buf_fini(&out);
}

/* A part's tag is its own: neither the whole's nor another part's, however it comes back. */
static void test_parts(void **state)
{
    (void)state;
    static const uint32_t parts[] = {1, 2, 5, 0x10, 0x50, 0x105, UINT32_MAX};
    enum { PARTS = sizeof parts / sizeof parts[0] };
    struct buf tags[PARTS] = {0};
    const struct span whole = SPAN("\"9f3a-1p4f2\"");
    for (size_t i = 0; i < PARTS; i++)
        http_etag_write_part(&tags[i], whole, parts[i]);
    assert_string_equal(buf_text(&tags[2]), "\"9f3a-1p4f2.5\"");
    assert_string_equal(buf_text(&tags[PARTS - 1]), "\"9f3a-1p4f2.ffffffff\"");
    for (size_t i = 0; i < PARTS; i++) {
        const struct span tag = buf_span(&tags[i]);
        struct buf marked = {0};
        assert_true(http_etag_valid(tag));
        assert_false(http_etag_list_matches(tag, &whole, 1, HTTP_ETAG_WEAK));
        assert_false(http_etag_list_matches(whole, &tag, 1, HTTP_ETAG_WEAK));
        for (size_t j = 0; j < PARTS; j++) {
            const struct span other = buf_span(&tags[j]);
            assert_int_equal(http_etag_list_matches(tag, &other, 1, HTTP_ETAG_STRONG), i == j);
        }
        buf_append(&marked, span_of(tag.ptr, tag.len - 1));
        buf_lit(&marked, "-gzip\"");
        assert_true(http_etag_list_matches(buf_span(&marked), &tag, 1, HTTP_ETAG_STRONG));
        assert_false(http_etag_list_matches(buf_span(&marked), &whole, 1, HTTP_ETAG_WEAK));
        buf_fini(&marked);
    }
    for (size_t i = 0; i < PARTS; i++)
        buf_fini(&tags[i]);
}

static void test_single_ones(void **state)
{
    (void)state;
    static const struct span right[] = {
        SPAN_INIT("\"x\""),      SPAN_INIT("W/\"x\""),    SPAN_INIT("\"\""),        SPAN_INIT("\"a,b\""),
        SPAN_INIT("\"x-gzip\""), SPAN_INIT("\"x\"-gzip"), SPAN_INIT("\"\xc3\xa4\"")};
    static const struct span wrong[] = {{NULL, 0},
                                        SPAN_INIT(""),
                                        SPAN_INIT("x"),
                                        SPAN_INIT("*"),
                                        SPAN_INIT("\"x"),
                                        SPAN_INIT("x\""),
                                        SPAN_INIT("\"x\" "),
                                        SPAN_INIT(" \"x\""),
                                        SPAN_INIT("\"x\",\"y\""),
                                        SPAN_INIT("\"x\","),
                                        SPAN_INIT("w/\"x\""),
                                        SPAN_INIT("W/"),
                                        SPAN_INIT("\"a b\""),
                                        SPAN_INIT("\"a\0b\""),
                                        SPAN_INIT("\"a\nb\""),
                                        SPAN_INIT("\"x\"-zip"),
                                        SPAN_INIT("\"x\"y"),
                                        SPAN_INIT("\"x\"\"")};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        if (!http_etag_valid(right[i]))
            fail_msg("%.*s is one", SPAN_ARG(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (http_etag_valid(wrong[i]))
            fail_msg("%.*s is none", SPAN_ARG(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),   cmocka_unit_test(test_comparison), cmocka_unit_test(test_any),
        cmocka_unit_test(test_written), cmocka_unit_test(test_parts),      cmocka_unit_test(test_single_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
