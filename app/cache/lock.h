/*
 * A lock between processes, in memory that they share. It is never waited for without a limit, since a holder
 * that is stopped (SIGSTOP) is not dead; and it outlives its holder: when that process dies, the kernel hands
 * the lock to the next taker and says so, who then looks after whatever the lock guards.
 *
 * It is a robust process-shared mutex of POSIX. What that asks of its users: the memory stays mapped in every
 * process that may hold it (the kernel walks a dead thread's list of held locks), the lock is given back by
 * the thread that took it, and it does not move.
 */
#pragma once
#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct cache_lock {
    pthread_mutex_t mutex;
};

/* Waits longer than this are cut to it. */
#define CACHE_LOCK_WAIT_MAX_US INT64_C(3600000000)

/* Makes a free lock of any bytes. Nobody may be using them as one. ERR_NOMEM: the system refuses, which
 * glibc's never does. */
MUST_USE enum err cache_lock_init(struct cache_lock *lock);
/*
 * Takes the lock, waiting for it at most wait_us by the monotonic clock (0 or less: tries and does not wait).
 * OK: it is the caller's until cache_lock_give; *owner_died says whether its holder before ended without
 * giving it back, so that what it guards may be half changed. Should the caller die too before that is
 * mended, the next one is told the same. ERR_BUSY: not had in time; *owner_died is false.
 */
MUST_USE enum err cache_lock_take(struct cache_lock *lock, int64_t wait_us, bool *owner_died);
/* Gives back what this thread took. */
void cache_lock_give(struct cache_lock *lock);
