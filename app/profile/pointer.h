/* JSON Pointer, RFC 6901, one reference token after the other. Pure. */
#pragma once
#include "base/buf.h"

#include <jansson.h>

/* Section 3: empty, or tokens each behind a '/', with '~' only in "~0" and "~1". A token with U+0000 is
 * refused too: jansson could not read such a member name back. */
bool profile_pointer_valid(struct span pointer);

/*
 * Takes the first token off a valid, non-empty *pointer and gives it decoded: borrowed from the pointer, or,
 * where it holds an escape, from scratch (until its next use). Absent when memory is out.
 */
struct span profile_pointer_next(struct span *pointer, struct buf *scratch);

/* Writes "/" and the token, '~' and '/' as "~0" and "~1" (section 3): twice its length and one byte at most.
 * Gives the end of what was written. */
char *profile_pointer_write(char *to, struct span token);

/* Section 4: an array index is decimal digits without a leading zero. False: it is none, or is above last. */
bool profile_pointer_index(struct span token, size_t last, size_t *index);

/* The member or element that the token names in the container: borrowed, NULL when there is none. */
json_t *profile_pointer_step(const json_t *container, struct span token);
