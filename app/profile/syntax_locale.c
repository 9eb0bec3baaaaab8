/*
 * Language tags by the grammar of RFC 5646 section 2.1. The tag is cut into subtags at its hyphens, and each
 * part of the grammar takes as many of them as it can; the tag is well formed when nothing is left.
 */
#include "profile/ascii.h"
#include "profile/syntax.h"

enum { SUBTAGS_MAX = 40 };

struct tag {
    struct span subtags[SUBTAGS_MAX];
    size_t count;
    size_t at; /* the next one to be taken */
};

/* The irregular ones of "grandfathered"; the regular ones are well formed by the grammar itself. */
static const struct span irregular[] = {
    SPAN_INIT("en-GB-oed"),  SPAN_INIT("i-ami"),    SPAN_INIT("i-bnn"),     SPAN_INIT("i-default"),
    SPAN_INIT("i-enochian"), SPAN_INIT("i-hak"),    SPAN_INIT("i-klingon"), SPAN_INIT("i-lux"),
    SPAN_INIT("i-mingo"),    SPAN_INIT("i-navajo"), SPAN_INIT("i-pwn"),     SPAN_INIT("i-tao"),
    SPAN_INIT("i-tay"),      SPAN_INIT("i-tsu"),    SPAN_INIT("sgn-BE-FR"), SPAN_INIT("sgn-BE-NL"),
    SPAN_INIT("sgn-CH-DE"),
};

static bool cut(struct span s, struct tag *tag)
{
    *tag = (struct tag){0};
    struct span rest = s;
    do {
        struct span subtag = span_cut(&rest, '-');
        if (subtag.len == 0 || subtag.len > 8 || tag->count == SUBTAGS_MAX)
            return false;
        for (size_t i = 0; i < subtag.len; i++)
            if (!profile_ascii_alphanumeric(subtag.ptr[i]))
                return false;
        tag->subtags[tag->count++] = subtag;
    } while (rest.ptr != NULL);
    return true;
}

/* The next subtag, or an empty span behind the last. */
static struct span next(const struct tag *tag)
{
    return tag->at < tag->count ? tag->subtags[tag->at] : SPAN("");
}

/* language = 2*3ALPHA ["-" extlang] / 4ALPHA / 5*8ALPHA; extlang = 3ALPHA *2("-" 3ALPHA) */
static bool take_language(struct tag *tag)
{
    struct span language = next(tag);
    if (language.len < 2 || !profile_ascii_all_letters(language))
        return false;
    tag->at++;
    for (int i = 0; i < 3 && language.len <= 3 && next(tag).len == 3 && profile_ascii_all_letters(next(tag));
         i++)
        tag->at++;
    return true;
}

static void take_script_and_region(struct tag *tag)
{
    if (next(tag).len == 4 && profile_ascii_all_letters(next(tag)))
        tag->at++;
    struct span region = next(tag);
    if ((region.len == 2 && profile_ascii_all_letters(region)) ||
        (region.len == 3 && profile_ascii_all_digits(region)))
        tag->at++;
}

/* variant = 5*8alphanum / (DIGIT 3alphanum); the same one twice is refused (section 2.2.5, rule 5). */
static bool take_variants(struct tag *tag)
{
    size_t first = tag->at;
    for (struct span v = next(tag); v.len >= 5 || (v.len == 4 && profile_ascii_digit(v.ptr[0]));
         v = next(tag)) {
        for (size_t i = first; i < tag->at; i++)
            if (span_eq_nocase(tag->subtags[i], v))
                return false;
        tag->at++;
    }
    return true;
}

/* extension = singleton 1*("-" (2*8alphanum)); a singleton comes but once (section 2.2.6, rule 3). */
static bool take_extensions(struct tag *tag)
{
    bool seen[128] = {false};
    while (next(tag).len == 1) {
        char singleton = profile_ascii_lower(next(tag).ptr[0]);
        if (singleton == 'x')
            return true;
        if (seen[(unsigned char)singleton])
            return false;
        seen[(unsigned char)singleton] = true;
        tag->at++;
        if (next(tag).len < 2)
            return false;
        while (next(tag).len >= 2)
            tag->at++;
    }
    return true;
}

/* privateuse = "x" 1*("-" (1*8alphanum)): takes all that is left. */
static bool take_private_use(struct tag *tag)
{
    if (next(tag).len != 1 || profile_ascii_lower(next(tag).ptr[0]) != 'x' || tag->at + 1 == tag->count)
        return false;
    tag->at = tag->count;
    return true;
}

bool profile_syntax_locale(struct span s)
{
    struct tag tag;
    for (size_t i = 0; i < sizeof irregular / sizeof irregular[0]; i++)
        if (span_eq_nocase(s, irregular[i]))
            return true;
    if (!cut(s, &tag))
        return false;
    if (take_private_use(&tag))
        return true;
    if (!take_language(&tag))
        return false;
    take_script_and_region(&tag);
    if (!take_variants(&tag) || !take_extensions(&tag))
        return false;
    return tag.at == tag.count || take_private_use(&tag);
}
