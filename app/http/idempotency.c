#include "http/idempotency.h"

#include "http/syntax.h"

static bool is_bare(struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!http_is_token_char(value.ptr[i]) && memchr(":/=@", value.ptr[i], 4) == NULL)
            return false;
    return true;
}

/* The string's characters into out, which has room for all of value; false: it is none, or something stands
 * behind it. */
static bool unquote(struct span value, char *out, size_t *len)
{
    size_t n = 0;
    for (size_t i = 1; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"') {
            *len = n;
            return i + 1 == value.len;
        }
        if (c == '\\' && (++i == value.len || ((c = value.ptr[i]) != '"' && c != '\\')))
            return false;
        if (c < ' ' || c > '~')
            return false;
        out[n++] = c;
    }
    return false;
}

enum err http_idempotency_key(struct span value, struct arena *arena, struct span *key)
{
    size_t len = 0;
    *key = (struct span){NULL, 0};
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    value = span_trim(value);
    /* each character may be two of the string */
    if (value.len == 0 || value.len > 2 * HTTP_IDEMPOTENCY_KEY_MAX + 2)
        return ERR_INVALID;
    if (value.ptr[0] != '"') {
        if (value.len > HTTP_IDEMPOTENCY_KEY_MAX || !is_bare(value))
            return ERR_INVALID;
        *key = value;
        return OK;
    }
    char *text = arena_alloc(arena, value.len);
    if (text == NULL)
        return ERR_NOMEM;
    if (!unquote(value, text, &len) || len == 0 || len > HTTP_IDEMPOTENCY_KEY_MAX)
        return ERR_INVALID;
    *key = span_of(text, len);
    return OK;
}
