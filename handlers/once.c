#include "handlers/once.h"

#include "crypto/hash.h"
#include "handlers/resource.h"
#include "http/idempotency.h"
#include "store/answers.h"
#include "token/verify.h"

enum { HASH_LEN = 32 };

static enum err fault(struct http_exchange *x, enum err e)
{
    /* what the store calls so is no answer of ours */
    return handlers_fault(x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
}

/* The first answer, but for what is this request's own. */
static enum err repeat(struct http_exchange *x, const struct store_answer *kept, struct span request)
{
    struct http_response *response = x->response;
    if (!span_eq(kept->request, request))
        return handlers_problem(x, HTTP_PROBLEM_KEY_REUSED, ERR_CONFLICT,
                                "this Idempotency-Key came with another body before; nothing was changed");
    http_response_restart(response, kept->status);
    buf_append(&response->head, kept->head);
    buf_append(&response->body, kept->body);
    http_response_header(response, "X-Request-Id", span_str(x->request->id));
    return OK;
}

static enum err keep(struct store *store, struct http_exchange *x, const struct store_answer_key *key,
                     struct span request, struct span about)
{
    struct http_response *response = x->response;
    http_response_drop_header(response, "X-Request-Id");
    enum err e = buf_status(&response->head);
    if (e != OK || (e = buf_status(&response->body)) != OK)
        return e;
    const struct store_answer answer = {.request = request,
                                        .status = response->status,
                                        .head = buf_span(&response->head),
                                        .body = buf_span(&response->body)};
    e = store_answer_put(store, key, &answer, about, x->now_ms, &x->reason);
    http_response_header(response, "X-Request-Id", span_str(x->request->id));
    return e;
}

/* Under the writers' lock. *commit: what was done is to stay. */
static enum err first_or_repeat(struct store *store, struct http_exchange *x,
                                const struct store_answer_key *key, handlers_action act, void *data,
                                bool *commit)
{
    unsigned char hash[HASH_LEN] = {0};
    const struct span request = span_of((const char *)hash, sizeof hash);
    struct store_answer kept;
    struct span about = {NULL, 0};
    crypto_blake2b(x->request->body, (struct span){NULL, 0}, hash, sizeof hash);
    enum err e = store_answer_get(store, key, x->now_ms, x->arena, &kept, &x->reason);
    if (e == OK)
        return repeat(x, &kept, request);
    if (e != ERR_NOT_FOUND)
        return fault(x, e);
    e = act(data, x, &about);
    if (e != OK || x->response->status >= 300)
        return e;
    if ((e = keep(store, x, key, request, about)) != OK)
        return fault(x, e);
    *commit = true;
    return OK;
}

enum err handlers_once(struct handlers_context *context, struct http_exchange *x, handlers_action act,
                       void *data)
{
    struct store_answer_key key = {.subject = x->caller->subject, .target = x->request->path};
    struct span about = {NULL, 0};
    struct store *store;
    bool commit = false;
    enum err e = http_idempotency_key(http_request_header(x->request, HTTP_HEADER_IDEMPOTENCY_KEY), x->arena,
                                      &key.key);
    if (e == ERR_NOT_FOUND)
        return act(data, x, &about);
    if (e == ERR_INVALID)
        return handlers_problem(x, HTTP_PROBLEM_MALFORMED_KEY, e,
                                "Idempotency-Key is one string of 1 to 255 characters, such as a UUID");
    if (e != OK)
        return handlers_fault(x, e);
    if ((e = handlers_store(context, &store, &x->reason)) != OK ||
        (e = store_batch_begin(store, &x->reason)) != OK)
        return fault(x, e);
    e = first_or_repeat(store, x, &key, act, data, &commit);
    enum err ended = store_batch_end(store, commit, &x->reason);
    /* nothing is answered that is not on disk; what was undone matters to nobody */
    return commit && ended != OK ? fault(x, ended) : e;
}
