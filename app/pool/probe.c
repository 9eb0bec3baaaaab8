#include "pool/probe.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum err probe_start(struct probe *p, int (*run)(void *data, int fd), void *data, struct err_detail *detail)
{
    int ends[2];
    *p = (struct probe){.fd = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(detail, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        /* not exit: what the parent registered and buffered is the parent's */
        _exit(run(data, ends[1]));
    }
    int why = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(detail, ERR_IO, "cannot start a process: %s", strerror(why));
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    p->pid = pid;
    p->fd = ends[0];
    p->deadline_us = clock_monotonic_us() + (int64_t)PROBE_LIMIT_S * 1000000;
    return OK;
}

void probe_read(struct probe *p)
{
    char dropped[256];
    while (p->fd >= 0) {
        size_t room = sizeof p->text - 1 - p->len;
        ssize_t n = room > 0 ? read(p->fd, p->text + p->len, room) : read(p->fd, dropped, sizeof dropped);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        if (n == 0) {
            close(p->fd);
            p->fd = -1;
        } else if (room > 0) {
            p->len += (size_t)n;
        }
    }
}

/* One line: without newlines at its end, and with blanks for those between. */
static void flatten(struct probe *p)
{
    while (p->len > 0 && (p->text[p->len - 1] == '\n' || p->text[p->len - 1] == ' '))
        p->len--;
    p->text[p->len] = '\0';
    for (size_t i = 0; i < p->len; i++)
        if (p->text[i] == '\n' || p->text[i] == '\0')
            p->text[i] = ' ';
}

bool probe_end(struct probe *p, int status)
{
    probe_read(p);
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->pid = 0;
    flatten(p);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (p->len > 0)
        return false;
    if (WIFSIGNALED(status))
        snprintf(p->text, sizeof p->text, "it was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(p->text, sizeof p->text, "it ended with status %d", WEXITSTATUS(status));
    p->len = strlen(p->text);
    return false;
}

void probe_kill(struct probe *p)
{
    if (p->pid > 0)
        kill(p->pid, SIGKILL);
}
