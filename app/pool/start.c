#include "pool/supervisor.h"

#include "base/clock.h"
#include "pool/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct span text_of(const struct supervisor *s, enum config_id id)
{
    return span_str(config_text(s->options->settings, id));
}

/* A descriptor below 3 that is closed would be given to the socket, and then be written to as standard error.
 */
static void fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* What the settings say of the socket; they were checked when they were loaded. */
static enum err read_listen(const struct supervisor *s, struct config_listen *address,
                            struct listener_options *options, struct err_detail *detail)
{
    enum err e;
    if ((e = config_listen_parse(text_of(s, CONFIG_server_listen), address, detail)) != OK)
        return e;
    options->backlog = (int)config_number(s->options->settings, CONFIG_server_backlog);
    return config_listen_mode(text_of(s, CONFIG_server_listen_mode), &options->mode, detail);
}

static enum err open_listener(struct supervisor *s, const struct privileges *privileges)
{
    struct config_listen address;
    struct listener_options options = {.uid = privileges->uid, .gid = privileges->gid};
    enum err e;
    e = listener_from_systemd(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), &s->listener, s->detail);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (e != ERR_NOT_FOUND)
        return e;
    if ((e = read_listen(s, &address, &options, s->detail)) != OK)
        return e;
    return listener_open(&address, &options, &s->listener, s->detail);
}

/* Where the changes process listens, as the settings have it. ERR_NOT_FOUND: nowhere. */
static enum err read_changes_listen(const struct supervisor *s, struct config_listen *address,
                                    struct err_detail *detail)
{
    struct buf text = {0};
    enum err e =
        s->program->changes == NULL ? ERR_NOT_FOUND : config_changes_listen(s->options->settings, &text);
    if (e == OK)
        e = config_listen_parse(buf_span(&text), address, detail);
    buf_fini(&text);
    return e;
}

static enum err open_changes(struct supervisor *s, const struct privileges *privileges)
{
    struct config_listen address, main;
    struct listener_options options = {.uid = privileges->uid, .gid = privileges->gid};
    enum err e = read_changes_listen(s, &address, s->detail);
    if (e == OK && (e = read_listen(s, &main, &options, s->detail)) == OK)
        e = listener_open(&address, &options, &s->changes, s->detail);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* The one that was handed over, unless the settings name another address that can be listened at: whoever
 * waits at the one before is with the process before, which goes on until it is told to end. */
static enum err take_over_changes(struct supervisor *s, const struct handover *h)
{
    const struct privileges nobody = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    struct config_listen address, main;
    struct listener_options options = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    struct listener before = {.fd = -1};
    struct err_detail why = {0};
    enum err e;
    if (h->changes_fd >= 0) {
        if ((e = listener_adopt(h->changes_fd, false, &s->changes, s->detail)) != OK)
            return e;
        if (read_changes_listen(s, &address, &why) == OK && listener_is_at(&s->changes, &address)) {
            if (read_listen(s, &main, &options, &why) == OK)
                listener_update(&s->changes, &options);
            return OK;
        }
        before = s->changes;
        s->changes = (struct listener){.fd = -1};
    }
    if (open_changes(s, &nobody) == OK) {
        listener_unlink(&before);
        listener_close(&before);
        return OK;
    }
    s->changes = before;
    LOG(s->log, LOG_ERROR, "listen-failed", LOG_STR("reason", s->detail->text),
        LOG_STR("effect", before.fd >= 0 ? "who waits for changes does so at the address before"
                                         : "nobody can wait for changes"));
    s->detail->text[0] = '\0';
    return OK;
}

/*
 * What the scoreboard must have room for: every process twice, since over a reload the old ones live beside
 * the new, and as many new ones beside whatever children there are. Places are taken from below, so more is
 * never needed before the next reload.
 */
static struct scoreboard_plan plan_of(const struct supervisor *s, const struct handover *h)
{
    size_t size = crew_size(&s->crew), slots = 2 * size;
    for (size_t i = 0; h != NULL && i < h->child_count; i++)
        if (h->children[i].place + 1 + size > slots)
            slots = h->children[i].place + 1 + size;
    return (struct scoreboard_plan){
        .slots = slots < SCOREBOARD_SLOTS ? slots : SCOREBOARD_SLOTS,
        .routes = s->options->routes,
        .route_count = s->options->route_count,
    };
}

/* The scoreboard beside the socket; where no file can be made there, one that `status` cannot see. */
static enum err open_board(struct supervisor *s, const struct privileges *privileges,
                           const struct scoreboard_plan *plan)
{
    struct err_detail why = {0};
    struct buf path = {0};
    enum err e = OK;
    pool_status_path(s->options->settings, &path);
    if (buf_status(&path) != OK) {
        e = err_set(s->detail, ERR_NOMEM, "out of memory");
    } else if (scoreboard_create(buf_text(&path), plan, &s->board, &why) != OK) {
        LOG(s->log, LOG_WARN, "status-not-shown", LOG_STR("reason", why.text));
        e = scoreboard_create_unseen(plan, &s->board, s->detail);
    }
    buf_fini(&path);
    if (e == OK && privileges->drop && fchown(s->board.fd, privileges->uid, privileges->gid) != 0)
        e = err_set(s->detail, ERR_IO, "cannot give the status file to the pool's user: %s", strerror(errno));
    return e;
}

static int run_preflight(void *data, int fd)
{
    const struct supervisor *s = data;
    struct err_detail why = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
    enum err e = s->program->preflight == NULL ? OK : s->program->preflight(s->program->data, &why);
    if (e != OK)
        dprintf(fd, "%s", why.text[0] != '\0' ? why.text : err_name(e));
    return e == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static enum err begin_afresh(struct supervisor *s)
{
    const struct scoreboard_plan plan = plan_of(s, NULL);
    struct privileges privileges;
    enum err e;
    s->state = POOL_STARTING;
    if ((e = privileges_find(config_text(s->options->settings, CONFIG_server_user),
                             config_text(s->options->settings, CONFIG_server_group), &privileges,
                             s->detail)) != OK ||
        (e = open_listener(s, &privileges)) != OK || (e = open_changes(s, &privileges)) != OK ||
        (e = open_board(s, &privileges, &plan)) != OK)
        return e;
    /* a log that root opened must still be ours when it is opened anew */
    if (privileges.drop && s->log->path != NULL && fchown(s->log->fd, privileges.uid, privileges.gid) != 0)
        return err_set(s->detail, ERR_IO, "cannot give the log file to the pool's user: %s", strerror(errno));
    if ((e = privileges_drop(&privileges, s->detail)) != OK)
        return e;
    if (geteuid() == 0)
        LOG(s->log, LOG_WARN, "runs-as-root", LOG_STR("hint", "set server.user"));
    atomic_store(&s->board.header->started_ms, clock_now_ms(&clock_system));
    return probe_start(&s->probe, run_preflight, s, s->detail);
}

/* The socket that was handed over stays, unless the settings name another address that can be had. */
static enum err take_over_listener(struct supervisor *s, const struct handover *h)
{
    struct config_listen address;
    struct listener_options options = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    struct listener opened;
    struct err_detail why = {0};
    enum err e;
    if ((e = listener_adopt(h->listen_fd, h->activated, &s->listener, s->detail)) != OK ||
        (e = read_listen(s, &address, &options, s->detail)) != OK)
        return e;
    if (s->listener.activated)
        return OK;
    if (listener_is_at(&s->listener, &address)) {
        /* mode and backlog may have changed */
        listener_update(&s->listener, &options);
        return OK;
    }
    if (listener_open(&address, &options, &opened, &why) != OK) {
        LOG(s->log, LOG_ERROR, "listen-failed", LOG_STR("reason", why.text),
            LOG_STR("effect", "the pool goes on at the address before"));
        return OK;
    }
    s->old_listener = s->listener;
    s->listener = opened;
    return OK;
}

/* The scoreboard that was handed over, at the place that the settings name now; one of another version, or
 * one that finds no room for more workers, is left behind. *known: whether it is the one that the old workers
 * write into. */
static enum err take_over_board(struct supervisor *s, const struct handover *h, bool *known)
{
    const struct privileges nobody = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    const struct scoreboard_plan plan = plan_of(s, h);
    struct err_detail why = {0};
    struct buf path = {0};
    *known = scoreboard_adopt(h->board_fd, &plan, &s->board, &why) == OK;
    if (!*known) {
        close(h->board_fd);
        LOG(s->log, LOG_INFO, "status-begun-anew", LOG_STR("reason", why.text));
        enum err e = open_board(s, &nobody, &plan);
        if (e == OK)
            atomic_store(&s->board.header->started_ms, clock_now_ms(&clock_system));
        return e;
    }
    fcntl(s->board.fd, F_SETFD, FD_CLOEXEC);
    pool_status_path(s->options->settings, &path);
    if (s->board.header->path[0] != '\0' && buf_status(&path) == OK &&
        scoreboard_move(&s->board, buf_text(&path), &why) != OK)
        LOG(s->log, LOG_WARN, "status-not-shown", LOG_STR("reason", why.text));
    buf_fini(&path);
    return OK;
}

static enum err take_over(struct supervisor *s, const struct handover *h)
{
    bool known;
    enum err e;
    s->took_over = true;
    s->state = POOL_RELOADING;
    s->crew.generation = h->generation + 1;
    if ((e = take_over_listener(s, h)) != OK || (e = take_over_changes(s, h)) != OK ||
        (e = take_over_board(s, h, &known)) != OK)
        return e;
    if (geteuid() == 0 && !span_eq(text_of(s, CONFIG_server_user), SPAN("root")))
        LOG(s->log, LOG_WARN, "user-not-changed",
            LOG_STR("hint", "server.user takes effect at a start, not a reload"));
    atomic_fetch_add(&s->board.header->reloads, 1);
    for (size_t i = 0; i < h->child_count; i++)
        crew_adopt(&s->crew, h->children[i].place, h->children[i].pid, known, clock_monotonic_us());
    return OK;
}

/* What the crew gives every worker it starts. */
static void fill_birth(struct supervisor *s)
{
    s->crew.birth = (struct worker_birth){
        .program = s->program,
        .board = &s->board,
        .log = s->log,
        .before = &s->before,
        .supervisor = getpid(),
        .listen_fd = s->listener.fd,
        .changes_fd = s->changes.fd,
        .wake_fd = s->wake_fd,
        .max_requests = (uint64_t)config_number(s->options->settings, CONFIG_server_max_requests),
        .closed =
            {
                [WORKER_CLOSED_SIGNALS] = s->signal_fd,
                [WORKER_CLOSED_NOTIFY] = s->notify.fd,
                [WORKER_CLOSED_OLD_LISTENER] = s->old_listener.fd,
                [WORKER_CLOSED_BOARD] = s->board.fd,
                [WORKER_CLOSED_PROBE] = -1,
            },
    };
}

static void fill_header(struct supervisor *s)
{
    struct scoreboard_header *header = s->board.header;
    scoreboard_claim(&s->board);
    atomic_store(&header->state, (uint32_t)s->state);
    atomic_store(&header->generation, s->crew.generation);
    atomic_store(&header->workers, s->crew.workers);
    if (!s->crew.beside[POOL_EDGE])
        atomic_store(&header->edges.count, 0);
    atomic_store(&header->reloaded_ms, clock_now_ms(&clock_system));
    snprintf(header->listen, sizeof header->listen, "%s",
             s->listener.activated ? "systemd's socket"
                                   : config_text(s->options->settings, CONFIG_server_listen));
}

enum err supervisor_init(struct supervisor *s, const struct pool_options *options,
                         const struct pool_worker_program *program, struct log *log,
                         struct err_detail *detail)
{
    const struct config_settings *settings = options->settings;
    int64_t timeout_us = config_number(settings, CONFIG_server_request_timeout) * 1000000;
    struct handover handover;
    enum err e = OK;

    *s = (struct supervisor){.options = options, .program = program, .log = log, .detail = detail};
    s->signal_fd = s->wake_fd = s->board.fd = s->listener.fd = s->old_listener.fd = s->changes.fd =
        s->probe.fd = s->notify.fd = -1;
    prctl(PR_SET_NAME, "profiled");
    fill_standard_descriptors();
    bool handed = reload_take_handover(&handover, &e);
    if (e != OK)
        return err_set(detail, e, "%s in the environment makes no sense", POOL_HANDOVER_VARIABLE);
    if ((e = reload_command_init(&s->command, options->argv, detail)) != OK)
        return e;
    if ((s->signal_fd = signals_open(&s->before)) < 0 ||
        (s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        return err_set(detail, ERR_IO, "cannot set up signals: %s", strerror(errno));
    notify_open(&s->notify, getenv("NOTIFY_SOCKET"), getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"),
                getpid());
    if ((e = crew_init(&s->crew, &s->board, log)) != OK)
        return err_set(detail, e, "out of memory");
    s->crew.generation = 1;
    s->crew.workers = (unsigned)config_number(settings, CONFIG_server_workers);
    s->crew.request_timeout_us = timeout_us;
    s->crew.beside[POOL_EDGE] = program->edge != NULL;
    s->crew.beside[POOL_CHANGES] = program->changes != NULL;
    /* a few times in each timeout, and each second at least */
    s->tick_us = timeout_us > 0 && timeout_us / 4 < 1000000 ? timeout_us / 4 : 1000000;
    if ((e = handed ? take_over(s, &handover) : begin_afresh(s)) != OK)
        return e;
    fill_birth(s);
    fill_header(s);
    return OK;
}

void supervisor_fini(struct supervisor *s)
{
    listener_unlink(&s->listener);
    listener_unlink(&s->old_listener);
    listener_unlink(&s->changes);
    scoreboard_unlink(&s->board);
    listener_close(&s->changes);
    listener_close(&s->listener);
    listener_close(&s->old_listener);
    scoreboard_close(&s->board);
    crew_fini(&s->crew);
    notify_close(&s->notify);
    if (s->probe.fd >= 0)
        close(s->probe.fd);
    if (s->signal_fd >= 0)
        close(s->signal_fd);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
}
