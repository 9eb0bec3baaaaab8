#include "http/syntax.h"

bool http_is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static void skip(struct span *rest, size_t n)
{
    *rest = span_from(*rest, n);
}

struct span http_take_token(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && http_is_token_char(rest->ptr[n]))
        n++;
    struct span token = span_of(rest->ptr, n);
    skip(rest, n);
    return token;
}

/* qdtext and what may stand behind a backslash: HTAB, SP, visible characters, obs-text */
static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

bool http_take_quoted(struct span *rest, struct span *inside)
{
    if (rest->len == 0 || rest->ptr[0] != '"')
        return false;
    for (size_t i = 1; i < rest->len && is_text(rest->ptr[i]); i++) {
        if (rest->ptr[i] == '"') {
            *inside = span_of(rest->ptr + 1, i - 1);
            skip(rest, i + 1);
            return true;
        }
        /* quoted-pair: whatever stands behind the backslash is text, a quote too */
        if (rest->ptr[i] == '\\' && (++i == rest->len || !is_text(rest->ptr[i])))
            return false;
    }
    return false;
}

bool http_take_char(struct span *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    skip(rest, 1);
    return true;
}

void http_take_space(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && (rest->ptr[n] == ' ' || rest->ptr[n] == '\t'))
        n++;
    skip(rest, n);
}

bool http_take_word(struct span *rest, struct span *word)
{
    if (http_take_quoted(rest, word))
        return true;
    struct span token = http_take_token(rest);
    if (token.len == 0)
        return false;
    *word = token;
    return true;
}
