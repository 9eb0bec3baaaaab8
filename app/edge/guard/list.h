/*
 * The list of revocations that the origin signs (GET /v1/revocations): a compact JWS like a token, of typ
 * revocations+jwt, which says up to which position of the change log it is whole. Pure but for the table it
 * fills.
 */
#pragma once
#include "base/err.h"
#include "guard/keys.h"
#include "guard/revoked.h"

enum { GUARD_LIST_MAX_LEN = 64 * 1024 * 1024 };

/*
 * Checks the text (signature by one of our own issuer's keys, typ, iss, exp) and puts what it lists into the
 * table. ERR_INVALID, ERR_EXPIRED: it is not to be trusted, nothing was put in; ERR_FULL, ERR_NOMEM: not all
 * of it could be kept. detail says why. *position is set on OK.
 */
MUST_USE enum err guard_list_read(struct guard_keys *keys, struct span text,
                                  const struct token_policy *policy, int64_t now_s,
                                  struct guard_revoked *table, int64_t *position, struct err_detail *detail);
