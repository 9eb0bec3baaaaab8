/* The request methods that the server knows, as bits, so that a route can name a set of them (RFC 9110
 * section 9, RFC 5789). */
#pragma once
#include "base/buf.h"
#include "base/span.h"

enum http_method {
    HTTP_GET = 1 << 0,
    HTTP_HEAD = 1 << 1,
    HTTP_POST = 1 << 2,
    HTTP_PUT = 1 << 3,
    HTTP_PATCH = 1 << 4,
    HTTP_DELETE = 1 << 5,
    HTTP_OPTIONS = 1 << 6,
    HTTP_METHOD_OTHER = 1 << 7, /* one that no resource here has: 405, or 404 where there is no resource */
};

/* By its exact name (methods are case-sensitive); HTTP_METHOD_OTHER for any other. */
enum http_method http_method_of(struct span name);
/* The name, static; "" for HTTP_METHOD_OTHER. */
const char *http_method_name(enum http_method m);
/* Appends a list such as "GET, HEAD, PUT" of the set's methods, for Allow. */
void http_method_list(struct buf *out, unsigned methods);
