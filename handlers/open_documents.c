#include "handlers/open_documents.h"

#include "handlers/condition.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"

static void write_validators(const struct handlers_document *document, struct http_exchange *x)
{
    const struct http_cache_policy any = {0};
    http_cache_control_write(&any, HTTP_CACHE_OPEN_DOCUMENT, (struct span){NULL, 0}, (struct span){NULL, 0},
                             x->response);
    http_response_header(x->response, "ETag", document->etag);
    handlers_write_modified(x->response, document->modified_s);
}

enum err handlers_document(void *data, struct http_exchange *x)
{
    const struct handlers_document *document = data;
    struct http_current current = {
        .exists = true, .tags = &document->etag, .tag_count = 1, .modified_s = document->modified_s};
    enum err e = handlers_no_parameters(x);
    if (e != OK)
        return e;
    enum handlers_condition condition = handlers_condition(x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE) {
        http_response_header(x->response, "Content-Type", document->type);
        for (size_t i = 0; i < sizeof document->text / sizeof document->text[0]; i++)
            buf_append(&x->response->body, document->text[i]);
    }
    write_validators(document, x);
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
