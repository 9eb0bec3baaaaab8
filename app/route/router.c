#include "route/router.h"

#include "http/problem.h"
#include "route/match.h"
#include "route/timing.h"
#include "token/verify.h"

/* What the table has for a path: the methods of the resource, and the row for the request's own method. */
struct found {
    unsigned methods; /* 0: there is no such resource */
    const struct route *row;
    struct span captures[HTTP_MAX_CAPTURES];
    size_t capture_count;
};

/*
 * A path belongs to one resource: the first pattern that fits, and the rows that have the same one. Of these
 * the first with the method answers, and with the parameter, if it asks for one.
 */
static void find(const struct router *router, const struct route_path *path, struct http_exchange *x,
                 struct found *out)
{
    const char *pattern = NULL;
    *out = (struct found){0};
    for (size_t i = 0; i < router->count; i++) {
        const struct route *row = &router->routes[i];
        if (pattern == NULL && route_pattern_fits(row->pattern, path, out->captures, &out->capture_count))
            pattern = row->pattern;
        if (pattern == NULL || !route_pattern_same(pattern, row->pattern))
            continue;
        out->methods |= row->methods;
        if (out->row == NULL && (row->methods & x->request->method) != 0 &&
            route_pattern_asked(row->pattern, x->request->query, x->arena))
            out->row = row;
    }
}

static void problem(struct http_exchange *x, enum http_problem_type type, const char *detail)
{
    struct http_problem p = {.type = type, .detail = span_str(detail)};
    http_problem_write(x->response, x->request->id, &p);
}

static void write_allow(struct http_response *response, unsigned methods)
{
    struct buf list = {0};
    http_method_list(&list, methods | HTTP_OPTIONS);
    http_response_header(response, "Allow", buf_span(&list));
    buf_fini(&list);
}

static enum route_rate_kind kind_of(const struct router *router, const struct route *row,
                                    enum http_method method)
{
    if ((method & (HTTP_GET | HTTP_HEAD)) != 0)
        return ROUTE_RATE_READS;
    for (size_t i = 0; i < router->query_count; i++)
        if (strcmp(router->queries[i], row->pattern) == 0)
            return ROUTE_RATE_READS;
    return ROUTE_RATE_WRITES;
}

/* The answer up to, and without, what every answer bears. Gives the methods of the resource. */
static unsigned answer(const struct router *router, struct http_exchange *x, struct route_rate *rate,
                       struct route_outcome *outcome)
{
    struct route_path path;
    struct found found;
    struct token_identity caller;
    enum err e = route_path_split(x->request->path, x->arena, &path);

    if (e == ERR_INVALID || e == ERR_NOMEM) {
        outcome->err = e;
        problem(x, e == ERR_NOMEM ? HTTP_PROBLEM_OVERLOADED : HTTP_PROBLEM_BAD_TARGET, NULL);
        return 0;
    }
    found = (struct found){0};
    if (e == OK)
        find(router, &path, x, &found);
    if (found.methods == 0) {
        outcome->err = ERR_NOT_FOUND;
        problem(x, HTTP_PROBLEM_NOT_FOUND, NULL);
        return 0;
    }
    if (x->request->method == HTTP_OPTIONS) {
        x->response->status = 204;
        write_allow(x->response, found.methods);
        return found.methods;
    }
    if (found.row == NULL) {
        outcome->err = ERR_INVALID;
        problem(x, HTTP_PROBLEM_METHOD_NOT_ALLOWED, NULL);
        write_allow(x->response, found.methods);
        return found.methods;
    }
    outcome->pattern = found.row->pattern;
    outcome->row = (int)(found.row - router->routes);
    memcpy(x->captures, found.captures, sizeof x->captures);
    x->capture_count = found.capture_count;
    if (found.row->scope != 0) {
        outcome->err = route_authorise(router->guard, found.row->scope, x, &caller, &outcome->reason);
        /* one that was kept was counted when it came */
        if (outcome->err == OK && (x->hold == NULL || !x->hold->again))
            outcome->err = route_rate_ask(&router->rates, kind_of(router, found.row, x->request->method),
                                          router->cache, caller.subject, x, rate);
        if (outcome->err != OK)
            return found.methods;
        x->caller = &caller;
    }
    outcome->err = found.row->handle(found.row->data, x);
    outcome->reason = x->reason.text[0] != '\0' ? x->reason : outcome->reason;
    x->caller = NULL;
    return found.methods;
}

void route_answer_or_hold(const struct router *router, const struct http_request *request,
                          struct http_response *response, struct arena *arena, struct route_outcome *outcome,
                          struct http_hold *hold)
{
    struct http_exchange x = {
        .request = request,
        .response = response,
        .arena = arena,
        .now_ms = clock_now_ms(router->clock),
        .hold = hold,
    };
    struct http_timing timing;
    struct route_rate rate = {.name = NULL};
    if (hold != NULL)
        *hold = (struct http_hold){.full = hold->full, .again = hold->again, .last = hold->last};
    *outcome = (struct route_outcome){.row = ROUTE_NONE};
    cache_begin(router->cache, x.now_ms);
    route_timing_begin(&x, &timing, router->timing);
    unsigned methods = answer(router, &x, &rate, outcome);
    route_timing_write(&x, router->timing);
    route_rate_write(&rate, response);
    http_response_header(response, "X-Content-Type-Options", SPAN("nosniff"));
    http_cors_write(router->cors, request, methods | HTTP_OPTIONS, response);
}

void route_answer(const struct router *router, const struct http_request *request,
                  struct http_response *response, struct arena *arena, struct route_outcome *outcome)
{
    route_answer_or_hold(router, request, response, arena, outcome, NULL);
}

size_t route_stream_max(const struct router *router, const struct http_request *request, struct arena *arena)
{
    struct http_exchange x = {.request = request, .arena = arena};
    struct route_path path;
    struct found found;
    if (route_path_split(request->path, arena, &path) != OK)
        return 0;
    find(router, &path, &x, &found);
    for (size_t i = 0; i < router->stream_count && found.row != NULL; i++)
        if (strcmp(router->streams[i].pattern, found.row->pattern) == 0)
            return router->streams[i].max;
    return 0;
}
