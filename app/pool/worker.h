/*
 * What a worker process runs, and the few things it tells the pool. The program comes from above as
 * callbacks, so that the pool knows nothing of FastCGI; whoever serves calls these functions (or is handed
 * them as function pointers) and knows nothing of processes.
 *
 * Signals. In a worker SIGTERM and SIGUSR1 are blocked at all times but for the wait, so that none cuts a
 * request short. Their handlers only set flags. The loop is:
 *
 *     while (!pool_worker_stopping(self)) {
 *         epoll_pwait(…, pool_worker_wait_mask(self));     a signal ends it with EINTR: round again
 *         connection = accept4(…);                         EAGAIN: another worker was quicker
 *         pool_worker_request_begin(self, clock_monotonic_us());
 *         … read, answer, close …
 *         pool_worker_request_end(self);
 *     }
 *
 * The handlers stand before run is called; a library that would install its own (libfcgi does) must leave
 * them. Everything here is for the one thread of a worker process.
 */
#pragma once
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"

#include <signal.h>
#include <stdint.h>

struct pool_worker; /* opaque: this process, as the pool sees it */
struct scoreboard;

struct pool_worker_program {
    /* Serves on listen_fd (listening, non-blocking, borrowed) until pool_worker_stopping; returns the
     * process's exit status. Called once in each worker, after the privileges were dropped. */
    int (*run)(void *data, int listen_fd, struct pool_worker *self);
    /* Whether it could work: opens what run would open, and closes it. Called in a process of its own before
     * the pool starts, and again, by the new program, before a reload. NULL: nothing can be wrong. */
    enum err (*preflight)(void *data, struct err_detail *detail);
    /* What the process beside the workers runs: one of them, started, replaced, renewed and ended like a
     * worker, without the listening socket; when the pool stops it goes last. Its loop is a worker's without
     * requests. NULL: there is no such process. */
    int (*edge)(void *data, struct pool_worker *self);
    /* Likewise, for requests that are kept waiting: on a listening socket of its own (-1: there is none). It
     * is told to end with the workers. NULL: there is no such process. */
    int (*changes)(void *data, int listen_fd, struct pool_worker *self);
    void *data;
};

/* Everything is open and the loop begins: the pool counts the worker in. To be called once. */
void pool_worker_started(struct pool_worker *self);
/* A request is in hand since now_us (clock_monotonic_us). A store into shared memory, no system call. */
void pool_worker_request_begin(struct pool_worker *self, int64_t now_us);
/* It was answered, or its peer went away. Likewise. */
void pool_worker_request_end(struct pool_worker *self);
/* In the edge process, which has no requests: it goes round. Who does not say so for EDGE_SILENCE_S (crew.c)
 * is killed and replaced. Likewise. */
void pool_worker_alive(struct pool_worker *self, int64_t now_us);
/* To be asked before each wait: whether to end now, because SIGTERM came or max_requests were served. Also
 * opens the log anew when SIGUSR1 asked for that. */
bool pool_worker_stopping(struct pool_worker *self);
/* Where this process counts: in memory that the pool shares, or, alone, in its own. Borrowed from self. */
struct metrics *pool_worker_metrics(struct pool_worker *self);
/* What holds for the whole pool; likewise. */
struct metrics_gauges *pool_worker_gauges(struct pool_worker *self);
/* Where the edge process says how it stands with each cache; likewise. */
struct metrics_edges *pool_worker_edges(struct pool_worker *self);
/* What the pool is doing, for reading alone; NULL when there is no pool. Borrowed. */
const struct scoreboard *pool_worker_board(const struct pool_worker *self);
/* The signal mask to wait with: SIGTERM and SIGUSR1 are let in. Borrowed from self. */
const sigset_t *pool_worker_wait_mask(const struct pool_worker *self);

/*
 * Runs the program in this very process, without a supervisor: for a worker that a web server or spawn-fcgi
 * started. Signals are as in a pool. max_requests 0: no limit. log may be NULL. Returns what run returned.
 */
int pool_worker_alone(const struct pool_worker_program *program, int listen_fd, uint64_t max_requests,
                      struct log *log);
