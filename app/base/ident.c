#include "base/ident.h"

static bool ident_char(char c)
{
    switch (c) {
    case '.':
    case '_':
    case '~':
    case ':':
    case '|':
    case '@':
    case '+':
    case '-':
        return true;
    default:
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }
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
