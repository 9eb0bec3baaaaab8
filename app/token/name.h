/*
 * A token's name: what it is revoked under, here and in the caches in front. Of a token with a jti it is a
 * hash of issuer and jti (RFC 7519 section 4.1.7: together they name one token), of any other a hash of the
 * token itself, which has exactly one text. It tells nothing of the token, and nobody finds two of one name.
 * Pure.
 */
#pragma once
#include "token/verify.h"

enum { TOKEN_NAME_LEN = 32 };

/* The name of a verified token, in characters of base64url, without a NUL. Does not fail. */
void token_name(const struct token_identity *who, struct span token, char out[TOKEN_NAME_LEN]);
