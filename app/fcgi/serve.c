#include "fcgi/serve.h"

#include "base/clock.h"
#include "fcgi/accept.h"
#include "fcgi/body.h"
#include "fcgi/deadline.h"
#include "fcgi/reply.h"
#include "fcgi/variables.h"

#include <sys/socket.h>

/* What a worker keeps from one request to the next, so that a request takes nothing from the heap. */
struct worker {
    const struct router *router;
    const struct fcgi_options *options;
    const struct fcgi_hooks *hooks;
    FCGX_Request fcgx;
    struct arena arena;
    struct buf body;
    struct buf head;
    struct http_response response;
    struct fcgi_ids ids;
    int idle_ms; /* until the idle hook is called, if no request comes before */
};

static bool may_have_body(enum http_method method)
{
    return (method & (HTTP_POST | HTTP_PUT | HTTP_PATCH)) != 0;
}

/*
 * Reads the body to its end, under the limit. ERR_IO: the peer died on the way: what came is not what was
 * sent, and must not be acted on. A body that is empty, or that means nothing, is read too (body.h).
 */
static enum err read_body(struct worker *w, int fd, struct http_request *request, bool *all_read)
{
    enum { PIECE = 8192 };
    struct fcgi_body body;
    size_t len = 0;
    enum err e;
    fcgi_body_begin(&body, request, w->fcgx.in, fd, w->options->body_max);
    do {
        char *to = buf_reserve(&w->body, PIECE);
        if (to == NULL)
            return ERR_NOMEM;
        if ((e = fcgi_body_read(&body, to, PIECE, &len)) == OK)
            buf_extend(&w->body, len);
    } while (e == OK && !body.ended);
    *all_read = body.ended;
    if (e == ERR_TOO_LARGE)
        request->body_too_large = true;
    else if (e == OK)
        request->body = buf_span(&w->body);
    return e == ERR_TOO_LARGE ? OK : e;
}

/* The body as the row that will answer takes it: as a stream, of which nothing is read yet, or whole. */
static enum err take_body(struct worker *w, int fd, struct http_request *request, struct fcgi_body *stream,
                          bool *all_read)
{
    bool expected = may_have_body(request->method);
    size_t max = expected ? route_stream_max(w->router, request, &w->arena) : 0;
    *all_read = false;
    if (max > 0) {
        fcgi_body_begin(stream, request, w->fcgx.in, fd, max);
        request->stream = (struct http_stream){.read = fcgi_body_read, .data = stream};
        return OK;
    }
    enum err e = read_body(w, fd, request, all_read);
    if (expected || e == ERR_NOMEM || e == ERR_IO)
        return e;
    request->body = SPAN("");
    request->body_too_large = false;
    return OK;
}

struct sending {
    struct worker *w;
    int fd;
};

static enum err send_piece(void *data, struct span piece)
{
    const struct sending *to = data;
    fcgi_deadline_watch(to->fd, clock_monotonic_us());
    return FCGX_PutStr(piece.ptr, (int)piece.len, to->w->fcgx.out) == (int)piece.len ? OK : ERR_IO;
}

static void send_reply(struct worker *w, int fd, enum http_method method)
{
    struct sending to = {w, fd};
    fcgi_reply_head(&w->head, &w->response);
    struct span body = fcgi_reply_body(&w->response, method);
    FCGX_PutStr(w->head.ptr, (int)w->head.len, w->fcgx.out);
    if (body.len > 0)
        FCGX_PutStr(body.ptr, (int)body.len, w->fcgx.out);
    /* what is not whole must not end as if it were */
    if (fcgi_reply_stream(&w->response, method, send_piece, &to) != OK)
        shutdown(fd, SHUT_RDWR);
}

/* One request, on a connection that is closed after it, or kept for the next. */
static void answer_one(struct worker *w, struct fcgi_acceptor *acceptor, int fd)
{
    struct http_request request = {0};
    struct route_outcome outcome = {0};
    struct fcgi_body stream;
    bool all_read = true;
    int64_t begun_us = clock_monotonic_us();

    w->hooks->request_begin(w->hooks->data, begun_us);
    fcgi_deadline_watch(fd, begun_us);
    if (!fcgi_request_begin(&w->fcgx, fd)) {
        fcgi_deadline_rest();
        w->hooks->request_end(w->hooks->data, 0);
        return;
    }
    enum err e = fcgi_variables_read(w->fcgx.envp, w->options->mount, &w->arena, &request);
    fcgi_ids_next(&w->ids, request.id);
    if (e != ERR_NOMEM)
        e = take_body(w, fd, &request, &stream, &all_read);
    fcgi_deadline_rest();
    if (e != ERR_NOMEM && e != ERR_IO) {
        route_answer(w->router, &request, &w->response, &w->arena, &outcome);
        if (request.stream.read != NULL)
            all_read = fcgi_body_finish(&stream);
        int64_t now_us = clock_monotonic_us(), took_us = now_us - begun_us;
        fcgi_deadline_watch(fd, now_us);
        send_reply(w, fd, request.method);
        /* the end of the answer leaves with fcgi_request_end: whoever has read it finds it counted */
        metrics_request(w->options->metrics, (size_t)outcome.row, w->response.status, took_us);
        fcgi_reply_log(w->options->log, w->options->access_log, &request, &w->response, &outcome, took_us);
    }
    int kept = -1;
    fcgi_request_end(&w->fcgx, all_read && w->response.status != 0, &kept);
    fcgi_deadline_rest();
    if (kept >= 0)
        fcgi_acceptor_keep(acceptor, kept);
    w->hooks->request_end(w->hooks->data, w->response.status);
    w->idle_ms = w->hooks->idle(w->hooks->data);

    http_response_reset(&w->response);
    buf_clear(&w->head);
    buf_clear(&w->body);
    arena_reset(&w->arena);
}

static enum err loop(struct worker *w, struct fcgi_acceptor *acceptor, const sigset_t *wait_mask)
{
    for (;;) {
        bool stopping = w->hooks->stopping(w->hooks->data);
        int fd;
        if (stopping && !w->options->drain)
            return OK;
        enum err e = fcgi_acceptor_take(acceptor, wait_mask, stopping ? 0 : w->idle_ms, &fd);
        if (e != OK)
            return e;
        if (fd >= 0)
            answer_one(w, acceptor, fd);
        else if (stopping)
            return OK;
        else if (w->idle_ms >= 0)
            w->idle_ms = w->hooks->idle(w->hooks->data);
    }
}

enum err fcgi_serve(int listen_fd, const sigset_t *wait_mask, const struct router *router,
                    const struct fcgi_options *options, const struct fcgi_hooks *hooks,
                    struct err_detail *detail)
{
    struct worker w = {.router = router, .options = options, .hooks = hooks, .idle_ms = 0};
    struct fcgi_acceptor acceptor;
    enum err e = OK;

    if ((e = fcgi_acceptor_init(&acceptor, listen_fd, detail)) != OK)
        return e;
    /* no socket is given: libfcgi must never wait for a connection itself */
    if (FCGX_Init() != 0 || FCGX_InitRequest(&w.fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        e = err_set(detail, ERR_IO, "libfcgi cannot be initialised");
        goto out;
    }
    fcgi_ids_init(&w.ids);
    if ((e = fcgi_deadline_start(options->io_timeout_s, detail)) != OK)
        goto out;
    /* a timer that looks after the connection in hand has no business in the wait for one */
    sigset_t mask = *wait_mask;
    sigaddset(&mask, SIGALRM);
    if ((e = loop(&w, &acceptor, &mask)) != OK)
        err_set(detail, e, "waiting for connections failed");
out:
    fcgi_deadline_stop();
    fcgi_acceptor_fini(&acceptor);
    http_response_fini(&w.response);
    buf_fini(&w.head);
    buf_fini(&w.body);
    arena_fini(&w.arena);
    return e;
}
