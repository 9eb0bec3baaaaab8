#include "fcgi/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum err fcgi_acceptor_init(struct fcgi_acceptor *a, int listen_fd, struct err_detail *detail)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listen_fd};
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
    while (a->kept_count > 0)
        close(a->kept[--a->kept_count]);
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

/* Takes one that waits. OK with *fd -1: none does, or the one that did is gone. */
static enum err take_waiting(const struct fcgi_acceptor *a, int *fd)
{
    *fd = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    return *fd >= 0 || passes(errno) ? OK : ERR_IO;
}

void fcgi_acceptor_keep(struct fcgi_acceptor *a, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (a->kept_count == FCGI_KEPT_MAX || epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        close(fd);
    else
        a->kept[a->kept_count++] = fd;
}

/* A kept connection on which something has come: a request, or that the front server has closed it. Gives the
 * descriptor, or -1 for the latter. */
static int take_kept(struct fcgi_acceptor *a, int fd)
{
    char first;
    for (size_t i = 0; i < a->kept_count; i++)
        if (a->kept[i] == fd) {
            a->kept[i] = a->kept[--a->kept_count];
            break;
        }
    if (epoll_ctl(a->epoll_fd, EPOLL_CTL_DEL, fd, NULL) == 0 &&
        recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
        return fd;
    close(fd);
    return -1;
}

enum err fcgi_acceptor_take(struct fcgi_acceptor *a, const sigset_t *mask, int wait_ms, int *fd)
{
    enum { STREAK_MAX = 32, PATIENCE = 16 };
    struct epoll_event event;
    enum err e;
    *fd = -1;
    if (a->patience == 0 && a->streak > 0 && a->streak < STREAK_MAX) {
        a->streak++;
        if ((e = take_waiting(a, fd)) != OK || *fd >= 0)
            return e;
        a->patience = PATIENCE;
    }
    a->streak = 0;
    int n = epoll_pwait(a->epoll_fd, &event, 1, wait_ms, mask);
    if (n < 0)
        return errno == EINTR ? OK : ERR_IO;
    if (n == 0)
        return OK;
    if (event.data.fd != a->listen_fd) {
        *fd = take_kept(a, event.data.fd);
        return OK;
    }
    e = take_waiting(a, fd);
    if (*fd >= 0) {
        a->streak = 1;
        a->patience -= a->patience > 0;
    }
    return e;
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
        fcgi_request_end(request, false, NULL);
        return false;
    }
    return true;
}

bool fcgi_request_end(FCGX_Request *request, bool all_read, int *kept)
{
    /* FCGX_Finish_r closes the streams too, and forgets how that went */
    bool sent = FCGX_FClose(request->err) == 0;
    sent = FCGX_FClose(request->out) == 0 && sent;
    bool keep = kept != NULL && request->keepConnection != 0 && all_read && sent;
    if (kept != NULL)
        *kept = keep ? request->ipcFd : -1;
    request->keepConnection = keep;
    request->detached = all_read;
    FCGX_Finish_r(request);
    request->ipcFd = -1;
    return sent;
}
