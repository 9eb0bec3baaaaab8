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
static enum err read_body(struct http_request *request, size_t max, struct buf *body)
{
    struct span length_text = http_request_header(request, HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = UINT64_MAX;
    if (length_text.len > 0 && !span_to_u64(length_text, UINT64_MAX - 1, &length))
        return ERR_INVALID;
    if (length != UINT64_MAX && length > max) {
        request->body_too_large = true;
        return OK;
    }
    while (body->len < length) {
        char *to = buf_reserve(body, 4096);
        if (to == NULL)
            return ERR_NOMEM;
        size_t want = length - body->len < 4096 ? (size_t)(length - body->len) : 4096;
        ssize_t n = read(STDIN_FILENO, to, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n == 0 && length != UINT64_MAX))
            return ERR_IO;
        if (n == 0)
            break;
        buf_extend(body, (size_t)n);
        if (body->len > max) {
            request->body_too_large = true;
            return OK;
        }
    }
    request->body = buf_span(body);
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
    struct fcgi_ids ids;
    int64_t begun_us = clock_monotonic_us();
    enum err e = fcgi_variables_read(environment, options->mount, &arena, &request);

    fcgi_ids_init(&ids);
    fcgi_ids_next(&ids, request.id);
    if (e == ERR_NOMEM)
        goto out;
    if (may_have_body(request.method) && (e = read_body(&request, options->body_max, &body)) != OK)
        goto out;
    route_answer(router, &request, &response, &arena, &outcome);
    fcgi_reply_head(&head, &response);
    if ((e = buf_status(&head)) == OK && (e = write_all(buf_span(&head))) == OK)
        e = write_all(fcgi_reply_body(&response, request.method));
    if (request.body_too_large)
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
