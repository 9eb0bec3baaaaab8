#include "route/authorise.h"

#include "http/bearer.h"
#include "http/problem.h"
#include "route/timing.h"

static enum err refuse(struct http_exchange *x, enum http_problem_type type, const char *error,
                       struct span description, unsigned scope, enum err e)
{
    struct buf names = {0};
    struct http_problem problem = {.type = type, .detail = description};
    http_problem_write(x->response, x->request->id, &problem);
    if (scope != 0)
        token_scope_write(&names, scope);
    /* RFC 6750 section 3.1: without a token, nothing but that one is needed */
    http_bearer_challenge(x->response, error, error == NULL ? SPAN("") : description, buf_span(&names));
    buf_fini(&names);
    return e;
}

/* The long way: the signature, the claims, the revocations. ERR_INVALID and ERR_EXPIRED, with why, are about
 * the token; ERR_DENIED: revoked; anything else is a fault of ours, with *reason. */
static enum err verify(const struct route_guard *guard, struct span token, struct http_exchange *x,
                       struct cache_state *state, struct token_identity *out, struct err_detail *why,
                       struct err_detail *reason)
{
    bool revoked = false;
    if (!http_bearer_is_b64token(token))
        return err_set(why, ERR_INVALID, "the token is malformed");
    enum err e = token_verify(guard->keyring, &guard->policy, token, x->now_ms / 1000, x->arena, out, why);
    if (e != OK)
        return e;
    e = guard->is_revoked(guard->data, out, token, &revoked, state, reason);
    if (e == OK && revoked)
        return err_set(why, ERR_DENIED, "the token has been revoked");
    /* what the store says is never about the token */
    return e == ERR_INVALID || e == ERR_EXPIRED || e == ERR_DENIED ? ERR_IO : e;
}

static bool about_token(enum err e)
{
    return e == ERR_INVALID || e == ERR_EXPIRED || e == ERR_DENIED;
}

enum err route_authorise(const struct route_guard *guard, unsigned scope, struct http_exchange *x,
                         struct token_identity *out, struct err_detail *reason)
{
    struct span token;
    struct err_detail why = {0};
    unsigned char hash[CACHE_TOKEN_HASH_LEN];
    struct cache_state state = {0};
    enum err e = http_bearer_token(http_request_header(x->request, HTTP_HEADER_AUTHORIZATION), &token);
    if (e == ERR_NOT_FOUND)
        return refuse(x, HTTP_PROBLEM_UNAUTHORIZED, NULL, SPAN("send a token: Authorization: Bearer TOKEN"),
                      0, ERR_DENIED);
    if (e != OK)
        return refuse(x, HTTP_PROBLEM_INVALID_TOKEN, "invalid_token", SPAN("the token is malformed"), 0, e);

    e = route_memo_find(&guard->memo, token, &guard->policy, x->now_ms / 1000, x->arena, out, hash);
    bool remembered = e == OK;
    if (e == ERR_NOT_FOUND) {
        e = verify(guard, token, x, &state, out, &why, reason);
        if (e == OK)
            route_memo_remember(&guard->memo, hash, &guard->policy, out, state);
    }
    if (about_token(e))
        return refuse(x, HTTP_PROBLEM_INVALID_TOKEN, "invalid_token", span_str(why.text), 0, e);
    if (e != OK) {
        struct http_problem problem = {.type = http_problem_of_fault(e)};
        http_problem_write(x->response, x->request->id, &problem);
        return e;
    }
    route_timing_authorised(x, out->scopes, remembered);
    if ((out->scopes & scope) != scope)
        return refuse(x, HTTP_PROBLEM_INSUFFICIENT_SCOPE, "insufficient_scope",
                      SPAN("the token does not hold the scope that this needs"), scope, ERR_DENIED);
    return OK;
}
