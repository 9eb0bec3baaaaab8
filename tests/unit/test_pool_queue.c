/* How many connections wait at a listening socket. */
#include "pool/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAITING = 3 };

/* Connects a few times, accepts some, and looks on. */
static void check(int family, struct sockaddr *address, socklen_t len, socklen_t size)
{
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int clients[WAITING];
    assert_int_equal(bind(listener, address, len), 0);
    assert_int_equal(pool_queue_length(listener) > 0, 0); /* it does not listen yet */
    assert_int_equal(listen(listener, 16), 0);
    len = size;
    assert_int_equal(getsockname(listener, address, &len), 0);
    if (pool_queue_length(listener) < 0)
        skip(); /* a sandbox */
    assert_int_equal(pool_queue_length(listener), 0);
    for (int i = 0; i < WAITING; i++) {
        clients[i] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(clients[i], address, len), 0);
    }
    assert_int_equal(pool_queue_length(listener), WAITING);
    close(accept(listener, NULL, NULL));
    assert_int_equal(pool_queue_length(listener), WAITING - 1);
    for (int i = 0; i < WAITING; i++)
        close(clients[i]);
    close(listener);
}

static void of_a_unix_socket(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* the kernel picks a name */
    check(AF_UNIX, (struct sockaddr *)(void *)&address, sizeof address.sun_family, sizeof address);
}

static void of_tcp(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    check(AF_INET, (struct sockaddr *)(void *)&address, sizeof address, sizeof address);
}

static void of_nothing(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pool_queue_length(-1), -1);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pool_queue_length(ends[0]), -1);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_unix_socket),
        cmocka_unit_test(of_tcp),
        cmocka_unit_test(of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
