#include "profile/part.h"

static const struct span names[PROFILE_MEMBER_COUNT] = {
#define X(member, ...) SPAN_INIT(#member),
    PROFILE_MEMBERS_BEFORE(X) PROFILE_FIELDS(X) PROFILE_MEMBERS_BEHIND(X)
#undef X
};

enum {
    ALWAYS = PROFILE_MEMBER_BIT(id),
    OWNERS_ALONE = PROFILE_MEMBER_BIT(visibility) | PROFILE_MEMBER_BIT(state),
};

static uint32_t bit_of(struct span name)
{
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++)
        if (span_eq(names[i], name))
            return UINT32_C(1) << i;
    return 0;
}

enum err profile_part_parse(struct span list, enum profile_view view, uint32_t *members, struct span *wrong)
{
    const uint32_t unknown = view == PROFILE_VIEW_OWNER ? 0 : OWNERS_ALONE;
    uint32_t found = ALWAYS;
    *members = PROFILE_WHOLE;
    *wrong = (struct span){"", 0};
    do {
        struct span name = span_cut(&list, ',');
        uint32_t bit = bit_of(name);
        if (bit == 0 || (bit & unknown) != 0) {
            *wrong = name.ptr == NULL ? *wrong : name;
            return ERR_INVALID;
        }
        found |= bit;
    } while (list.ptr != NULL);
    *members = found;
    return OK;
}

void profile_part_names(uint32_t members, struct buf *out)
{
    bool begun = false;
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++) {
        if ((members & UINT32_C(1) << i) == 0)
            continue;
        if (begun)
            buf_char(out, ',');
        buf_append(out, names[i]);
        begun = true;
    }
}

/* Behind the string whose opening quote is at `at`; NULL: it does not end. */
static const char *skip_string(const char *at, const char *end)
{
    at++;
    for (;;) {
        const char *quote = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
        if (quote == NULL)
            return NULL;
        /* an odd number of backslashes before it, and it belongs to the string */
        const char *slash = quote;
        while (slash > at && slash[-1] == '\\')
            slash--;
        at = quote + 1;
        if ((quote - slash) % 2 == 0)
            return at;
    }
}

/* Behind a value: at the comma or brace that follows it; NULL: it does not end. What is in it is not looked
 * at, but for strings and brackets. */
static const char *skip_value(const char *at, const char *end)
{
    int depth = 0;
    while (at != NULL && at < end) {
        switch (*at) {
        case '"':
            at = skip_string(at, end);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth-- == 0)
                return at;
            break;
        case ',':
            if (depth == 0)
                return at;
            break;
        default:
            break;
        }
        at++;
    }
    return NULL;
}

/* The member whose name stands between the quotes: none before `from`, for the order is the view's.
 * PROFILE_MEMBER_COUNT: there is none. */
static size_t member_of(struct span name, size_t from)
{
    while (from < PROFILE_MEMBER_COUNT && !span_eq(names[from], name))
        from++;
    return from;
}

/* Takes one member, ",name":value, off the front; false: there is no such thing. */
static bool take(const char **at, const char *end, size_t *member, struct span *text)
{
    const char *begin = *at + 1, *behind_name, *behind;
    if (begin >= end || *begin != '"' || (behind_name = skip_string(begin, end)) == NULL ||
        behind_name >= end || *behind_name != ':')
        return false;
    *member = member_of(span_of(begin + 1, (size_t)(behind_name - begin) - 2), *member);
    if (*member == PROFILE_MEMBER_COUNT || (behind = skip_value(behind_name + 1, end)) == NULL)
        return false;
    *text = span_of(begin, (size_t)(behind - begin));
    *at = behind;
    return true;
}

enum err profile_part_write(struct span view, uint32_t members, struct buf *out)
{
    const char *at = view.ptr, *end = view.ptr + view.len;
    const size_t before = out->len;
    size_t member = 0;
    struct span text;
    if (members == PROFILE_WHOLE) {
        buf_append(out, view);
        return OK;
    }
    if (view.len < 2 || *at != '{')
        return ERR_INVALID;
    char separator = '{';
    /* what stands behind the last that is wanted need not be looked at */
    while (*at != '}' && members >> member != 0) {
        if (!take(&at, end, &member, &text)) {
            buf_truncate(out, before);
            return ERR_INVALID;
        }
        if ((members >> member & 1) != 0) {
            buf_char(out, separator);
            buf_append(out, text);
            separator = ',';
        }
        member++;
    }
    if (separator == '{')
        buf_char(out, '{');
    buf_char(out, '}');
    return OK;
}
