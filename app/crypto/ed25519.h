/*
 * Ed25519 (RFC 8032). Pure but for crypto_ed25519_generate, which draws random bytes; nothing allocates. A
 * secret key is the 32-byte seed with the public key behind it; whoever holds one wipes it (crypto_wipe in
 * random.h).
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum {
    CRYPTO_ED25519_SEED_LEN = 32,
    CRYPTO_ED25519_PUBLIC_LEN = 32,
    CRYPTO_ED25519_SECRET_LEN = 64,
    CRYPTO_ED25519_SIGNATURE_LEN = 64,
};

struct crypto_ed25519_pair {
    unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN];
    unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN];
};

/* A new key from random bytes. */
void crypto_ed25519_generate(struct crypto_ed25519_pair *out);
/* The key that the seed stands for (RFC 8032 section 5.1.5). */
void crypto_ed25519_from_seed(const unsigned char seed[CRYPTO_ED25519_SEED_LEN],
                              struct crypto_ed25519_pair *out);
/* The one signature of the message under this key; it is deterministic. */
void crypto_ed25519_sign(const unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN], struct span message,
                         unsigned char out[CRYPTO_ED25519_SIGNATURE_LEN]);
/*
 * Whether the signature is the key's over the message. Stricter than RFC 8032 asks, so that no signature has
 * a second form: S >= L, an R or a key of small order, and a key or R that is not in its canonical form are
 * refused, before anything is computed. Takes some 50 microseconds.
 */
MUST_USE bool crypto_ed25519_verify(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN],
                                    struct span message,
                                    const unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN]);
/* Whether the bytes are a key that may be trusted at all: a canonical point of the curve, in its main
 * subgroup. To be asked when a key is loaded. */
MUST_USE bool crypto_ed25519_key_valid(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN]);
