#include "pool/worker.h"

#include "pool/enter.h"
#include "pool/signals.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct pool_worker {
    struct scoreboard_slot *slot;
    struct metrics_gauges *gauges;
    struct metrics_edges *edges;    /* NULL: there is no pool */
    const struct scoreboard *board; /* or NULL */
    struct log *log;                /* or NULL */
    uint64_t max_requests;
    uint64_t requests;
    int wake_fd; /* -1: nobody waits for the handshake */
    sigset_t wait_mask;
};

void pool_worker_started(struct pool_worker *self)
{
    const uint64_t one = 1;
    uint32_t expected = CHILD_STARTING;
    /* told to end meanwhile: that stands */
    atomic_compare_exchange_strong(&self->slot->state, &expected, (uint32_t)CHILD_READY);
    if (self->wake_fd < 0)
        return;
    /* a full counter wakes as well */
    ssize_t n = write(self->wake_fd, &one, sizeof one);
    (void)n;
    close(self->wake_fd);
    self->wake_fd = -1;
}

void pool_worker_request_begin(struct pool_worker *self, int64_t now_us)
{
    atomic_store_explicit(&self->slot->busy_since_us, now_us, memory_order_relaxed);
}

void pool_worker_request_end(struct pool_worker *self)
{
    self->requests++;
    atomic_store_explicit(&self->slot->requests, self->requests, memory_order_relaxed);
    atomic_store_explicit(&self->slot->busy_since_us, 0, memory_order_relaxed);
}

void pool_worker_alive(struct pool_worker *self, int64_t now_us)
{
    atomic_store_explicit(&self->slot->busy_since_us, now_us, memory_order_relaxed);
}

bool pool_worker_stopping(struct pool_worker *self)
{
    if (signals_reopen_asked() && self->log != NULL)
        log_reopen(self->log);
    return signals_stop_asked() || (self->max_requests > 0 && self->requests >= self->max_requests);
}

struct metrics *pool_worker_metrics(struct pool_worker *self)
{
    return &self->slot->metrics;
}

struct metrics_gauges *pool_worker_gauges(struct pool_worker *self)
{
    return self->gauges;
}

struct metrics_edges *pool_worker_edges(struct pool_worker *self)
{
    return self->edges;
}

const struct scoreboard *pool_worker_board(const struct pool_worker *self)
{
    return self->board;
}

const sigset_t *pool_worker_wait_mask(const struct pool_worker *self)
{
    return &self->wait_mask;
}

/* Standard input is whoever's terminal started the pool; a worker has no business there. */
static void forget_input(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    dup2(fd, STDIN_FILENO);
    if (fd != STDIN_FILENO)
        close(fd);
}

int worker_enter(const struct worker_birth *birth)
{
    struct pool_worker self = {
        .slot = birth->slot,
        .gauges = &birth->board->header->gauges,
        .edges = &birth->board->header->edges,
        .board = birth->board,
        .log = birth->log,
        /* the others keep what they are at */
        .max_requests = birth->role == POOL_WORKER ? birth->max_requests : 0,
        .wake_fd = birth->wake_fd,
    };
    /* asked for before the parent is looked at: it may have died in between, and then no signal comes */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != birth->supervisor)
        return EXIT_SUCCESS;
    signals_worker(birth->before, false, &self.wait_mask);
    for (size_t i = 0; i < WORKER_CLOSED_COUNT; i++)
        if (birth->closed[i] >= 0)
            close(birth->closed[i]);
    forget_input();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (birth->role != POOL_WORKER)
        close(birth->listen_fd);
    if (birth->role == POOL_CHANGES)
        return birth->program->changes(birth->program->data, birth->changes_fd, &self);
    if (birth->changes_fd >= 0)
        close(birth->changes_fd);
    if (birth->role == POOL_EDGE)
        return birth->program->edge(birth->program->data, &self);
    return birth->program->run(birth->program->data, birth->listen_fd, &self);
}

int pool_worker_alone(const struct pool_worker_program *program, int listen_fd, uint64_t max_requests,
                      struct log *log)
{
    struct scoreboard_slot slot = {.state = CHILD_STARTING};
    struct metrics_gauges gauges = {0};
    struct pool_worker self = {
        .slot = &slot, .gauges = &gauges, .log = log, .max_requests = max_requests, .wake_fd = -1};
    sigset_t before;
    sigprocmask(SIG_SETMASK, NULL, &before);
    signals_worker(&before, true, &self.wait_mask);
    return program->run(program->data, listen_fd, &self);
}
