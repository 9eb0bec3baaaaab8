/* JSON Patch, RFC 6902, with the pointers of RFC 6901. Pure and atomic: a copy is changed, and given only when every operation worked. */
#pragma once
#include "base/err.h"

#include <jansson.h>

/*
 * *out is a new reference on OK. ERR_INVALID: patch is no JSON Patch document (not an array of operations, an unknown op, a member missing, a bad pointer): 400.
 * ERR_CONFLICT: an operation does not fit the target (a path that is not there, a failed test): 409 or 422. ERR_NOMEM. detail names the operation's index.
 */
MUST_USE enum err profile_json_patch(const json_t *target, const json_t *patch, json_t **out, struct err_detail *detail);
