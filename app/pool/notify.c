#include "pool/notify.h"

#include "base/span.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The address that the text names; false when it is none. */
static bool address_of(const char *text, struct notify *n)
{
    size_t len = text == NULL ? 0 : strlen(text);
    if (len < 2 || len >= sizeof n->to.sun_path || (text[0] != '/' && text[0] != '@'))
        return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, text, len);
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    /* an abstract name begins with a NUL, and has no other at its end */
    if (text[0] == '@')
        n->to.sun_path[0] = '\0';
    else
        n->to_len++;
    return true;
}

void notify_open(struct notify *n, const char *socket_text, const char *watchdog_usec,
                 const char *watchdog_pid, pid_t pid)
{
    const struct timeval limit = {.tv_sec = 1};
    uint64_t usec, for_pid;
    *n = (struct notify){.fd = -1};
    if (!address_of(socket_text, n))
        return;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n->fd < 0)
        return;
    setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (!span_to_u64(span_str(watchdog_usec), INT64_MAX, &usec))
        return;
    if (watchdog_pid != NULL &&
        (!span_to_u64(span_str(watchdog_pid), INT32_MAX, &for_pid) || (pid_t)for_pid != pid))
        return;
    n->watchdog_us = (int64_t)usec;
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void notify_send(const struct notify *n, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (n->fd < 0)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0)
        return;
    size_t size = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    /* a manager that does not listen must not stop the service */
    ssize_t sent = sendto(n->fd, text, size, MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->to_len);
    (void)sent;
}
