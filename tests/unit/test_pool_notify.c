/* What the service manager gets to hear, and the users that a pool may become. */
#include "pool/notify.h"
#include "pool/privileges.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/profiled-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* A datagram socket bound to that name, as the manager has one. */
static int manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path, name, strlen(name));
    socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] == '@' ? 0 : 1));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    return fd;
}

static void a_datagram(void **state)
{
    (void)state;
    char path[64], abstract[64];
    const char *const names[] = {path, abstract};
    snprintf(path, sizeof path, "%s/notify", folder);
    snprintf(abstract, sizeof abstract, "@profiled-test-%ld", (long)getpid());
    for (size_t i = 0; i < 2; i++) {
        struct notify n;
        char text[64];
        int fd = manager(names[i]);
        notify_open(&n, names[i], NULL, NULL, getpid());
        notify_send(&n, "READY=1\nSTATUS=%u workers", 4u);
        ssize_t len = recv(fd, text, sizeof text - 1, 0);
        assert_true(len > 0);
        text[len] = '\0';
        assert_string_equal(text, "READY=1\nSTATUS=4 workers");
        assert_int_equal(n.watchdog_us, 0);
        notify_close(&n);
        notify_send(&n, "STOPPING=1");
        assert_int_equal(recv(fd, text, sizeof text, 0), -1);
        close(fd);
    }
    unlink(path);
}

static void nobody_there(void **state)
{
    (void)state;
    static const char *const names[] = {
        NULL,
        "",
        "@",
        "/",
        "relative",
        "vsock:2:1",
        "/nonexistent/notify",
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaa",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct notify n;
        notify_open(&n, names[i], "1000", NULL, getpid());
        notify_send(&n, "READY=1");
        notify_close(&n);
    }
}

static void the_watchdog(void **state)
{
    (void)state;
    static const struct {
        const char *usec, *pid;
        int64_t expected;
    } cases[] = {
        {"20000000", NULL, 20000000},
        {"20000000", "77", 20000000},
        {"20000000", "78", 0},
        {"20000000", "", 0},
        {"20000000", "x", 0},
        {NULL, NULL, 0},
        {"", NULL, 0},
        {"-1", NULL, 0},
        {"20s", NULL, 0},
        {"0", NULL, 0},
        {"99999999999999999999", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct notify n;
        notify_open(&n, "/run/somewhere", cases[i].usec, cases[i].pid, 77);
        if (n.watchdog_us != cases[i].expected)
            fail_msg("%s, %s: %lld", cases[i].usec, cases[i].pid, (long long)n.watchdog_us);
        notify_close(&n);
    }
}

static void users(void **state)
{
    (void)state;
    struct privileges p;
    struct err_detail detail = {0};
    if (geteuid() != 0) {
        /* who is not root stays who they are, whatever the names */
        assert_int_equal(privileges_find("no-such-user", "", &p, &detail), OK);
        assert_false(p.drop);
        return;
    }
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(privileges_find("no-such-user", "", &p, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "there is no user `no-such-user`"));
    assert_false(p.drop);
    detail = (struct err_detail){0};
    assert_int_equal(privileges_find("nobody", "no-such-group", &p, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "there is no group `no-such-group`"));
    assert_false(p.drop);
    assert_int_equal(privileges_find(longer, "", &p, NULL), ERR_INVALID);
    assert_int_equal(privileges_find("", "", &p, NULL), ERR_INVALID);
    assert_int_equal(privileges_find("root", "", &p, NULL), OK);
    assert_false(p.drop);
    assert_int_equal(p.uid, (uid_t)-1);
    assert_int_equal(privileges_find("nobody", "daemon", &p, NULL), OK);
    assert_true(p.drop);
    assert_int_equal(p.uid, 65534);
    assert_int_equal(p.gid, 1);
}

/* In a child, for there is no way back. */
static void dropping(void **state)
{
    (void)state;
    struct privileges p;
    int status;
    if (geteuid() != 0)
        skip();
    assert_int_equal(privileges_find("nobody", "daemon", &p, NULL), OK);
    pid_t pid = fork();
    if (pid == 0) {
        gid_t groups[64];
        if (privileges_drop(&p, NULL) != OK || getuid() != 65534 || geteuid() != 65534 || getegid() != 1)
            _exit(1);
        for (int i = getgroups(64, groups); i-- > 0;)
            if (groups[i] == 0)
                _exit(2);
        if (seteuid(0) == 0 || setgid(0) == 0)
            _exit(3);
        /* a second time it can't be done */
        _exit(privileges_drop(&p, NULL) == ERR_DENIED ? 0 : 4);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram), cmocka_unit_test(nobody_there), cmocka_unit_test(the_watchdog),
        cmocka_unit_test(users),      cmocka_unit_test(dropping),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
