/*
 * The room that alone uses libsodium. Its other headers: ed25519.h (signatures), hash.h (BLAKE2b, SipHash,
 * SHA-256), base64url.h, hex.h, random.h (random bytes, UUIDs, wiping, comparing secrets).
 */
#pragma once
#include "base/err.h"

/* Makes the library ready: once in each program, before anything else of this room and before threads or
 * forks. May be called again. ERR_IO when the system gives no random bytes. */
MUST_USE enum err crypto_init(void);
