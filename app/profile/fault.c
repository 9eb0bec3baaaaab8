#include "profile/parsing.h"

#include <stdarg.h>
#include <stdio.h>

/* A reference token of RFC 6901: '~' and '/' are written as "~0" and "~1" (section 3). Returns the end. */
static char *write_token(char *to, struct span token)
{
    *to++ = '/';
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] == '~' || token.ptr[i] == '/') {
            *to++ = '~';
            *to++ = token.ptr[i] == '~' ? '0' : '1';
        } else {
            *to++ = token.ptr[i];
        }
    }
    return to;
}

static struct span write_pointer(struct arena *arena, struct span member, struct span inner)
{
    if (member.ptr == NULL)
        return SPAN("");
    char *text = arena_alloc(arena, 2 * (member.len + inner.len) + 3);
    if (text == NULL)
        return (struct span){NULL, 0};
    char *end = write_token(text, member);
    if (inner.ptr != NULL)
        end = write_token(end, inner);
    *end = '\0';
    return span_of(text, (size_t)(end - text));
}

void profile_parsing_fault(struct profile_parsing *p, struct span member, struct span inner,
                           const char *detail, ...)
{
    char text[256];
    va_list args;
    if (p->faults->count == PROFILE_MAX_FAULTS)
        return;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    struct profile_fault fault = {write_pointer(p->arena, member, inner),
                                  arena_copy(p->arena, span_str(text))};
    if (fault.pointer.ptr == NULL || fault.detail.ptr == NULL) {
        p->out_of_memory = true;
        return;
    }
    p->faults->list[p->faults->count++] = fault;
}
