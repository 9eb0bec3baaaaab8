/*
 * Reading JSON strictly (RFC 8259, and I-JSON's rules of RFC 7493): UTF-8 only, no duplicate member names,
 * nothing behind the value, a limit on depth. The result is jansson's json_t, the common vocabulary of the
 * rooms above. Pure, no I/O.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

#include <jansson.h>

enum { JSON_MAX_DEPTH = 32 };

/*
 * Parses one JSON text. On OK *out is a new reference that the caller json_decref's. ERR_INVALID: malformed,
 * a duplicate name, an integer beyond 64 bits, or deeper than max_depth (a scalar has depth 0, [] has 1);
 * detail says what and at which line and column; *out is NULL. ERR_NOMEM. Any kind of value is allowed at the
 * top.
 */
MUST_USE enum err json_load_strict(struct span text, int max_depth, json_t **out, struct err_detail *detail);
