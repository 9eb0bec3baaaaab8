#include "handlers/parameters.h"

#include "handlers/resource.h"
#include "http/query.h"

static enum err unknown(struct http_exchange *x, struct span name)
{
    struct buf detail = {0};
    buf_printf(&detail, "there is no parameter '%.*s' at this address", SPAN_ARG(name));
    handlers_problem(x, HTTP_PROBLEM_UNKNOWN_PARAMETER, ERR_INVALID, buf_text(&detail));
    buf_fini(&detail);
    return ERR_INVALID;
}

static enum err too_often(struct http_exchange *x, const struct handlers_parameter *p)
{
    struct buf detail = {0};
    buf_printf(&detail, "the parameter '%s' is to be given %zu %s at most", p->name, p->most,
               p->most == 1 ? "time" : "times");
    handlers_problem(x, HTTP_PROBLEM_BAD_TARGET, ERR_INVALID, buf_text(&detail));
    buf_fini(&detail);
    return ERR_INVALID;
}

enum err handlers_parameters_read(struct http_exchange *x, struct handlers_parameter *known,
                                  size_t known_count)
{
    struct http_query query = {x->request->query};
    struct span name, value;
    enum err e;
    for (size_t i = 0; i < known_count; i++)
        known[i].count = 0;
    while ((e = http_query_next(&query, x->arena, &name, &value)) == OK) {
        struct handlers_parameter *p = known, *end = known + known_count;
        while (p < end && !span_eq(name, span_str(p->name)))
            p++;
        if (p == end)
            return unknown(x, name);
        if (p->count == p->most)
            return too_often(x, p);
        p->values[p->count++] = value;
    }
    if (e == ERR_NOT_FOUND)
        return OK;
    if (e == ERR_INVALID)
        return handlers_problem(x, HTTP_PROBLEM_BAD_TARGET, e, "the query string is malformed");
    return handlers_fault(x, e);
}

enum err handlers_no_parameters(struct http_exchange *x)
{
    return handlers_parameters_read(x, NULL, 0);
}
