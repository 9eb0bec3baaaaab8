/* Hashes: BLAKE2b (RFC 7693), SipHash-2-4, SHA-256 (FIPS 180-4). Pure; nothing allocates. */
#pragma once
#include "base/span.h"

enum {
    CRYPTO_BLAKE2B_MIN_LEN = 16,
    CRYPTO_BLAKE2B_MAX_LEN = 64,
    CRYPTO_SIPHASH_KEY_LEN = 16,
    CRYPTO_SHA256_LEN = 32
};

/* BLAKE2b of out_len bytes (16 to 64), keyed when key is not empty (16 to 64 bytes). Other lengths are our
 * own bug. */
void crypto_blake2b(struct span message, struct span key, unsigned char *out, size_t out_len);
/* The same over a message that comes in pieces: begin, add each of them, end. */
struct crypto_hasher {
    _Alignas(64) unsigned char state[384]; /* libsodium's */
};
void crypto_hasher_begin(struct crypto_hasher *h, struct span key, size_t out_len);
void crypto_hasher_add(struct crypto_hasher *h, struct span piece);
void crypto_hasher_end(struct crypto_hasher *h, unsigned char *out, size_t out_len);
/* For tables whose keys an attacker may choose: without the key nobody can find collisions. Not for anything
 * stored. */
uint64_t crypto_siphash(const unsigned char key[CRYPTO_SIPHASH_KEY_LEN], struct span message);
/* For what others' formats ask for, such as JWK thumbprints (RFC 7638). */
void crypto_sha256(struct span message, unsigned char out[CRYPTO_SHA256_LEN]);
