/*
 * The key by which a client says that a request is the one it has sent before (Idempotency-Key,
 * draft-ietf-httpapi-idempotency-key-header). Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

enum { HTTP_IDEMPOTENCY_KEY_MAX = 255 };

/*
 * Reads the header's value: a string of RFC 8941 section 3.3.3, or the same key without quotes, as many clients
 * send it: characters of a token, and ":", "/", "=", "@". *key is 1 to 255 visible characters and spaces, in the
 * value or in the arena. ERR_NOT_FOUND: there is none. ERR_INVALID: it is no such key, or there are several.
 * ERR_NOMEM.
 */
MUST_USE enum err http_idempotency_key(struct span value, struct arena *arena, struct span *key);
