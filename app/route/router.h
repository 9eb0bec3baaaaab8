/*
 * From a request to the handler that answers it: the table of routes, matching, authorisation, and what every
 * answer bears. The composition root fills the table, so that this room knows no handler. Read-only once
 * built; each worker answers with it, one request at a time.
 */
#pragma once
#include "base/clock.h"
#include "http/cors.h"
#include "http/exchange.h"
#include "route/authorise.h"
#include "route/rate.h"

/* One row: some methods of a resource. A resource with methods of different scopes has several rows of one
 * pattern. */
struct route {
    const char *pattern; /* "/v1/profiles/{id}/full": {…} takes one segment, "@{…}" one that begins with "@"
                            (the capture holds what follows it). "/v1/profiles?id": the row is for requests
                            that have this parameter; it stands before the one for those that have not */
    unsigned methods;    /* http_method bits; HEAD is listed where it works */
    unsigned scope;      /* token_scope bit that the caller must hold; 0: open, no token is looked at */
    http_handler handle;
    void *data; /* handed to handle */
};

/* A resource whose bodies are handed over as streams, instead of whole up to limits.body. */
struct route_stream {
    const char *pattern; /* of its rows */
    size_t max;          /* bytes that a body may have */
};

struct router {
    const struct route *routes; /* the first row whose pattern and method fit answers */
    size_t count;
    const struct route_stream *streams; /* of the resources that take such */
    size_t stream_count;
    const char *const *queries; /* patterns of those whose POST only asks, and counts as a read */
    size_t query_count;
    const struct route_guard *guard;
    struct route_rates rates;
    struct cache *cache; /* told when an exchange begins */
    bool timing;         /* every answer bears Server-Timing */
    const struct http_cors *cors;
    const struct clock *clock;
};

enum { ROUTE_NONE = -1 };

/* What happened, for the log and the counters. */
struct route_outcome {
    const char *pattern;      /* of the row that matched; NULL: none did */
    int row;                  /* its index in the table, or ROUTE_NONE */
    enum err err;             /* of the handler or of the authorisation */
    struct err_detail reason; /* for the log of a failure of ours; not for the client */
};

/*
 * Fills response for request, whatever it is: every way ends in an answer. The arena holds what belongs to
 * the exchange; the caller resets it afterwards. May block on the store. *outcome is always filled.
 */
void route_answer(const struct router *router, const struct http_request *request,
                  struct http_response *response, struct arena *arena, struct route_outcome *outcome);
/* The same for who can keep a request: where hold->wait_ms is not 0 afterwards, there is no answer yet, and
 * the response is not to be used. */
void route_answer_or_hold(const struct router *router, const struct http_request *request,
                          struct http_response *response, struct arena *arena, struct route_outcome *outcome,
                          struct http_hold *hold);
/* Before the body is read: how much of it may come as a stream to the row that will answer; 0: it does not,
 * or there is no such row. The arena is used for a path with escapes. */
size_t route_stream_max(const struct router *router, const struct http_request *request, struct arena *arena);
