/*
 * Remembers whom a verified token speaks for, inside one Varnish: each signature is verified once. A table of
 * fixed size, in sets of a few entries; a set that is full gives up its entry that ends soonest. A token is
 * known by a hash under a key drawn at start, compared whole; refused tokens are never remembered. Times,
 * keys and revocations are the caller's to look at on every use.
 *
 * Called by any of Varnish's threads. The sets are spread over a few mutexes, held for one comparison and one
 * copy; no other lock is taken under them.
 */
#pragma once
#include "base/err.h"
#include "base/ident.h"
#include "base/span.h"
#include "token/name.h"

#include <stdint.h>

enum { GUARD_MEMO_HASH_LEN = 32 };

struct guard_memo; /* opaque */

/* What is kept of a token: the parts of its identity that are asked for again. */
struct guard_verdict {
    uint64_t keys_epoch; /* of the keyring that verified it */
    int64_t expires_s;
    int64_t not_before_s; /* these two TOKEN_NO_TIME when absent */
    int64_t issued_s;
    unsigned scopes;
    char name[TOKEN_NAME_LEN]; /* what it is revoked under */
    unsigned subject_len;
    char subject[IDENT_MAX_LEN];
};

/* Room for about that many tokens, at least one set. ERR_NOMEM; *out is then NULL. */
MUST_USE enum err guard_memo_new(size_t tokens, struct guard_memo **out);
void guard_memo_free(struct guard_memo **memo);
/* The token's name in the memo. */
void guard_memo_hash(const struct guard_memo *memo, struct span token,
                     unsigned char hash[GUARD_MEMO_HASH_LEN]);
/* ERR_NOT_FOUND: verify it; *out is then undefined. */
MUST_USE enum err guard_memo_find(struct guard_memo *memo, const unsigned char hash[GUARD_MEMO_HASH_LEN],
                                  struct guard_verdict *out);
/* Puts it in, in place of what was known of the same token. */
void guard_memo_put(struct guard_memo *memo, const unsigned char hash[GUARD_MEMO_HASH_LEN],
                    const struct guard_verdict *verdict);
/* How many tokens are remembered, and how many at most. Looks at all of them. */
size_t guard_memo_count(struct guard_memo *memo);
size_t guard_memo_size(const struct guard_memo *memo);
