/*
 * A growing string buffer with a sticky error: write many times, check once. When memory runs out or the
 * limit is passed the buffer turns failed, drops every later write and stays failed until buf_clear. A zeroed
 * struct buf is a valid empty buffer without a limit. The memory is the heap's; buf_clear keeps it for the
 * next use.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

struct buf {
    char *ptr; /* len bytes and a NUL behind them; NULL while nothing was written */
    size_t len;
    size_t size;  /* bytes allocated */
    size_t limit; /* most bytes it may hold; 0: no limit */
    bool failed;
};

/* Empties it and clears the error; keeps memory and limit. */
void buf_clear(struct buf *b);
/* Frees its memory and zeroes it. */
void buf_fini(struct buf *b);
/* Room for n further bytes: a pointer to them, or NULL (failed). They count once buf_extend is called. */
char *buf_reserve(struct buf *b, size_t n);
void buf_extend(struct buf *b, size_t n);

void buf_append(struct buf *b, struct span s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define buf_lit(b, literal) buf_append((b), SPAN(literal))

/* Cuts it back to len bytes; longer: nothing happens. */
void buf_truncate(struct buf *b, size_t len);

/* What it holds: borrowed until the next write. Never absent, empty if nothing was written. */
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->ptr == NULL ? "" : b->ptr, b->len};
}
/* The same, NUL-terminated. */
static inline const char *buf_text(const struct buf *b)
{
    return b->ptr == NULL ? "" : b->ptr;
}
/* OK, or ERR_NOMEM / ERR_TOO_LARGE when a write was dropped. */
MUST_USE enum err buf_status(const struct buf *b);
