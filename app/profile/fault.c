#include "profile/parsing.h"
#include "profile/pointer.h"

#include <stdarg.h>
#include <stdio.h>

static struct span write_pointer(struct arena *arena, struct span member, struct span inner)
{
    if (member.ptr == NULL)
        return SPAN("");
    char *text = arena_alloc(arena, 2 * (member.len + inner.len) + 3);
    if (text == NULL)
        return (struct span){NULL, 0};
    char *end = profile_pointer_write(text, member);
    if (inner.ptr != NULL)
        end = profile_pointer_write(end, inner);
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
