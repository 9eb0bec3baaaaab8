#include "store/lock.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_SLEEP_US = 40, LONGEST_SLEEP_US = 1000 };

enum err store_lock_open(struct store_lock *lock, const char *database, struct err_detail *detail)
{
    struct buf path = {0};
    struct stat st;
    enum err e;
    buf_printf(&path, "%s.lock", database);
    if ((e = buf_status(&path)) != OK)
        return e;
    lock->fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    /* a lock needs no right to write */
    if (lock->fd < 0 && (errno == EACCES || errno == EROFS))
        lock->fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lock->fd < 0)
        e = err_set(detail, ERR_IO, "cannot open %s: %s", path.ptr, strerror(errno));
    else if (geteuid() == 0 && stat(database, &st) == 0 && fchown(lock->fd, st.st_uid, st.st_gid) != 0)
        e = err_set(detail, ERR_IO, "cannot give %s to the database's owner: %s", path.ptr, strerror(errno));
    if (e != OK)
        store_lock_close(lock);
    buf_fini(&path);
    return e;
}

void store_lock_close(struct store_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    *lock = (struct store_lock){.fd = -1};
}

enum err store_lock_take(struct store_lock *lock, int wait_ms, struct err_detail *detail)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    long sleep_us = FIRST_SLEEP_US;
    while (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set(detail, ERR_IO, "the writers' lock cannot be taken: %s", strerror(errno));
        if (clock_monotonic_us() >= until_us)
            return err_set(detail, ERR_BUSY, "the writers' lock was held for %d ms by another process", wait_ms);
        nanosleep(&(struct timespec){.tv_nsec = sleep_us * 1000}, NULL);
        sleep_us = sleep_us * 2 > LONGEST_SLEEP_US ? LONGEST_SLEEP_US : sleep_us * 2;
    }
    lock->held = true;
    return OK;
}

void store_lock_release(struct store_lock *lock)
{
    if (lock->held)
        flock(lock->fd, LOCK_UN);
    lock->held = false;
}
