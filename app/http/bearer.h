/* Bearer tokens in HTTP (RFC 6750): taking one out of Authorization, and the challenge of a 401 or 403. Pure.
 */
#pragma once
#include "base/err.h"
#include "http/response.h"

/*
 * Takes the token out of the value of Authorization (section 2.1; the scheme's name without case, RFC 9110
 * section 11.1). *token borrows from value. ERR_NOT_FOUND: the value is absent, or of another scheme: no
 * token was given. ERR_INVALID: nothing behind "Bearer". *token is then absent. Whether its characters may
 * stand there is not looked at yet: a token that is remembered, letter for letter, need not be read again.
 */
MUST_USE enum err http_bearer_token(struct span value, struct span *token);

/* Whether it is a b64token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
bool http_bearer_is_b64token(struct span token);

/*
 * Adds WWW-Authenticate: Bearer realm="profiled", and then error="…" (NULL: none, which section 3.1 asks for
 * when no token was given), error_description="…" and scope="…" (absent or empty: none). Characters that
 * section 3 does not allow in them are written as "?".
 */
void http_bearer_challenge(struct http_response *response, const char *error, struct span description,
                           struct span scope);
