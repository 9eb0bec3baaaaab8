/*
 * The writers' lock: the file "<database>.lock", held by flock(2) round every transaction that writes and
 * every checkpoint, by every process of profiled on the machine. The kernel lets go of it when its holder
 * dies, at whatever instruction, and wakes who waits at once. A holder that was stopped keeps it: so waiting
 * has an end, by a timer whose signal (STORE_LOCK_SIGNAL, whose handler does nothing) cuts the wait short.
 * That signal is let in only while this thread waits here.
 */
#pragma once
#include "base/err.h"

#include <signal.h>
#include <stdint.h>
#include <time.h>

#define STORE_LOCK_SIGNAL SIGRTMIN

struct store_lock {
    int fd; /* -1: not open */
    bool held;
    bool has_timer;
    timer_t timer;
};

/* Opens the file beside the database, makes it if it is not there (as root: for the database's owner). For
 * the thread that will take it. ERR_IO. */
MUST_USE enum err store_lock_open(struct store_lock *lock, const char *database, struct err_detail *detail);
void store_lock_close(struct store_lock *lock);
/* Takes it, waiting at most wait_ms; 0: not at all. ERR_BUSY: somebody held it all that time. */
MUST_USE enum err store_lock_take(struct store_lock *lock, int wait_ms, struct err_detail *detail);
/*
 * The same in two steps. The turn: only who has it waits for the lock itself, so it is had for as long as the
 * one before takes to finish. True: it is had; never waits.
 */
bool store_lock_turn(struct store_lock *lock);
void store_lock_give_turn(struct store_lock *lock);
/* With the turn, which is given back in any case: takes the lock, waiting until until_us
 * (clock_monotonic_us). ERR_BUSY, ERR_IO. */
MUST_USE enum err store_lock_take_in_turn(struct store_lock *lock, int64_t until_us,
                                          struct err_detail *detail);
void store_lock_release(struct store_lock *lock);
