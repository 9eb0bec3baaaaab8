#include "token/scope.h"

static const struct {
    enum token_scope scope;
    struct span name;
} names[] = {
    {TOKEN_SCOPE_READ, SPAN_INIT("profile:read")},    {TOKEN_SCOPE_LIST, SPAN_INIT("profile:list")},
    {TOKEN_SCOPE_WRITE, SPAN_INIT("profile:write")},  {TOKEN_SCOPE_ADMIN, SPAN_INIT("profile:admin")},
    {TOKEN_SCOPE_METRICS, SPAN_INIT("metrics:read")},
};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static unsigned scope_of(struct span name)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (span_eq(name, names[i].name))
            return names[i].scope;
    return 0;
}

unsigned token_scope_parse(struct span list, struct span *unknown)
{
    unsigned scopes = 0;
    if (unknown != NULL)
        *unknown = (struct span){NULL, 0};
    while (list.ptr != NULL) {
        struct span name = span_cut(&list, ' ');
        unsigned scope = scope_of(name);
        scopes |= scope;
        if (scope == 0 && name.len > 0 && unknown != NULL && unknown->ptr == NULL)
            *unknown = name;
    }
    return scopes;
}

unsigned token_scope_expand(unsigned scopes)
{
    if ((scopes & TOKEN_SCOPE_ADMIN) != 0)
        scopes |= TOKEN_SCOPE_READ | TOKEN_SCOPE_LIST | TOKEN_SCOPE_WRITE;
    return scopes;
}

void token_scope_write(struct buf *out, unsigned scopes)
{
    bool first = true;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if ((scopes & (unsigned)names[i].scope) == 0)
            continue;
        if (!first)
            buf_char(out, ' ');
        first = false;
        buf_append(out, names[i].name);
    }
}
