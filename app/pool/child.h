/*
 * The state that a child is in, and what may happen to it there; the pause before a dead one is replaced.
 * Pure.
 *
 *                 SPAWNED            STARTED             TOLD                KILL            REAPED
 *     EMPTY       -> STARTING        -                   -                   -               -
 *     STARTING    -                  -> READY            -> DRAINING         -> KILLED       -> EMPTY
 *     READY       -                  -                   -> DRAINING         -> KILLED       -> EMPTY
 *     DRAINING    -                  -                   -                   -> KILLED       -> EMPTY
 *     KILLED      -                  -                   -                   -               -> EMPTY
 *
 * Whether a READY or DRAINING one has a request in hand is seen from the scoreboard, not from here.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum child_state {
    CHILD_EMPTY,
    CHILD_STARTING,
    CHILD_READY,
    CHILD_DRAINING,
    CHILD_KILLED,
    CHILD_STATE_COUNT
};

enum child_event {
    CHILD_SPAWNED, /* forked */
    CHILD_STARTED, /* its handshake came: it serves */
    CHILD_TOLD,    /* SIGTERM was sent: it ends when nothing is in hand */
    CHILD_KILL,    /* SIGKILL was sent */
    CHILD_REAPED,  /* it is dead */
    CHILD_EVENT_COUNT
};

/* Moves *state on. false: that cannot happen there, and *state is as it was. */
bool child_apply(enum child_state *state, enum child_event event);
/* "empty", "starting", "ready", "draining", "killed"; "unknown" for anything else. */
const char *child_state_name(enum child_state state);

/*
 * How long to wait before a worker is started again, in milliseconds. early_deaths: how many in a row, in
 * this place, died before their first answer. At once for the first, then 100 ms, doubled each time, at most
 * 10 s.
 */
int64_t child_pause_ms(unsigned early_deaths);
