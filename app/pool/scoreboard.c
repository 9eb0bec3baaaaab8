#include "pool/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err map(int fd, int protection, struct scoreboard *out, struct err_detail *detail)
{
    void *at = mmap(NULL, SCOREBOARD_SIZE, protection, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return err_set(detail, ERR_IO, "cannot map the scoreboard: %s", strerror(errno));
    out->fd = fd;
    out->header = at;
    out->slots = (struct scoreboard_slot *)(void *)((char *)at + SCOREBOARD_HEADER_SIZE);
    return OK;
}

/* Sizes an empty file, maps it and writes what never changes. The bytes are reserved: a store must not find
 * the disk full. */
static enum err begin(int fd, struct scoreboard *out, struct err_detail *detail)
{
    int why = posix_fallocate(fd, 0, SCOREBOARD_SIZE);
    if (why != 0)
        return err_set(detail, why == ENOSPC ? ERR_FULL : ERR_IO, "cannot make the scoreboard: %s",
                       strerror(why));
    enum err e = map(fd, PROT_READ | PROT_WRITE, out, detail);
    if (e != OK)
        return e;
    memcpy(out->header->magic, SCOREBOARD_MAGIC, sizeof out->header->magic);
    out->header->version = SCOREBOARD_VERSION;
    out->header->slot_count = SCOREBOARD_SLOTS;
    return OK;
}

enum err scoreboard_create(const char *path, struct scoreboard *out, struct err_detail *detail)
{
    char temporary[SCOREBOARD_PATH_MAX + 16];
    enum err e;
    *out = (struct scoreboard){.fd = -1};
    if (strlen(path) >= SCOREBOARD_PATH_MAX)
        return err_set(detail, ERR_TOO_LARGE, "the path of the status file is too long");
    /* a name of its own and a rename: never a file, or a link, that somebody put there */
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot make the status file %s: %s", path, strerror(errno));
    if ((e = begin(fd, out, detail)) != OK)
        goto failed;
    memcpy(out->header->path, path, strlen(path));
    if (fchmod(fd, 0644) != 0 || rename(temporary, path) != 0) {
        e = err_set(detail, ERR_IO, "cannot make the status file %s: %s", path, strerror(errno));
        goto failed;
    }
    return OK;
failed:
    unlink(temporary);
    if (out->fd < 0)
        close(fd);
    scoreboard_close(out);
    return e;
}

enum err scoreboard_create_unseen(struct scoreboard *out, struct err_detail *detail)
{
    *out = (struct scoreboard){.fd = -1};
    int fd = memfd_create("profiled-status", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot make the scoreboard: %s", strerror(errno));
    enum err e = begin(fd, out, detail);
    if (e != OK && out->fd < 0)
        close(fd);
    if (e != OK)
        scoreboard_close(out);
    return e;
}

/* Whether it is one, and as long as it says: a shorter file would crash who reads it. */
static enum err recognise(int fd, struct err_detail *detail)
{
    struct scoreboard_header header;
    struct stat st;
    ssize_t n = pread(fd, &header, sizeof header, 0);
    if (n < 0 || fstat(fd, &st) != 0)
        return err_set(detail, ERR_IO, "cannot read it: %s", strerror(errno));
    if (n != (ssize_t)sizeof header || memcmp(header.magic, SCOREBOARD_MAGIC, sizeof header.magic) != 0)
        return err_set(detail, ERR_INVALID, "it is no scoreboard of profiled");
    if (header.version != SCOREBOARD_VERSION || header.slot_count != SCOREBOARD_SLOTS ||
        st.st_size != SCOREBOARD_SIZE)
        return err_set(detail, ERR_INVALID, "it is of another version of profiled");
    return OK;
}

enum err scoreboard_adopt(int fd, struct scoreboard *out, struct err_detail *detail)
{
    *out = (struct scoreboard){.fd = -1};
    enum err e = recognise(fd, detail);
    return e == OK ? map(fd, PROT_READ | PROT_WRITE, out, detail) : e;
}

enum err scoreboard_open(const char *path, struct scoreboard *out, struct err_detail *detail)
{
    *out = (struct scoreboard){.fd = -1};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open it: %s",
                       strerror(errno));
    enum err e = recognise(fd, detail);
    if (e == OK)
        e = map(fd, PROT_READ, out, detail);
    if (e != OK)
        close(fd);
    return e;
}

void scoreboard_close(struct scoreboard *board)
{
    if (board->header != NULL)
        munmap(board->header, SCOREBOARD_SIZE);
    if (board->header != NULL && board->fd >= 0)
        close(board->fd);
    *board = (struct scoreboard){.fd = -1};
}

/* Whether the path still names the file that is mapped. */
static bool in_place(const struct scoreboard *board)
{
    struct stat ours, theirs;
    return board->header->path[0] != '\0' && fstat(board->fd, &ours) == 0 &&
           stat(board->header->path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

void scoreboard_unlink(const struct scoreboard *board)
{
    if (board->header != NULL && in_place(board))
        unlink(board->header->path);
}

enum err scoreboard_move(struct scoreboard *board, const char *path, struct err_detail *detail)
{
    if (strcmp(board->header->path, path) == 0)
        return OK;
    if (strlen(path) >= SCOREBOARD_PATH_MAX)
        return err_set(detail, ERR_TOO_LARGE, "the path of the status file is too long");
    if (!in_place(board))
        return err_set(detail, ERR_IO, "the status file is gone from its place");
    if (rename(board->header->path, path) != 0)
        return err_set(detail, ERR_IO, "cannot move the status file to %s: %s", path, strerror(errno));
    memset(board->header->path, 0, sizeof board->header->path);
    memcpy(board->header->path, path, strlen(path));
    return OK;
}

/* Field 22 of /proc/PID/stat, clock ticks since boot; 0 when there is no such process. The name in field 2
 * may hold anything. */
static uint64_t process_start(pid_t pid)
{
    char path[48], text[1024];
    uint64_t start = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, " %" SCNu64, &start) != 1)
        return 0;
    return start;
}

void scoreboard_claim(struct scoreboard *board)
{
    atomic_store(&board->header->pid, (int32_t)getpid());
    atomic_store(&board->header->process_start, process_start(getpid()));
}

bool scoreboard_alive(const struct scoreboard *board)
{
    pid_t pid = atomic_load(&board->header->pid);
    uint64_t recorded = atomic_load(&board->header->process_start);
    if (pid <= 0 || (kill(pid, 0) != 0 && errno != EPERM))
        return false;
    /* 0: /proc is not there, or hides other users' processes; the id must do then */
    uint64_t start = process_start(pid);
    return start == 0 || recorded == 0 || start == recorded;
}

const char *pool_state_name(enum pool_state state)
{
    static const char *const names[POOL_STATE_COUNT] = {"starting", "running", "reloading", "stopping"};
    return state < POOL_STATE_COUNT ? names[state] : "unknown";
}
