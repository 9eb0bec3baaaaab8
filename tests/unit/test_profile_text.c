/* Text: what is let through, in which form, and what is refused; and the shortcut round utf8proc. */
#include "base/buf.h"
#include "profile/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <utf8proc.h>

#include <cmocka.h>

static const struct {
    const char *description;
    struct span raw, clean; /* clean is compared when the flaw is SOUND */
    bool prose;
    enum profile_text_flaw flaw;
} cases[] = {
#define SOUND(description, raw, clean)                                                                       \
    {                                                                                                        \
        description, SPAN_INIT(raw), SPAN_INIT(clean), false, PROFILE_TEXT_SOUND                             \
    }
#define SOUND_PROSE(description, raw, clean)                                                                 \
    {                                                                                                        \
        description, SPAN_INIT(raw), SPAN_INIT(clean), true, PROFILE_TEXT_SOUND                              \
    }
#define FLAW(description, raw, flaw)                                                                         \
    {                                                                                                        \
        description, SPAN_INIT(raw), {NULL, 0}, false, PROFILE_TEXT_##flaw                                   \
    }
#define FLAW_PROSE(description, raw, flaw)                                                                   \
    {                                                                                                        \
        description, SPAN_INIT(raw), {NULL, 0}, true, PROFILE_TEXT_##flaw                                    \
    }
    SOUND("empty", "", ""),
    SOUND("ASCII", "Ada Lovelace ~!", "Ada Lovelace ~!"),
    SOUND("spaces at the ends stay", "  x  ", "  x  "),
    SOUND("markup is text", "<script>alert('\"&\\')</script>", "<script>alert('\"&\\')</script>"),
    SOUND("composed already", "J\xc3\xb6rg", "J\xc3\xb6rg"),
    SOUND("o and a diaeresis compose", "Jo\xcc\x88rg", "J\xc3\xb6rg"),
    SOUND("a lone combining mark", "\xcc\x88", "\xcc\x88"),
    SOUND("marks are sorted: dot below before dot above", "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87"),
    SOUND("angstrom sign is a singleton", "\xe2\x84\xab", "\xc3\x85"),
    SOUND("greek question mark becomes a semicolon", "\xcd\xbe", ";"),
    SOUND("hangul jamo compose", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"),
    SOUND("an excluded composition is taken apart", "\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"),
    SOUND("compatibility characters stay", "\xef\xac\x81\xe2\x91\xa0\xef\xbc\xa1",
          "\xef\xac\x81\xe2\x91\xa0\xef\xbc\xa1"),
    SOUND("emoji with joiners and variation selector",
          "\xf0\x9f\x91\xa9\xe2\x80\x8d\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x91\xa9",
          "\xf0\x9f\x91\xa9\xe2\x80\x8d\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x91\xa9"),
    SOUND("right to left, with marks of direction", "\xd7\xa9\xd7\x9c\xe2\x80\x8f!\xe2\x80\x8e",
          "\xd7\xa9\xd7\x9c\xe2\x80\x8f!\xe2\x80\x8e"),
    SOUND("no-break space, byte order mark, replacement character", "\xc2\xa0\xef\xbb\xbf\xef\xbf\xbd",
          "\xc2\xa0\xef\xbb\xbf\xef\xbf\xbd"),
    SOUND("line and paragraph separator", "\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xa8\xe2\x80\xa9"),
    SOUND("private use and unassigned", "\xee\x80\x80\xcd\xb8\xf3\xa0\x80\x81",
          "\xee\x80\x80\xcd\xb8\xf3\xa0\x80\x81"),
    SOUND("neighbours of what is refused",
          "\xc2\xa0\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xef\xb7\x8f\xef\xb7\xb0",
          "\xc2\xa0\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xef\xb7\x8f\xef\xb7\xb0"),
    SOUND("exactly as long as allowed", "0123456789012345678901234567890123456789",
          "0123456789012345678901234567890123456789"),
    SOUND("too long before it is composed only",
          "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"
          "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
          "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
          "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"),
    SOUND_PROSE("newlines", "a\nb\n\n", "a\nb\n\n"),
    SOUND_PROSE("CR LF becomes LF", "\r\na\r\n\r\nb\r\n", "\na\n\nb\n"),
    SOUND_PROSE("CR LF and composition", "e\u0301\r\n", "\u00e9\n"),
    FLAW("newline in a line", "a\nb", CONTROL),
    FLAW("CR LF in a line", "a\r\nb", CONTROL),
    FLAW_PROSE("lone CR", "a\rb", CONTROL),
    FLAW_PROSE("CR at the end", "a\r", CONTROL),
    FLAW_PROSE("CR CR LF", "a\r\r\n", CONTROL),
    FLAW_PROSE("tab", "a\tb", CONTROL),
    FLAW_PROSE("next line, U+0085", "a\xc2\x85", CONTROL),
    FLAW("NUL", "a\0b", CONTROL),
    FLAW("NUL at the end", "a\0", CONTROL),
    FLAW("escape", "\x1b[31m", CONTROL),
    FLAW("U+001F", "\x1f", CONTROL),
    FLAW("DEL", "a\x7f", CONTROL),
    FLAW("U+0080", "\xc2\x80", CONTROL),
    FLAW("U+009F", "\xc2\x9f", CONTROL),
    FLAW("U+202A", "a\xe2\x80\xaa", BIDI),
    FLAW("U+202B", "a\xe2\x80\xab", BIDI),
    FLAW("U+202C", "a\xe2\x80\xac", BIDI),
    FLAW("U+202D", "a\xe2\x80\xad", BIDI),
    FLAW_PROSE("U+202E",
               "a\xe2\x80\xae"
               "gpj.exe",
               BIDI),
    FLAW("U+2066", "\xe2\x81\xa6", BIDI),
    FLAW("U+2067", "\xe2\x81\xa7", BIDI),
    FLAW("U+2068", "\xe2\x81\xa8", BIDI),
    FLAW("U+2069", "\xe2\x81\xa9", BIDI),
    FLAW("a stray continuation byte", "a\x80", MALFORMED),
    FLAW("a sequence cut short", "a\xc3", MALFORMED),
    FLAW("three bytes cut short", "\xe2\x80", MALFORMED),
    FLAW("an overlong slash", "\xc0\xaf", MALFORMED),
    FLAW("an overlong NUL", "\xc0\x80", MALFORMED),
    FLAW("a surrogate", "\xed\xa0\x80", MALFORMED),
    FLAW("above U+10FFFF", "\xf4\x90\x80\x80", MALFORMED),
    FLAW("Latin-1", "J\xf6rg", MALFORMED),
    FLAW("0xFF", "\xff", MALFORMED),
    FLAW("one over the length", "01234567890123456789012345678901234567890", LONG),
    FLAW("one over the length, not ASCII",
         "\u00e9"
         "1234567890123456789012345678901234567890",
         LONG),
    FLAW("one over the length when taken apart",
         "\xe0\xa5\x98"
         "123456789012345678901234567890123456789",
         LONG),
};

static void test_clean(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span out;
        size_t chars = 0;
        enum profile_text_flaw flaw =
            profile_text_clean(cases[i].raw, 40, cases[i].prose, &arena, &out, &chars);
        if (flaw != cases[i].flaw)
            fail_msg("%s: flaw %d", cases[i].description, flaw);
        if (flaw != PROFILE_TEXT_SOUND) {
            assert_null(out.ptr);
            assert_true(strlen(profile_text_flaw_detail(flaw)) > 0);
            continue;
        }
        if (!span_eq(out, cases[i].clean))
            fail_msg("%s: came out as \"%.*s\"", cases[i].description, SPAN_ARG(out));
        assert_ptr_not_equal(out.ptr, cases[i].raw.ptr);
        /* what is clean stays as it is */
        struct span again;
        assert_int_equal(profile_text_clean(out, chars, cases[i].prose, &arena, &again, NULL),
                         PROFILE_TEXT_SOUND);
        assert_true(span_eq(out, again));
    }
    arena_fini(&arena);
}

/* Far too long, before and after composition: refused without looking at it all. */
static void test_huge(void **state)
{
    (void)state;
    enum { HUGE_LEN = 4 << 20 };
    struct arena arena = {0};
    struct span out;
    char *bytes = malloc(HUGE_LEN);
    assert_non_null(bytes);
    memset(bytes, 'a', HUGE_LEN);
    assert_int_equal(profile_text_clean(span_of(bytes, HUGE_LEN), 256, false, &arena, &out, NULL),
                     PROFILE_TEXT_LONG);
    for (size_t i = 0; i < HUGE_LEN; i += 2)
        memcpy(bytes + i, "\xcc\x88", 2);
    assert_int_equal(profile_text_clean(span_of(bytes, HUGE_LEN), 256, true, &arena, &out, NULL),
                     PROFILE_TEXT_LONG);
    free(bytes);
    arena_fini(&arena);
}

/* Long runs of marks, in the worst order: what comes out is what utf8proc makes of it alone. */
static void test_many_marks(void **state)
{
    (void)state;
    static const char *const marks[] = {"\u0308", "\u0323", "\u0345", "\u0344", "\u0301", "\u0334"};
    for (size_t half = 14; half <= 990; half += 61) {
        struct arena arena = {0};
        struct buf raw = {0};
        struct span out;
        buf_lit(&raw, "q\u00e9");
        for (size_t i = 0; i < 2 * half; i++)
            buf_append(&raw, span_str(marks[i < half ? i % 2 * 2 : 1 + i % 5]));
        buf_lit(&raw, "e\u0301\u0323.");
        utf8proc_uint8_t *expected = utf8proc_NFC((const utf8proc_uint8_t *)buf_text(&raw));
        assert_non_null(expected);
        assert_int_equal(profile_text_clean(buf_span(&raw), 4000, false, &arena, &out, NULL),
                         PROFILE_TEXT_SOUND);
        assert_true(span_eq(out, span_str((const char *)expected)));
        free(expected);
        buf_fini(&raw);
        arena_fini(&arena);
    }
}

/* The last character of each canonical decomposition of two: what may compose with a character before it. */
static void mark_seconds(bool *second)
{
    for (utf8proc_int32_t cp = 0; cp < 0x110000; cp++) {
        utf8proc_int32_t parts[8];
        int boundary = 0;
        utf8proc_ssize_t n =
            utf8proc_decompose_char(cp, parts, 8, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
        assert_true(n >= 1 && n <= 8);
        for (utf8proc_ssize_t i = 1; i < n; i++)
            second[parts[i]] = true;
    }
}

static void test_inert(void **state)
{
    (void)state;
    bool *second = calloc(0x110000, sizeof *second);
    size_t count = 0;
    assert_non_null(second);
    mark_seconds(second);
    for (utf8proc_int32_t cp = 0; cp < 0x110000; cp++) {
        if (!profile_text_inert((uint32_t)cp) || !utf8proc_codepoint_valid(cp))
            continue;
        utf8proc_uint8_t bytes[8] = {0}, *composed;
        utf8proc_encode_char(cp, bytes);
        composed = cp == 0 ? NULL : utf8proc_NFC(bytes);
        bool stays = cp == 0 || strcmp((const char *)composed, (const char *)bytes) == 0;
        bool starter = utf8proc_get_property(cp)->combining_class == 0;
        free(composed);
        if (!stays || !starter || second[cp])
            fail_msg("U+%04X is not inert", (unsigned)cp);
        count++;
    }
    free(second);
    assert_true(count > 40000);
    assert_false(profile_text_inert(0x0300));
    assert_false(profile_text_inert(0x1161));
    assert_false(profile_text_inert(0x10ffff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_many_marks),
        cmocka_unit_test(test_inert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
