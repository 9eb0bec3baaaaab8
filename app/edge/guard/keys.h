/*
 * The keyring of one Varnish, out of JWKS files: our own issuer's (what /.well-known/jwks.json answers, saved
 * to a file) and those of foreign issuers. The files are looked at once a second at most, by whichever thread
 * comes along; when one has changed all are read anew, and a ring that is good takes the place of the old one
 * at once. One that is not leaves the old one in force.
 *
 * Called by any of Varnish's threads once all issuers are there. Verification holds the ring's read lock, the
 * swap its write lock, so that an old ring is freed when nobody uses it; a token that is remembered needs the
 * epoch only, which takes no lock.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "crypto/ed25519.h"
#include "token/verify.h"

struct guard_keys; /* opaque */

/* ERR_NOMEM; *out is then NULL. */
MUST_USE enum err guard_keys_new(struct guard_keys **out);
void guard_keys_free(struct guard_keys **keys);
/*
 * Adds an issuer with its JWKS file; everything is copied. The first is our own, whose keys also sign the
 * list of revocations. Reads the files at once. Errors and detail as token_keyring_add_jwks; the issuers are
 * then as they were. Not to be called while other threads use keys.
 */
MUST_USE enum err guard_keys_add(struct guard_keys *keys, const struct token_issuer_options *options,
                                 const char *jwks, struct err_detail *detail);
/* Looks whether the files have changed, when a second has passed since the last look. An error, once for each
 * change, says why a new ring was not taken. */
MUST_USE enum err guard_keys_refresh(struct guard_keys *keys, int64_t now_us, struct err_detail *detail);
/* The epoch of the ring in force. */
uint64_t guard_keys_epoch(const struct guard_keys *keys);
/* token_verify with the ring in force, whose epoch goes to *epoch. */
MUST_USE enum err guard_keys_verify(struct guard_keys *keys, const struct token_policy *policy,
                                    struct span token, int64_t now_s, struct arena *arena,
                                    struct token_identity *out, uint64_t *epoch, struct err_detail *detail);
/* Our own issuer's key of that kid, copied. false: there is none. */
MUST_USE bool guard_keys_own(struct guard_keys *keys, struct span kid,
                             unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN]);
/* Our own issuer's iss; borrowed. */
struct span guard_keys_own_iss(const struct guard_keys *keys);
