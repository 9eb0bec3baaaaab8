/* The listening socket: modes, stale files, who is there already, what systemd passes. */
#include "pool/socket.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/profiled-test-XXXXXX";
static char path[64];
static const struct listener_options plain = {0660, 16, (uid_t)-1, (gid_t)-1};

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/s.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static struct config_listen unix_address(const char *file)
{
    char text[128];
    struct config_listen address;
    struct err_detail detail = {0};
    snprintf(text, sizeof text, "unix:%s", file);
    if (config_listen_parse(span_str(text), &address, &detail) != OK)
        fail_msg("%s", detail.text);
    return address;
}

static bool can_connect(const struct config_listen *address)
{
    int fd = socket(address->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, &address->address.any, address->len) == 0;
    close(fd);
    return connected;
}

static void modes(void **state)
{
    (void)state;
    static const unsigned cases[] = {0660, 0600, 0666, 0777, 0400};
    struct config_listen address = unix_address(path);
    mode_t before = umask(027);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct listener_options options = {cases[i], 16, (uid_t)-1, (gid_t)-1};
        struct listener l;
        struct err_detail detail = {0};
        struct stat st;
        if (listener_open(&address, &options, &l, &detail) != OK)
            fail_msg("%s", detail.text);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 07777, cases[i]);
        assert_int_not_equal(fcntl(l.fd, F_GETFL) & O_NONBLOCK, 0);
        assert_int_not_equal(fcntl(l.fd, F_GETFD) & FD_CLOEXEC, 0);
        assert_true(listener_is_at(&l, &address));
        listener_unlink(&l);
        listener_close(&l);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    /* the process's own mask is as it was */
    assert_int_equal(umask(before), 027);
}

static void the_owner(void **state)
{
    (void)state;
    struct config_listen address = unix_address(path);
    const struct listener_options options = {0660, 16, 12345, 23456};
    struct listener l;
    struct stat st;
    if (geteuid() != 0) {
        assert_int_equal(listener_open(&address, &options, &l, NULL), ERR_IO);
        assert_int_not_equal(access(path, F_OK), 0);
        return;
    }
    assert_int_equal(listener_open(&address, &options, &l, NULL), OK);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_gid, 23456);
    assert_int_equal(st.st_mode & 0777, 0660);
    listener_unlink(&l);
    listener_close(&l);
}

static void a_missing_folder_is_made(void **state)
{
    (void)state;
    char deep[96], deeper[128];
    struct listener l;
    struct err_detail detail = {0};
    snprintf(deep, sizeof deep, "%s/run/s.sock", folder);
    snprintf(deeper, sizeof deeper, "%s/a/b/s.sock", folder);
    struct config_listen address = unix_address(deep), too_deep = unix_address(deeper);
    if (listener_open(&address, &plain, &l, &detail) != OK)
        fail_msg("%s", detail.text);
    listener_unlink(&l);
    listener_close(&l);
    snprintf(deep, sizeof deep, "%s/run", folder);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(listener_open(&too_deep, &plain, &l, &detail), ERR_IO);
    assert_int_equal(l.fd, -1);
}

static void stale_and_alive(void **state)
{
    (void)state;
    struct config_listen address = unix_address(path);
    struct listener first, second;
    struct err_detail detail = {0};
    assert_int_equal(listener_open(&address, &plain, &first, &detail), OK);

    /* alive: refused, and untouched */
    assert_int_equal(listener_open(&address, &plain, &second, &detail), ERR_CONFLICT);
    assert_non_null(strstr(detail.text, "somebody listens on unix:"));
    assert_int_equal(second.fd, -1);
    assert_true(can_connect(&address));

    /* dead: its file is left, and replaced */
    listener_close(&first);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(listener_open(&address, &plain, &second, &detail), OK);
    assert_true(can_connect(&address));

    /* the first one's file is gone: it must not remove the second's */
    listener_unlink(&first);
    assert_true(can_connect(&address));

    /* nor while it is open, when somebody took its file away */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(listener_open(&address, &plain, &first, &detail), OK);
    listener_unlink(&second);
    assert_true(can_connect(&address));
    listener_close(&second);
    listener_unlink(&first);
    assert_int_not_equal(access(path, F_OK), 0);
    listener_close(&first);
}

static void a_full_queue_is_alive(void **state)
{
    (void)state;
    struct config_listen address = unix_address(path);
    const struct listener_options tiny = {0660, 0, (uid_t)-1, (gid_t)-1};
    struct listener first, second;
    int waiting[4];
    assert_int_equal(listener_open(&address, &tiny, &first, NULL), OK);
    for (int i = 0; i < 4; i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int connected = connect(waiting[i], &address.address.any, address.len);
        (void)connected;
    }
    assert_true(listener_waiting(&first));
    assert_int_equal(listener_open(&address, &plain, &second, NULL), ERR_CONFLICT);
    for (int i = 0; i < 4; i++)
        close(waiting[i]);
    listener_unlink(&first);
    listener_close(&first);
}

static void what_is_no_socket_stays(void **state)
{
    (void)state;
    struct config_listen address = unix_address(path);
    struct listener l;
    struct err_detail detail = {0};
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listener_open(&address, &plain, &l, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "is no socket"));
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    /* a link is not followed to what it names */
    char target[80];
    struct stat st;
    snprintf(target, sizeof target, "%s/target", folder);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(listener_open(&address, &plain, &l, NULL), ERR_INVALID);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_not_equal(access(target, F_OK), 0);
    unlink(path);
}

/* A free port: asked from the kernel, then given back. */
static unsigned free_port(int family)
{
    struct sockaddr_storage name = {.ss_family = (sa_family_t)family};
    socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&name, &len) == 0)
        port = ntohs(family == AF_INET ? ((struct sockaddr_in *)(void *)&name)->sin_port
                                       : ((struct sockaddr_in6 *)(void *)&name)->sin6_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static void tcp(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *format;
    } cases[] = {{AF_INET, "tcp:127.0.0.1:%u"}, {AF_INET6, "tcp:[::1]:%u"}};
    for (size_t i = 0; i < 2; i++) {
        char text[64];
        struct config_listen address, elsewhere;
        struct listener l, again;
        struct err_detail detail = {0};
        unsigned port = free_port(cases[i].family);
        if (port == 0)
            continue; /* a machine without IPv6 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, cases[i].format, port);
        assert_int_equal(config_listen_parse(span_str(text), &address, &detail), OK);
        snprintf(text, sizeof text, cases[i].format, port ^ 1);
#pragma GCC diagnostic pop
        assert_int_equal(config_listen_parse(span_str(text), &elsewhere, &detail), OK);
        if (listener_open(&address, &plain, &l, &detail) != OK)
            fail_msg("%s", detail.text);
        assert_true(can_connect(&address));
        assert_true(listener_is_at(&l, &address));
        assert_false(listener_is_at(&l, &elsewhere));
        assert_int_equal(listener_open(&address, &plain, &again, &detail), ERR_CONFLICT);
        listener_unlink(&l);
        listener_close(&l);
    }
}

static void taken_over(void **state)
{
    (void)state;
    struct config_listen address = unix_address(path), elsewhere = unix_address("/tmp/elsewhere.sock");
    struct listener first, second;
    struct err_detail detail = {0};
    int ends[2];
    assert_int_equal(listener_open(&address, &plain, &first, &detail), OK);
    assert_int_equal(listener_adopt(dup(first.fd), false, &second, &detail), OK);
    assert_string_equal(second.path, path);
    assert_true(listener_is_at(&second, &address));
    assert_false(listener_is_at(&second, &elsewhere));
    const struct listener_options other_mode = {0600, 5, (uid_t)-1, (gid_t)-1};
    struct stat st;
    listener_update(&second, &other_mode);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    listener_close(&second);

    /* systemd's is never removed, and is at home everywhere */
    assert_int_equal(listener_adopt(dup(first.fd), true, &second, &detail), OK);
    assert_true(listener_is_at(&second, &elsewhere));
    listener_unlink(&second);
    assert_int_equal(access(path, F_OK), 0);
    listener_close(&second);
    listener_unlink(&first);
    listener_close(&first);

    assert_int_equal(listener_adopt(-1, false, &second, NULL), ERR_INVALID);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(listener_adopt(ends[0], false, &second, NULL), ERR_INVALID);
    close(ends[0]);
    close(ends[1]);
    int idle = socket(AF_UNIX, SOCK_STREAM, 0), datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(listener_adopt(idle, false, &second, NULL), ERR_INVALID);
    assert_int_equal(listener_adopt(datagrams, false, &second, NULL), ERR_INVALID);
    close(idle);
    close(datagrams);
}

/* In a child, where descriptor 3 can be made what it shall be. Exits with the outcome. */
static enum err passed(bool socket_there, const char *pid_text, const char *count_text)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct listener l;
        char own_pid[24];
        snprintf(own_pid, sizeof own_pid, "%ld", (long)getpid());
        close(3);
        if (socket_there) {
            /* a name of the kernel's own choice */
            const struct sockaddr any = {.sa_family = AF_UNIX};
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            if (bind(fd, &any, sizeof any.sa_family) != 0 || listen(fd, 5) != 0 || dup2(fd, 3) != 3)
                _exit(99);
        }
        enum err e = listener_from_systemd(pid_text == NULL || pid_text[0] != '=' ? pid_text : own_pid,
                                           count_text, &l, NULL);
        if (e == OK && (l.fd != 3 || !l.activated))
            _exit(98);
        _exit((int)e);
    }
    waitpid(pid, &status, 0);
    return (enum err)WEXITSTATUS(status);
}

static void from_systemd(void **state)
{
    (void)state;
    assert_int_equal(passed(true, "=", "1"), OK);
    assert_int_equal(passed(true, "=", "2"), ERR_INVALID);
    assert_int_equal(passed(false, "=", "1"), ERR_INVALID);
    assert_int_equal(passed(true, "=", "0"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "=", ""), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "=", "-1"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "=", "1x"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "=", NULL), ERR_NOT_FOUND);
    assert_int_equal(passed(true, NULL, "1"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "1", "1"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "", "1"), ERR_NOT_FOUND);
    assert_int_equal(passed(true, "99999999999999999999", "1"), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes),
        cmocka_unit_test(the_owner),
        cmocka_unit_test(a_missing_folder_is_made),
        cmocka_unit_test(stale_and_alive),
        cmocka_unit_test(a_full_queue_is_alive),
        cmocka_unit_test(what_is_no_socket_stays),
        cmocka_unit_test(tcp),
        cmocka_unit_test(taken_over),
        cmocka_unit_test(from_systemd),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
