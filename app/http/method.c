#include "http/method.h"

struct row {
    struct span name;
    enum http_method method;
};

/* In the order in which Allow lists them. */
static const struct row rows[] = {
    {SPAN_INIT("GET"), HTTP_GET},         {SPAN_INIT("HEAD"), HTTP_HEAD},
    {SPAN_INIT("POST"), HTTP_POST},       {SPAN_INIT("PUT"), HTTP_PUT},
    {SPAN_INIT("PATCH"), HTTP_PATCH},     {SPAN_INIT("DELETE"), HTTP_DELETE},
    {SPAN_INIT("OPTIONS"), HTTP_OPTIONS},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

enum http_method http_method_of(struct span name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (span_eq(rows[i].name, name))
            return rows[i].method;
    return HTTP_METHOD_OTHER;
}

const char *http_method_name(enum http_method m)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].method == m)
            return rows[i].name.ptr;
    return "";
}

void http_method_list(struct buf *out, unsigned methods)
{
    bool first = true;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((methods & rows[i].method) == 0)
            continue;
        if (!first)
            buf_lit(out, ", ");
        buf_append(out, rows[i].name);
        first = false;
    }
}
