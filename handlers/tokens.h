/*
 * Revocation of tokens: all that a subject has had up to now, and single ones (RFC 7009). What is answered
 * with success is on disk, and every worker and process knows it with the next request that it takes; caches
 * in front are told by the purges. data is a struct handlers_tokens.
 */
#pragma once
#include "handlers/context.h"
#include "token/keyring.h"

struct handlers_tokens {
    struct handlers_context *context;
    const struct token_keyring *keyring;
};

/* DELETE of /v1/me/tokens and /v1/profiles/{id}/tokens: 204. A subject need not have a profile. */
enum err handlers_revoke_mine(void *data, struct http_exchange *x);
enum err handlers_revoke_all(void *data, struct http_exchange *x);
/*
 * POST of /v1/tokens/revoke: a form with the token, and with token_type_hint and others, which are not looked
 * at. Whoever may read may revoke a token of their own, such as the one that they send, and an administrator
 * any. 200 without a body, also when the token does not count anyway: malformed, expired, of an unknown key,
 * revoked before (section 2.2). 403 for one that is another subject's, whether or not it counts still
 * (section 2.1): that is no more than its holder can read in it.
 */
enum err handlers_revoke_one(void *data, struct http_exchange *x);
