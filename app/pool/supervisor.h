/*
 * The supervisor's state, and its loop. pool.h has the states and what they lead to; start.c brings the
 * supervisor up, afresh or out of a handover, and supervisor.c runs it.
 */
#pragma once
#include "pool/crew.h"
#include "pool/notify.h"
#include "pool/pool.h"
#include "pool/privileges.h"
#include "pool/probe.h"
#include "pool/reload.h"
#include "pool/socket.h"

struct supervisor {
    const struct pool_options *options;
    const struct pool_worker_program *program;
    struct log *log;
    struct reload_command command;

    enum pool_state state;
    bool took_over;    /* this image came out of a reload */
    bool checking;     /* the probe that runs is a reload's check */
    bool reload_asked; /* SIGHUP came and was not acted on yet */
    enum err failed;   /* why it stops; OK: it was told to */
    struct err_detail *detail;

    sigset_t before; /* the signal mask that the process began with */
    int signal_fd;
    int wake_fd; /* an eventfd: a worker's handshake came */
    struct listener listener;
    struct listener old_listener; /* a reload moved to another address: the one before, until it is empty */
    int64_t old_until_us;         /* and at most until then; 0: not begun */
    struct listener changes;      /* of the changes process; no descriptor: it has none */
    struct scoreboard board;
    struct crew crew;
    struct probe probe;
    struct notify notify;
    int64_t watchdog_due_us;
    int64_t tick_us; /* how often it looks round, whatever happens */
};

/*
 * Brings it up: signals, socket, scoreboard, privileges; begins the preflight, or takes over what an earlier
 * image left. On failure detail says why, and *s is to be given to supervisor_fini all the same.
 */
MUST_USE enum err supervisor_init(struct supervisor *s, const struct pool_options *options,
                                  const struct pool_worker_program *program, struct log *log,
                                  struct err_detail *detail);
/* Runs until the last child is gone. OK: it was told to stop. Otherwise detail (that of supervisor_init) says
 * why. */
MUST_USE enum err supervisor_run(struct supervisor *s);
/* Removes the socket's and the scoreboard's file and closes everything. */
void supervisor_fini(struct supervisor *s);
