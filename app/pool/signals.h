/*
 * Signals of the supervisor and of a worker. The supervisor has them blocked and reads them from a
 * descriptor; a worker has SIGTERM and SIGUSR1 blocked but for its wait, and handlers that set a flag.
 */
#pragma once
#include "base/err.h"

#include <signal.h>

/* Blocks what the supervisor reads, and gives the descriptor it reads from (non-blocking, closed on exec) or
 * -1. What was pending stays pending: a signal that came while an earlier image of this process was ending is
 * not lost. */
int signals_open(sigset_t *before);
/* The next signal's number, 0 when there is none. */
int signals_next(int fd);

/*
 * In a worker: installs the handlers, blocks SIGTERM and SIGUSR1, ignores what is the supervisor's business
 * (SIGINT and SIGHUP of the terminal's whole group) unless alone, and SIGPIPE. before is the mask that the
 * process began with; *wait gets the one to wait with.
 */
void signals_worker(const sigset_t *before, bool alone, sigset_t *wait);
/* Whether SIGTERM came. */
bool signals_stop_asked(void);
/* Whether SIGUSR1 came since the last call. */
bool signals_reopen_asked(void);
