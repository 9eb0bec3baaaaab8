#include "handlers/draft.h"

#include "http/media_type.h"
#include "profile/json_patch.h"
#include "profile/merge_patch.h"
#include "json/load.h"

static enum err refuse_media_type(struct http_exchange *x, unsigned accepted, const struct err_detail *why)
{
    struct buf list = {0};
    http_media_type_list(&list, accepted);
    handlers_problem(x, HTTP_PROBLEM_UNSUPPORTED_MEDIA_TYPE, ERR_INVALID, why->text);
    /* RFC 5789 section 3.1 for PATCH, RFC 9110 section 15.5.16 for the others */
    http_response_header(x->response, x->request->method == HTTP_PATCH ? "Accept-Patch" : "Accept",
                         buf_span(&list));
    buf_fini(&list);
    return ERR_INVALID;
}

enum err handlers_body_check(struct http_exchange *x, unsigned media_types, unsigned *media_type)
{
    struct err_detail why = {0};
    struct span type = http_request_header(x->request, HTTP_HEADER_CONTENT_TYPE);
    if (http_media_type_parse(type, media_types, media_type, &why) != OK)
        return refuse_media_type(x, media_types, &why);
    if (x->request->body_too_large)
        return handlers_problem(x, HTTP_PROBLEM_TOO_LARGE, ERR_TOO_LARGE, NULL);
    return OK;
}

enum err handlers_body_read(struct http_exchange *x, unsigned media_types, struct handlers_body *out)
{
    struct err_detail why = {0};
    *out = (struct handlers_body){0};
    enum err e = handlers_body_check(x, media_types, &out->media_type);
    if (e != OK)
        return e;
    e = json_load_strict(x->request->body, JSON_MAX_DEPTH, &out->json, &why);
    if (e == ERR_INVALID)
        return handlers_problem(x, HTTP_PROBLEM_MALFORMED_JSON, e, why.text);
    return e == OK ? OK : handlers_fault(x, e);
}

void handlers_body_fini(struct handlers_body *body)
{
    json_decref(body->json);
    *body = (struct handlers_body){0};
}

static enum err refuse_faults(struct http_exchange *x, const struct profile_faults *faults)
{
    struct http_problem_fault list[PROFILE_MAX_FAULTS];
    for (size_t i = 0; i < faults->count; i++)
        list[i] = (struct http_problem_fault){faults->list[i].pointer, faults->list[i].detail};
    struct http_problem problem = {
        .type = HTTP_PROBLEM_INVALID_PROFILE,
        .detail = SPAN("nothing was changed; each fault is named by its JSON pointer"),
        .faults = list,
        .fault_count = faults->count,
    };
    http_problem_write(x->response, x->request->id, &problem);
    return ERR_INVALID;
}

/* The document that the body makes of the current profile: a new reference. */
static enum err apply(struct http_exchange *x, const struct profile *current,
                      const struct handlers_body *body, json_t **out)
{
    struct err_detail why = {0};
    enum err e;
    if (body->media_type == HTTP_MEDIA_JSON) {
        *out = json_incref(body->json);
        return OK;
    }
    json_t *now = profile_to_json(current);
    if (now == NULL)
        return handlers_fault(x, ERR_NOMEM);
    if (body->media_type == HTTP_MEDIA_MERGE_PATCH)
        e = profile_merge_patch(now, body->json, out);
    else
        e = profile_json_patch(now, body->json, out, &why);
    json_decref(now);
    switch (e) {
    case OK:
        return OK;
    case ERR_INVALID:
        return handlers_problem(x, HTTP_PROBLEM_MALFORMED_PATCH, e, why.text);
    case ERR_CONFLICT:
        return handlers_problem(x, HTTP_PROBLEM_PATCH_FAILED, e, why.text);
    case ERR_TOO_LARGE:
        return handlers_problem(x, HTTP_PROBLEM_TOO_LARGE, e, why.text);
    case ERR_NOT_FOUND:
    case ERR_EXPIRED:
    case ERR_DENIED:
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_IO:
    case ERR_NOMEM:
    case ERR_COUNT:
        break;
    }
    return handlers_fault(x, e);
}

enum err handlers_draft(const struct handlers_context *context, struct http_exchange *x,
                        const struct handlers_target *t, const struct profile *current,
                        const struct handlers_body *body, struct profile *out)
{
    struct profile_faults faults = {.count = 0};
    json_t *document = NULL;
    enum err e = apply(x, current, body, &document);
    if (e != OK)
        return e;
    struct profile_rules rules = {
        .current = current,
        .id = t->id,
        /* a PUT of the public view cannot have seen what is private; a patch was applied to all of it */
        .replace = t->view == PROFILE_VIEW_PUBLIC && body->media_type == HTTP_MEDIA_JSON
                       ? PROFILE_REPLACE_PUBLIC
                       : PROFILE_REPLACE_ALL,
        .view = t->view,
        .admin = t->admin,
        .attributes_max = context->attributes_max,
        .base_url = context->base_url,
    };
    e = profile_parse(document, &rules, x->arena, out, &faults);
    json_decref(document);
    if (e == ERR_INVALID)
        return refuse_faults(x, &faults);
    return e == OK ? OK : handlers_fault(x, e);
}
