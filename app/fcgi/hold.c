#include "fcgi/hold.h"

#include "base/clock.h"
#include "fcgi/record.h"
#include "fcgi/reply.h"
#include "fcgi/variables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MOST = FCGI_HELD_MOST + 250,
    DESCRIPTORS = CONNECTIONS_MOST + 100,
    EVENTS = 64,
    READ_PIECE = 16 * 1024,
    ACCEPT_PAUSE_US = 100000, /* where the machine has no descriptor or memory to give */
    STOP_LIMIT_US = 2000000,
};

enum state { READING, HELD, WRITING, STATE_COUNT };

struct connection {
    int fd;
    enum state state;
    size_t index;   /* in the loop's list */
    int64_t due_us; /* READING, WRITING: closed then; HELD: answered then */
    uint64_t place; /* HELD: of what it has seen */
    struct fcgi_intake intake;
    struct buf out;
    size_t sent;
};

struct loop {
    const struct router *router;
    const struct fcgi_options *options;
    const struct fcgi_hold_hooks *hooks;
    size_t row;
    int listen_fd, epoll_fd;
    bool listening; /* listen_fd is waited on */
    bool waking;    /* so is hooks->wake_fd, while anybody is kept */
    bool stopping;
    int64_t accept_due_us; /* after a lack: when to accept again */
    uint64_t place;        /* as it was last seen; 0: not known */
    int64_t look_us;       /* when to look again */
    size_t count, held;
    struct connection *connections[CONNECTIONS_MOST];
    /* from one answer to the next, so that it takes little from the heap */
    struct arena arena;
    struct buf head;
    struct http_response response;
    struct fcgi_ids ids;
};

/* ---- connections */

static void enter(struct loop *l, struct connection *c, enum state state)
{
    l->held += (state == HELD) - (c->state == HELD);
    c->state = state;
}

static void drop(struct loop *l, struct connection *c)
{
    enter(l, c, READING);
    l->connections[c->index] = l->connections[--l->count];
    l->connections[c->index]->index = c->index;
    close(c->fd);
    fcgi_intake_fini(&c->intake);
    buf_fini(&c->out);
    free(c);
}

static bool wait_for(const struct loop *l, struct connection *c, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    return epoll_ctl(l->epoll_fd, operation, c->fd, &event) == 0;
}

static int64_t io_limit_us(const struct loop *l)
{
    return l->options->io_timeout_s > 0 ? (int64_t)l->options->io_timeout_s * 1000000 : INT64_MAX / 2;
}

/* false: it is not taken, and closed. */
static bool add(struct loop *l, int fd, int64_t now_us)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return false;
    }
    *c = (struct connection){.fd = fd, .index = l->count, .due_us = now_us + io_limit_us(l)};
    l->connections[l->count++] = c;
    if (wait_for(l, c, EPOLL_CTL_ADD, EPOLLIN))
        return true;
    drop(l, c);
    return false;
}

/* Waits for new connections as long as there is room for them. */
static void keep_listening(struct loop *l, int64_t now_us)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    bool wanted =
        l->listen_fd >= 0 && !l->stopping && l->count < CONNECTIONS_MOST && now_us >= l->accept_due_us;
    if (wanted != l->listening &&
        epoll_ctl(l->epoll_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->listen_fd, &event) == 0)
        l->listening = wanted;
}

static void keep_waking(struct loop *l)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
    bool wanted = l->hooks->wake_fd >= 0 && l->held > 0;
    if (wanted != l->waking &&
        epoll_ctl(l->epoll_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->hooks->wake_fd, &event) == 0)
        l->waking = wanted;
}

static void take_connections(struct loop *l, int64_t now_us)
{
    while (l->listen_fd >= 0 && l->count < CONNECTIONS_MOST) {
        int fd = accept4(l->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && (errno == EAGAIN))
            return;
        if (fd < 0 || !add(l, fd, now_us)) {
            l->accept_due_us = now_us + ACCEPT_PAUSE_US;
            return;
        }
    }
}

/* ---- answers */

static void flush(struct loop *l, struct connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.ptr + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN) && wait_for(l, c, EPOLL_CTL_MOD, EPOLLOUT))
            return;
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    drop(l, c);
}

static void send_answer(struct loop *l, struct connection *c, const struct http_request *request,
                        const struct route_outcome *outcome, int64_t begun_us)
{
    int64_t now_us = clock_monotonic_us(), took_us = now_us - begun_us;
    size_t row = outcome->row == ROUTE_NONE ? METRICS_NO_ROUTE : l->row + (size_t)outcome->row;
    buf_clear(&l->head);
    fcgi_reply_head(&l->head, &l->response);
    fcgi_answer_write(&c->out, c->intake.id, buf_span(&l->head),
                      fcgi_reply_body(&l->response, request->method));
    metrics_request(l->options->metrics, row, l->response.status, took_us);
    fcgi_reply_log(l->options->log, l->options->access_log, request, &l->response, outcome, took_us);
    enter(l, c, WRITING);
    c->due_us = now_us + io_limit_us(l);
    if (c->out.failed || l->head.failed)
        drop(l, c);
    else
        flush(l, c);
}

/* The request is whole: answers it, or keeps it. final: it is to be answered now. */
static void handle(struct loop *l, struct connection *c, bool final)
{
    struct http_request request = {0};
    struct route_outcome outcome = {.row = ROUTE_NONE};
    struct http_hold hold = {
        .full = c->state != HELD && l->held >= FCGI_HELD_MOST, .again = c->state == HELD, .last = final};
    int64_t begun_us = clock_monotonic_us();
    char **variables;
    enum err e;

    l->hooks->request_begin(l->hooks->data, begun_us);
    http_response_reset(&l->response);
    arena_reset(&l->arena);
    e = fcgi_params_read(buf_span(&c->intake.params), &l->arena, &variables);
    if (e == OK && fcgi_variables_read(variables, l->options->mount, &l->arena, &request) == ERR_NOMEM)
        e = ERR_NOMEM;
    fcgi_ids_next(&l->ids, request.id);
    if (e == OK)
        route_answer_or_hold(l->router, &request, &l->response, &l->arena, &outcome, &hold);
    l->hooks->request_end(l->hooks->data);
    if (e != OK) {
        drop(l, c);
    } else if (hold.wait_ms == 0) {
        send_answer(l, c, &request, &outcome, begun_us);
    } else {
        if (c->state != HELD)
            c->due_us = begun_us + hold.wait_ms * 1000;
        c->place = hold.place;
        enter(l, c, HELD);
        l->look_us = 0; /* it may have come while we read */
    }
}

/* Reads what has come: more of the request, or, while it is kept, that its peer is gone. */
static void read_more(struct loop *l, struct connection *c)
{
    static_assert(READ_PIECE <= 65536, "it lies on the stack");
    char bytes[READ_PIECE];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* behind a whole request nothing may come but its being taken back */
    if (n <= 0 || c->state == HELD) {
        drop(l, c);
        return;
    }
    enum err e = fcgi_intake_feed(&c->intake, span_of(bytes, (size_t)n));
    if (e == OK)
        handle(l, c, l->stopping);
    else if (e != ERR_NOT_FOUND)
        drop(l, c);
}

/* ---- the loop */

static void take_event(struct loop *l, const struct epoll_event *event, int64_t now_us)
{
    struct connection *c = event->data.ptr;
    if (c == NULL)
        take_connections(l, now_us);
    else if (event->data.ptr == (void *)l)
        l->look_us = 0;
    else if (c->state == WRITING)
        flush(l, c);
    else
        read_more(l, c);
}

/* From the last on: who is dropped is replaced by one that was looked at. */
static void serve_due(struct loop *l, int64_t now_us)
{
    for (size_t i = l->count; i-- > 0;) {
        struct connection *c = l->connections[i];
        if (c->state == HELD && (l->stopping || now_us >= c->due_us))
            handle(l, c, true);
        else if (c->state == HELD && l->place != 0 && c->place != l->place)
            handle(l, c, false);
        else if (c->state != HELD && now_us >= c->due_us)
            drop(l, c);
    }
}

/* When the next of them is due, in milliseconds from now, at most most_ms. */
static int wait_ms(const struct loop *l, int64_t now_us)
{
    int64_t until_us = l->look_us;
    for (size_t i = 0; i < l->count; i++)
        if (l->connections[i]->due_us < until_us)
            until_us = l->connections[i]->due_us;
    if (!l->listening && l->accept_due_us > now_us && l->accept_due_us < until_us)
        until_us = l->accept_due_us;
    return until_us <= now_us ? 0 : (int)((until_us - now_us + 999) / 1000);
}

static enum err run(struct loop *l, const sigset_t *wait_mask, struct err_detail *detail)
{
    struct epoll_event events[EVENTS];
    int64_t stop_us = 0;
    for (;;) {
        int64_t now_us = clock_monotonic_us();
        if (!l->stopping && l->hooks->stopping(l->hooks->data)) {
            /* nobody else may take those that wait in the queue */
            take_connections(l, now_us);
            l->stopping = true;
            stop_us = now_us + STOP_LIMIT_US;
        }
        if (l->stopping && (l->count == 0 || now_us >= stop_us))
            return OK;
        if (now_us >= l->look_us)
            l->look_us = now_us + 1000 * l->hooks->look(l->hooks->data, now_us, l->held, &l->place);
        serve_due(l, now_us);
        keep_listening(l, now_us);
        keep_waking(l);
        int n = epoll_pwait(l->epoll_fd, events, EVENTS, l->stopping ? 10 : wait_ms(l, now_us), wait_mask);
        if (n < 0 && errno != EINTR)
            return err_set(detail, ERR_IO, "waiting for connections failed: %s", strerror(errno));
        now_us = clock_monotonic_us();
        for (int i = 0; i < n; i++)
            take_event(l, &events[i], now_us);
    }
}

/* Room for as many descriptors as there may be connections; where there is none, accept will say so. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static enum err open_loop(struct loop *l, struct err_detail *detail)
{
    int flags = l->listen_fd < 0 ? 0 : fcntl(l->listen_fd, F_GETFL);
    if (l->listen_fd >= 0 && (flags < 0 || fcntl(l->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return err_set(detail, ERR_IO, "the listening socket cannot be used: %s", strerror(errno));
    if ((l->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return err_set(detail, ERR_IO, "cannot wait for connections: %s", strerror(errno));
    return OK;
}

enum err fcgi_hold_serve(int listen_fd, const sigset_t *wait_mask, const struct router *router, size_t row,
                         const struct fcgi_options *options, const struct fcgi_hold_hooks *hooks,
                         struct err_detail *detail)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_set(detail, ERR_NOMEM, "out of memory");
    l->router = router;
    l->options = options;
    l->hooks = hooks;
    l->row = row;
    l->listen_fd = listen_fd;
    l->epoll_fd = -1;
    fcgi_ids_init(&l->ids);
    raise_limit();
    enum err e = open_loop(l, detail);
    if (e == OK)
        e = run(l, wait_mask, detail);
    while (l->count > 0)
        drop(l, l->connections[l->count - 1]);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    http_response_fini(&l->response);
    buf_fini(&l->head);
    arena_fini(&l->arena);
    free(l);
    return e;
}
