#include "http/bearer.h"

#include "http/syntax.h"

/* The order is that of how often they occur: a token has hundreds of these. */
static bool is_b64token_char(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 || c == '-' || c == '_' ||
           c == '.' || c == '~' || c == '+' || c == '/';
}

bool http_bearer_is_b64token(struct span s)
{
    size_t n = 0;
    while (n < s.len && is_b64token_char(s.ptr[n]))
        n++;
    bool found = n > 0;
    while (n < s.len && s.ptr[n] == '=')
        n++;
    return found && n == s.len;
}

enum err http_bearer_token(struct span value, struct span *token)
{
    struct span rest = span_trim(value);
    *token = (struct span){NULL, 0};
    if (!span_eq_nocase(http_take_token(&rest), SPAN("Bearer")))
        return ERR_NOT_FOUND;
    /* RFC 9110 section 11.4: one space or more */
    struct span behind = rest;
    while (http_take_char(&behind, ' '))
        ;
    if (behind.len == rest.len || behind.len == 0)
        return ERR_INVALID;
    *token = behind;
    return OK;
}

static void write_parameter(struct buf *out, const char *name, struct span value)
{
    buf_append(out, span_str(name));
    buf_lit(out, "=\"");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        /* RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E */
        bool fits = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
        buf_char(out, fits ? c : '?');
    }
    buf_char(out, '"');
}

void http_bearer_challenge(struct http_response *response, const char *error, struct span description,
                           struct span scope)
{
    size_t start = http_response_header_begin(response, "WWW-Authenticate");
    struct buf *out = &response->head;

    buf_lit(out, "Bearer realm=\"profiled\"");
    if (error != NULL)
        write_parameter(out, ", error", span_str(error));
    if (description.len > 0)
        write_parameter(out, ", error_description", description);
    if (scope.len > 0)
        write_parameter(out, ", scope", scope);
    http_response_header_end(response, start);
}
