#include "json/write.h"

#include <stdio.h>
#include <stdlib.h>

/* Whether RFC 8259 section 7 asks for an escape: quote, backslash, U+0000 to U+001F. */
static inline bool must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* The bytes up to the first that must be escaped. */
static size_t plain_len(struct span s)
{
    size_t n = 0;
    while (n < s.len && !must_escape((unsigned char)s.ptr[n]))
        n++;
    return n;
}

static void write_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    if (c >= 0x20)
        text[1] = (char)c;
    else if (letters[c] != 0)
        text[1] = letters[c];
    buf_append(out, span_of(text, text[1] == 'u' ? 6 : 2));
}

void json_write_string(struct buf *out, struct span s)
{
    size_t n = plain_len(s);
    char *to = buf_reserve(out, n + 2);
    if (to == NULL)
        return;
    *to = '"';
    if (n > 0)
        memcpy(to + 1, s.ptr, n);
    if (n == s.len) { /* nothing to escape: the common case in one go */
        to[n + 1] = '"';
        buf_extend(out, n + 2);
        return;
    }
    buf_extend(out, n + 1);
    for (s = span_from(s, n); s.len > 0; s = span_from(s, n)) {
        write_escape(out, (unsigned char)s.ptr[0]);
        s = span_from(s, 1);
        n = plain_len(s);
        buf_append(out, span_of(s.ptr, n));
    }
    buf_char(out, '"');
}

static void write_real(struct buf *out, double value)
{
    char text[40];
    int len = 0;
    /* 17 digits always read back as the same double, 15 mostly do */
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_append(out, span_of(text, (size_t)len));
    if (strpbrk(text, ".e") == NULL)
        buf_lit(out, ".0"); /* or it would come back as an integer */
}

static void write_array(struct buf *out, const json_t *array)
{
    size_t count = json_array_size(array);
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_value(out, json_array_get(array, i));
    }
    buf_char(out, ']');
}

static void write_object(struct buf *out, const json_t *object)
{
    /* jansson asks for a json_t * to iterate, and does not change it */
    json_t *members = (json_t *)(uintptr_t)object;
    bool first = true;
    buf_char(out, '{');
    for (void *i = json_object_iter(members); i != NULL; i = json_object_iter_next(members, i)) {
        if (!first)
            buf_char(out, ',');
        first = false;
        json_write_string(out, span_of(json_object_iter_key(i), json_object_iter_key_len(i)));
        buf_char(out, ':');
        json_write_value(out, json_object_iter_value(i));
    }
    buf_char(out, '}');
}

void json_write_value(struct buf *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(out, value);
        break;
    case JSON_ARRAY:
        write_array(out, value);
        break;
    case JSON_STRING:
        json_write_string(out, span_of(json_string_value(value), json_string_length(value)));
        break;
    case JSON_INTEGER:
        buf_i64(out, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_lit(out, "true");
        break;
    case JSON_FALSE:
        buf_lit(out, "false");
        break;
    case JSON_NULL:
        buf_lit(out, "null");
        break;
    }
}
