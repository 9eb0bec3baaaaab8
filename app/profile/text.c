#include "profile/text.h"

#include "profile/marks.h"

#include <stdlib.h>
#include <utf8proc.h>

/* What one walk over a string tells. */
struct survey {
    size_t chars;
    size_t returns; /* CR before LF */
    size_t marks;   /* the longest run of combining marks */
    bool inert;     /* in NFC already, beyond doubt */
};

/* Text that somebody reads has no more marks in a row (UAX #15 section 13, the Stream-Safe Text Format). */
enum { MARKS_USUAL = 30 };

/*
 * Ranges of code points that are starters, have no canonical decomposition of one character and are never the
 * second half of a composition, so that a string of them alone is in NFC. They cover the bulk of the scripts
 * in use; what is missing here only takes the slower way. Checked against utf8proc's data by the unit test.
 */
static const struct {
    uint32_t first, last;
} inert_ranges[] = {
    {0x0000, 0x02ff},   {0x0388, 0x0482},   {0x048a, 0x0590},   {0x05d0, 0x05ea}, {0x0620, 0x064a},
    {0x0e01, 0x0e37},   {0x10a0, 0x10ff},   {0x2010, 0x2027},   {0x20a0, 0x20bf}, {0x3041, 0x3096},
    {0x30a1, 0x30fa},   {0x3400, 0x4dbf},   {0x4e00, 0x9ffc},   {0xac00, 0xd7a3}, {0xff01, 0xff9d},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6d7}, {0x1f900, 0x1f9cb},
};

bool profile_text_inert(uint32_t cp)
{
    for (size_t i = 0; i < sizeof inert_ranges / sizeof inert_ranges[0]; i++)
        if (cp <= inert_ranges[i].last)
            return cp >= inert_ranges[i].first;
    return false;
}

/* Printable ASCII only. Without a branch inside, so that the compiler can take many bytes at a time. */
static bool printable_ascii(struct span s)
{
    unsigned odd = 0;
    for (size_t i = 0; i < s.len; i++)
        odd |= (unsigned char)(s.ptr[i] - 0x20) >= 0x5f;
    return odd == 0;
}

static enum profile_text_flaw character_flaw(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
        return PROFILE_TEXT_CONTROL;
    if ((cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069))
        return PROFILE_TEXT_BIDI;
    return PROFILE_TEXT_SOUND;
}

/* Walks over s until a flaw; gives up as LONG past most code points. */
static enum profile_text_flaw survey(struct span s, size_t most, bool prose, struct survey *found)
{
    size_t marks = 0;
    *found = (struct survey){.inert = true};
    for (size_t at = 0; at < s.len;) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + at, (utf8proc_ssize_t)(s.len - at), &cp);
        if (n <= 0)
            return PROFILE_TEXT_MALFORMED;
        at += (size_t)n;
        if (++found->chars > most)
            return PROFILE_TEXT_LONG;
        if (prose && cp == '\n')
            continue;
        if (prose && cp == '\r' && at < s.len && s.ptr[at] == '\n') {
            found->returns++;
            continue;
        }
        enum profile_text_flaw flaw = character_flaw((uint32_t)cp);
        if (flaw != PROFILE_TEXT_SOUND)
            return flaw;
        if (profile_text_inert((uint32_t)cp)) {
            marks = 0;
            continue;
        }
        found->inert = false;
        marks = utf8proc_get_property(cp)->combining_class != 0 ? marks + 1 : 0;
        found->marks = marks > found->marks ? marks : found->marks;
    }
    return PROFILE_TEXT_SOUND;
}

/* A copy without CR, each of which is known to stand before a LF. */
static struct span without_returns(struct span s, struct arena *arena)
{
    char *to = arena_alloc(arena, s.len + 1);
    if (to == NULL)
        return (struct span){NULL, 0};
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\r')
            to[len++] = s.ptr[i];
    to[len] = '\0';
    return span_of(to, len);
}

static size_t count_chars(struct span s)
{
    size_t chars = 0;
    for (size_t i = 0; i < s.len; i++)
        chars += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return chars;
}

/* A copy in NFC, absent when memory is out: the string is known to be UTF-8, so nothing else can fail. */
static struct span composed(struct span s, struct arena *arena)
{
    utf8proc_uint8_t *bytes = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &bytes,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    struct span copy = {NULL, 0};
    if (n >= 0)
        copy = arena_copy(arena, span_of((const char *)bytes, (size_t)n));
    free(bytes);
    return copy;
}

enum profile_text_flaw profile_text_clean(struct span s, size_t max, bool prose, struct arena *arena,
                                          struct span *out, size_t *chars)
{
    *out = (struct span){NULL, 0};
    struct survey found = {.chars = s.len, .inert = true};
    if (!printable_ascii(s)) {
        /* a character decomposes into four at most, so that what is longer stays too long when composed */
        enum profile_text_flaw flaw = survey(s, max * 4, prose, &found);
        if (flaw != PROFILE_TEXT_SOUND)
            return flaw;
    }
    struct span clean = s;
    if (found.returns > 0) {
        clean = without_returns(clean, arena);
        found.chars -= found.returns;
    }
    if (clean.ptr != NULL && found.marks > MARKS_USUAL)
        clean = profile_marks_sort(clean, arena);
    if (clean.ptr != NULL && !found.inert) {
        clean = composed(clean, arena);
        found.chars = count_chars(clean);
    }
    if (clean.ptr == NULL)
        return PROFILE_TEXT_NOMEM;
    if (found.chars > max)
        return PROFILE_TEXT_LONG;
    if (clean.ptr == s.ptr && (clean = arena_copy(arena, s)).ptr == NULL)
        return PROFILE_TEXT_NOMEM;
    *out = clean;
    if (chars != NULL)
        *chars = found.chars;
    return PROFILE_TEXT_SOUND;
}

const char *profile_text_flaw_detail(enum profile_text_flaw flaw)
{
    switch (flaw) {
    case PROFILE_TEXT_MALFORMED:
        return "is not UTF-8";
    case PROFILE_TEXT_CONTROL:
        return "holds a control character";
    case PROFILE_TEXT_BIDI:
        return "holds a character that overrides or isolates the direction of text (U+202A to U+202E, U+2066 "
               "to "
               "U+2069)";
    case PROFILE_TEXT_LONG:
        return "is too long";
    case PROFILE_TEXT_NOMEM:
        return "could not be read for want of memory";
    case PROFILE_TEXT_SOUND:
    case PROFILE_TEXT_FLAW_COUNT:
        break;
    }
    return "is sound";
}
