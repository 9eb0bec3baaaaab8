/*
 * What a worker's process does between the fork and its program.
 */
#pragma once
#include "pool/scoreboard.h"
#include "pool/worker.h"

/* The supervisor's descriptors that a worker lets go of. */
enum worker_closed {
    WORKER_CLOSED_SIGNALS,
    WORKER_CLOSED_NOTIFY,
    WORKER_CLOSED_OLD_LISTENER,
    WORKER_CLOSED_BOARD,
    WORKER_CLOSED_PROBE,
    WORKER_CLOSED_COUNT
};

/* What the supervisor gives a worker it forks. All borrowed; the worker's process has them for ever. */
struct worker_birth {
    const struct pool_worker_program *program;
    const struct scoreboard *board;
    struct scoreboard_slot *slot; /* its own */
    struct log *log;
    const sigset_t *before; /* the signal mask that the supervisor began with */
    pid_t supervisor;
    int listen_fd;
    int changes_fd; /* the changes process's listening socket; -1: it has none */
    int wake_fd; /* an eventfd that the supervisor waits on */
    uint64_t max_requests;
    enum pool_role role;
    int closed[WORKER_CLOSED_COUNT]; /* -1: none */
};

/*
 * In the new process: ends with the supervisor (SIGTERM, so that a request in hand is finished), lets go of
 * what is the supervisor's, sets up the signals and runs the program. Returns the exit status.
 */
int worker_enter(const struct worker_birth *birth);
