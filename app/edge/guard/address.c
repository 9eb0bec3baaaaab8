#include "guard/address.h"

enum { NAMES_MAX = 32 }; /* more than there are members */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* The names between the commas; 0: they are not such as can be put in order. */
static size_t split(struct span list, struct span names[NAMES_MAX])
{
    size_t count = 0, at = 0;
    for (;;) {
        const size_t begin = at;
        while (at < list.len && is_name_char(list.ptr[at]))
            at++;
        if (at == begin || count == NAMES_MAX)
            return 0;
        names[count++] = span_of(list.ptr + begin, at - begin);
        if (at == list.len)
            return count;
        if (list.ptr[at] == ',')
            at++;
        else if (list.len - at > 3 && list.ptr[at] == '%' && list.ptr[at + 1] == '2' &&
                 (list.ptr[at + 2] | 0x20) == 'c')
            at += 3;
        else
            return 0;
    }
}

static int compare(struct span a, struct span b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static void sort(struct span *names, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && compare(names[j - 1], names[j]) > 0; j--) {
            struct span other = names[j];
            names[j] = names[j - 1];
            names[j - 1] = other;
        }
}

static char *put(char *to, struct span s)
{
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    return to + s.len;
}

static char *put_names(char *to, struct span list)
{
    struct span names[NAMES_MAX];
    const size_t count = split(list, names);
    const char *begin = to;
    if (count == 0)
        return put(to, list);
    sort(names, count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && span_eq(names[i], names[i - 1]))
            continue;
        if (span_eq(names[i], SPAN("id")) &&
            !(span_eq(names[0], names[i]) && span_eq(names[count - 1], names[i])))
            continue;
        if (to > begin)
            *to++ = ',';
        to = put(to, names[i]);
    }
    return to;
}

size_t guard_address_write(struct span url, char *out)
{
    const struct span fields = SPAN("fields=");
    struct span query = url;
    char *to = put(out, span_cut(&query, '?'));
    for (char separator = '?'; query.ptr != NULL; separator = '&') {
        struct span pair = span_cut(&query, '&');
        *to++ = separator;
        if (span_starts(pair, fields))
            to = put_names(put(to, fields), span_from(pair, fields.len));
        else
            to = put(to, pair);
    }
    return (size_t)(to - out);
}
