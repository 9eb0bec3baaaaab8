#include "fcgi/deadline.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A handler is given nothing but the number. */
static volatile sig_atomic_t watched = -1;
static _Atomic int64_t since_us;
static int64_t limit_us;

static void look(int number)
{
    int fd = watched, before = errno;
    (void)number;
    if (fd >= 0 && clock_monotonic_us() - atomic_load_explicit(&since_us, memory_order_relaxed) >= limit_us)
        shutdown(fd, SHUT_RDWR);
    errno = before;
}

static enum err set_timer(int64_t interval_us)
{
    struct itimerval t = {.it_value = {.tv_sec = interval_us / 1000000, .tv_usec = interval_us % 1000000}};
    t.it_interval = t.it_value;
    return setitimer(ITIMER_REAL, &t, NULL) == 0 ? OK : ERR_IO;
}

enum err fcgi_deadline_start(int limit_s, struct err_detail *detail)
{
    struct sigaction act = {.sa_handler = look, .sa_flags = SA_RESTART};
    sigset_t alarm;
    watched = -1;
    if (limit_s <= 0)
        return OK;
    limit_us = (int64_t)limit_s * 1000000;
    sigemptyset(&act.sa_mask);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sigaction(SIGALRM, &act, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &alarm, NULL) != 0 ||
        set_timer(limit_us / 2) != OK)
        return err_set(detail, ERR_IO, "no timer for slow connections: %s", strerror(errno));
    return OK;
}

void fcgi_deadline_stop(void)
{
    enum err ignored = set_timer(0);
    (void)ignored;
    watched = -1;
}

void fcgi_deadline_watch(int fd, int64_t now_us)
{
    atomic_store_explicit(&since_us, now_us, memory_order_relaxed);
    atomic_signal_fence(memory_order_release);
    watched = fd;
}

void fcgi_deadline_rest(void)
{
    watched = -1;
}
