#include "handlers/open_documents.h"

#include "handlers/condition.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"

static void write_jwks_validators(const struct handlers_context *context, struct http_exchange *x)
{
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_OPEN_DOCUMENT, (struct span){NULL, 0},
                             (struct span){NULL, 0}, x->response);
    http_response_header(x->response, "ETag", context->jwks_etag);
    handlers_write_modified(x->response, context->jwks_modified_s);
}

enum err handlers_jwks(void *data, struct http_exchange *x)
{
    const struct handlers_context *context = data;
    struct http_current current = {
        .exists = true, .tags = &context->jwks_etag, .tag_count = 1, .modified_s = context->jwks_modified_s};
    enum err e = handlers_no_parameters(x);
    if (e != OK)
        return e;
    enum handlers_condition condition = handlers_condition(x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE) {
        /* RFC 7517 section 8.5.1 */
        http_response_header(x->response, "Content-Type", SPAN("application/jwk-set+json"));
        buf_append(&x->response->body, context->jwks);
    }
    write_jwks_validators(context, x);
    return OK;
}

static enum err say(struct http_exchange *x, struct span body)
{
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("application/json"));
    http_response_header(x->response, "Cache-Control", SPAN("no-store"));
    buf_append(&x->response->body, body);
    return OK;
}

enum err handlers_healthz(void *data, struct http_exchange *x)
{
    enum err e = handlers_no_parameters(x);
    (void)data;
    if (e != OK)
        return e;
    return say(x, SPAN("{\"status\":\"alive\"}"));
}

enum err handlers_readyz(void *data, struct http_exchange *x)
{
    struct store *store;
    enum err e = handlers_no_parameters(x);
    if (e != OK)
        return e;
    e = handlers_store(data, &store, &x->reason);
    if (e == OK)
        e = store_ready(store, &x->reason);
    if (e != OK)
        return handlers_fault(x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
    return say(x, SPAN("{\"status\":\"ready\"}"));
}
