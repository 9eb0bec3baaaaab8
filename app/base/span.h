/*
 * A span: some bytes of somebody else's, with their length. It owns nothing and is passed by value. ptr NULL
 * means absent, which is not the same as empty. Bytes are not NUL-terminated unless a function says so.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *ptr;
    size_t len;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){("" literal), sizeof(literal) - 1})
/* The same as a constant initialiser. */
#define SPAN_INIT(literal)                                                                                   \
    {                                                                                                        \
        ("" literal), sizeof(literal) - 1                                                                    \
    }
/* For printf's %.*s */
#define SPAN_ARG(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr

static inline struct span span_of(const char *ptr, size_t len)
{
    return (struct span){ptr, len};
}

/* Over a NUL-terminated string, which may be NULL (absent). */
static inline struct span span_str(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* ASCII letters compared without case. */
bool span_eq_nocase(struct span a, struct span b);
/* Without the spaces and tabs at both ends (OWS of RFC 9110 5.6.3). */
struct span span_trim(struct span s);
/* Cuts at the first separator: returns what stands before it and leaves what stands behind it in *rest, which
 * becomes absent (ptr NULL) when there was no separator. */
struct span span_cut(struct span *rest, char separator);
/* The same bytes from offset on; empty past the end. */
struct span span_from(struct span s, size_t offset);
/* Decimal digits only, at least one, no sign, no more than max: true and *out set, else false and *out as it
 * was. */
bool span_to_u64(struct span s, uint64_t max, uint64_t *out);
