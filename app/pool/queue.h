/*
 * How many connections wait at a listening socket. The kernel is asked: for TCP by TCP_INFO (tcp(7)), for a
 * Unix socket by sock_diag(7).
 */
#pragma once
#include <stdint.h>

/* The number; -1 when it cannot be known: no such socket, or a sandbox that allows no netlink. Does not
 * block.
 */
int64_t pool_queue_length(int listen_fd);
