#include "handlers/profile_read.h"

#include "handlers/resource.h"
#include "http/precondition.h"

/* What stands on a 200 and, by RFC 9110 section 15.4.5, on the 304 in its place as well. */
static void write_validators(const struct handlers_context *context, struct http_exchange *x,
                             const struct handlers_target *t, const struct handlers_resource *r,
                             struct span etag)
{
    bool public_view = t->view == PROFILE_VIEW_PUBLIC;
    http_cache_control_write(&context->cache, public_view ? HTTP_CACHE_PUBLIC_VIEW : HTTP_CACHE_OWNER_VIEW,
                             r->profile.id, t->handle, x->response);
    http_response_header(x->response, "ETag", etag);
    handlers_write_modified(x->response, handlers_modified_s(r, t->view));
    if (t->address == HANDLERS_BY_HANDLE || t->address == HANDLERS_ME)
        handlers_write_address(x, "Content-Location", r->profile.id, t->view);
    if (!public_view)
        http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

static enum err read_profile(struct handlers_context *context, struct http_exchange *x,
                             enum handlers_address address)
{
    struct handlers_target target;
    struct handlers_resource resource;
    bool owned = address == HANDLERS_FULL;
    enum err e = handlers_target_read(x, address, owned, &target);
    if (e != OK)
        return e;
    e = handlers_resource_get(context, x, &target, &resource);
    if (e == ERR_NOT_FOUND)
        return handlers_no_profile(context, x, &target);
    if (e != OK)
        return handlers_fault(x, e);
    /* a suspended profile is there for its owner and for admins, at /full and /v1/me */
    if (target.view == PROFILE_VIEW_PUBLIC && resource.profile.state != PROFILE_ACTIVE)
        return handlers_no_profile(context, x, &target);

    struct span etag = handlers_etag(x->arena, &resource, target.view);
    struct http_current current = {.exists = true,
                                   .tags = &etag,
                                   .tag_count = 1,
                                   .modified_s = handlers_modified_s(&resource, target.view)};
    if (etag.ptr == NULL)
        return handlers_fault(x, ERR_NOMEM);
    switch (http_precondition_evaluate(x->request, &current, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_NOT_MODIFIED:
        x->response->status = 304;
        write_validators(context, x, &target, &resource, etag);
        return OK;
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_REQUIRED:
        return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT, NULL);
    case HTTP_PRECONDITION_PROCEED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("application/json"));
    write_validators(context, x, &target, &resource, etag);
    profile_view_write(&resource.profile, target.view, &x->response->body);
    return OK;
}

enum err handlers_read_by_id(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_BY_ID);
}

enum err handlers_read_by_handle(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_BY_HANDLE);
}

enum err handlers_read_full(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_FULL);
}

enum err handlers_read_me(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_ME);
}
