/*
 * A child that tries something out and says how it went: the preflight before the pool starts, the new
 * program's check before a reload. What it writes (the reason, in words) is gathered without ever blocking.
 * Runs in the supervisor.
 */
#pragma once
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum { PROBE_LIMIT_S = 120 }; /* a probe that takes longer is killed, and has failed */

struct probe {
    pid_t pid; /* 0: none runs */
    int fd;    /* what it writes is read from here; -1: none */
    int64_t deadline_us;
    size_t len;
    char text[1024]; /* NUL-terminated; what is beyond is dropped */
};

/* Forks a child that calls run(data, fd), writes its reason to fd, and exits with what run returned. ERR_IO.
 */
MUST_USE enum err probe_start(struct probe *p, int (*run)(void *data, int fd), void *data,
                              struct err_detail *detail);
/* Takes in what it has written. */
void probe_read(struct probe *p);
/* Its process ended with this wait status: true when it succeeded, otherwise p->text is a reason in one line.
 * The probe can then be started again. */
bool probe_end(struct probe *p, int status);
/* Kills it; it is to be reaped like any child. Nothing happens when none runs. */
void probe_kill(struct probe *p);
