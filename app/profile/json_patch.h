/*
 * JSON Patch, RFC 6902, with the pointers of RFC 6901. Pure and atomic: a copy is changed, and given only
 * when every operation worked.
 *
 * Work is bounded. A patch has at most 1000 operations; what its "copy" operations copy may come to 1 MiB,
 * each value counted with 32 bytes and the bytes of its strings and names, since copies of copies double with
 * each operation; and the outcome may be no deeper than JSON_MAX_DEPTH, as everything else that is read.
 */
#pragma once
#include "base/err.h"

#include <jansson.h>

enum { PROFILE_PATCH_MAX_OPERATIONS = 1000, PROFILE_PATCH_MAX_COPIED = 1 << 20 };

/*
 * target and patch are values that json_load_strict gave, or as deep at most. *out is a new reference on OK,
 * else NULL.
 *
 * ERR_INVALID: patch is no JSON Patch document (not an array of operations, an unknown op, a member missing,
 * a malformed pointer, a move into itself), found before anything is applied; or the outcome is too deep:
 * 400. ERR_CONFLICT: an operation does not fit the target (a path that is not there, a failed test): 409 or
 * 422. ERR_TOO_LARGE: past a bound named above: 413. ERR_NOMEM. detail names the operation by its index,
 * counted from 0.
 */
MUST_USE enum err profile_json_patch(const json_t *target, const json_t *patch, json_t **out,
                                     struct err_detail *detail);
