/*
 * A request as the boundary hands it in: spans into memory that lives until the answer is sent. Nothing in it
 * has been decoded or believed yet, but for the method. The boundary fills it (FastCGI and CGI alike), the
 * rooms above read it.
 */
#pragma once
#include "base/span.h"
#include "http/header.h"
#include "http/method.h"
#include "http/stream.h"

struct http_request {
    enum http_method method;
    struct span method_name; /* as it came */
    struct span path;  /* raw, still percent-encoded, without query and without the mount; begins with "/" */
    struct span query; /* raw, what stands behind "?"; absent (ptr NULL) when there is none */
    struct span headers[HTTP_HEADER_COUNT]; /* value by enum; absent when the request has none */
    struct span body;                       /* whole; empty when there is none */
    bool body_too_large;                    /* it was over limits.body and was not read: body is empty */
    struct http_stream stream;              /* where the row of the route takes the body so: body is empty */
    char id[33];                            /* this request's id, ours: 32 hex digits, NUL-terminated */
};

static inline struct span http_request_header(const struct http_request *r, enum http_header h)
{
    return r->headers[h];
}
static inline bool http_request_has(const struct http_request *r, enum http_header h)
{
    return r->headers[h].ptr != NULL;
}
