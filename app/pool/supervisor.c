#include "pool/supervisor.h"

#include "base/clock.h"
#include "pool/signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GIVE_UP_STARTS =
        3, /* at the very start: so many workers died before their handshake, and none came through */
    DRAIN_GRACE_S = 5,  /* beyond request_timeout, for a worker that was told to end */
    DRAIN_LIMIT_S = 60, /* the same without a request_timeout, when the pool stops */
    MOVE_LIMIT_S = 2,   /* a reload moved to another address: how long the one before may go on filling */
};

static int64_t seconds(int64_t s)
{
    return s * 1000000;
}

static void enter(struct supervisor *s, enum pool_state state)
{
    s->state = state;
    atomic_store(&s->board.header->state, (uint32_t)state);
}

/* The pool stops: no new request, those in hand are finished. */
static void begin_stop(struct supervisor *s, int64_t now_us)
{
    if (s->state == POOL_STOPPING)
        return;
    enter(s, POOL_STOPPING);
    notify_send(&s->notify, "STOPPING=1\nSTATUS=finishing the requests in hand");
    LOG(s->log, LOG_INFO, "pool-stopping", LOG_INT("workers", (int64_t)crew_alive(&s->crew)));
    probe_kill(&s->probe);
    listener_unlink(&s->listener);
    listener_unlink(&s->old_listener);
    listener_unlink(&s->changes);
    crew_drain(&s->crew, true, now_us);
}

static void fail(struct supervisor *s, enum err e, const char *why, int64_t now_us)
{
    s->failed = err_set(s->detail, e, "%s", why);
    begin_stop(s, now_us);
}

static void tell_ready(struct supervisor *s, const char *event)
{
    LOG(s->log, LOG_INFO, event, LOG_INT("workers", s->crew.workers),
        LOG_INT("generation", s->crew.generation), LOG_STR("listen", s->board.header->listen));
    enter(s, POOL_RUNNING);
    notify_send(&s->notify, "READY=1\nSTATUS=%u workers serve, generation %u", s->crew.workers,
                s->crew.generation);
}

static void refuse_reload(struct supervisor *s, const char *why)
{
    s->checking = false;
    /* the log first: who sees the count go up finds the reason */
    LOG(s->log, LOG_ERROR, "reload-refused", LOG_STR("reason", why),
        LOG_STR("effect", "the pool goes on as it was"));
    enter(s, s->took_over && !crew_all_started(&s->crew) ? POOL_RELOADING : POOL_RUNNING);
    atomic_fetch_add(&s->board.header->reloads_refused, 1);
    notify_send(&s->notify, "READY=1\nSTATUS=reload refused: %s", why);
}

/* The check succeeded: becomes the new image. Comes back only when that fails. */
static void become_new(struct supervisor *s)
{
    struct err_detail why = {0};
    struct handover h = {
        .pid = getpid(),
        .generation = s->crew.generation,
        .listen_fd = s->listener.fd,
        .activated = s->listener.activated,
        .changes_fd = s->changes.fd,
        .board_fd = s->board.fd,
        .memory_fd = s->options->memory_fd,
    };
    for (size_t i = 0; i < s->crew.used; i++)
        if (s->crew.places[i].pid > 0)
            h.children[h.child_count++] = (struct handover_child){s->crew.places[i].pid, (unsigned)i};
    if (reload_execute(&s->command, &h, &why) != OK)
        refuse_reload(s, why.text);
}

static void begin_reload(struct supervisor *s, int64_t now_us)
{
    struct err_detail why = {0};
    s->reload_asked = false;
    LOG(s->log, LOG_INFO, "reload-begun", LOG_STR("program", s->command.path));
    notify_send(&s->notify, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=checking the new configuration",
                (long long)now_us);
    enter(s, POOL_RELOADING);
    if (reload_check(&s->command, &s->before, &s->probe, &why) != OK)
        refuse_reload(s, why.text);
    else
        s->checking = true;
}

/* New workers are ready: the old ones may go. Where the address changed, the old socket is first left to run
 * empty, which it does soon: its file is gone, so nobody new finds it. */
static void finish_reload(struct supervisor *s, int64_t now_us)
{
    if (s->old_listener.fd >= 0) {
        if (s->old_until_us == 0) {
            listener_unlink(&s->old_listener);
            s->old_until_us = now_us + seconds(MOVE_LIMIT_S);
        }
        if (listener_waiting(&s->old_listener) && now_us < s->old_until_us)
            return;
        listener_close(&s->old_listener);
        s->crew.birth.closed[WORKER_CLOSED_OLD_LISTENER] = -1;
    }
    crew_drain(&s->crew, false, now_us);
    tell_ready(s, "pool-reloaded");
}

/* A probe ended: the preflight of the start, or the check of a reload. */
static void probe_ended(struct supervisor *s, int status, int64_t now_us)
{
    bool good = probe_end(&s->probe, status);
    if (s->state == POOL_STOPPING)
        return;
    if (s->checking) {
        s->checking = false;
        if (good)
            become_new(s);
        else
            refuse_reload(s, s->probe.text);
    } else if (!good) {
        fail(s, ERR_INVALID, s->probe.text, now_us);
    }
}

static void reap(struct supervisor *s, int64_t now_us)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == s->probe.pid)
            probe_ended(s, status, now_us);
        else
            crew_reap(&s->crew, pid, status, now_us);
}

static void take_signals(struct supervisor *s, int64_t now_us)
{
    int number;
    while ((number = signals_next(s->signal_fd)) != 0) {
        if (number == SIGTERM || number == SIGINT) {
            begin_stop(s, now_us);
        } else if (number == SIGHUP) {
            s->reload_asked = true;
        } else if (number == SIGUSR1) {
            log_reopen(s->log);
            crew_signal(&s->crew, SIGUSR1);
        }
    }
}

/* While new workers come up, a further reload waits for them, unless they do not come through: it may be the
 * remedy. */
static bool may_reload(const struct supervisor *s)
{
    return s->reload_asked && s->probe.pid == 0 &&
           (s->state == POOL_RUNNING || (s->state == POOL_RELOADING && s->crew.failed_starts > 0));
}

/* Moves the state on by what has come about. */
static void progress(struct supervisor *s, int64_t now_us)
{
    switch (s->state) {
    case POOL_STARTING:
        if (s->probe.pid != 0)
            return;
        crew_fill(&s->crew, now_us);
        if (crew_all_started(&s->crew)) {
            tell_ready(s, "pool-started");
        } else if (s->crew.failed_starts >= GIVE_UP_STARTS && !crew_any_started(&s->crew)) {
            struct err_detail why = {0};
            err_set(&why, ERR_IO, "workers end before they are ready to serve: %s", s->crew.last_end);
            fail(s, ERR_IO, why.text, now_us);
        }
        return;
    case POOL_RUNNING:
    case POOL_RELOADING:
        crew_fill(&s->crew, now_us);
        if (s->state == POOL_RELOADING && !s->checking && crew_all_started(&s->crew))
            finish_reload(s, now_us);
        if (may_reload(s))
            begin_reload(s, now_us);
        return;
    case POOL_STOPPING:
        crew_drain_last(&s->crew, now_us);
        return;
    case POOL_STATE_COUNT:
        return;
    }
}

/* How long a worker that was told to end may take; 0: as long as it likes. */
static int64_t drain_limit_us(const struct supervisor *s)
{
    if (s->crew.request_timeout_us > 0)
        return s->crew.request_timeout_us + seconds(DRAIN_GRACE_S);
    return s->state == POOL_STOPPING ? seconds(DRAIN_LIMIT_S) : 0;
}

static void keep_watchdog(struct supervisor *s, int64_t now_us)
{
    if (s->notify.watchdog_us == 0 || now_us < s->watchdog_due_us)
        return;
    notify_send(&s->notify, "WATCHDOG=1");
    s->watchdog_due_us = now_us + s->notify.watchdog_us / 2;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits for a signal, a handshake, something from the probe, or the next thing that is due. */
static void wait_for_something(struct supervisor *s)
{
    enum { SIGNALS, WAKE, PROBE, COUNT };
    struct pollfd fds[COUNT] = {
        [SIGNALS] = {.fd = s->signal_fd, .events = POLLIN},
        [WAKE] = {.fd = s->wake_fd, .events = POLLIN},
        [PROBE] = {.fd = s->probe.fd, .events = POLLIN},
    };
    int64_t now_us = clock_monotonic_us(), until = now_us + s->tick_us;
    uint64_t count;
    until = least(until, crew_next_due_us(&s->crew));
    if (s->notify.watchdog_us > 0)
        until = least(until, s->watchdog_due_us);
    if (s->old_until_us != 0 && s->old_listener.fd >= 0)
        until = least(until, now_us + 20000);
    /* rounded up: a wait that ends too early would only be repeated */
    int wait_ms = until > now_us ? (int)((until - now_us + 999) / 1000) : 0;
    if (poll(fds, COUNT, wait_ms) <= 0)
        return;
    if (fds[WAKE].revents != 0 && read(s->wake_fd, &count, sizeof count) < 0)
        return;
    if (fds[PROBE].revents != 0)
        probe_read(&s->probe);
}

static bool is_over(const struct supervisor *s)
{
    return s->state == POOL_STOPPING && crew_alive(&s->crew) == 0 && s->probe.pid == 0;
}

enum err supervisor_run(struct supervisor *s)
{
    for (;;) {
        int64_t now_us = clock_monotonic_us();
        take_signals(s, now_us);
        reap(s, now_us);
        crew_watch(&s->crew, now_us, drain_limit_us(s));
        if (s->probe.pid != 0 && now_us > s->probe.deadline_us)
            probe_kill(&s->probe);
        progress(s, now_us);
        s->crew.birth.closed[WORKER_CLOSED_PROBE] = s->probe.fd;
        crew_start_due(&s->crew, now_us);
        keep_watchdog(s, now_us);
        if (is_over(s))
            break;
        wait_for_something(s);
    }
    LOG(s->log, LOG_INFO, "pool-stopped",
        LOG_INT("requests", (int64_t)atomic_load(&s->board.header->requests)));
    return s->failed;
}
