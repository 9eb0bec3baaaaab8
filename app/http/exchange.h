/*
 * One exchange: what a handler is called with. The route room has matched the path, checked the token and the
 * scope; the handler decides on the resource and fills the response. It lives on the worker's stack for one
 * request.
 */
#pragma once
#include "base/arena.h"
#include "http/request.h"
#include "http/response.h"

struct token_identity; /* the token room's; NULL on an open path */

enum { HTTP_MAX_CAPTURES = 2 };

/*
 * An answer that may be put off: by who asks for what is not there yet (long polling), where whoever serves
 * can keep the request without holding up another. A handler that has nothing to say sets wait_ms and leaves
 * the response empty; it is called again, from the beginning, once the place has changed or the time is over.
 */
struct http_hold {
    bool full;       /* set by who serves: there is no room, who wants to wait is to be told so (503) */
    bool again;      /* likewise: it was kept before, and counted then */
    bool last;       /* likewise: the time is over, it must be answered now */
    int64_t wait_ms; /* 0: the answer is made */
    uint64_t place;  /* one number for what was looked at and had nothing to say */
};

/* What an exchange costs, where somebody wants to know: filled on the way by who does the work. Microseconds
 * of the monotonic clock. */
struct http_timing {
    int64_t begun_us;
    int64_t authorised_us; /* 0: the path is open */
    int64_t store_us;      /* spent reading the database; 0: it was not read */
    struct span cache; /* what came of the internal cache, as in Cache-Status; absent: not asked. Static */
    bool remembered;   /* the token's signature did not have to be verified */
    bool may_watch;    /* who asks may see this */
};

struct http_exchange {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena; /* for whatever must live as long as the exchange */
    int64_t now_ms;      /* when the request came in */
    const struct token_identity *caller;
    /* the path's variable segments, percent-decoded once, in the order of the pattern */
    struct span captures[HTTP_MAX_CAPTURES];
    size_t capture_count;
    struct http_hold *hold;     /* NULL: it must be answered now */
    struct http_timing *timing; /* NULL: nobody wants to know */
    struct err_detail reason;   /* left by the handler for the log when a fault of ours failed it; never shown
                                   to the client */
};

/*
 * A handler: data is what the composition root wired to it. It answers by filling exchange->response, errors
 * as problem documents included, and returns the err that describes the outcome for the log (OK when the
 * answer is as meant, whatever its status).
 */
typedef enum err (*http_handler)(void *data, struct http_exchange *exchange);
