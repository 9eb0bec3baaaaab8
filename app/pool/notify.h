/*
 * Talks to the service manager (sd_notify(3)), without its library: datagrams of NAME=value lines to the
 * socket that NOTIFY_SOCKET names. Where there is none, nothing happens. Runs in the supervisor alone; a
 * datagram waits a second at most.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody to talk to */
    struct sockaddr_un to;
    socklen_t to_len;
    int64_t watchdog_us; /* it wants to hear from us at least that often; 0: it does not */
};

/*
 * The texts are those of NOTIFY_SOCKET (a path, or "@name" for an abstract one), WATCHDOG_USEC and
 * WATCHDOG_PID; NULL when unset. What makes no sense counts as unset. pid is this process's.
 */
void notify_open(struct notify *n, const char *socket_text, const char *watchdog_usec,
                 const char *watchdog_pid, pid_t pid);
void notify_close(struct notify *n);
/* Sends one datagram. */
void notify_send(const struct notify *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
