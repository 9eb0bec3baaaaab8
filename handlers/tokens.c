#include "handlers/tokens.h"

#include "handlers/draft.h"
#include "handlers/parameters.h"
#include "http/bearer.h"
#include "http/media_type.h"
#include "http/query.h"
#include "token/name.h"

static enum err answer(struct handlers_context *context, struct http_exchange *x, int status, enum err e)
{
    const struct span none = {NULL, 0};
    if (e != OK) {
        /* what the store calls so is no answer of ours */
        e = e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO;
        return handlers_fault(x, e);
    }
    x->response->status = status;
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_WRITE_RESULT, none, none, x->response);
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
    return OK;
}

static enum err revoke_all(const struct handlers_tokens *t, struct http_exchange *x,
                           enum handlers_address address)
{
    struct handlers_target target;
    struct store *store;
    enum err e = handlers_target_read(x, address, true, &target);
    if (e != OK)
        return e;
    e = handlers_store(t->context, &store, &x->reason);
    if (e == OK)
        e = store_revoke_subject(store, target.id, x->now_ms / 1000, &x->reason);
    return answer(t->context, x, 204, e);
}

enum err handlers_revoke_mine(void *data, struct http_exchange *x)
{
    return revoke_all(data, x, HANDLERS_ME);
}

enum err handlers_revoke_all(void *data, struct http_exchange *x)
{
    return revoke_all(data, x, HANDLERS_BY_ID);
}

static enum err malformed(struct http_exchange *x, const char *detail)
{
    return handlers_problem(x, HTTP_PROBLEM_MALFORMED_FORM, ERR_INVALID, detail);
}

/* The token in the form. Names that are not known are passed over, and none may stand there twice (RFC 6749
 * sections 3.1 and 3.2). */
static enum err read_form(struct http_exchange *x, struct span *token)
{
    struct http_query form = {x->request->body};
    struct span name, value;
    bool hinted = false;
    enum err e;
    *token = (struct span){NULL, 0};
    while ((e = http_query_next(&form, x->arena, &name, &value)) == OK) {
        bool is_token = span_eq(name, SPAN("token")), is_hint = span_eq(name, SPAN("token_type_hint"));
        if ((is_token && token->ptr != NULL) || (is_hint && hinted))
            return malformed(x, "a parameter stands there twice");
        if (is_token)
            *token = value;
        hinted = hinted || is_hint;
    }
    if (e == ERR_INVALID)
        return malformed(x, "the form is malformed");
    if (e != ERR_NOT_FOUND)
        return handlers_fault(x, e);
    return token->len == 0 ? malformed(x, "the form has no token") : OK;
}

/*
 * Whose token it is, by its signature alone. Its times are for the caller: one that is not valid yet must not
 * become so later, and of one that has expired it still counts whose it was.
 */
static enum err identify(const struct handlers_tokens *t, struct http_exchange *x, struct span token,
                         struct token_identity *out)
{
    const struct token_policy any_time = {.leeway_s = INT64_MAX / 4};
    struct err_detail ignored = {0};
    if (!http_bearer_is_b64token(token))
        return ERR_INVALID;
    return token_verify(t->keyring, &any_time, token, x->now_ms / 1000, x->arena, out, &ignored);
}

enum err handlers_revoke_one(void *data, struct http_exchange *x)
{
    const struct handlers_tokens *t = data;
    unsigned media_type;
    struct span token;
    struct token_identity who;
    struct store *store;
    char name[TOKEN_NAME_LEN];
    enum err e;
    if ((e = handlers_no_parameters(x)) != OK ||
        (e = handlers_body_check(x, HTTP_MEDIA_FORM, &media_type)) != OK || (e = read_form(x, &token)) != OK)
        return e;
    if ((e = identify(t, x, token, &who)) != OK)
        return answer(t->context, x, 200, e == ERR_NOMEM ? e : OK);
    if ((x->caller->scopes & TOKEN_SCOPE_ADMIN) == 0 && !span_eq(who.subject, x->caller->subject))
        return handlers_not_owned(x, "only its subject and an administrator may revoke a token");
    /* no leeway that may ever be set makes it count again */
    if (who.expires_s + TOKEN_LEEWAY_MAX_S <= x->now_ms / 1000)
        return answer(t->context, x, 200, OK);
    token_name(&who, token, name);
    e = handlers_store(t->context, &store, &x->reason);
    if (e == OK)
        e = store_revoke_token(store, who.subject, span_of(name, sizeof name), who.expires_s, &x->reason);
    return answer(t->context, x, 200, e);
}
