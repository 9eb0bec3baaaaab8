/*
 * Who is asking, and may they: the bearer token of RFC 6750, its verification, revocation, scope. Without a
 * session: all that is needed is in the token, the keyring and one look at the revocations; what came of that
 * is remembered (memo.h).
 */
#pragma once
#include "base/err.h"
#include "http/exchange.h"
#include "route/memo.h"
#include "token/verify.h"

struct route_guard {
    const struct token_keyring *keyring;
    struct token_policy policy;
    struct route_memo memo;
    /* Whether this very token, which is who's, was revoked, alone or with all of its subject's. *state: as of
     * when that holds. Reads the store. */
    enum err (*is_revoked)(void *data, const struct token_identity *who, struct span token, bool *revoked,
                           struct cache_state *state, struct err_detail *detail);
    void *data;
};

/*
 * OK: *out is who asks, and holds the scope. Otherwise the response is a finished problem document: 401
 * without a token or with a bad one (ERR_DENIED, ERR_INVALID, ERR_EXPIRED), 403 with too little scope
 * (ERR_DENIED), 503 when revocations could not be read: a storage fault says nothing about a token (ERR_IO,
 * ERR_BUSY, …; the cause in reason).
 */
MUST_USE enum err route_authorise(const struct route_guard *guard, unsigned scope,
                                  struct http_exchange *exchange, struct token_identity *out,
                                  struct err_detail *reason);
