/*
 * What caches may do with an answer, from the configuration and the kind of answer alone (RFC 9111, RFC
 * 9213). The policy:
 *
 *   kind          | Cache-Control                       | and
 *   --------------+-------------------------------------+-------------------------------------------
 *   public view   | public, no-cache, must-revalidate   |
 *     max_age > 0 | private, max-age=N, must-revalidate |
 *     private     | private, no-cache                   |
 *     edge        | as in the two lines at the top      | CDN-Cache-Control, Surrogate-Key
 *   owner's view  | private, no-cache                   | Vary: Authorization
 *   missing       | no-store                            |
 *     edge        | no-store                            | CDN-Cache-Control: max-age=negative_ttl,
 *                 |                                     | Surrogate-Key that its creation purges
 *   problem       | no-store                            |
 *   open document | public, max-age=300                 | in every mode
 *   write result  | private, no-cache                   |
 *   avatar        | public, max-age=86400, immutable    | in every mode
 *     edge        | the same                            | CDN-Cache-Control, Surrogate-Key: avatar/{hash}
 *   list          | private, no-cache                   |
 *
 * The public view may be stored by any cache and is asked about each time, so that each request's token is
 * checked; an origin that cannot be asked means an error, never the stored copy. max_age lets the reader's
 * own cache skip the question, in every mode. The edge is the one cache that checks tokens itself and takes
 * purges: the two headers are for it, and it strips both. A 304 bears the same lines as the 200 it stands for
 * (RFC 9110 section 15.4.5). Pure.
 */
#pragma once
#include "http/response.h"

/* In the order of the words of http.shared_cache. */
enum http_shared_cache {
    HTTP_SHARED_CACHE_REVALIDATE,
    HTTP_SHARED_CACHE_EDGE,
    HTTP_SHARED_CACHE_PRIVATE,
    HTTP_SHARED_CACHE_COUNT
};

struct http_cache_policy {
    enum http_shared_cache shared_cache;
    int64_t max_age_s;
    int64_t s_maxage_s;
    int64_t stale_while_revalidate_s;
    int64_t stale_if_error_s;
    int64_t negative_ttl_s; /* 0: that a profile is missing is not cached */
};

enum http_cache_kind {
    HTTP_CACHE_PUBLIC_VIEW,
    HTTP_CACHE_OWNER_VIEW,
    HTTP_CACHE_MISSING, /* the 404 of a missing or suspended profile */
    HTTP_CACHE_PROBLEM,
    HTTP_CACHE_OPEN_DOCUMENT,
    HTTP_CACHE_WRITE_RESULT,
    HTTP_CACHE_LIST,
    HTTP_CACHE_AVATAR,
    HTTP_CACHE_KIND_COUNT
};

/*
 * Adds Cache-Control, and where the table says so CDN-Cache-Control, Surrogate-Key and Vary: Authorization.
 * id and handle (folded) are for the surrogate key: each a valid one, or absent: a profile asked for by id
 * has no handle here, one asked for by handle has both, one that is missing has what it was asked by. An
 * avatar has its hash in place of the id.
 */
void http_cache_control_write(const struct http_cache_policy *policy, enum http_cache_kind kind,
                              struct span id, struct span handle, struct http_response *response);

/* Whether a shared cache may store such an answer: nothing that depends on the asker (X-Request-Id,
 * RateLimit, Server-Timing, a problem's instance) may stand on it. */
bool http_cache_is_shared(const struct http_cache_policy *policy, enum http_cache_kind kind);
