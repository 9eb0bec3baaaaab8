#include "fcgi/serve.h"

#include "base/clock.h"
#include "fcgi/reply.h"
#include "fcgi/variables.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* CONTENT_LENGTH bytes of standard input; to its end where the front server did not say how many (a chunked
 * body). */
struct cgi_body {
    uint64_t length; /* UINT64_MAX: not known */
    uint64_t got;
    size_t max;
    enum err failed;
};

static void begin_body(struct cgi_body *body, const struct http_request *request, size_t max)
{
    struct span text = http_request_header(request, HTTP_HEADER_CONTENT_LENGTH);
    *body = (struct cgi_body){.length = UINT64_MAX, .max = max};
    if (text.len > 0 && !span_to_u64(text, UINT64_MAX - 1, &body->length))
        body->failed = ERR_INVALID;
    else if (body->length != UINT64_MAX && body->length > max)
        body->failed = ERR_TOO_LARGE;
}

/* http_stream_read */
static enum err read_piece(void *data, char *to, size_t size, size_t *len)
{
    struct cgi_body *body = data;
    size_t want = body->length - body->got < size ? (size_t)(body->length - body->got) : size;
    ssize_t n = 0;
    *len = 0;
    if (body->failed != OK || want == 0)
        return body->failed;
    while ((n = read(STDIN_FILENO, to, want)) < 0 && errno == EINTR)
        continue;
    if (n < 0 || (n == 0 && body->length != UINT64_MAX))
        return body->failed = ERR_IO;
    if (n == 0)
        body->length = body->got; /* so that the end stays the end */
    body->got += (uint64_t)n;
    if (body->got > body->max)
        return body->failed = ERR_TOO_LARGE;
    *len = (size_t)n;
    return OK;
}

static enum err read_body(struct http_request *request, size_t max, struct buf *out)
{
    enum { PIECE = 4096 };
    struct cgi_body body;
    size_t len;
    enum err e;
    begin_body(&body, request, max);
    do {
        char *to = buf_reserve(out, PIECE);
        if (to == NULL)
            return ERR_NOMEM;
        if ((e = read_piece(&body, to, PIECE, &len)) == OK)
            buf_extend(out, len);
    } while (e == OK && len > 0);
    if (e == ERR_TOO_LARGE)
        request->body_too_large = true;
    else if (e == OK)
        request->body = buf_span(out);
    return e == ERR_TOO_LARGE ? OK : e;
}

/* The body as the row that will answer takes it: as a stream, of which nothing is read yet, or whole. */
static enum err take_body(const struct router *router, const struct fcgi_options *options,
                          struct arena *arena, struct http_request *request, struct cgi_body *stream,
                          struct buf *out)
{
    size_t max = route_stream_max(router, request, arena);
    if (max == 0)
        return read_body(request, options->body_max, out);
    begin_body(stream, request, max);
    request->stream = (struct http_stream){.read = read_piece, .data = stream};
    return OK;
}

static enum err write_all(struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_IO;
        bytes = span_from(bytes, (size_t)n);
    }
    return OK;
}

static enum err send_piece(void *data, struct span piece)
{
    (void)data;
    return write_all(piece);
}

/*
 * Reads on what was not wanted, once it is answered: where standard input is a socket (Apache's mod_cgid),
 * bytes left in it at the end would turn into an error on the other side, which then drops the answer.
 * Patient for as long as libfcgi is with a connection that it closes.
 */
static void read_away(uint64_t length)
{
    enum { PATIENCE_MS = 2000 };
    char away[8192];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    shutdown(STDOUT_FILENO, SHUT_WR);
    while (length > 0 && poll(&in, 1, PATIENCE_MS) > 0) {
        ssize_t n = read(STDIN_FILENO, away, sizeof away);
        if (n <= 0)
            return;
        length -= (uint64_t)n < length ? (uint64_t)n : length;
    }
}

/* What CONTENT_LENGTH says; without it as much as there may be for a method that has a body, else nothing. */
static uint64_t told_length(const struct http_request *request, uint64_t otherwise)
{
    struct span text = http_request_header(request, HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length;
    return text.len > 0 && span_to_u64(text, UINT64_MAX, &length) ? length : otherwise;
}

static bool may_have_body(enum http_method method)
{
    return (method & (HTTP_POST | HTTP_PUT | HTTP_PATCH)) != 0;
}

enum err fcgi_cgi_answer(char *const *environment, const struct router *router,
                         const struct fcgi_options *options)
{
    struct http_request request = {0};
    struct http_response response = {0};
    struct route_outcome outcome = {0};
    struct arena arena = {0};
    struct buf body = {0}, head = {0};
    struct cgi_body stream = {0};
    struct fcgi_ids ids;
    int64_t begun_us = clock_monotonic_us();
    enum err e = fcgi_variables_read(environment, options->mount, &arena, &request);

    fcgi_ids_init(&ids);
    fcgi_ids_next(&ids, request.id);
    if (e == ERR_NOMEM)
        goto out;
    if (may_have_body(request.method) &&
        (e = take_body(router, options, &arena, &request, &stream, &body)) != OK)
        goto out;
    route_answer(router, &request, &response, &arena, &outcome);
    fcgi_reply_head(&head, &response);
    if ((e = buf_status(&head)) == OK && (e = write_all(buf_span(&head))) == OK)
        e = write_all(fcgi_reply_body(&response, request.method));
    if (e == OK)
        e = fcgi_reply_stream(&response, request.method, send_piece, NULL);
    if (request.stream.read != NULL)
        read_away(stream.length == UINT64_MAX ? UINT64_MAX : stream.length - stream.got);
    else if (request.body_too_large)
        read_away(told_length(&request, UINT64_MAX));
    else if (!may_have_body(request.method))
        read_away(told_length(&request, 0));
    fcgi_reply_log(options->log, options->access_log, &request, &response, &outcome,
                   clock_monotonic_us() - begun_us);
out:
    buf_fini(&head);
    buf_fini(&body);
    http_response_fini(&response);
    arena_fini(&arena);
    return e;
}
