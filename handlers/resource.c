#include "handlers/resource.h"

#include "handlers/fields.h"
#include "http/bearer.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/percent.h"
#include "token/verify.h"

enum err handlers_problem(struct http_exchange *x, enum http_problem_type type, enum err e,
                          const char *detail)
{
    struct http_problem problem = {.type = type, .detail = span_str(detail)};
    http_problem_write(x->response, x->request->id, &problem);
    return e;
}

enum err handlers_fault(struct http_exchange *x, enum err e)
{
    return handlers_problem(x, http_problem_of_fault(e), e, NULL);
}

enum err handlers_no_profile(const struct handlers_context *context, struct http_exchange *x,
                             const struct handlers_target *t)
{
    if (t->view == PROFILE_VIEW_PUBLIC)
        http_problem_write_missing(x->response, x->request->id, &context->cache_policy, t->id, t->handle);
    else
        handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, ERR_NOT_FOUND, NULL);
    return ERR_NOT_FOUND;
}

enum err handlers_not_owned(struct http_exchange *x, const char *detail)
{
    handlers_problem(x, HTTP_PROBLEM_INSUFFICIENT_SCOPE, ERR_DENIED, detail);
    http_bearer_challenge(x->response, "insufficient_scope", span_str(detail), SPAN("profile:admin"));
    return ERR_DENIED;
}

static bool read_handle(struct http_exchange *x, struct handlers_target *t)
{
    char folded[PROFILE_HANDLE_MAX + 1];
    if (!profile_handle_fold(x->captures[0], folded))
        return false;
    t->handle = arena_copy(x->arena, span_str(folded));
    return t->handle.ptr != NULL;
}

enum err handlers_target_read(struct http_exchange *x, enum handlers_address address, bool owned,
                              struct handlers_target *out)
{
    const struct token_identity *caller = x->caller;
    *out = (struct handlers_target){
        .address = address,
        .view = address == HANDLERS_FULL || address == HANDLERS_ME ? PROFILE_VIEW_OWNER : PROFILE_VIEW_PUBLIC,
        .admin = (caller->scopes & TOKEN_SCOPE_ADMIN) != 0,
    };
    enum err e = (x->request->method & (HTTP_GET | HTTP_HEAD)) != 0
                     ? handlers_fields_read(x, out->view, &out->members)
                     : handlers_no_parameters(x);
    if (e != OK)
        return e;
    if (address == HANDLERS_BY_HANDLE)
        return read_handle(x, out) ? OK
                                   : handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, ERR_NOT_FOUND, NULL);
    if (address == HANDLERS_COLLECTION)
        return OK;
    struct span id = address == HANDLERS_ME ? caller->subject : x->captures[0];
    if (!profile_id_valid(id))
        return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, ERR_NOT_FOUND, NULL);
    out->id = id;
    if (owned && !out->admin && !span_eq(id, caller->subject))
        return handlers_not_owned(x, "only its owner and an administrator may do this to a profile");
    return OK;
}

enum err handlers_resource_get(struct handlers_context *context, struct http_exchange *x,
                               const struct handlers_target *t, struct handlers_resource *out)
{
    struct store *store;
    enum err e = handlers_store(context, &store, &x->reason);
    if (e != OK)
        return e;
    if (t->address == HANDLERS_BY_HANDLE)
        return store_profile_get_by_handle(store, t->handle, x->arena, &out->profile, &out->snapshot,
                                           &x->reason);
    return store_profile_get(store, t->id, x->arena, &out->profile, &out->snapshot, &x->reason);
}

struct span handlers_etag(struct arena *arena, const struct handlers_resource *r, enum profile_view view)
{
    struct buf tag = {0};
    http_etag_write(&tag, span_str(r->snapshot.epoch),
                    view == PROFILE_VIEW_PUBLIC ? HTTP_ETAG_PUBLIC : HTTP_ETAG_OWNER,
                    r->profile.stamps[view].seq);
    struct span copy = tag.failed ? (struct span){NULL, 0} : arena_copy(arena, buf_span(&tag));
    buf_fini(&tag);
    return copy;
}

int64_t handlers_modified_s(const struct handlers_resource *r, enum profile_view view)
{
    return r->profile.stamps[view].at_ms / 1000;
}

void handlers_write_modified(struct http_response *response, int64_t unix_s)
{
    struct buf date = {0};
    http_date_write(&date, unix_s);
    http_response_header(response, "Last-Modified", buf_span(&date));
    buf_fini(&date);
}

void handlers_write_address(struct http_response *response, const char *name, struct span id,
                            enum profile_view view)
{
    struct buf address = {0};
    buf_lit(&address, "/v1/profiles/");
    http_percent_encode(&address, id);
    if (view == PROFILE_VIEW_OWNER)
        buf_lit(&address, "/full");
    http_response_header(response, name, buf_span(&address));
    buf_fini(&address);
}
