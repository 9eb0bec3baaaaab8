#include "http/precondition.h"

#include "http/date.h"
#include "http/etag.h"

/* RFC 9110 section 13.1.1: strong comparison; "*" holds for anything that exists. */
static bool if_match_holds(const struct http_request *request, const struct http_current *current)
{
    struct span value = http_request_header(request, HTTP_HEADER_IF_MATCH);
    if (!current->exists)
        return false;
    return http_etag_is_any(value) ||
           http_etag_list_matches(value, current->tags, current->tag_count, HTTP_ETAG_STRONG);
}

/* Section 13.1.2: weak comparison; "*" holds for nothing that exists. */
static bool if_none_match_holds(const struct http_request *request, const struct http_current *current)
{
    struct span value = http_request_header(request, HTTP_HEADER_IF_NONE_MATCH);
    if (!current->exists)
        return true;
    return !http_etag_is_any(value) &&
           !http_etag_list_matches(value, current->tags, current->tag_count, HTTP_ETAG_WEAK);
}

/* The date of a condition; false when it is to be ignored: no valid date, or nothing to compare it with. */
static bool condition_date(const struct http_request *request, enum http_header header,
                           const struct http_current *current, int64_t now_s, int64_t *date_s)
{
    struct span value = span_trim(http_request_header(request, header));
    return current->exists && current->modified_s != HTTP_NO_DATE &&
           http_date_parse(value, now_s, date_s) == OK;
}

/* Section 13.1.4 */
static bool if_unmodified_since_holds(const struct http_request *request, const struct http_current *current,
                                      int64_t now_s)
{
    int64_t date_s;
    if (!condition_date(request, HTTP_HEADER_IF_UNMODIFIED_SINCE, current, now_s, &date_s))
        return true;
    return current->modified_s <= date_s;
}

/* Section 13.1.3 */
static bool if_modified_since_holds(const struct http_request *request, const struct http_current *current,
                                    int64_t now_s)
{
    int64_t date_s;
    if (!condition_date(request, HTTP_HEADER_IF_MODIFIED_SINCE, current, now_s, &date_s))
        return true;
    return current->modified_s > date_s;
}

enum http_precondition http_precondition_evaluate(const struct http_request *request,
                                                  const struct http_current *current, int64_t now_s)
{
    const unsigned reads = HTTP_GET | HTTP_HEAD, creates = HTTP_POST | HTTP_PUT,
                   changes = HTTP_PATCH | HTTP_DELETE;
    bool is_read = (request->method & reads) != 0;

    /* section 13.2.1: not for methods that select no representation, nor where the answer is a 404 in any
     * case */
    if ((request->method & (reads | creates | changes)) == 0)
        return HTTP_PRECONDITION_PROCEED;
    if (!current->exists && (request->method & creates) == 0)
        return HTTP_PRECONDITION_PROCEED;

    /* section 13.2.2, steps 1 and 2 */
    bool has_if_match = http_request_has(request, HTTP_HEADER_IF_MATCH);
    if (has_if_match) {
        if (!if_match_holds(request, current))
            return HTTP_PRECONDITION_FAILED;
    } else if (http_request_has(request, HTTP_HEADER_IF_UNMODIFIED_SINCE)) {
        if (!if_unmodified_since_holds(request, current, now_s))
            return HTTP_PRECONDITION_FAILED;
    }
    /* steps 3 and 4 */
    if (http_request_has(request, HTTP_HEADER_IF_NONE_MATCH)) {
        if (!if_none_match_holds(request, current))
            return is_read ? HTTP_PRECONDITION_NOT_MODIFIED : HTTP_PRECONDITION_FAILED;
    } else if (is_read && http_request_has(request, HTTP_HEADER_IF_MODIFIED_SINCE)) {
        if (!if_modified_since_holds(request, current, now_s))
            return HTTP_PRECONDITION_NOT_MODIFIED;
    }
    /* RFC 6585 section 3: no lost updates */
    if (current->exists && !has_if_match && (request->method & (HTTP_PUT | HTTP_PATCH | HTTP_DELETE)) != 0)
        return HTTP_PRECONDITION_REQUIRED;
    return HTTP_PRECONDITION_PROCEED;
}
