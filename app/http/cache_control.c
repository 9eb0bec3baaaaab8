#include "http/cache_control.h"

/* Where the public view may be kept, and how. */
static void write_public_view(const struct http_cache_policy *policy, struct http_response *response)
{
    if (policy->max_age_s > 0) {
        size_t start = http_response_header_begin(response, "Cache-Control");
        buf_lit(&response->head, "private, max-age=");
        buf_i64(&response->head, policy->max_age_s);
        buf_lit(&response->head, ", must-revalidate");
        http_response_header_end(response, start);
    } else if (policy->shared_cache == HTTP_SHARED_CACHE_PRIVATE) {
        http_response_header(response, "Cache-Control", SPAN("private, no-cache"));
    } else {
        http_response_header(response, "Cache-Control", SPAN("public, no-cache, must-revalidate"));
    }
}

/* RFC 9213; the two stale directives are those of RFC 5861. Zeros are written out: without the directive a
 * cache has defaults of its own. */
static void write_edge_freshness(const struct http_cache_policy *policy, struct http_response *response)
{
    size_t start = http_response_header_begin(response, "CDN-Cache-Control");
    buf_lit(&response->head, "max-age=");
    buf_i64(&response->head, policy->s_maxage_s);
    buf_lit(&response->head, ", stale-while-revalidate=");
    buf_i64(&response->head, policy->stale_while_revalidate_s);
    buf_lit(&response->head, ", stale-if-error=");
    buf_i64(&response->head, policy->stale_if_error_s);
    http_response_header_end(response, start);
}

static void write_edge_negative(const struct http_cache_policy *policy, struct http_response *response)
{
    size_t start = http_response_header_begin(response, "CDN-Cache-Control");
    buf_lit(&response->head, "max-age=");
    buf_i64(&response->head, policy->negative_ttl_s);
    http_response_header_end(response, start);
}

/* Neither an id nor a handle holds a space or a comma, at which caches cut the list of keys. */
static void write_surrogate_key(struct span id, struct span handle, struct http_response *response)
{
    size_t start = http_response_header_begin(response, "Surrogate-Key");
    if (id.len > 0) {
        buf_lit(&response->head, "profile/");
        buf_append(&response->head, id);
    }
    if (handle.len > 0) {
        if (id.len > 0)
            buf_char(&response->head, ' ');
        buf_lit(&response->head, "handle/");
        buf_append(&response->head, handle);
    }
    http_response_header_end(response, start);
}

static void write_avatar_key(struct span hash, struct http_response *response)
{
    size_t start = http_response_header_begin(response, "Surrogate-Key");
    buf_lit(&response->head, "avatar/");
    buf_append(&response->head, hash);
    http_response_header_end(response, start);
}

void http_cache_control_write(const struct http_cache_policy *policy, enum http_cache_kind kind,
                              struct span id, struct span handle, struct http_response *response)
{
    /* what could not be purged must not be kept */
    bool at_edge = policy->shared_cache == HTTP_SHARED_CACHE_EDGE && (id.len > 0 || handle.len > 0);

    switch (kind) {
    case HTTP_CACHE_PUBLIC_VIEW:
        write_public_view(policy, response);
        if (at_edge) {
            write_edge_freshness(policy, response);
            write_surrogate_key(id, handle, response);
        }
        break;
    case HTTP_CACHE_OWNER_VIEW:
        http_response_header(response, "Cache-Control", SPAN("private, no-cache"));
        http_response_header(response, "Vary", SPAN("Authorization"));
        break;
    case HTTP_CACHE_MISSING:
        http_response_header(response, "Cache-Control", SPAN("no-store"));
        if (at_edge && policy->negative_ttl_s > 0) {
            write_edge_negative(policy, response);
            write_surrogate_key(id, handle, response);
        }
        break;
    case HTTP_CACHE_PROBLEM:
        http_response_header(response, "Cache-Control", SPAN("no-store"));
        break;
    case HTTP_CACHE_OPEN_DOCUMENT:
        http_response_header(response, "Cache-Control", SPAN("public, max-age=300"));
        break;
    case HTTP_CACHE_WRITE_RESULT:
    case HTTP_CACHE_LIST:
        http_response_header(response, "Cache-Control", SPAN("private, no-cache"));
        break;
    case HTTP_CACHE_AVATAR:
        /* the address names the bytes: what lies there never changes */
        http_response_header(response, "Cache-Control", SPAN("public, max-age=86400, immutable"));
        if (at_edge) {
            write_edge_freshness(policy, response);
            write_avatar_key(id, response);
        }
        break;
    case HTTP_CACHE_KIND_COUNT:
        break;
    }
}

bool http_cache_is_shared(const struct http_cache_policy *policy, enum http_cache_kind kind)
{
    bool edge = policy->shared_cache == HTTP_SHARED_CACHE_EDGE;

    switch (kind) {
    case HTTP_CACHE_PUBLIC_VIEW:
        return edge || (policy->shared_cache == HTTP_SHARED_CACHE_REVALIDATE && policy->max_age_s <= 0);
    case HTTP_CACHE_MISSING:
        return edge && policy->negative_ttl_s > 0;
    case HTTP_CACHE_OPEN_DOCUMENT:
    case HTTP_CACHE_AVATAR:
        return true;
    case HTTP_CACHE_OWNER_VIEW:
    case HTTP_CACHE_PROBLEM:
    case HTTP_CACHE_WRITE_RESULT:
    case HTTP_CACHE_LIST:
    case HTTP_CACHE_KIND_COUNT:
        break;
    }
    return false;
}
