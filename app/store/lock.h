/*
 * The writers' lock: the file "<database>.lock", held by flock(2) round every transaction that writes and every checkpoint, by every process of profiled on the machine. The
 * kernel lets go of it when its holder dies, at whatever instruction. A holder that was stopped keeps it: so waiting has an end.
 */
#pragma once
#include "base/err.h"

struct store_lock {
    int fd; /* -1: not open */
    bool held;
};

/* Opens the file beside the database, makes it if it is not there (with the database's owner and mode). ERR_IO. */
MUST_USE enum err store_lock_open(struct store_lock *lock, const char *database, struct err_detail *detail);
void store_lock_close(struct store_lock *lock);
/* Takes it, waiting at most wait_ms. ERR_BUSY: somebody held it all that time. */
MUST_USE enum err store_lock_take(struct store_lock *lock, int wait_ms, struct err_detail *detail);
void store_lock_release(struct store_lock *lock);
