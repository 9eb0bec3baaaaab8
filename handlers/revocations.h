/*
 * GET and HEAD of /v1/revocations: what a cache that checks tokens itself pulls at its start, before it
 * follows the pushes: whose tokens are dead, up to which second, as of which place of the change log.
 *
 *     {"position":4711,"epoch":"4cb37ca57d","max_lag":30,"revoked":[{"subject":"ann","until":1790000000},…],
 *      "tokens":[{"token":"Jb8…Q","until":1790003600},…]}
 *
 * Only revocations that can still matter. With Accept: application/jwt the same as a JWS of the own issuer's
 * newest key (typ revocations+jwt), with iss, iat and exp, that can be checked with the JWKS wherever it lay
 * meanwhile. iat is the minute's beginning, so that every worker gives the same bytes and the entity tag, a
 * hash of them, holds.
 *
 * The secret key is read from its folder for each list that is signed and wiped behind it: this is asked
 * rarely, and a worker holds no secret otherwise.
 */
#pragma once
#include "handlers/context.h"
#include "token/keyring.h"

struct handlers_revocations {
    struct handlers_context *context;
    const struct token_keyring *keyring; /* a key that it does not hold is not signed with */
    const char *key_folder;
    struct span issuer;
    int64_t reach_s; /* how long behind its second a revocation can matter; -1: for ever */
    int64_t max_lag_s;
};

/* data is a struct handlers_revocations. */
enum err handlers_revocations(void *data, struct http_exchange *x);
