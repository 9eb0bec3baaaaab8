/*
 * Matching a request's path with the patterns of the route table. Each segment of the path is percent-decoded
 * once (RFC 3986 section 2.4), after the path was split, so that an encoded slash never makes a segment of
 * its own. What stands behind a pattern's "?" is the name of a parameter that the query must have. Pure.
 */
#pragma once
#include "route/router.h"

enum { ROUTE_MAX_SEGMENTS = 8 };
struct route_path {
    struct span
        segments[ROUTE_MAX_SEGMENTS]; /* decoded; in the arena, or in the path where nothing was encoded */
    size_t count;
};

/* ERR_INVALID: not a path, or a bad escape. ERR_NOT_FOUND: more segments than any pattern has. ERR_NOMEM. */
MUST_USE enum err route_path_split(struct span path, struct arena *arena, struct route_path *out);
/* Whether the pattern fits the path; captures get its variable segments then (*capture_count of them), else
 * are as before. */
bool route_pattern_fits(const char *pattern, const struct route_path *path,
                        struct span captures[HTTP_MAX_CAPTURES], size_t *capture_count);
/* Whether two patterns are of one resource: alike but for the parameter. */
bool route_pattern_same(const char *a, const char *b);
/* Whether the query has the parameter that the pattern asks for, or it asks for none. A query that is
 * malformed has what could be read of it: to refuse it is the handler's part. */
bool route_pattern_asked(const char *pattern, struct span query, struct arena *arena);
