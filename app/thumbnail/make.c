#include "thumbnail/make.h"

#include "base/clock.h"
#include "thumbnail/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const unsigned thumbnail_sizes[THUMBNAIL_COUNT] = {48, 96, 256};

enum {
    SLOT_WAIT_MS = 40,    /* before ERR_BUSY: a worker that waits here answers nobody else */
    SLOT_AGAIN_MS = 20,   /* between two looks */
    CHILD_WAIT_MS = 8000, /* of the clock on the wall: the child's own time is less (child.c) */
    FIRST_SLOT = 64,      /* the bytes before it are the writers' (store/lock.h) */
};

/* ---- slots */

static bool take_slot(int fd, int slots)
{
    for (int i = 0; i < slots; i++) {
        struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = FIRST_SLOT + i, .l_len = 1};
        if (fcntl(fd, F_OFD_SETLK, &byte) == 0)
            return true;
    }
    return false;
}

/* A descriptor that holds a slot until it is closed. */
static enum err open_slot(const struct thumbnail_options *options, int *out, struct err_detail *detail)
{
    int fd = open(options->slots_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    int64_t until_us = clock_monotonic_us() + (int64_t)SLOT_WAIT_MS * 1000;
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot open %s: %s", options->slots_path, strerror(errno));
    while (!take_slot(fd, options->slots)) {
        if (clock_monotonic_us() >= until_us) {
            close(fd);
            return err_set(detail, ERR_BUSY, "other images are being looked at");
        }
        poll(NULL, 0, SLOT_AGAIN_MS);
    }
    *out = fd;
    return OK;
}

/* ---- the child's life */

/* The program's own path, while it is still this program that lies there: a process begun so bears its name.
 * Otherwise the kernel's link to it. */
static const char *own_path(char *buffer, size_t size)
{
    static const char link[] = "/proc/self/exe";
    struct stat there, self;
    ssize_t n = readlink(link, buffer, size - 1);
    if (n <= 0)
        return link;
    buffer[n] = '\0';
    return stat(buffer, &there) == 0 && stat(link, &self) == 0 && there.st_dev == self.st_dev &&
                   there.st_ino == self.st_ino
               ? buffer
               : link;
}

/* Nothing of ours goes along: no environment, no descriptor, no signal that is blocked or handled. */
static int spawn(int image_fd, int out_fd, pid_t *pid)
{
    static char name[] = "profiled", argument[] = THUMBNAIL_CHILD;
    char *argv[] = {name, argument, NULL}, *envp[] = {NULL}, path[4096];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int failed;
    sigemptyset(&none);
    sigfillset(&all);
    if ((failed = posix_spawn_file_actions_init(&files)) != 0)
        return failed;
    if ((failed = posix_spawnattr_init(&attributes)) == 0) {
        failed = posix_spawn_file_actions_adddup2(&files, image_fd, STDIN_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (failed == 0)
            failed = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (failed == 0)
            failed = posix_spawn(pid, own_path(path, sizeof path), &files, &attributes, argv, envp);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* All that it writes, until it ends. false: it took too long, or wrote too much. */
static bool collect(int fd, struct buf *out)
{
    enum { PIECE = 64 * 1024 };
    int64_t until_us = clock_monotonic_us() + (int64_t)CHILD_WAIT_MS * 1000;
    for (;;) {
        struct pollfd in = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
        int ready = left_ms <= 0 ? 0 : poll(&in, 1, (int)left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        char *to = ready <= 0 || out->len > CHILD_OUTPUT_MAX ? NULL : buf_reserve(out, PIECE);
        if (to == NULL)
            return false;
        ssize_t n = read(fd, to, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        buf_extend(out, (size_t)n);
    }
}

static enum err judge(int status, bool collected, struct err_detail *detail)
{
    if (!collected)
        return err_set(detail, ERR_BUSY, "the image was not decoded in time");
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_MADE)
        return OK;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_UNABLE)
        return err_set(detail, ERR_IO, "no thumbnails can be made: libgd, or the sandbox, is not to be had");
    if (WIFEXITED(status) && WEXITSTATUS(status) != CHILD_UNDECODABLE)
        return err_set(detail, ERR_IO, "the process that makes thumbnails ended with %d",
                       WEXITSTATUS(status));
    /* killed: by a limit, or by the filter; either way the image is to blame */
    return err_set(detail, ERR_INVALID, "the image cannot be decoded");
}

static enum err run_child(int image_fd, struct buf *out, struct err_detail *detail)
{
    int pipe_fds[2], status = 0;
    pid_t pid;
    if (lseek(image_fd, 0, SEEK_SET) != 0 || pipe2(pipe_fds, O_CLOEXEC) != 0)
        return err_set(detail, ERR_IO, "no pipe for thumbnails: %s", strerror(errno));
    int failed = spawn(image_fd, pipe_fds[1], &pid);
    close(pipe_fds[1]);
    if (failed != 0) {
        close(pipe_fds[0]);
        return err_set(detail, ERR_IO, "no process for thumbnails: %s", strerror(failed));
    }
    bool collected = collect(pipe_fds[0], out);
    close(pipe_fds[0]);
    if (!collected)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return out->failed ? ERR_NOMEM : judge(status, collected, detail);
}

/* ---- what it made */

static bool read_one(struct span *rest, enum image_type type, unsigned size, struct thumbnail *out)
{
    struct child_head head;
    struct image_facts facts;
    struct err_detail ignored = {0};
    if (rest->len < sizeof head)
        return false;
    memcpy(&head, rest->ptr, sizeof head);
    *rest = span_from(*rest, sizeof head);
    if (head.len > rest->len)
        return false;
    *out = (struct thumbnail){size, span_of(rest->ptr, head.len)};
    *rest = span_from(*rest, head.len);
    return image_probe(out->bytes, &facts, &ignored) == OK && facts.type == type && !facts.animated &&
           facts.width == facts.height && facts.width <= size;
}

enum err thumbnail_make(int image_fd, const struct image_facts *facts,
                        const struct thumbnail_options *options, struct buf *out,
                        struct thumbnail list[THUMBNAIL_COUNT], struct err_detail *detail)
{
    int slot = -1;
    enum err e = open_slot(options, &slot, detail);
    if (e != OK)
        return e;
    buf_clear(out);
    e = run_child(image_fd, out, detail);
    close(slot);
    if (e != OK)
        return e;
    struct span rest = buf_span(out);
    for (int i = 0; i < THUMBNAIL_COUNT; i++)
        if (!read_one(&rest, facts->type, thumbnail_sizes[i], &list[i]))
            return err_set(detail, ERR_INVALID, "the image cannot be decoded");
    return rest.len == 0 ? OK : err_set(detail, ERR_INVALID, "the image cannot be decoded");
}
