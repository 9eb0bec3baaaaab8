/* Random bytes, and the care that secrets need. Nothing allocates. */
#pragma once
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* n bytes that nobody can guess, from the kernel; children of a fork get different ones. Never fails: a
 * system without random bytes ends the program. */
void crypto_random(void *out, size_t n);
/* Zeroes the bytes in a way that the compiler does not leave out. */
void crypto_wipe(void *bytes, size_t n);
/* Whether the n bytes are equal, in a time that does not tell where they differ. */
MUST_USE bool crypto_equal(const void *a, const void *b, size_t n);

enum { CRYPTO_UUID_LEN = 36 };
/* A UUID version 7 (RFC 9562 section 5.7) as lower-case text with a NUL: the Unix time, then 74 random bits.
 */
void crypto_uuid7(int64_t now_ms, char out[CRYPTO_UUID_LEN + 1]);
