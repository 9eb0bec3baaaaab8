#include "fcgi/variables.h"

#include "http/target.h"

static const struct span header_variables[HTTP_HEADER_COUNT] = {
#define X(name, field, variable) SPAN_INIT(variable),
    HTTP_HEADERS(X)
#undef X
};

/* The variables that are no header field's. */
struct target_variables {
    struct span request_uri;
    struct span script_name;
    struct span path_info;
    struct span query_string;
    struct span method;
};

static void take(struct span name, struct span value, struct target_variables *t, struct http_request *r)
{
    if (span_eq(name, SPAN("REQUEST_URI")))
        t->request_uri = value;
    else if (span_eq(name, SPAN("REQUEST_METHOD")))
        t->method = value;
    else if (span_eq(name, SPAN("SCRIPT_NAME")))
        t->script_name = value;
    else if (span_eq(name, SPAN("PATH_INFO")))
        t->path_info = value;
    else if (span_eq(name, SPAN("QUERY_STRING")))
        t->query_string = value;
    else
        for (enum http_header h = 0; h < HTTP_HEADER_COUNT; h++)
            if (span_eq(name, header_variables[h]))
                r->headers[h] = value;
}

enum err fcgi_variables_read(char *const *variables, struct span mount, struct arena *arena,
                             struct http_request *out)
{
    struct target_variables t = {0};
    enum err e = OK;
    for (char *const *v = variables; *v != NULL; v++) {
        struct span value = span_str(*v);
        struct span name = span_cut(&value, '=');
        if (value.ptr != NULL)
            take(name, value, &t, out);
    }
    /* CGI has these two set and empty for a request without a body (RFC 3875 sections 4.1.2 and 4.1.3) */
    if (out->headers[HTTP_HEADER_CONTENT_TYPE].len == 0)
        out->headers[HTTP_HEADER_CONTENT_TYPE] = (struct span){NULL, 0};
    if (out->headers[HTTP_HEADER_CONTENT_LENGTH].len == 0)
        out->headers[HTTP_HEADER_CONTENT_LENGTH] = (struct span){NULL, 0};
    out->body = SPAN("");
    out->method_name = t.method;
    out->method = http_method_of(t.method);
    out->path = SPAN("");
    if (t.method.len == 0)
        return ERR_INVALID;

    struct span path;
    if (t.request_uri.len > 0) {
        e = http_target_split(t.request_uri, &path, &out->query);
    } else {
        e = http_target_compose(t.script_name, t.path_info, arena, &path);
        if (t.query_string.len > 0)
            out->query = t.query_string;
    }
    if (e != OK)
        return e;
    if (http_target_unmount(&path, mount) != OK)
        return ERR_INVALID;
    out->path = path;
    return OK;
}
