/* Hexadecimal text. Pure. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Appends two lower-case digits for each byte; a failure sticks in out. */
void crypto_hex_write(struct buf *out, struct span bytes);
/* Decodes into out, which has room for size bytes: OK and *len set. Digits of either case. ERR_INVALID:
 * another character or an odd number of them; ERR_TOO_LARGE: no room. On failure *len is 0 and out is
 * cleared. */
MUST_USE enum err crypto_hex_decode(struct span text, void *out, size_t size, size_t *len);
