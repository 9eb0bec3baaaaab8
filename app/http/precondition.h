/*
 * Conditional requests (RFC 9110 section 13): decides, changes nothing. Each precondition is a predicate of
 * its own in the .c file; the order is that of section 13.2.2. Pure.
 *
 * Where the RFC leaves it open:
 * - A malformed If-Match holds for nothing: 412. The client meant to be stopped unless something holds, and
 *   we cannot tell what. A malformed If-None-Match matches nothing, as if it named other tags than ours.
 * - PUT, PATCH and DELETE of something that exists want If-Match (RFC 6585 section 3), unless another
 *   precondition has failed before. If-Unmodified-Since is no replacement: two changes within a second look
 *   alike to it.
 * - What would be answered with a 404 anyway has its preconditions ignored (section 13.2.1): GET, HEAD, PATCH
 *   and DELETE of what does not exist proceed, and the handler says so.
 */
#pragma once
#include "http/request.h"

#define HTTP_NO_DATE INT64_MIN

/* What there is now at the URL. */
struct http_current {
    bool exists;
    const struct span *tags; /* as in ETag; for a write, of each view that the caller may hold */
    size_t tag_count;
    int64_t modified_s; /* Last-Modified, Unix time; HTTP_NO_DATE: none is known */
};

enum http_precondition {
    HTTP_PRECONDITION_PROCEED,
    HTTP_PRECONDITION_NOT_MODIFIED, /* 304 */
    HTTP_PRECONDITION_FAILED,       /* 412 */
    HTTP_PRECONDITION_REQUIRED,     /* 428 */
    HTTP_PRECONDITION_COUNT
};

/* now_s, Unix time, is for dates with a two-digit year. current is not looked at for methods that have no
 * representation to compare with (OPTIONS and unknown ones): they proceed. */
enum http_precondition http_precondition_evaluate(const struct http_request *request,
                                                  const struct http_current *current, int64_t now_s);
