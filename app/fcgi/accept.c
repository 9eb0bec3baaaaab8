#include "fcgi/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum err fcgi_acceptor_init(struct fcgi_acceptor *a, int listen_fd, struct err_detail *detail)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int flags = fcntl(listen_fd, F_GETFL);
    *a = (struct fcgi_acceptor){.listen_fd = listen_fd, .epoll_fd = -1};
    if (flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_set(detail, ERR_IO, "the listening socket cannot be used: %s", strerror(errno));
    if ((a->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
        epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, listen_fd, &event) < 0) {
        err_set(detail, ERR_IO, "cannot wait for connections: %s", strerror(errno));
        fcgi_acceptor_fini(a);
        return ERR_IO;
    }
    return OK;
}

void fcgi_acceptor_fini(struct fcgi_acceptor *a)
{
    if (a->epoll_fd >= 0)
        close(a->epoll_fd);
    a->epoll_fd = -1;
}

/* What accept(2) says of a connection that died in the queue, or of a lack that passes: no reason to give up.
 */
static bool passes(int why)
{
    return why == EAGAIN || why == EINTR || why == ECONNABORTED || why == EPROTO || why == EPERM ||
           why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM || why == ENETDOWN ||
           why == EHOSTDOWN || why == ENONET || why == EHOSTUNREACH || why == ENETUNREACH;
}

enum err fcgi_acceptor_take(struct fcgi_acceptor *a, const sigset_t *mask, int wait_ms, int io_timeout_s,
                            int *fd)
{
    struct epoll_event event;
    struct timeval limit = {.tv_sec = io_timeout_s};
    *fd = -1;
    int n = epoll_pwait(a->epoll_fd, &event, 1, wait_ms, mask);
    if (n < 0)
        return errno == EINTR ? OK : ERR_IO;
    if (n == 0)
        return OK;
    int connection = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        return passes(errno) ? OK : ERR_IO;
    if (io_timeout_s > 0) {
        /* a slow or silent peer must not hold the worker for ever */
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    *fd = connection;
    return OK;
}

bool fcgi_request_begin(FCGX_Request *request, int fd)
{
    request->ipcFd = fd;
    /* FCGX_Accept_r first finishes the request before, and would close the connection that it is to use */
    request->keepConnection = 1;
    if (FCGX_Accept_r(request) != 0) {
        request->keepConnection = 0;
        return false;
    }
    if (FCGX_GetError(request->in) != 0) {
        fcgi_request_end(request, false);
        return false;
    }
    return true;
}

bool fcgi_request_end(FCGX_Request *request, bool all_read)
{
    request->keepConnection = 0;
    request->detached = all_read;
    /* FCGX_Finish_r closes the streams too, and forgets how that went */
    bool sent = FCGX_FClose(request->err) == 0;
    sent = FCGX_FClose(request->out) == 0 && sent;
    FCGX_Finish_r(request);
    return sent;
}
