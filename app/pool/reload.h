/*
 * What a reload consists of: the new program and configuration are tried in a child, and then this process
 * executes itself. Runs in the supervisor.
 */
#pragma once
#include "pool/handover.h"
#include "pool/probe.h"

#include <limits.h>
#include <signal.h>

/* How this process was started, so that it can be again. */
struct reload_command {
    char *const *argv;
    char path[PATH_MAX]; /* of the program, as it was called: a symbolic link is followed anew each time */
};

/* Finds the path out: argv[0] where it holds a slash, else what the kernel says is running. ERR_IO. */
MUST_USE enum err reload_command_init(struct reload_command *command, char *const *argv,
                                      struct err_detail *detail);

/*
 * Starts a child that runs the program anew with POOL_CHECK_VARIABLE set (pool.h): it loads the
 * configuration, runs the preflight, and says what is wrong. before: the signal mask to run it with. ERR_IO.
 */
MUST_USE enum err reload_check(const struct reload_command *command, const sigset_t *before,
                               struct probe *probe, struct err_detail *detail);

/*
 * Becomes the new image, handing over what h says; returns only when that failed (ERR_IO, ERR_NOMEM), with
 * everything as it was. Descriptors other than the standard ones and those handed over are closed by it;
 * blocked signals stay blocked and pending, so that none is lost on the way.
 */
MUST_USE enum err reload_execute(const struct reload_command *command, const struct handover *h,
                                 struct err_detail *detail);

/* Takes the handover out of the environment. false: there is none for this process. ERR_INVALID (in *e) when
 * there is one that makes no sense. */
bool reload_take_handover(struct handover *out, enum err *e);
