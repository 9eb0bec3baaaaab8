#include "config/value.h"

#include "config/nearest.h"

#include <stdio.h>

/* The length of the UTF-8 sequence at s (RFC 3629 section 4), 0 when there is none. */
static size_t sequence_length(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t len;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (s.len < len)
        return 0;
    /* the second byte's narrower range shuts out overlong forms, surrogates and what lies beyond U+10FFFF */
    unsigned char least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return len;
}

bool config_text_valid(struct span text)
{
    while (text.len > 0) {
        unsigned char c = (unsigned char)text.ptr[0];
        size_t len = sequence_length(text);
        if (len == 0 || (c < 0x20 && c != '\t') || c == 0x7f)
            return false;
        text = span_from(text, len);
    }
    return true;
}

struct unit {
    char letter;
    int64_t factor;
};
static const struct unit sizes[] = {
    {'T', INT64_C(1) << 40}, {'G', 1 << 30}, {'M', 1 << 20}, {'K', 1 << 10}, {0, 1}};
static const struct unit durations[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {0, 1}};
static const struct unit plain[] = {{0, 1}};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Digits, and one of the units' letters behind them. */
static bool parse_number(struct span text, const struct unit *unit, int64_t *out)
{
    uint64_t digits;
    if (text.len == 0)
        return false;
    while (unit->letter != 0 && lower(text.ptr[text.len - 1]) != lower(unit->letter))
        unit++;
    if (unit->letter != 0)
        text.len--;
    if (!span_to_u64(text, (uint64_t)(INT64_MAX / unit->factor), &digits))
        return false;
    *out = (int64_t)digits * unit->factor;
    return true;
}

/* The number with the largest unit that divides it, as a person would write it. */
static const char *show_number(char out[32], int64_t number, const struct unit *unit)
{
    while (unit->letter != 0 && (number == 0 || number % unit->factor != 0))
        unit++;
    if (unit->letter != 0)
        snprintf(out, 32, "%lld%c", (long long)(number / unit->factor), unit->letter);
    else
        snprintf(out, 32, "%lld", (long long)(number / unit->factor));
    return out;
}

static enum err parse_ranged(const struct config_row *row, struct span text, const struct unit *units,
                             const char *what, int64_t *number, struct err_detail *detail)
{
    char least[32], most[32];
    int64_t n;
    if (parse_number(text, units, &n) && n >= row->least && n <= row->most) {
        *number = n;
        return OK;
    }
    return err_set(detail, ERR_INVALID, "%s.%s: `%.*s` is not %s from %s to %s", row->section, row->key,
                   SPAN_ARG(text), what, show_number(least, row->least, units),
                   show_number(most, row->most, units));
}

/* The word's place among the choices, or -1; *nearest is what may have been meant. */
static int64_t find_word(const char *choices, struct span text, struct config_nearest *nearest)
{
    struct span rest = span_str(choices);
    for (int64_t i = 0; rest.ptr != NULL; i++) {
        struct span word = span_cut(&rest, ' ');
        if (span_eq(word, text))
            return i;
        config_nearest_try(nearest, text, word);
    }
    return -1;
}

static enum err parse_word(const struct config_row *row, struct span text, const char *choices,
                           int64_t *number, struct err_detail *detail)
{
    struct config_nearest nearest = {0};
    int64_t place = find_word(choices, text, &nearest);
    if (place >= 0) {
        *number = place;
        return OK;
    }
    if (nearest.name.ptr != NULL)
        return err_set(detail, ERR_INVALID, "%s.%s: `%.*s` is none of: %s; did you mean `%.*s`?",
                       row->section, row->key, SPAN_ARG(text), choices, SPAN_ARG(nearest.name));
    return err_set(detail, ERR_INVALID, "%s.%s: `%.*s` is none of: %s", row->section, row->key,
                   SPAN_ARG(text), choices);
}

enum err config_value_parse(const struct config_row *row, struct span text, int64_t *number,
                            struct err_detail *detail)
{
    struct span shown = text.len > 60 ? span_of(text.ptr, 60) : text;
    if (!config_text_valid(text))
        return err_set(detail, ERR_INVALID, "%s.%s: the value must be UTF-8 text without control characters",
                       row->section, row->key);
    /* nothing but text can be that long and right */
    if (row->type != CONFIG_STRING && row->type != CONFIG_LIST)
        text = shown;
    switch (row->type) {
    case CONFIG_STRING:
    case CONFIG_LIST:
        *number = 0;
        return OK;
    case CONFIG_BOOL:
        return parse_word(row, text, "off on", number, detail);
    case CONFIG_INTEGER:
        return parse_ranged(row, text, plain, "a whole number", number, detail);
    case CONFIG_SIZE:
        return parse_ranged(row, text, sizes, "a size (such as 512, 16K, 64M, 1G)", number, detail);
    case CONFIG_DURATION:
        return parse_ranged(row, text, durations, "a time (such as 30s, 5m, 1h, 1d)", number, detail);
    case CONFIG_CHOICE:
        return parse_word(row, text, row->choices, number, detail);
    }
    return ERR_INVALID;
}
