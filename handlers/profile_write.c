#include "handlers/profile_write.h"

#include "crypto/random.h"
#include "handlers/draft.h"
#include "handlers/once.h"
#include "handlers/write_reply.h"
#include "http/media_type.h"
#include "http/precondition.h"

/* How often a write is decided anew when others are quicker, before the client is told to come back. */
enum { MAX_ATTEMPTS = 16 };

/* ERR_BUSY: somebody was quicker, decide again. Everything else is final, with the answer made. */
static enum err translate_conflict(struct http_exchange *x, enum err e, enum store_taken taken)
{
    if (e == ERR_CONFLICT && taken == STORE_TAKEN_HANDLE)
        return handlers_problem(x, HTTP_PROBLEM_HANDLE_TAKEN, e, "another profile has this handle");
    if (e == ERR_CONFLICT)
        return ERR_BUSY;
    if (e == ERR_DENIED)
        return handlers_not_owned(x, "this profile was deleted; only an administrator can make it anew");
    handlers_fault(x, e);
    return e == ERR_BUSY ? ERR_IO : e;
}

static enum err decide(struct http_exchange *x, const struct handlers_resource *current)
{
    struct span tags[PROFILE_VIEW_COUNT];
    struct http_current now = {.exists = current != NULL, .tags = tags, .modified_s = HTTP_NO_DATE};
    if (current != NULL) {
        for (size_t view = 0; view < PROFILE_VIEW_COUNT; view++)
            if ((tags[view] = handlers_etag(x->arena, current, (enum profile_view)view)).ptr == NULL)
                return handlers_fault(x, ERR_NOMEM);
        now.tag_count = PROFILE_VIEW_COUNT;
        now.modified_s = handlers_modified_s(current, PROFILE_VIEW_OWNER);
    }
    switch (http_precondition_evaluate(x->request, &now, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_PROCEED:
        return OK;
    case HTTP_PRECONDITION_REQUIRED:
        return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_REQUIRED, ERR_CONFLICT,
                                "send If-Match with the ETag that you read, or If-Match: * to overwrite");
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_NOT_MODIFIED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT,
                            "nothing was changed; read the profile again and send the ETag that it has now");
}

static enum err insert(struct handlers_context *context, struct http_exchange *x,
                       const struct handlers_target *t, const struct handlers_body *body, struct span *id)
{
    struct handlers_resource made;
    struct store *store;
    enum store_taken taken = STORE_TAKEN_NONE;
    enum err e;
    if ((e = handlers_draft(context, x, t, NULL, body, &made.profile)) != OK)
        return e;
    if ((e = handlers_store(context, &store, &x->reason)) != OK)
        return handlers_fault(x, e), e == ERR_BUSY ? ERR_IO : e;
    e = store_profile_insert(store, &made.profile, t->admin, &made.snapshot, &taken, &x->reason);
    if (e != OK)
        return translate_conflict(x, e, taken);
    *id = made.profile.id;
    return handlers_write_reply(context, x, t, &made, HANDLERS_CREATED);
}

static enum err change(struct handlers_context *context, struct http_exchange *x,
                       const struct handlers_target *t, const struct handlers_body *body,
                       const struct handlers_resource *current)
{
    struct handlers_resource made;
    struct store *store;
    enum store_taken taken = STORE_TAKEN_NONE;
    enum err e;
    if ((e = handlers_draft(context, x, t, &current->profile, body, &made.profile)) != OK)
        return e;
    if ((e = handlers_store(context, &store, &x->reason)) != OK)
        return handlers_fault(x, e), e == ERR_BUSY ? ERR_IO : e;
    e = store_profile_update(store, &made.profile, !span_eq(made.profile.handle, current->profile.handle),
                             &made.snapshot, &taken, &x->reason);
    if (e != OK)
        return translate_conflict(x, e, taken);
    return handlers_write_reply(context, x, t, &made, HANDLERS_CHANGED);
}

static enum err remove_profile(struct handlers_context *context, struct http_exchange *x,
                               const struct handlers_resource *current)
{
    struct store *store;
    enum err e = handlers_store(context, &store, &x->reason);
    if (e == OK)
        e = store_profile_delete(store, current->profile.id, current->profile.stamps[PROFILE_VIEW_OWNER].seq,
                                 &x->reason);
    if (e != OK)
        return translate_conflict(x, e, STORE_TAKEN_NONE);
    x->response->status = 204;
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_WRITE_RESULT, current->profile.id,
                             (struct span){NULL, 0}, x->response);
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
    return OK;
}

/* One attempt: read, decide, apply. ERR_BUSY: the profile changed in between, nothing is answered. */
static enum err attempt(struct handlers_context *context, struct http_exchange *x,
                        const struct handlers_target *t, const struct handlers_body *body)
{
    struct handlers_resource current;
    struct span id;
    enum err e = handlers_resource_get(context, x, t, &current);
    bool exists = e == OK;
    if (e != OK && e != ERR_NOT_FOUND)
        return handlers_fault(x, e), e == ERR_BUSY ? ERR_IO : e;
    if (!exists && x->request->method != HTTP_PUT)
        return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, e, NULL);
    if ((e = decide(x, exists ? &current : NULL)) != OK)
        return e;
    if (x->request->method == HTTP_DELETE)
        return remove_profile(context, x, &current);
    return exists ? change(context, x, t, body, &current) : insert(context, x, t, body, &id);
}

static enum err write_profile(struct handlers_context *context, struct http_exchange *x,
                              enum handlers_address address)
{
    struct handlers_target target;
    struct handlers_body body = {0};
    enum err e = handlers_target_read(x, address, true, &target);
    if (e != OK)
        return e;
    if (x->request->method == HTTP_PUT)
        e = handlers_body_read(x, HTTP_MEDIA_JSON, &body);
    else if (x->request->method == HTTP_PATCH)
        e = handlers_body_read(x, HTTP_MEDIA_MERGE_PATCH | HTTP_MEDIA_JSON_PATCH, &body);
    if (e == OK) {
        e = ERR_BUSY;
        for (int i = 0; i < MAX_ATTEMPTS && e == ERR_BUSY; i++)
            e = attempt(context, x, &target, &body);
        if (e == ERR_BUSY)
            handlers_problem(x, HTTP_PROBLEM_OVERLOADED, e,
                             "others change this profile all the time; try again");
    }
    handlers_body_fini(&body);
    return e;
}

enum err handlers_write_by_id(void *data, struct http_exchange *x)
{
    return write_profile(data, x, HANDLERS_BY_ID);
}

enum err handlers_write_full(void *data, struct http_exchange *x)
{
    return write_profile(data, x, HANDLERS_FULL);
}

enum err handlers_write_me(void *data, struct http_exchange *x)
{
    return write_profile(data, x, HANDLERS_ME);
}

/* The id that a new profile gets: the body's own, if it names one, else a UUIDv7 (RFC 9562 section 5.7). */
static enum err choose_id(struct http_exchange *x, const struct handlers_body *body, struct span *id)
{
    char uuid[CRYPTO_UUID_LEN + 1];
    const json_t *given = json_object_get(body->json, "id");
    *id = (struct span){NULL, 0};
    if (given != NULL)
        return OK; /* the rules of a profile check it */
    crypto_uuid7(x->now_ms, uuid);
    *id = arena_copy(x->arena, span_of(uuid, CRYPTO_UUID_LEN));
    return id->ptr == NULL ? handlers_fault(x, ERR_NOMEM) : OK;
}

struct creation {
    struct handlers_context *context;
    struct handlers_target *target;
    const struct handlers_body *body;
};

static enum err create(void *data, struct http_exchange *x, struct span *about)
{
    const struct creation *c = data;
    enum err e = insert(c->context, x, c->target, c->body, about);
    if (e == ERR_BUSY)
        e = handlers_problem(x, HTTP_PROBLEM_PROFILE_EXISTS, ERR_CONFLICT,
                             "there is a profile of this id already");
    return e;
}

enum err handlers_create(void *data, struct http_exchange *x)
{
    struct handlers_context *context = data;
    struct handlers_target target;
    struct handlers_body body = {0};
    struct creation creation = {context, &target, &body};
    enum err e = handlers_target_read(x, HANDLERS_COLLECTION, false, &target);
    if (e != OK)
        return e;
    if ((e = handlers_body_read(x, HTTP_MEDIA_JSON, &body)) == OK &&
        (e = choose_id(x, &body, &target.id)) == OK)
        e = handlers_once(context, x, create, &creation);
    handlers_body_fini(&body);
    return e;
}
