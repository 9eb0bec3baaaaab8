#include "store/lock.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AGAIN_MS = 20 }; /* between the timer's signals, should the first come before the wait has begun */

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
    if (lock->has_timer)
        timer_delete(lock->timer);
    if (lock->fd >= 0)
        close(lock->fd);
    *lock = (struct store_lock){.fd = -1};
}

static void wake(int number)
{
    (void)number;
}

/* Timers are not inherited by a fork: each process makes its own, when it first has to wait. */
static bool make_timer(struct store_lock *lock)
{
    struct sigaction act = {.sa_handler = wake}; /* without SA_RESTART: flock gives EINTR */
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = STORE_LOCK_SIGNAL};
    event._sigev_un._tid = gettid(); /* sigev_notify_thread_id, which glibc has no name for */
    lock->has_timer = sigaction(STORE_LOCK_SIGNAL, &act, NULL) == 0 &&
                      timer_create(CLOCK_MONOTONIC, &event, &lock->timer) == 0;
    return lock->has_timer;
}

static void set_timer(struct store_lock *lock, int first_ms)
{
    struct itimerspec spec = {
        .it_value = {.tv_sec = first_ms / 1000, .tv_nsec = first_ms % 1000 * 1000000L},
        .it_interval = {.tv_nsec = first_ms == 0 ? 0 : AGAIN_MS * 1000000L},
    };
    timer_settime(lock->timer, 0, &spec, NULL);
}

/* The two locks on the file. Who waits for LOCK_MAIN holds LOCK_TURN: so there is only one, and nobody who
 * has just let go of the lock can take it again before the one whose turn it is. They are of kinds that know
 * nothing of each other. */
enum which { LOCK_TURN, LOCK_MAIN };

static int ask(const struct store_lock *lock, enum which which, bool wait)
{
    struct flock first_byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (which == LOCK_MAIN)
        return flock(lock->fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    return fcntl(lock->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &first_byte);
}

static void let_go(const struct store_lock *lock, enum which which)
{
    struct flock first_byte = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (which == LOCK_MAIN)
        flock(lock->fd, LOCK_UN);
    else
        fcntl(lock->fd, F_OFD_SETLK, &first_byte);
}

static enum err wait_for(struct store_lock *lock, enum which which, int64_t until_us,
                         struct err_detail *detail)
{
    sigset_t let_in, before;
    enum err e = OK;
    int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
    if (!lock->has_timer && !make_timer(lock))
        return err_set(detail, ERR_IO, "no timer for the writers' lock: %s", strerror(errno));
    sigemptyset(&let_in);
    sigaddset(&let_in, STORE_LOCK_SIGNAL);
    set_timer(lock, left_ms < 1 ? 1 : (int)left_ms);
    pthread_sigmask(SIG_UNBLOCK, &let_in, &before);
    while (ask(lock, which, true) != 0) {
        if (errno != EINTR)
            e = err_set(detail, ERR_IO, "the writers' lock cannot be taken: %s", strerror(errno));
        else if (clock_monotonic_us() >= until_us)
            e = err_set(detail, ERR_BUSY, "the writers' lock was held too long by another process");
        if (e != OK)
            break;
    }
    set_timer(lock, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e;
}

static enum err take(struct store_lock *lock, enum which which, int64_t until_us, struct err_detail *detail)
{
    if (ask(lock, which, false) == 0)
        return OK;
    if (errno != EWOULDBLOCK && errno != EACCES)
        return err_set(detail, ERR_IO, "the writers' lock cannot be taken: %s", strerror(errno));
    if (until_us == 0)
        return err_set(detail, ERR_BUSY, "the writers' lock is held");
    return wait_for(lock, which, until_us, detail);
}

enum err store_lock_take(struct store_lock *lock, int wait_ms, struct err_detail *detail)
{
    int64_t until_us = wait_ms == 0 ? 0 : clock_monotonic_us() + (int64_t)wait_ms * 1000;
    enum err e = take(lock, LOCK_TURN, until_us, detail);
    if (e != OK)
        return e;
    return store_lock_take_in_turn(lock, until_us, detail);
}

bool store_lock_turn(struct store_lock *lock)
{
    return ask(lock, LOCK_TURN, false) == 0;
}

void store_lock_give_turn(struct store_lock *lock)
{
    let_go(lock, LOCK_TURN);
}

enum err store_lock_take_in_turn(struct store_lock *lock, int64_t until_us, struct err_detail *detail)
{
    enum err e = take(lock, LOCK_MAIN, until_us, detail);
    let_go(lock, LOCK_TURN);
    lock->held = e == OK;
    return e;
}

void store_lock_release(struct store_lock *lock)
{
    if (lock->held)
        let_go(lock, LOCK_MAIN);
    lock->held = false;
}
