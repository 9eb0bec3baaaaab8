#include "fcgi/serve.h"

#include "base/clock.h"
#include "fcgi/accept.h"
#include "fcgi/deadline.h"
#include "fcgi/reply.h"
#include "fcgi/variables.h"

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
 * Reads the body to its end, under the limit. Some front servers send no length for a chunked body, or an
 * empty one. ERR_IO: the peer died on the way: what came is not what was sent, and must not be acted on.
 *
 * A body that is empty, or that means nothing, is read too: Apache sends the record that ends it by itself,
 * and answers 503 when a worker has answered and closed before that.
 */
static enum err read_body(struct worker *w, int fd, struct http_request *request, bool *all_read)
{
    enum { PIECE = 8192 };
    struct span length_text = http_request_header(request, HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    bool known = length_text.len > 0;
    *all_read = false;
    if (known && !span_to_u64(length_text, UINT64_MAX, &length))
        return ERR_INVALID;
    if (known && length > w->options->body_max) {
        request->body_too_large = true;
        return OK;
    }
    for (;;) {
        char *to = buf_reserve(&w->body, PIECE);
        if (to == NULL)
            return ERR_NOMEM;
        fcgi_deadline_watch(fd, clock_monotonic_us());
        int n = FCGX_GetStr(to, PIECE, w->fcgx.in);
        buf_extend(&w->body, (size_t)n);
        if (w->body.len > w->options->body_max) {
            request->body_too_large = true;
            return OK;
        }
        if (n < PIECE)
            break;
    }
    if (FCGX_GetError(w->fcgx.in) != 0 || (known && w->body.len != length))
        return ERR_IO;
    *all_read = true;
    request->body = buf_span(&w->body);
    return OK;
}

static void send_reply(struct worker *w, enum http_method method)
{
    fcgi_reply_head(&w->head, &w->response);
    struct span body = fcgi_reply_body(&w->response, method);
    FCGX_PutStr(w->head.ptr, (int)w->head.len, w->fcgx.out);
    if (body.len > 0)
        FCGX_PutStr(body.ptr, (int)body.len, w->fcgx.out);
}

/* One request, on a connection that is closed after it, or kept for the next. */
static void answer_one(struct worker *w, struct fcgi_acceptor *acceptor, int fd)
{
    struct http_request request = {0};
    struct route_outcome outcome = {0};
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
    if (e != ERR_NOMEM) {
        enum err body = read_body(w, fd, &request, &all_read);
        if (may_have_body(request.method) || body == ERR_NOMEM || body == ERR_IO) {
            e = body;
        } else {
            request.body = SPAN("");
            request.body_too_large = false;
        }
    }
    fcgi_deadline_rest();
    if (e != ERR_NOMEM && e != ERR_IO) {
        route_answer(w->router, &request, &w->response, &w->arena, &outcome);
        int64_t now_us = clock_monotonic_us(), took_us = now_us - begun_us;
        fcgi_deadline_watch(fd, now_us);
        send_reply(w, request.method);
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
