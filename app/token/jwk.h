/*
 * One Ed25519 key as a JSON Web Key (RFC 7517, RFC 8037 section 2): what it holds, its thumbprint, its text.
 * Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "crypto/ed25519.h"

#include <jansson.h>

enum { TOKEN_THUMBPRINT_LEN = 43, TOKEN_KID_MAX_LEN = 255 };

struct token_jwk {
    struct span kid; /* borrowed from the JSON value; absent when it has none */
    unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN];
};

/*
 * Reads the public half. ERR_NOT_FOUND: well formed and not for us (another kty or crv, use other than "sig",
 * key_ops with neither "verify" nor "sign", another alg). ERR_INVALID: an Ed25519 key that is broken: x
 * missing or not strict base64url of 32 bytes, not a point of the main subgroup, a kid that is no string, is
 * empty, too long or holds NUL. "d" is not looked at.
 */
MUST_USE enum err token_jwk_read(const json_t *jwk, struct token_jwk *out, struct err_detail *detail);

/*
 * Takes the secret half out of a key file's text before the JSON parser copies it into memory that nobody
 * wipes: the value of "d" is decoded into seed and its characters in text become 'A's. true when there was
 * one; false: none was found as it should be, seed is zeroed.
 */
MUST_USE bool token_jwk_take_seed(char *text, size_t len, unsigned char seed[CRYPTO_ED25519_SEED_LEN]);

/* The key's RFC 7638 thumbprint with SHA-256 in base64url (RFC 8037 appendix A.3), NUL-terminated. */
void token_jwk_thumbprint(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN],
                          char out[TOKEN_THUMBPRINT_LEN + 1]);

/* Appends {"kty":"OKP","crv":"Ed25519","kid":…,"x":…,"use":"sig","alg":"EdDSA"} without the closing brace,
 * for members to be added. kid is UTF-8. */
void token_jwk_write_open(struct buf *out, struct span kid,
                          const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN]);
