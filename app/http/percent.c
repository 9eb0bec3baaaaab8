#include "http/percent.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_octet(struct span s, char *octet)
{
    if (s.len < 3 || s.ptr[0] != '%')
        return false;
    int high = hex_value(s.ptr[1]), low = hex_value(s.ptr[2]);
    if (high < 0 || low < 0)
        return false;
    *octet = (char)(high << 4 | low);
    return true;
}

static bool is_plain(struct span raw, bool form)
{
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] == '%' || raw.ptr[i] == '\0' || (form && raw.ptr[i] == '+'))
            return false;
    return true;
}

static enum err decode(struct span raw, struct arena *arena, bool form, struct span *out)
{
    *out = (struct span){NULL, 0};
    if (is_plain(raw, form)) {
        *out = raw.ptr == NULL ? SPAN("") : raw;
        return OK;
    }
    char *to = arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    if (to == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            if (!http_percent_octet(span_from(raw, i), &c))
                return ERR_INVALID;
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return ERR_INVALID;
        to[len++] = c;
    }
    to[len] = '\0';
    *out = span_of(to, len);
    return OK;
}

enum err http_percent_decode(struct span raw, struct arena *arena, struct span *out)
{
    return decode(raw, arena, false, out);
}

enum err http_percent_decode_form(struct span raw, struct arena *arena, struct span *out)
{
    return decode(raw, arena, true, out);
}

/* unreserved of RFC 3986 section 2.3, and the three of pchar that an id may hold */
static bool stands_as_is(char c, bool in_path)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c == '-' || c == '.' || c == '_' || c == '~' || (in_path && (c == ':' || c == '@' || c == '+'));
}

static void encode(struct buf *out, struct span s, bool in_path)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (stands_as_is(s.ptr[i], in_path))
            continue;
        const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        buf_append(out, span_of(s.ptr + from, i - from));
        buf_append(out, span_of(escape, sizeof escape));
        from = i + 1;
    }
    if (s.len > from)
        buf_append(out, span_of(s.ptr + from, s.len - from));
}

void http_percent_encode(struct buf *out, struct span s)
{
    encode(out, s, true);
}

void http_percent_encode_form(struct buf *out, struct span s)
{
    encode(out, s, false);
}
