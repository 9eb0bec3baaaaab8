#include "base/arena.h"

#include <stdlib.h>

enum { CHUNK_SIZE = 16 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) char data[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *c = malloc(sizeof *c + size);
    if (c != NULL)
        *c = (struct arena_chunk){.size = size};
    return c;
}

void arena_reset(struct arena *a)
{
    if (a->first == NULL)
        return;
    for (struct arena_chunk *c = a->first->next, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    a->first->next = NULL;
    a->first->used = 0;
    a->current = a->first;
}

void arena_fini(struct arena *a)
{
    arena_reset(a);
    free(a->first);
    *a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t align = _Alignof(max_align_t);
    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + align - 1) / align * align;
    if (a->current == NULL || a->current->size - a->current->used < n) {
        struct arena_chunk *c = chunk_new(n > CHUNK_SIZE ? n : CHUNK_SIZE);
        if (c == NULL)
            return NULL;
        if (a->current == NULL)
            a->first = c;
        else
            a->current->next = c;
        a->current = c;
    }
    void *p = a->current->data + a->current->used;
    a->current->used += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);
    if (p != NULL)
        memset(p, 0, n);
    return p;
}

struct span arena_copy(struct arena *a, struct span s)
{
    if (s.ptr == NULL)
        return s;
    char *p = arena_alloc(a, s.len + 1);
    if (p == NULL)
        return (struct span){NULL, 0};
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return (struct span){p, s.len};
}
