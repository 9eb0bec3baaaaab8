/* The hand-over of a connection to libfcgi, which leans on fields that its header calls private. */
#include "fcgi/accept.h"

#include "base/clock.h"
#include "fcgi/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[64];
    int listen_fd;
    struct fcgi_acceptor acceptor;
    FCGX_Request request;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct err_detail detail = {0};
    snprintf(f->path, sizeof f->path, "/tmp/test-fcgi-%ld.sock", (long)getpid());
    unlink(f->path);
    memcpy(address.sun_path, f->path, strlen(f->path));
    f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(f->listen_fd, 8), 0);
    assert_int_equal(fcgi_acceptor_init(&f->acceptor, f->listen_fd, &detail), OK);
    assert_int_equal(FCGX_Init(), 0);
    assert_int_equal(FCGX_InitRequest(&f->request, -1, FCGI_FAIL_ACCEPT_ON_INTR), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fcgi_acceptor_fini(&f->acceptor);
    close(f->listen_fd);
    unlink(f->path);
    free(f);
    return 0;
}

static int dial(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, f->path, strlen(f->path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int take(struct fixture *f)
{
    int fd = -1;
    sigset_t mask;
    sigemptyset(&mask);
    for (int i = 0; i < 50 && fd < 0; i++)
        assert_int_equal(fcgi_acceptor_take(&f->acceptor, &mask, 100, &fd), OK);
    assert_true(fd >= 0);
    return fd;
}

/* FCGI_BEGIN_REQUEST as a responder with FCGI_KEEP_CONN, one parameter A=bcd, the end of the parameters, an
 * empty body. */
static const unsigned char whole[] = {
    1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1,   0,   0,   0,   0, 0, /* begin, flags 1: keep the connection */
    1, 4, 0, 1, 0, 6, 2, 0, 1, 3, 'A', 'b', 'c', 'd', 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0,
};

static void a_request_is_read_answered_and_its_connection_closed(void **state)
{
    struct fixture *f = *state;
    /* twice, since the second finds what the first left in the request */
    for (int round = 0; round < 2; round++) {
        char answer[512];
        size_t len = 0;
        ssize_t n;
        int client = dial(f);
        assert_int_equal(write(client, whole, sizeof whole), sizeof whole);
        assert_true(fcgi_request_begin(&f->request, take(f)));
        assert_string_equal(FCGX_GetParam("A", f->request.envp), "bcd");
        FCGX_PutStr("Status: 204\r\n\r\n", 15, f->request.out);
        assert_true(fcgi_request_end(&f->request, true, NULL));
        /* the end of file comes although the connection was asked to be kept */
        while ((n = read(client, answer + len, sizeof answer - len)) > 0)
            len += (size_t)n;
        assert_int_equal(n, 0);
        assert_true(len > 8 + 15);
        assert_int_equal(answer[1], 6); /* FCGI_STDOUT */
        assert_memory_equal(answer + 8, "Status: 204", 11);
        assert_int_equal(answer[len - 16 + 1], 3); /* FCGI_END_REQUEST */
        close(client);
    }
}

/* Reads one answer: to the end of the FCGI_END_REQUEST that closes it. */
static void read_answer(int client)
{
    unsigned char head[8], content[256];
    do {
        assert_int_equal(recv(client, head, sizeof head, MSG_WAITALL), sizeof head);
        size_t len = (size_t)(head[4] << 8 | head[5]) + head[6];
        assert_true(len <= sizeof content);
        if (len > 0)
            assert_int_equal(recv(client, content, len, MSG_WAITALL), len);
    } while (head[1] != 3);
}

static int answer(struct fixture *f)
{
    int kept = -2;
    assert_true(fcgi_request_begin(&f->request, take(f)));
    assert_string_equal(FCGX_GetParam("A", f->request.envp), "bcd");
    FCGX_PutStr("Status: 204\r\n\r\n", 15, f->request.out);
    assert_true(fcgi_request_end(&f->request, true, &kept));
    if (kept >= 0)
        fcgi_acceptor_keep(&f->acceptor, kept);
    return kept;
}

static void kept_connections_are_served_beside_new_ones(void **state)
{
    struct fixture *f = *state;
    int clients[3];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 3; i++) {
            if (round == 0)
                clients[i] = dial(f);
            assert_int_equal(write(clients[i], whole, sizeof whole), sizeof whole);
            assert_true(answer(f) >= 0);
            read_answer(clients[i]);
        }
    /* one that the front server closes is let go of, and takes nobody's place */
    close(clients[0]);
    int fd = -1;
    sigset_t mask;
    sigemptyset(&mask);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fcgi_acceptor_take(&f->acceptor, &mask, 10, &fd), OK);
        assert_int_equal(fd, -1);
    }
    assert_int_equal(f->acceptor.kept_count, 2);
    /* nobody asked to keep this one */
    unsigned char once[sizeof whole];
    memcpy(once, whole, sizeof whole);
    once[10] = 0;
    int client = dial(f);
    assert_int_equal(write(client, once, sizeof once), sizeof once);
    assert_int_equal(answer(f), -1);
    read_answer(client);
    assert_int_equal(recv(client, &once, 1, 0), 0);
    close(client);
    /* a worker that ends closes them */
    fcgi_acceptor_fini(&f->acceptor);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(recv(clients[i], &once, 1, 0), 0);
        close(clients[i]);
    }
    struct err_detail detail = {0};
    assert_int_equal(fcgi_acceptor_init(&f->acceptor, f->listen_fd, &detail), OK);
}

static void parameters_cut_short_are_no_request(void **state)
{
    struct fixture *f = *state;
    /* behind each of these bytes the peer dies: nothing of it may look like a request without some of its
     * headers */
    for (size_t cut = 0; cut < 40; cut++) {
        int client = dial(f);
        if (cut > 0)
            assert_int_equal(write(client, whole, cut), cut);
        close(client);
        assert_false(fcgi_request_begin(&f->request, take(f)));
    }
}

static void nonsense_is_no_request(void **state)
{
    struct fixture *f = *state;
    int client = dial(f);
    assert_int_equal(write(client, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    shutdown(client, SHUT_WR);
    assert_false(fcgi_request_begin(&f->request, take(f)));
    close(client);
}

static void a_silent_peer_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    int client = dial(f);
    int fd = take(f);
    assert_int_equal(fcgi_deadline_start(1, &detail), OK);
    int64_t begun_us = clock_monotonic_us();
    fcgi_deadline_watch(fd, begun_us);
    assert_false(fcgi_request_begin(&f->request, fd));
    fcgi_deadline_rest();
    assert_true(clock_monotonic_us() - begun_us >= 1000000);
    close(client);
    /* what is not watched is left alone */
    client = dial(f);
    fd = take(f);
    usleep(1600000);
    assert_int_equal(write(client, whole, sizeof whole), sizeof whole);
    assert_true(fcgi_request_begin(&f->request, fd));
    assert_true(fcgi_request_end(&f->request, true, NULL));
    fcgi_deadline_stop();
    close(client);
}

static void waiting_ends_without_a_connection(void **state)
{
    struct fixture *f = *state;
    int fd = 7;
    sigset_t mask;
    sigemptyset(&mask);
    assert_int_equal(fcgi_acceptor_take(&f->acceptor, &mask, 0, &fd), OK);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_read_answered_and_its_connection_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(kept_connections_are_served_beside_new_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_cut_short_are_no_request, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_no_request, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_peer_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_ends_without_a_connection, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
