#include "handlers/write_reply.h"

#include "http/prefer.h"

enum err handlers_write_reply(const struct handlers_context *context, struct http_exchange *x,
                              const struct handlers_target *t, const struct handlers_resource *r,
                              enum handlers_written written)
{
    struct http_response *response = x->response;
    struct span prefer = http_request_header(x->request, HTTP_HEADER_PREFER);
    bool minimal = http_prefer_return(prefer) == HTTP_RETURN_MINIMAL;
    bool hidden = t->view == PROFILE_VIEW_PUBLIC && r->profile.state != PROFILE_ACTIVE;
    bool empty = minimal || hidden;

    response->status = written == HANDLERS_CREATED ? 201 : empty ? 204 : 200;
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_WRITE_RESULT, r->profile.id,
                             (struct span){NULL, 0}, response);
    http_response_header(response, "X-Request-Id", span_str(x->request->id));
    if (written == HANDLERS_CREATED)
        handlers_write_address(context, response, "Location", r->profile.id, PROFILE_VIEW_PUBLIC);
    if (minimal)
        http_response_header(response, "Preference-Applied", SPAN("return=minimal"));
    if (x->request->method != HTTP_PUT && !hidden) {
        struct span etag = handlers_etag(x->arena, r, t->view);
        if (etag.ptr != NULL)
            http_response_header(response, "ETag", etag);
        handlers_write_modified(response, handlers_modified_s(r, t->view));
    }
    if (empty)
        return OK;
    handlers_write_address(context, response, "Content-Location", r->profile.id, t->view);
    http_response_header(response, "Content-Type", SPAN("application/json"));
    profile_view_write(&r->profile, t->view, &response->body);
    return OK;
}
