/*
 * A token taken apart: the two forms' common shape between splitting (jwt.h, paseto.h) and judging
 * (verify.h). Nothing in it is trusted yet; the payload is read before the signature is checked for one thing
 * only, whose key is to be taken.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "crypto/ed25519.h"

struct token_parts {
    struct span header;  /* JSON: a JWT's header, a PASETO's footer (absent when it has none) */
    struct span payload; /* JSON: the claims */
    struct span message; /* the bytes that the signature is over */
    unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN];
};

/* The one thing that is told of a token whose shape is wrong, whatever is wrong with it. */
static inline enum err token_malformed(struct err_detail *detail)
{
    return err_set(detail, ERR_INVALID, "the token is malformed");
}
