/*
 * The query's parameters, by the names that an address knows. One that it does not know is refused, for a
 * misspelt one must not look as if it had worked.
 */
#pragma once
#include "base/err.h"
#include "http/exchange.h"

struct handlers_parameter {
    const char *name;
    struct span
        *values;  /* what was given, in its order: decoded, empty without "=", in the query or the arena */
    size_t most;  /* how often it may be given */
    size_t count; /* how often it was; set by the reading */
};

/* OK, with all counts set. Or the answer is made already: 400 for a query that is malformed, a parameter that
 * is none of known, or one that was given too often; 503 when memory is out. */
MUST_USE enum err handlers_parameters_read(struct http_exchange *x, struct handlers_parameter *known,
                                           size_t known_count);
/* For an address that knows none. */
MUST_USE enum err handlers_no_parameters(struct http_exchange *x);
