/*
 * A query string, one parameter after the other: name=value pairs between "&"
 * (application/x-www-form-urlencoded, as browsers and curl write it). Pure.
 *
 *     struct http_query query = {request->query};
 *     while ((e = http_query_next(&query, arena, &name, &value)) == OK)
 *         ...
 *     if (e != ERR_NOT_FOUND)
 *         400
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

struct http_query {
    struct span rest; /* raw, what has not been read yet; absent at the end */
};

/*
 * The next parameter, decoded: percent-encoding once, "+" as a space. *value is empty, not absent, where
 * there is no "=". Nothing between two "&" is passed over. The spans lie in the query or in the arena.
 * ERR_NOT_FOUND: there is none left. ERR_INVALID: an empty name, a bad escape, a NUL, or bytes that are no
 * UTF-8. ERR_NOMEM. name and value are then absent.
 */
MUST_USE enum err http_query_next(struct http_query *query, struct arena *arena, struct span *name,
                                  struct span *value);
