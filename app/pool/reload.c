#include "pool/reload.h"

#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The running program's own file, whatever became of its name. */
static const char running[] = "/proc/self/exe";

enum err reload_command_init(struct reload_command *command, char *const *argv, struct err_detail *detail)
{
    char folder[PATH_MAX];
    int len;
    command->argv = argv;
    if (argv[0] != NULL && argv[0][0] == '/') {
        len = snprintf(command->path, sizeof command->path, "%s", argv[0]);
    } else if (argv[0] != NULL && strchr(argv[0], '/') != NULL) {
        if (getcwd(folder, sizeof folder) == NULL)
            return err_set(detail, ERR_IO, "cannot tell the working directory: %s", strerror(errno));
        len = snprintf(command->path, sizeof command->path, "%s/%s", folder, argv[0]);
    } else {
        ssize_t n = readlink(running, command->path, sizeof command->path - 1);
        if (n < 0)
            return err_set(detail, ERR_IO, "cannot tell which program runs: %s", strerror(errno));
        command->path[n] = '\0';
        len = (int)n;
    }
    if (len >= (int)sizeof command->path)
        return err_set(detail, ERR_IO, "the program's path is too long");
    return OK;
}

static bool is_named(const char *variable, const char *name)
{
    size_t len = strlen(name);
    return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

/* Whether the variable is passed on to the next image. service: the service manager's as well. */
static bool is_passed_on(const char *variable, bool service)
{
    static const char *const ours[] = {POOL_CHECK_VARIABLE, POOL_HANDOVER_VARIABLE, "LISTEN_PID",
                                       "LISTEN_FDS", "LISTEN_FDNAMES"};
    static const char *const manager[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (is_named(variable, ours[i]))
            return false;
    for (size_t i = 0; i < sizeof manager / sizeof manager[0] && !service; i++)
        if (is_named(variable, manager[i]))
            return false;
    return true;
}

/* A copy of the environment with one more variable. The array is the heap's, the texts are borrowed; NULL: no
 * memory. */
static char **make_environment(char *added, bool service)
{
    size_t count = 0, kept = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **out = calloc(count + 2, sizeof out[0]);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (is_passed_on(environ[i], service))
            out[kept++] = environ[i];
    out[kept] = added;
    return out;
}

/* Executes the program; one whose file is gone is executed as it runs. Returns why that failed. */
static int execute(const struct reload_command *command, char **environment)
{
    execve(command->path, command->argv, environment);
    int why = errno;
    if (why == ENOENT)
        execve(running, command->argv, environment);
    return why;
}

struct check {
    const struct reload_command *command;
    const sigset_t *before;
};

/* In the child: what it writes to either output is the reason. */
static int run_check(void *data, int fd)
{
    const struct check *check = data;
    char added[] = POOL_CHECK_VARIABLE "=1";
    char **environment = make_environment(added, false);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (environment == NULL || input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0) {
        dprintf(fd, "the check cannot be set up");
        free(environment);
        return EXIT_FAILURE;
    }
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    sigprocmask(SIG_SETMASK, check->before, NULL);
    int why = execute(check->command, environment);
    dprintf(fd, "cannot run %s: %s", check->command->path, strerror(why));
    free(environment);
    return EXIT_FAILURE;
}

enum err reload_check(const struct reload_command *command, const sigset_t *before, struct probe *probe,
                      struct err_detail *detail)
{
    struct check check = {command, before};
    return probe_start(probe, run_check, &check, detail);
}

static void set_flags(const struct handover *h, int flags)
{
    const int fds[] = {h->listen_fd, h->changes_fd, h->board_fd, h->memory_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            fcntl(fds[i], F_SETFD, flags);
}

enum err reload_execute(const struct reload_command *command, const struct handover *h,
                        struct err_detail *detail)
{
    struct buf text = {0};
    char **environment = NULL;
    enum err e = OK;

    buf_lit(&text, POOL_HANDOVER_VARIABLE "=");
    handover_write(h, &text);
    if ((e = buf_status(&text)) != OK || (environment = make_environment(text.ptr, true)) == NULL) {
        e = err_set(detail, ERR_NOMEM, "out of memory");
        goto out;
    }
    /* a library may have opened something without this flag */
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    set_flags(h, 0);
    int why = execute(command, environment);
    set_flags(h, FD_CLOEXEC);
    e = err_set(detail, ERR_IO, "cannot run %s: %s", command->path, strerror(why));
out:
    free(environment);
    buf_fini(&text);
    return e;
}

bool reload_take_handover(struct handover *out, enum err *e)
{
    const char *text = getenv(POOL_HANDOVER_VARIABLE);
    *e = OK;
    if (text == NULL)
        return false;
    *e = handover_read(span_str(text), out);
    unsetenv(POOL_HANDOVER_VARIABLE);
    return *e != OK || out->pid == getpid();
}
