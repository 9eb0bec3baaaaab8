/*
 * Remembers whom a verified token speaks for, in the cache that the pool shares, so that its signature is
 * verified once. What is looked at on every use all the same: the times, the keyring (by its epoch: a key
 * that was retired takes its verdicts along), and whether the subject's tokens were revoked (the change log
 * makes such verdicts old). A token that was refused is never remembered, and of a token nothing is kept but
 * its keyed hash.
 */
#pragma once
#include "cache/cache.h"
#include "token/verify.h"

struct route_memo {
    struct cache *cache;
    uint64_t keys_epoch; /* token_keyring_epoch */
};

/* OK: *out is what token_verify said of this very token, its times hold now, and it has not been revoked
 * since. ERR_NOT_FOUND: verify it. ERR_NOMEM. hash is filled in any case that the memo is in use, for
 * remember. */
MUST_USE enum err route_memo_find(const struct route_memo *memo, struct span token,
                                  const struct token_policy *policy, int64_t now_s, struct arena *arena,
                                  struct token_identity *out, unsigned char hash[CACHE_TOKEN_HASH_LEN]);
/* The token of this hash was verified, and not revoked in that state of the database. */
void route_memo_remember(const struct route_memo *memo, const unsigned char hash[CACHE_TOKEN_HASH_LEN],
                         const struct token_policy *policy, const struct token_identity *identity,
                         struct cache_state state);
