/*
 * The worker's loop: wait, take a connection, read one FastCGI request, have it answered, send, go on. Runs
 * until it is told to stop; knows nothing of the pool, which is asked through hooks.
 */
#pragma once
#include "base/log.h"
#include "base/metrics.h"
#include "route/router.h"

#include <signal.h>

struct fcgi_hooks {
    bool (*stopping)(void *data); /* finish, once nothing is in hand? Asked before each wait */
    void (*request_begin)(void *data, int64_t now_us); /* a request is in hand since now (monotonic) */
    void (*request_end)(void *data, int status);       /* it has been answered */
    /* the answer is sent, or the time is up that this gave before: time for what need not delay an answer.
     * Gives in how many milliseconds it wants to be called again; 0: at once, if no request waits; -1: behind
     * the next answer */
    int (*idle)(void *data);
    void *data;
};

struct fcgi_options {
    struct span mount; /* path prefix that is taken off, "" for none */
    size_t body_max;   /* bytes; a longer request body is not read */
    int io_timeout_s;  /* for reading a request, and for sending its answer; 0: none */
    const struct log *log;
    struct metrics *metrics; /* where a worker counts its answers; CGI counts nothing */
    bool access_log;
    bool drain; /* when stopping, first take the connections that wait already: nobody else will */
};

/* OK: it was told to stop. ERR_IO: the listening socket failed. listen_fd is not closed. wait_mask: the
 * signals blocked while waiting. */
MUST_USE enum err fcgi_serve(int listen_fd, const sigset_t *wait_mask, const struct router *router,
                             const struct fcgi_options *options, const struct fcgi_hooks *hooks,
                             struct err_detail *detail);

/* Plain CGI (RFC 3875): one request from the environment and standard input, its answer on standard output.
 * OK, or ERR_IO when either broke. */
MUST_USE enum err fcgi_cgi_answer(char *const *environment, const struct router *router,
                                  const struct fcgi_options *options);
