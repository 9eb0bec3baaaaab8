#include "pool/signals.h"

#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A handler is given nothing but the number, so what it says has to lie here. */
static volatile sig_atomic_t stop_asked, reopen_asked;

static const int supervised[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};

int signals_open(sigset_t *before)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof supervised / sizeof supervised[0]; i++)
        sigaddset(&mask, supervised[i]);
    if (sigprocmask(SIG_BLOCK, &mask, before) != 0)
        return -1;
    /* an earlier image of this process left them blocked; what is started from here must not inherit that */
    for (size_t i = 0; i < sizeof supervised / sizeof supervised[0]; i++)
        sigdelset(before, supervised[i]);
    /* who started us may have had children ignored, which would take their status from us */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static void on_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

static void on_reopen(int number)
{
    (void)number;
    reopen_asked = 1;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_worker(const sigset_t *before, bool alone, sigset_t *wait)
{
    sigset_t mask = *before;
    handle(SIGTERM, on_stop);
    handle(SIGUSR1, on_reopen);
    handle(SIGPIPE, SIG_IGN);
    if (!alone) {
        handle(SIGINT, SIG_IGN);
        handle(SIGHUP, SIG_IGN);
        /* a parent that was executed anew may have left these blocked; they are not a worker's to hold back
         */
        sigdelset(&mask, SIGCHLD);
        sigdelset(&mask, SIGINT);
        sigdelset(&mask, SIGHUP);
    }
    *wait = mask;
    sigdelset(wait, SIGTERM);
    sigdelset(wait, SIGUSR1);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

bool signals_stop_asked(void)
{
    return stop_asked != 0;
}

bool signals_reopen_asked(void)
{
    if (reopen_asked == 0)
        return false;
    reopen_asked = 0;
    return true;
}
