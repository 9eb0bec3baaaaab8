#include "fcgi/reply.h"

#include "crypto/hash.h"
#include "crypto/random.h"

void fcgi_ids_init(struct fcgi_ids *ids)
{
    crypto_random(ids->key, sizeof ids->key);
    ids->counter = 0;
}

void fcgi_ids_next(struct fcgi_ids *ids, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t half = 0; half < 2; half++) {
        uint64_t n = ids->counter++;
        uint64_t hash = crypto_siphash(ids->key, span_of((const char *)&n, sizeof n));
        for (size_t i = 0; i < 16; i++, hash >>= 4)
            out[half * 16 + i] = digits[hash & 15];
    }
    out[32] = '\0';
}

/* RFC 9110 sections 15.3.5 and 15.4.5: these two have no content, and no length that would describe one. */
static bool may_have_length(int status)
{
    return status != 204 && status != 304;
}

static uint64_t body_len(const struct http_response *response)
{
    return response->stream.read != NULL ? response->stream.len : response->body.len;
}

void fcgi_reply_head(struct buf *out, struct http_response *response)
{
    if (response->status == 0 || response->head.failed || response->body.failed) {
        http_response_restart(response, 500);
        http_response_header(response, "Cache-Control", SPAN("no-store"));
    }
    buf_lit(out, "Status: ");
    buf_u64(out, (uint64_t)response->status);
    buf_char(out, ' ');
    buf_append(out, span_str(http_status_reason(response->status)));
    buf_lit(out, "\r\n");
    buf_append(out, buf_span(&response->head));
    if (may_have_length(response->status)) {
        buf_lit(out, "Content-Length: ");
        buf_u64(out, body_len(response));
        buf_lit(out, "\r\n");
    }
    buf_lit(out, "\r\n");
}

struct span fcgi_reply_body(const struct http_response *response, enum http_method method)
{
    /* RFC 9110 section 9.3.2: HEAD gets what GET would, without the content */
    if (method == HTTP_HEAD || !may_have_length(response->status))
        return SPAN("");
    return response->stream.read != NULL ? SPAN("") : buf_span(&response->body);
}

enum err fcgi_reply_stream(const struct http_response *response, enum http_method method,
                           enum err (*send)(void *data, struct span piece), void *data)
{
    enum { PIECE = 64 * 1024 };
    char piece[PIECE];
    uint64_t left = response->stream.len;
    enum err e = OK;
    if (response->stream.read == NULL || method == HTTP_HEAD || !may_have_length(response->status))
        return OK;
    while (left > 0 && e == OK) {
        size_t len = 0;
        e = response->stream.read(response->stream.data, piece, left < PIECE ? (size_t)left : PIECE, &len);
        if (e == OK && len == 0)
            e = ERR_IO;
        if (e == OK)
            e = send(data, span_of(piece, len));
        left -= len;
    }
    return e;
}

void fcgi_reply_log(const struct log *log, bool access, const struct http_request *request,
                    const struct http_response *response, const struct route_outcome *outcome,
                    int64_t took_us)
{
    bool failed = response->status >= 500;
    if (!failed && !access)
        return;
    LOG(log, failed ? LOG_ERROR : LOG_INFO, failed ? "request-failed" : "request",
        LOG_STR("request", request->id), LOG_SPAN("method", request->method_name),
        LOG_SPAN("path", request->path), LOG_STR("route", outcome->pattern == NULL ? "" : outcome->pattern),
        LOG_INT("status", response->status), LOG_INT("bytes", (int64_t)body_len(response)),
        LOG_INT("us", took_us), LOG_STR("outcome", err_name(outcome->err)),
        LOG_STR("reason", outcome->reason.text));
}
