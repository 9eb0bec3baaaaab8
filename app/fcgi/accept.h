/*
 * Waiting for, and taking, one connection at a time for libfcgi. The library's own accept blocks where
 * signals are lost, has no time limit on what it reads, and wakes every worker; so the waiting and the accept
 * are done here and the connected socket is handed to the library. That touches fields of FCGX_Request that
 * its header calls private (ipcFd, keepConnection, detached): this is the only file that does, and a unit
 * test fails when a new libfcgi treats them otherwise.
 *
 * Runs in a worker, single thread. Signals stay blocked but for the time of the wait (epoll_pwait), so that
 * none cuts a request short. How long a peer may take is deadline.h's.
 */
#pragma once
#include "base/err.h"

#include <fcgiapp.h>
#include <signal.h>

/* More than a worker gets from any front server; what is over is closed. */
#define FCGI_KEPT_MAX 256

struct fcgi_acceptor {
    int listen_fd; /* non-blocking, listening; the caller's */
    int epoll_fd;
    int kept[FCGI_KEPT_MAX]; /* connections that wait for their next request */
    size_t kept_count;
    unsigned streak;   /* connections taken without a wait between them */
    unsigned patience; /* connections to wait for before taking one without a wait is tried again */
};

/* Makes the epoll instance (EPOLLEXCLUSIVE: one connection wakes one worker) and sets listen_fd non-blocking.
 * ERR_IO. */
MUST_USE enum err fcgi_acceptor_init(struct fcgi_acceptor *a, int listen_fd, struct err_detail *detail);
/* Closes the kept connections too. */
void fcgi_acceptor_fini(struct fcgi_acceptor *a);

/*
 * Waits with this signal mask, at most wait_ms (-1: for ever), and takes a connection: a new one, or a kept
 * one on which the next request has come. Under load, when the next one is there already, the wait is left
 * out (but not for ever: signals come in with it). Gives the descriptor, or -1 with nothing taken: a signal
 * came, the time is up, or another worker was quicker: look at what is asked of you, and call again. ERR_IO:
 * the listening socket is no good any more.
 */
MUST_USE enum err fcgi_acceptor_take(struct fcgi_acceptor *a, const sigset_t *mask, int wait_ms, int *fd);

/*
 * Reads a request's beginning and its parameters from the connection, which now belongs to request (made by
 * FCGX_InitRequest with socket -1). false: the peer went away, spoke nonsense, or sent parameters cut short
 * (libfcgi calls that success); the connection is closed then.
 */
MUST_USE bool fcgi_request_begin(FCGX_Request *request, int fd);
/*
 * Sends what was written and closes the connection. all_read: the body was read to its end, so that nothing
 * is lost by closing at once instead of lingering. Gives false when the peer did not take it all.
 *
 * kept, when not NULL, gets the connection, open, if the front server asked to keep it (FCGI_KEEP_CONN) and
 * all went well, else -1: for fcgi_acceptor_keep.
 */
bool fcgi_request_end(FCGX_Request *request, bool all_read, int *kept);

/*
 * Takes back a connection that the front server may use again. A worker waits for all of them and for new
 * ones together, so that a kept connection holds nothing up; but a request on it is this worker's, whatever
 * the others do. Closed instead when there are too many.
 */
void fcgi_acceptor_keep(struct fcgi_acceptor *a, int fd);
