#include "handlers/condition.h"

#include "handlers/resource.h"

enum handlers_condition handlers_condition(struct http_exchange *x, const struct http_current *current)
{
    switch (http_precondition_evaluate(x->request, current, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_NOT_MODIFIED:
        x->response->status = 304;
        return HANDLERS_NOT_MODIFIED;
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_REQUIRED:
        handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT, NULL);
        return HANDLERS_REFUSED;
    case HTTP_PRECONDITION_PROCEED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    x->response->status = 200;
    return HANDLERS_WHOLE;
}
