/*
 * The keys that tokens are checked with, and whose they are: our own issuer with the key folder, and foreign issuers with
 * a JWKS file each (RFC 7517, RFC 8037). A key belongs to one issuer. Built at start and on a reload, before workers are
 * forked; read-only afterwards, so that every worker has the same. Only public halves are kept, but for signing (token_signer).
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct token_keyring; /* opaque */

/* What is asked of the tokens of one issuer. Spans are copied by the keyring. */
struct token_issuer_options {
    struct span name;           /* of the configuration's section, for messages; "token" for our own */
    struct span iss;            /* the claim it must bear, compared exactly */
    struct span audience;       /* aud must hold it; absent or empty: aud is not asked for (own issuer only) */
    unsigned scopes;            /* ceiling: what its tokens may hold at most */
    struct span subject_prefix; /* put before each sub */
};

MUST_USE enum err token_keyring_new(struct token_keyring **out);
void token_keyring_free(struct token_keyring **ring);

/* Our own issuer, with every JWK file ("*.jwk") of the folder. The files' modes are checked: no access for others, no writing for the group
 * (a folder that others may write into is refused as well). An empty folder is OK: then no own token counts.
 * Retired keys are left out. ERR_INVALID, ERR_DENIED (modes), ERR_IO with the file named in detail. */
MUST_USE enum err token_keyring_add_folder(struct token_keyring *ring, const struct token_issuer_options *issuer,
                                           const char *folder, struct err_detail *detail);
/* A foreign issuer with its JWKS file: keys of other types are passed over, an Ed25519 key without kid or twice the same kid is ERR_INVALID. */
MUST_USE enum err token_keyring_add_jwks(struct token_keyring *ring, const struct token_issuer_options *issuer,
                                         const char *path, struct err_detail *detail);
/* The number of keys that may verify. */
size_t token_keyring_count(const struct token_keyring *ring);
/* Appends the JWKS document (RFC 7517) of our own issuer's public keys: what /.well-known/jwks.json answers. */
void token_keyring_write_jwks(const struct token_keyring *ring, struct buf *out);
