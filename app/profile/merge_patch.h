/* JSON Merge Patch, RFC 7396. Pure. */
#pragma once
#include "base/err.h"

#include <jansson.h>

/* The algorithm of section 2. *out is a new reference; target (may be NULL) and patch stay as they are.
 * ERR_NOMEM. */
MUST_USE enum err profile_merge_patch(const json_t *target, const json_t *patch, json_t **out);
