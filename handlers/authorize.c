#include "handlers/authorize.h"

#include "handlers/parameters.h"
#include "handlers/resource.h"

enum err handlers_authorize(void *data, struct http_exchange *x)
{
    enum err e = handlers_no_parameters(x);
    (void)data;
    if (e != OK)
        return e;
    x->response->status = 204;
    http_response_header(x->response, "Cache-Control", SPAN("no-store"));
    return OK;
}
