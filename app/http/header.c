#include "http/header.h"

struct row {
    const char *name;
    const char *variable;
};

static const struct row rows[HTTP_HEADER_COUNT] = {
#define X(name, field, cgi) [HTTP_HEADER_##name] = {field, cgi},
    HTTP_HEADERS(X)
#undef X
};

const char *http_header_name(enum http_header h)
{
    return rows[h].name;
}

const char *http_header_variable(enum http_header h)
{
    return rows[h].variable;
}
