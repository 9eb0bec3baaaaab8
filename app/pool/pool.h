/*
 * The pool: a supervisor that owns the listening socket and the worker processes on it. It replaces the dead,
 * kills what takes too long, drains on SIGTERM, and on SIGHUP executes itself anew with no request lost. It
 * opens no database and reads no request; what a worker runs comes as callbacks (worker.h).
 *
 * States of the supervisor (scoreboard.h has the enum):
 *
 *     STARTING   the preflight runs in a child; then the first workers start       -> RUNNING, or the end
 * with a reason RUNNING    every worker has answered the handshake once                      -> RELOADING,
 * STOPPING RELOADING  old image: the new one is checked in a child, then executed       -> RUNNING (refused),
 * or the new image new image: its workers start while the old ones go on serving     -> RUNNING, once they
 * are ready STOPPING   no worker takes a new request; those in hand are finished         -> the end
 *
 * SIGTERM, SIGINT: STOPPING. SIGHUP: RELOADING. SIGUSR1: the log is opened anew here and in every worker.
 *
 * A reload is an execve in place: the process keeps its id (so a service manager follows), its children, the
 * listening socket and the scoreboard; handover.h says how they are passed on. The program file is looked up
 * by the name that the process was started with, so a new one that was installed over it is taken up.
 */
#pragma once
#include "base/log.h"
#include "base/metrics.h"
#include "config/settings.h"
#include "pool/worker.h"

struct pool_options {
    const struct config_settings *settings; /* section [server], and store.url for the status file's place */
    int memory_fd; /* what the workers share, handed on over a reload; -1: nothing */
    char *const *argv; /* how this process was started, NULL-terminated: a reload does it again */
    const struct metrics_route *routes; /* whose requests the workers count, for who reads the numbers */
    size_t route_count;
};

/*
 * Serves until it is told to stop. Everything is borrowed for that long. log is opened anew on SIGUSR1 and,
 * when the privileges are dropped, given to the new user.
 *
 * OK: stopped in order. ERR_DENIED (privileges), ERR_INVALID (unknown user, nobody's socket), ERR_CONFLICT
 * (somebody listens there already), ERR_IO, ERR_NOMEM, or what the preflight said: it never served, or could
 * not go on; detail says why. Returns in the supervisor alone: workers end inside.
 *
 * With POOL_CHECK_VARIABLE in the environment nothing is served: the preflight runs here, and its outcome is
 * returned.
 */
#define POOL_CHECK_VARIABLE    "PROFILED_POOL_CHECK"
#define POOL_HANDOVER_VARIABLE "PROFILED_POOL_HANDOVER"
MUST_USE enum err pool_serve(const struct pool_options *options, const struct pool_worker_program *program,
                             struct log *log, struct err_detail *detail);

/* Whether this process was started only to find out whether the pool could be. */
bool pool_only_checks(void);
/* The memory_fd that an earlier image of this process handed on; -1: none. To be asked before pool_serve, and
 * to be closed by the caller if it is not used. */
int pool_handed_memory(void);

/*
 * Appends the path of the file that the scoreboard lies in: beside the Unix socket, or beside the database
 * when the pool listens on TCP, ".status" behind the name. The settings are those of a config_load. Errors
 * stick in out.
 */
void pool_status_path(const struct config_settings *settings, struct buf *out);

/*
 * Closes what this process inherited beyond standard input, output and error, but for sockets that systemd
 * passed and what a reload handed over. For the very start of a program, before anything is opened.
 */
void pool_close_inherited(void);
