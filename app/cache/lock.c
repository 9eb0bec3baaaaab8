#include "cache/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

enum err cache_lock_init(struct cache_lock *lock)
{
    pthread_mutexattr_t how;
    if (pthread_mutexattr_init(&how) != 0)
        return ERR_NOMEM;
    bool made = pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0 &&
                pthread_mutex_init(&lock->mutex, &how) == 0;
    pthread_mutexattr_destroy(&how);
    return made ? OK : ERR_NOMEM;
}

static struct timespec after(int64_t wait_us)
{
    struct timespec t;
    if (wait_us > CACHE_LOCK_WAIT_MAX_US)
        wait_us = CACHE_LOCK_WAIT_MAX_US;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += wait_us / 1000000;
    t.tv_nsec += (wait_us % 1000000) * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

enum err cache_lock_take(struct cache_lock *lock, int64_t wait_us, bool *owner_died)
{
    *owner_died = false;
    int why = pthread_mutex_trylock(&lock->mutex);
    if (why == EBUSY && wait_us > 0) {
        const struct timespec until = after(wait_us);
        why = pthread_mutex_clocklock(&lock->mutex, CLOCK_MONOTONIC, &until);
    }
    if (why == EOWNERDEAD) {
        /* At once: to give it back without would make it unusable for ever. Whoever dies between the two
         * leaves the lock as it was left to him. */
        pthread_mutex_consistent(&lock->mutex);
        *owner_died = true;
        return OK;
    }
    return why == 0 ? OK : ERR_BUSY;
}

void cache_lock_give(struct cache_lock *lock)
{
    int why = pthread_mutex_unlock(&lock->mutex);
    assert(why == 0);
    (void)why;
}
