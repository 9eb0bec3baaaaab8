#include "handlers/representation.h"

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
