#include "crypto/hash.h"

#include <assert.h>
#include <sodium.h>

static_assert(CRYPTO_BLAKE2B_MAX_LEN == crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b");
static_assert(CRYPTO_SIPHASH_KEY_LEN == crypto_shorthash_siphash24_KEYBYTES, "SipHash");
static_assert(sizeof(struct crypto_hasher) >= sizeof(crypto_generichash_blake2b_state) &&
                  _Alignof(struct crypto_hasher) >= _Alignof(crypto_generichash_blake2b_state),
              "BLAKE2b's state");
static_assert(CRYPTO_SHA256_LEN == crypto_hash_sha256_BYTES, "SHA-256");

void crypto_blake2b(struct span message, struct span key, unsigned char *out, size_t out_len)
{
    int failed = crypto_generichash_blake2b(out, out_len, (const unsigned char *)message.ptr, message.len,
                                            (const unsigned char *)key.ptr, key.len);
    assert(failed == 0);
    (void)failed;
}

static crypto_generichash_blake2b_state *state_of(struct crypto_hasher *h)
{
    return (crypto_generichash_blake2b_state *)(void *)h->state;
}

void crypto_hasher_begin(struct crypto_hasher *h, struct span key, size_t out_len)
{
    int failed =
        crypto_generichash_blake2b_init(state_of(h), (const unsigned char *)key.ptr, key.len, out_len);
    assert(failed == 0);
    (void)failed;
}

void crypto_hasher_add(struct crypto_hasher *h, struct span piece)
{
    crypto_generichash_blake2b_update(state_of(h), (const unsigned char *)piece.ptr, piece.len);
}

void crypto_hasher_end(struct crypto_hasher *h, unsigned char *out, size_t out_len)
{
    int failed = crypto_generichash_blake2b_final(state_of(h), out, out_len);
    assert(failed == 0);
    (void)failed;
}

uint64_t crypto_siphash(const unsigned char key[CRYPTO_SIPHASH_KEY_LEN], struct span message)
{
    unsigned char bytes[crypto_shorthash_siphash24_BYTES];
    uint64_t value = 0;
    crypto_shorthash_siphash24(bytes, (const unsigned char *)message.ptr, message.len, key);
    for (size_t i = 0; i < sizeof bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

void crypto_sha256(struct span message, unsigned char out[CRYPTO_SHA256_LEN])
{
    crypto_hash_sha256(out, (const unsigned char *)message.ptr, message.len);
}
