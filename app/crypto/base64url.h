/*
 * Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strictly: a byte string has exactly one
 * text. The quick functions use tables, whose timing tells about the bytes, and are for what is no secret;
 * the others are for keys.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* How long the text of n bytes is, and how many bytes a text of n characters holds (at most, when n is no
 * valid length). */
static inline size_t crypto_base64url_len(size_t n)
{
    return n / 3 * 4 + (n % 3 * 4 + 2) / 3;
}
static inline size_t crypto_base64url_decoded_len(size_t n)
{
    return n / 4 * 3 + n % 4 * 3 / 4;
}

/* Writes the text of n bytes, crypto_base64url_len(n) characters without a NUL behind them. */
void crypto_base64url_encode(const void *bytes, size_t n, char *out);
/* Appends the text of the bytes; a failure sticks in out. */
void crypto_base64url_write(struct buf *out, struct span bytes);
/*
 * Decodes into out, which has room for size bytes: OK and *len set. ERR_INVALID: another character (also '='
 * and white space), a length no text has, or bits left over that are not zero. ERR_TOO_LARGE: no room. On
 * failure *len is 0 and out is cleared as far as it was written.
 */
MUST_USE enum err crypto_base64url_decode(struct span text, void *out, size_t size, size_t *len);

/* The same in constant time, for secret keys. The caller wipes text and bytes. */
void crypto_base64url_write_secret(struct buf *out, struct span bytes);
/* Only a text of exactly size bytes counts. ERR_INVALID otherwise, and out is cleared. */
MUST_USE enum err crypto_base64url_decode_secret(struct span text, void *out, size_t size);
