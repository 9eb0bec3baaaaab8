/*
 * Changing the own issuer's key folder (keyfolder.h): a new key, a retired one. Does I/O; used by the
 * subcommands. A running pool sees it when it reloads.
 */
#pragma once
#include "base/err.h"
#include "token/keyfolder.h"

#include <sys/types.h>

/* Whom new files and a new folder are given to. */
struct token_key_owner {
    uid_t uid;
    gid_t gid;
};

/*
 * Makes a key and writes it as KID.jwk, mode 0600; now_ms becomes its created_at. A folder that is missing is
 * made, mode 0700, with its parents. owner NULL: all stays the caller's own. kid takes the thumbprint.
 * ERR_DENIED: the folder's modes; ERR_FULL, ERR_IO, ERR_NOMEM: nothing was written but perhaps the folder.
 */
MUST_USE enum err token_key_new(const char *folder, int64_t now_ms, const struct token_key_owner *owner,
                                char kid[TOKEN_THUMBPRINT_LEN + 1], struct err_detail *detail);
/* Writes retired_at into the key's file, which keeps its owner and mode: the key verifies and signs no more
 * once the pool reloads. ERR_CONFLICT: it is retired already. ERR_FULL, ERR_IO, ERR_NOMEM: the file is as it
 * was. */
MUST_USE enum err token_key_retire(const struct token_keyfile *key, int64_t now_ms,
                                   struct err_detail *detail);
