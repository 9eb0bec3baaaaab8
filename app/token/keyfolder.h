/*
 * The own issuer's key folder: a JWK file ("*.jwk") for each Ed25519 key, with the secret half in "d",
 * "created_at", and "retired_at" once it is retired (both RFC 3339). The newest key that is not retired and
 * has its secret half signs; all that are not retired verify. Does I/O; used by the supervisor before it
 * forks, and by the subcommands; by a worker only for the moment in which it signs a list of revocations.
 *
 * Modes are checked, because whoever can write a key can mint tokens and whoever can read one too: a file
 * that others may touch or the group may write, and a folder that the group or others may write into, are
 * refused.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "token/jwk.h"

enum { TOKEN_KEYFILE_MAX_LEN = 16 * 1024 };

struct token_keyfile {
    char *path;
    char kid[TOKEN_KID_MAX_LEN + 1]; /* the thumbprint when the file does not say */
    unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN];
    bool has_secret;
    bool retired;
    int64_t created_ms; /* Unix time; 0 when the file does not say */
    int64_t retired_ms;
};

/* Zeroed is empty. */
struct token_keyfolder {
    struct token_keyfile *keys; /* oldest first, those of one moment by kid */
    size_t count;
};

/* Reads every key file. ERR_NOT_FOUND: no such folder; ERR_DENIED: modes; ERR_INVALID: a file that is no good
 * key, or two with one kid; ERR_IO, ERR_NOMEM. detail names the file; *out is then empty. To be given to
 * token_keyfolder_fini after OK. */
MUST_USE enum err token_keyfolder_load(const char *folder, struct token_keyfolder *out,
                                       struct err_detail *detail);
void token_keyfolder_fini(struct token_keyfolder *f);
/* The key of that kid; NULL when there is none. Borrowed. */
const struct token_keyfile *token_keyfolder_find(const struct token_keyfolder *f, struct span kid);
/* The key that signs; NULL when there is none. Borrowed. */
const struct token_keyfile *token_keyfolder_signing(const struct token_keyfolder *f);
/* Whether the folder is there and has the modes it must have. ERR_NOT_FOUND, ERR_DENIED, ERR_IO. */
MUST_USE enum err token_keyfolder_check(const char *folder, struct err_detail *detail);

/* A key with its secret half, for minting. */
struct token_signer {
    char kid[TOKEN_KID_MAX_LEN + 1];
    unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN];
};

/* The folder's signing key. Errors as token_keyfolder_load; ERR_NOT_FOUND also when no key signs. *out is
 * zeroed on failure, and after OK to be given to token_signer_wipe. */
MUST_USE enum err token_signer_load(const char *folder, struct token_signer *out, struct err_detail *detail);
/* The same of those keys that known says yes to: a worker signs with none that its own JWKS does not hold. */
MUST_USE enum err token_signer_load_known(const char *folder, bool (*known)(void *data, struct span kid),
                                          void *data, struct token_signer *out, struct err_detail *detail);
void token_signer_wipe(struct token_signer *s);
