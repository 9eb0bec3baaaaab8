/*
 * A limit on how long the front server may keep a worker waiting: a slow or silent one must not hold it for
 * ever. libfcgi reads and writes without any; a time limit on each socket would be two system calls a
 * request. So a timer's signal (SIGALRM) looks now and then whether the connection in hand is overdue, and
 * shuts it down, at which the read or write that waits for it ends. The handler does nothing else, and system
 * calls go on after it (SA_RESTART).
 *
 * For the one thread of a worker's process, which has one connection in hand at a time; what a handler sees
 * has to lie in the process, so there is one deadline for each.
 */
#pragma once
#include "base/err.h"

#include <stdint.h>

/* Starts the timer: a connection is overdue after limit_s seconds, and found out after half as much again at
 * the latest. 0: no limit, and no timer. ERR_IO. */
MUST_USE enum err fcgi_deadline_start(int limit_s, struct err_detail *detail);
void fcgi_deadline_stop(void);
/* The connection is read from, or written to, since now_us (clock_monotonic_us). No system call. */
void fcgi_deadline_watch(int fd, int64_t now_us);
/* It is not any more: work on the answer has limits of its own. */
void fcgi_deadline_rest(void);
