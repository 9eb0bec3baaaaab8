#include "crypto/ed25519.h"

#include <assert.h>
#include <sodium.h>

static_assert(CRYPTO_ED25519_SEED_LEN == crypto_sign_ed25519_SEEDBYTES, "seed");
static_assert(CRYPTO_ED25519_PUBLIC_LEN == crypto_sign_ed25519_PUBLICKEYBYTES, "public key");
static_assert(CRYPTO_ED25519_SECRET_LEN == crypto_sign_ed25519_SECRETKEYBYTES, "secret key");
static_assert(CRYPTO_ED25519_SIGNATURE_LEN == crypto_sign_ed25519_BYTES, "signature");

void crypto_ed25519_generate(struct crypto_ed25519_pair *out)
{
    crypto_sign_ed25519_keypair(out->public_key, out->secret_key);
}

void crypto_ed25519_from_seed(const unsigned char seed[CRYPTO_ED25519_SEED_LEN],
                              struct crypto_ed25519_pair *out)
{
    crypto_sign_ed25519_seed_keypair(out->public_key, out->secret_key, seed);
}

void crypto_ed25519_sign(const unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN], struct span message,
                         unsigned char out[CRYPTO_ED25519_SIGNATURE_LEN])
{
    crypto_sign_ed25519_detached(out, NULL, (const unsigned char *)message.ptr, message.len, secret_key);
}

bool crypto_ed25519_verify(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN], struct span message,
                           const unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN])
{
    /* libsodium itself refuses S >= L, small orders and non-canonical keys; R is compared in its canonical
     * form. The tests hold it to that, because a build with ED25519_COMPAT would not. */
    return crypto_sign_ed25519_verify_detached(signature, (const unsigned char *)message.ptr, message.len,
                                               public_key) == 0;
}

bool crypto_ed25519_key_valid(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}
