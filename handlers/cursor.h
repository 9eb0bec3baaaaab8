/*
 * The cursor of a page: where the next one begins, as a text that means nothing to a client and that nobody
 * but us can make. Pure.
 *
 *     base64url( tag[16] | position XOR stream )
 *     tag    = BLAKE2b-128(key, "tag"    0 order 0 query 0 position)
 *     stream = BLAKE2b-512(key, "stream" 0 tag)
 *
 * The tag is the initialisation vector too (as in SIV, RFC 5297): the same position gives the same cursor on
 * every machine, and the position, which may be a number that is shown nowhere, stays hidden. A cursor counts
 * in the order and for the query that it was made for, and nowhere else. It is a place and no permission:
 * whoever has one still needs a token, and sees what there is now.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum { HANDLERS_CURSOR_KEY = 32, HANDLERS_POSITION_MAX = 32 };

struct handlers_cursor {
    const unsigned char *key; /* HANDLERS_CURSOR_KEY bytes */
    struct span order;        /* of the pages: "handle", say */
    struct span query;        /* what they are of; empty: all */
};

/* Appends the cursor for a position, of HANDLERS_POSITION_MAX bytes at most; longer: out fails. */
void handlers_cursor_write(const struct handlers_cursor *cursor, struct span position, struct buf *out);
/* OK: position and *len are those that it was made for. ERR_INVALID: it is none of ours, or none for this.
 * ERR_NOMEM. position is cleared then. */
MUST_USE enum err handlers_cursor_read(const struct handlers_cursor *cursor, struct span text,
                                       unsigned char position[HANDLERS_POSITION_MAX], size_t *len);
