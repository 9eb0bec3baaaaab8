/* The sandbox from inside: what a process in it may still do, what is refused, and what kills it. */
#include "thumbnail/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DONE = 0, REFUSED = 1, NO_SANDBOX = 2 };

static long allocate(void)
{
    void *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -1 : munmap(at, 1 << 20);
}
static long print(void)
{
    return write(STDOUT_FILENO, "", 0);
}
static long too_much(void)
{
    return mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}
static long open_file(void)
{
    return open("/etc/passwd", O_RDONLY);
}
static long make_file(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR, 0600);
}
static long unlink_file(void)
{
    return unlink("/tmp/profiled-is-not-there");
}
static long reach_out(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}
static long fork_on(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}
static long begin_another(void)
{
    char *none[] = {NULL};
    return execve("/bin/true", none, none);
}
static long kill_parent(void)
{
    return kill(getppid(), 0);
}
static long trace_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static long map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}
static long make_code(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(at, 4096, PROT_READ | PROT_EXEC);
}
static long spin(void)
{
    for (volatile unsigned long i = 1; i != 0; i = i + 1)
        continue;
    return 0;
}

static const struct row {
    const char *what;
    long (*act)(void);
    int status; /* what it ends with; -1: it is killed */
} rows[] = {
    {"allocates", allocate, DONE},
    {"writes", print, DONE},
    {"opens a file", open_file, REFUSED},
    {"makes a file", make_file, REFUSED},
    {"forks", fork_on, REFUSED},
    {"removes a file", unlink_file, -1},
    {"asks for a socket", reach_out, -1},
    {"begins another program", begin_another, -1},
    {"sends a signal", kill_parent, -1},
    {"traces", trace_parent, -1},
    {"maps code", map_code, -1},
    {"makes code of data", make_code, -1},
    {"goes on for ever", spin, -1},
#if !defined(__SANITIZE_ADDRESS__)
    {"allocates too much", too_much, REFUSED},
#endif
};

static void end(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

static void test_sandbox(void **state)
{
    (void)state;
    (void)too_much;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            if (thumbnail_sandbox_begin() != OK || thumbnail_sandbox_close(256, 1) != OK)
                end(NO_SANDBOX);
            end(rows[i].act() < 0 ? REFUSED : DONE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        int ended = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (ended != rows[i].status)
            fail_msg("one that %s ended with %d (status %#x)", rows[i].what, ended, (unsigned)status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sandbox)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
