/*
 * An arena: memory that is given out piece by piece and taken back all at once. One serves each request and
 * is reset behind it, so that a hot request takes nothing from the heap. A zeroed struct arena is valid and
 * empty.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *first; /* kept over a reset */
    struct arena_chunk *current;
};

/* Takes back all that was given out; the first chunk is kept, the others are freed. */
void arena_reset(struct arena *a);
/* Frees everything. */
void arena_fini(struct arena *a);
/* n bytes, aligned for any object, not zeroed; NULL when memory is out. Good until the arena's reset. */
MUST_USE void *arena_alloc(struct arena *a, size_t n);
/* The same, zeroed. */
MUST_USE void *arena_zalloc(struct arena *a, size_t n);
/* A copy of the bytes with a NUL behind them; a span with ptr NULL when memory is out. An absent s stays
 * absent. */
MUST_USE struct span arena_copy(struct arena *a, struct span s);
