/*
 * The keys that tokens are checked with, and whose they are: our own issuer with the key folder, and foreign
 * issuers with a JWKS file each (RFC 7517, RFC 8037). A key belongs to one issuer and is found by iss and kid
 * together, so that two issuers may use the same kid. Built at start and on a reload, before workers are
 * forked; read-only afterwards, so that every worker has the same. Only public halves are kept; the secret
 * half that signs is a token_signer's (keyfolder.h).
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct token_keyring; /* opaque */
struct token_issuer;  /* opaque, one of a keyring's */

/* What is asked of the tokens of one issuer. Spans are copied by the keyring. */
struct token_issuer_options {
    struct span name;     /* of the configuration's section, for messages; "token" for our own */
    struct span iss;      /* the claim it must bear, compared exactly */
    struct span audience; /* aud must hold it; absent or empty: aud is not asked for (own issuer only) */
    unsigned scopes; /* ceiling: what its tokens may hold at most; admin in it allows what admin implies */
    struct span subject_prefix; /* put before each sub */
};

MUST_USE enum err token_keyring_new(struct token_keyring **out);
void token_keyring_free(struct token_keyring **ring);

/*
 * Our own issuer, with every JWK file ("*.jwk") of the folder that is not retired. An empty folder is OK:
 * then no own token counts. The files' modes are checked: no access for others, no writing for the group (a
 * folder that the group or others may write into is refused as well). ERR_NOT_FOUND: no such folder.
 * ERR_INVALID, ERR_DENIED (modes), ERR_IO, ERR_NOMEM: with the file named in detail; the ring is as it was.
 */
MUST_USE enum err token_keyring_add_folder(struct token_keyring *ring,
                                           const struct token_issuer_options *options, const char *folder,
                                           struct err_detail *detail);
/*
 * A foreign issuer with its JWKS file: keys of other types are passed over, an Ed25519 key without kid or
 * twice the same kid is ERR_INVALID, as is an issuer without audience or with the iss of another. ERR_DENIED:
 * everybody may write the file. ERR_NOT_FOUND, ERR_TOO_LARGE (over 1 MiB), ERR_IO, ERR_NOMEM. The ring is
 * then as it was.
 */
MUST_USE enum err token_keyring_add_jwks(struct token_keyring *ring,
                                         const struct token_issuer_options *options, const char *path,
                                         struct err_detail *detail);
/* The number of keys that may verify. */
size_t token_keyring_count(const struct token_keyring *ring);
/* The issuer of exactly that iss; NULL when it is not trusted. Borrowed from the ring. */
const struct token_issuer *token_keyring_issuer(const struct token_keyring *ring, struct span iss);
/* What is asked of its tokens. Borrowed from the ring. */
const struct token_issuer_options *token_issuer_options(const struct token_issuer *issuer);
/* Its Ed25519 key of that kid, 32 bytes; NULL when it has none. Borrowed from the ring. */
const unsigned char *token_issuer_key(const struct token_issuer *issuer, struct span kid);
/* A number for all of it: which keys, whose, and what is asked of their tokens. Two keyrings of one number say
 * the same of every token (but for a chance of one in 2^64). ERR_NOMEM. */
MUST_USE enum err token_keyring_epoch(const struct token_keyring *ring, uint64_t *out);
/* Appends the JWKS document (RFC 7517) of our own issuer's public keys, ordered by kid: what
 * /.well-known/jwks.json answers. */
void token_keyring_write_jwks(const struct token_keyring *ring, struct buf *out);
