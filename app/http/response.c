#include "http/response.h"

/* What a worker keeps at most: a batch of the longest profiles has some megabytes. */
enum { KEPT_MAX = 256 * 1024 };

void http_response_reset(struct http_response *r)
{
    if (r->body.size > KEPT_MAX)
        buf_fini(&r->body);
    http_response_restart(r, 0);
}

void http_response_fini(struct http_response *r)
{
    buf_fini(&r->head);
    buf_fini(&r->body);
    r->status = 0;
}

void http_response_restart(struct http_response *r, int status)
{
    r->status = status;
    buf_clear(&r->head);
    buf_clear(&r->body);
}

size_t http_response_header_begin(struct http_response *r, const char *name)
{
    buf_append(&r->head, span_str(name));
    buf_lit(&r->head, ": ");
    return r->head.len;
}

void http_response_header_end(struct http_response *r, size_t start)
{
    struct span value = span_from(buf_span(&r->head), start);
    /* RFC 9110 section 5.5: such a value would end the line, or the head, and begin another of its sender's
     * making */
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
            r->head.failed = true;
    buf_lit(&r->head, "\r\n");
}

void http_response_header(struct http_response *r, const char *name, struct span value)
{
    size_t start = http_response_header_begin(r, name);
    buf_append(&r->head, value);
    http_response_header_end(r, start);
}

/* The first line of that name: where it begins, and its length with the line's end; false: there is none. */
static bool find_line(const struct http_response *r, const char *name, size_t *at, size_t *len)
{
    struct span all = buf_span(&r->head), rest = all, wanted = span_str(name);
    while (rest.ptr != NULL) {
        struct span line = span_cut(&rest, '\n');
        if (line.len <= wanted.len || line.ptr[wanted.len] != ':' ||
            !span_eq_nocase(span_of(line.ptr, wanted.len), wanted))
            continue;
        *at = (size_t)(line.ptr - all.ptr);
        *len = line.len + 1;
        return true;
    }
    return false;
}

bool http_response_has_header(const struct http_response *r, const char *name)
{
    size_t at, len;
    return find_line(r, name, &at, &len);
}

void http_response_extend_header(struct http_response *r, const char *name, struct span more)
{
    size_t at, len;
    if (!find_line(r, name, &at, &len) || buf_reserve(&r->head, more.len) == NULL)
        return;
    char *to = r->head.ptr + at + len - 2; /* the line's end */
    memmove(to + more.len, to, (size_t)(r->head.ptr + r->head.len - to));
    memcpy(to, more.ptr, more.len);
    buf_extend(&r->head, more.len);
}

void http_response_drop_header(struct http_response *r, const char *name)
{
    size_t at, len;
    while (find_line(r, name, &at, &len)) {
        memmove(r->head.ptr + at, r->head.ptr + at + len, r->head.len - at - len);
        buf_truncate(&r->head, r->head.len - len);
    }
}

struct reason {
    int status;
    const char *phrase;
};

/* RFC 9110 section 15; 428 and 429 from RFC 6585, 507 from RFC 4918 */
static const struct reason reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
};

const char *http_status_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "Unknown";
}
