#include "pool/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
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
    out->reserved = scoreboard_reserved(out);
    return OK;
}

static off_t end_of(size_t slots)
{
    return SCOREBOARD_HEADER_SIZE + (off_t)slots * SCOREBOARD_SLOT_SIZE;
}

/* Blocks of the disk for a part of the file: a store must not find it full. What is reserved already is not
 * asked for again: where the file system cannot reserve, the C library writes into each block, and a worker
 * may be writing there. */
static enum err reserve(int fd, off_t from, off_t to, struct err_detail *detail)
{
    int why = to > from ? posix_fallocate(fd, from, to - from) : 0;
    if (why != 0)
        return err_set(detail, why == ENOSPC ? ERR_FULL : ERR_IO, "no room for the scoreboard: %s",
                       strerror(why));
    return OK;
}

/* Sizes an empty file, maps it and writes what never changes. */
static enum err begin(int fd, const struct scoreboard_plan *plan, struct scoreboard *out,
                      struct err_detail *detail)
{
    enum err e = reserve(fd, 0, end_of(plan->slots), detail);
    if (e != OK)
        return e;
    if (ftruncate(fd, SCOREBOARD_SIZE) != 0)
        return err_set(detail, ERR_IO, "cannot make the scoreboard: %s", strerror(errno));
    if ((e = map(fd, PROT_READ | PROT_WRITE, out, detail)) != OK)
        return e;
    memcpy(out->header->magic, SCOREBOARD_MAGIC, sizeof out->header->magic);
    out->header->version = SCOREBOARD_VERSION;
    out->header->slot_count = SCOREBOARD_SLOTS;
    for (size_t i = 0; i < plan->route_count && i < METRICS_NO_ROUTE; i++)
        out->header->routes[i] = plan->routes[i];
    out->header->layout = metrics_layout(out->header->routes, METRICS_ROUTES);
    atomic_store(&out->header->slots_reserved, (uint32_t)plan->slots);
    out->reserved = plan->slots;
    return OK;
}

enum err scoreboard_create(const char *path, const struct scoreboard_plan *plan, struct scoreboard *out,
                           struct err_detail *detail)
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
    if ((e = begin(fd, plan, out, detail)) != OK)
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

enum err scoreboard_create_unseen(const struct scoreboard_plan *plan, struct scoreboard *out,
                                  struct err_detail *detail)
{
    *out = (struct scoreboard){.fd = -1};
    int fd = memfd_create("profiled-status", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot make the scoreboard: %s", strerror(errno));
    enum err e = begin(fd, plan, out, detail);
    if (e != OK && out->fd < 0)
        close(fd);
    if (e != OK)
        scoreboard_close(out);
    return e;
}

/* Whether every text in it ends within its place. */
static bool texts_end(const struct scoreboard_header *header)
{
    bool good = memchr(header->path, '\0', sizeof header->path) != NULL &&
                memchr(header->listen, '\0', sizeof header->listen) != NULL;
    for (size_t i = 0; i < METRICS_ROUTES; i++) {
        const struct metrics_route *route = &header->routes[i];
        good = good && memchr(route->pattern, '\0', sizeof route->pattern) != NULL &&
               memchr(route->methods, '\0', sizeof route->methods) != NULL;
    }
    return good;
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
        st.st_size != SCOREBOARD_SIZE || atomic_load(&header.slots_reserved) > SCOREBOARD_SLOTS ||
        !texts_end(&header) || header.layout != metrics_layout(header.routes, METRICS_ROUTES))
        return err_set(detail, ERR_INVALID, "it is of another version of profiled");
    return OK;
}

/* Whether this program counts its routes where the one that made the board does. */
static bool routes_agree(const struct scoreboard_header *header, const struct scoreboard_plan *plan)
{
    for (size_t i = 0; i < METRICS_NO_ROUTE; i++) {
        const struct metrics_route none = {0};
        const struct metrics_route *ours = i < plan->route_count ? &plan->routes[i] : &none;
        if (strncmp(header->routes[i].pattern, ours->pattern, sizeof ours->pattern) != 0 ||
            strncmp(header->routes[i].methods, ours->methods, sizeof ours->methods) != 0)
            return false;
    }
    return true;
}

enum err scoreboard_adopt(int fd, const struct scoreboard_plan *plan, struct scoreboard *out,
                          struct err_detail *detail)
{
    *out = (struct scoreboard){.fd = -1};
    enum err e = recognise(fd, detail);
    if (e == OK)
        e = map(fd, PROT_READ | PROT_WRITE, out, detail);
    if (e != OK)
        return e;
    if (!routes_agree(out->header, plan))
        e = err_set(detail, ERR_INVALID, "the program's routes have changed");
    else
        e = reserve(fd, end_of(out->reserved), end_of(plan->slots), detail);
    if (e != OK) {
        out->fd = -1;
        scoreboard_close(out);
        return e;
    }
    if (plan->slots > out->reserved)
        out->reserved = plan->slots;
    atomic_store(&out->header->slots_reserved, (uint32_t)out->reserved);
    return OK;
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

void scoreboard_retire(struct scoreboard *board, size_t slot)
{
    struct scoreboard_header *header = board->header;
    struct scoreboard_slot *gone = &board->slots[slot];
    uint32_t turn = atomic_load_explicit(&header->gone_turn, memory_order_relaxed);
    atomic_store_explicit(&header->gone_turn, turn | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    metrics_word_add(&header->requests, metrics_word(&gone->requests));
    metrics_merge(&header->gone, &gone->metrics);
    atomic_store_explicit(&gone->requests, 0, memory_order_relaxed);
    metrics_clear(&gone->metrics);
    atomic_store_explicit(&header->gone_turn, (turn | 1) + 1, memory_order_release);
}

size_t scoreboard_reserved(const struct scoreboard *board)
{
    size_t reserved = atomic_load_explicit(&board->header->slots_reserved, memory_order_relaxed);
    return reserved < SCOREBOARD_SLOTS ? reserved : SCOREBOARD_SLOTS;
}

static void sum_once(const struct scoreboard *board, struct metrics *out, uint64_t *requests)
{
    metrics_clear(out);
    *requests = metrics_word(&board->header->requests);
    metrics_merge(out, &board->header->gone);
    for (size_t i = 0; i < scoreboard_reserved(board); i++) {
        const struct scoreboard_slot *slot = &board->slots[i];
        if (atomic_load_explicit(&slot->started_ms, memory_order_relaxed) == 0)
            continue; /* nobody was ever here */
        *requests += metrics_word(&slot->requests);
        metrics_merge(out, &slot->metrics);
    }
}

void scoreboard_sum(const struct scoreboard *board, struct metrics *out, uint64_t *requests)
{
    /* the supervisor needs microseconds; one that was killed on the way leaves the turn odd for ever */
    enum { TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        uint32_t turn = atomic_load_explicit(&board->header->gone_turn, memory_order_acquire);
        if ((turn & 1) != 0) {
            sched_yield();
            continue;
        }
        sum_once(board, out, requests);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&board->header->gone_turn, memory_order_relaxed) == turn)
            return;
    }
    sum_once(board, out, requests);
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
