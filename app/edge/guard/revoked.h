/*
 * Whose tokens are dead, as one Varnish knows it: for a subject the second up to which tokens were revoked
 * (including that second, and all that do not say when they were issued). A later moment takes the place of
 * an earlier one. A single token stands there as "@" and its name (token/name.h), which no subject begins
 * with, until its end. What is so old that each token under it that says when it was issued has ended goes
 * when room is needed, so that the table holds what was revoked within the longest life of a token, and
 * little more. When memory runs out or a bound is reached the table says so, and its user must not trust it
 * any more.
 *
 * Called by any of Varnish's threads; one read-write lock, held for one look-up or one insertion (now and
 * then one that goes through the whole table).
 */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "token/name.h"

#include <stdint.h>

enum { GUARD_REVOKED_MAX = 4 * 1024 * 1024 };

struct guard_revoked; /* opaque */

/* most: how many subjects at most. reach_s: how long behind its second a revocation can matter to a token
 * that says when it was issued; -1: for ever. ERR_NOMEM; *out is then NULL. */
MUST_USE enum err guard_revoked_new(size_t most, int64_t reach_s, struct guard_revoked **out);
void guard_revoked_free(struct guard_revoked **table);
/* ERR_INVALID: no subject and no token; ERR_FULL, ERR_NOMEM: it could not be kept. */
MUST_USE enum err guard_revoked_put(struct guard_revoked *table, struct span subject, int64_t until_s,
                                    int64_t now_s);
/* Whether a token of this subject is dead; issued_s is TOKEN_NO_TIME when it does not say. */
bool guard_revoked_has(struct guard_revoked *table, struct span subject, int64_t issued_s);
/* Whether the token of this name is. */
bool guard_revoked_has_token(struct guard_revoked *table, const char name[TOKEN_NAME_LEN]);
size_t guard_revoked_count(struct guard_revoked *table);
/* Puts in a header's "subject=until_s subject=until_s …", subjects percent-encoded. ERR_INVALID: some of it
 * could not be read (what could is in); else as guard_revoked_put. An absent header is OK. */
MUST_USE enum err guard_revoked_put_header(struct guard_revoked *table, struct span header, int64_t now_s);
