#include "handlers/representation.h"

#include "handlers/source.h"
#include "http/precondition.h"

struct packed {
    int64_t modified_s;
    uint32_t etag_len;
    uint32_t head_len;
    uint32_t body_len;
    uint32_t found;
};

void handlers_representation_write(const struct handlers_context *context, struct http_exchange *x,
                                   const struct handlers_target *t, const struct handlers_resource *r,
                                   struct buf *out)
{
    bool public_view = t->view == PROFILE_VIEW_PUBLIC;
    struct packed p = {.modified_s = handlers_modified_s(r, t->view), .found = 1};
    struct http_response scratch = {0};
    struct span etag = handlers_etag(x->arena, r, t->view);
    size_t at = out->len;

    http_cache_control_write(&context->cache_policy,
                             public_view ? HTTP_CACHE_PUBLIC_VIEW : HTTP_CACHE_OWNER_VIEW, r->profile.id,
                             t->handle, &scratch);
    http_response_header(&scratch, "ETag", etag);
    handlers_write_modified(&scratch, p.modified_s);
    if (t->address == HANDLERS_BY_HANDLE)
        handlers_write_address(&scratch, "Content-Location", r->profile.id, t->view);
    profile_view_write(&r->profile, t->view, &scratch.body);

    p.etag_len = (uint32_t)etag.len;
    p.head_len = (uint32_t)scratch.head.len;
    p.body_len = (uint32_t)scratch.body.len;
    buf_append(out, span_of((const char *)&p, sizeof p));
    buf_append(out, etag);
    buf_append(out, buf_span(&scratch.head));
    buf_append(out, buf_span(&scratch.body));
    if (etag.ptr == NULL || buf_status(&scratch.head) != OK || buf_status(&scratch.body) != OK)
        out->failed = true;
    if (out->failed)
        buf_truncate(out, at);
    http_response_fini(&scratch);
}

void handlers_representation_write_missing(struct buf *out)
{
    const struct packed p = {.modified_s = HTTP_NO_DATE};
    buf_append(out, span_of((const char *)&p, sizeof p));
}

/* How long it may be kept; 0: not at all. */
static int64_t ttl_ms(const struct handlers_context *context, bool found)
{
    const int64_t without_limit_s = INT64_C(100) * 365 * 86400;
    if (!found)
        return context->cache_policy.negative_ttl_s * 1000;
    return (context->ttl_s == 0 ? without_limit_s : context->ttl_s) * 1000;
}

void handlers_representation_fill(const struct handlers_context *context, struct http_exchange *x,
                                  const struct handlers_target *t, const struct handlers_resource *r,
                                  bool exists, struct cache_fill *fill)
{
    /* a suspended profile is there for its owner and for admins, at /full and /v1/me */
    bool found = exists && (t->view == PROFILE_VIEW_OWNER || r->profile.state == PROFILE_ACTIVE);
    if (found)
        handlers_representation_write(context, x, t, r, &fill->value);
    else
        handlers_representation_write_missing(&fill->value);
    fill->state = handlers_cache_state(&r->snapshot);
    fill->ttl_ms = ttl_ms(context, found);
    fill->negative = !found;
}

enum err handlers_representation_read(struct span value, struct handlers_representation *out)
{
    struct packed p;
    *out = (struct handlers_representation){0};
    if (value.len < sizeof p)
        return ERR_INVALID;
    memcpy(&p, value.ptr, sizeof p);
    struct span rest = span_from(value, sizeof p);
    if (rest.len != (uint64_t)p.etag_len + p.head_len + p.body_len)
        return ERR_INVALID;
    out->found = p.found != 0;
    out->modified_s = p.modified_s;
    out->etag = span_of(rest.ptr, p.etag_len);
    out->head = span_of(rest.ptr + p.etag_len, p.head_len);
    out->body = span_of(rest.ptr + p.etag_len + p.head_len, p.body_len);
    return OK;
}

enum err handlers_representation_read_tag(struct span front, struct span *etag)
{
    struct packed p;
    *etag = (struct span){NULL, 0};
    if (front.len < sizeof p)
        return ERR_INVALID;
    memcpy(&p, front.ptr, sizeof p);
    front = span_from(front, sizeof p);
    if (front.len < p.etag_len)
        return ERR_INVALID;
    if (p.found != 0)
        *etag = span_of(front.ptr, p.etag_len);
    return OK;
}
