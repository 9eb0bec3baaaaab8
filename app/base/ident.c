#include "base/ident.h"

static bool ident_char(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 || c == '-' || c == '.' ||
           c == '_' || c == '~' || c == ':' || c == '|' || c == '@' || c == '+';
}

bool ident_valid(struct span id)
{
    if (id.len == 0 || id.len > IDENT_MAX_LEN || id.ptr[0] == '@')
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!ident_char(id.ptr[i]))
            return false;
    return !span_eq(id, SPAN(".")) && !span_eq(id, SPAN("..")) && !span_eq(id, SPAN("query"));
}
