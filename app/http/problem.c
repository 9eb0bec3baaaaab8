#include "http/problem.h"

#include "http/utf8.h"
#include "json/write.h"

static const struct http_problem_row rows[HTTP_PROBLEM_COUNT] = {
#define X(name, slug, status, retry_s, title)                                                                \
    [HTTP_PROBLEM_##name] = {SPAN_INIT(slug), status, retry_s, SPAN_INIT(title)},
    HTTP_PROBLEMS(X)
#undef X
};

const struct http_problem_row *http_problem_row(enum http_problem_type type)
{
    return &rows[type];
}

/* A text that came from elsewhere: a reason may have been cut inside a character. */
static void write_text(struct buf *out, struct span text)
{
    text.len = http_utf8_prefix(text);
    json_write_string(out, text.ptr == NULL ? SPAN("") : text);
}

static void write_faults(struct buf *out, const struct http_problem *problem)
{
    buf_lit(out, ",\"errors\":[");
    for (size_t i = 0; i < problem->fault_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_lit(out, "{\"pointer\":");
        write_text(out, problem->faults[i].pointer);
        buf_lit(out, ",\"detail\":");
        write_text(out, problem->faults[i].detail);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

/* Members of RFC 9457 section 3.1, then our own. Slugs and titles need no escaping. */
static void write_document(struct buf *out, const char *request_id, const struct http_problem *problem)
{
    const struct http_problem_row *row = &rows[problem->type];
    buf_lit(out, "{\"type\":\"/problems.html#");
    buf_append(out, row->slug);
    buf_lit(out, "\",\"title\":\"");
    buf_append(out, row->title);
    buf_lit(out, "\",\"status\":");
    buf_i64(out, row->status);
    if (problem->detail.len > 0) {
        buf_lit(out, ",\"detail\":");
        write_text(out, problem->detail);
    }
    if (request_id != NULL) {
        buf_lit(out, ",\"instance\":");
        write_text(out, span_str(request_id));
    }
    if (problem->fault_count > 0)
        write_faults(out, problem);
    if (problem->members.len > 0) {
        buf_char(out, ',');
        buf_append(out, problem->members);
    }
    buf_char(out, '}');
}

/* All but Cache-Control; request_id NULL: an answer that is not one asker's alone. */
static void begin(struct http_response *response, const char *request_id, const struct http_problem *problem)
{
    const struct http_problem_row *row = &rows[problem->type];
    int64_t retry_s = problem->retry_after_s > 0 ? problem->retry_after_s : row->retry_after_s;

    http_response_restart(response, row->status);
    http_response_header(response, "Content-Type", SPAN("application/problem+json"));
    if (request_id != NULL)
        http_response_header(response, "X-Request-Id", span_str(request_id));
    if (retry_s > 0) {
        size_t start = http_response_header_begin(response, "Retry-After");
        buf_i64(&response->head, retry_s);
        http_response_header_end(response, start);
    }
    write_document(&response->body, request_id, problem);
}

void http_problem_write(struct http_response *response, const char *request_id,
                        const struct http_problem *problem)
{
    const struct http_cache_policy any = {0};
    const struct span none = {NULL, 0};

    begin(response, request_id, problem);
    http_cache_control_write(&any, HTTP_CACHE_PROBLEM, none, none, response);
}

void http_problem_write_missing(struct http_response *response, const char *request_id,
                                const struct http_cache_policy *policy, struct span id, struct span handle)
{
    const struct http_problem problem = {.type = HTTP_PROBLEM_NO_SUCH_PROFILE};

    begin(response, http_cache_is_shared(policy, HTTP_CACHE_MISSING) ? NULL : request_id, &problem);
    http_cache_control_write(policy, HTTP_CACHE_MISSING, id, handle, response);
}

enum http_problem_type http_problem_of_fault(enum err e)
{
    switch (e) {
    case ERR_BUSY:
    case ERR_IO:
        return HTTP_PROBLEM_STORAGE_UNAVAILABLE;
    case ERR_FULL:
        return HTTP_PROBLEM_STORAGE_FULL;
    case ERR_NOMEM:
        return HTTP_PROBLEM_OVERLOADED;
    case OK:
    case ERR_NOT_FOUND:
    case ERR_CONFLICT:
    case ERR_INVALID:
    case ERR_EXPIRED:
    case ERR_DENIED:
    case ERR_TOO_LARGE:
    case ERR_COUNT:
        break;
    }
    return HTTP_PROBLEM_INTERNAL;
}
