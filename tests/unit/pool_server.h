/*
 * For the tests of the pool: a whole pool in a process of its own, with a trivial program. The test
 * executable itself is what is run, as "TEST serve SECTION.KEY=VALUE…", so that a reload can execute it anew.
 * Only processes that were started here are ended, by their id; every wait has an end.
 *
 * The worker answers one line a connection: "pid" with its process id and the setting token.audience, which
 * stands for the configuration that is in force; "slow MS" the same, later; "log" the same, and a line in the
 * log; "hang" never; "die" never, by SIGKILL. The audience also makes things fail: "bad-preflight",
 * "bad-start" (ends before its handshake), "die-early" (ends behind it, before the first answer).
 */
#pragma once
#include "base/clock.h"
#include "base/file.h"
#include "config/load.h"
#include "pool/pool.h"
#include "pool/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

extern char **environ;

/* Looks again every 10 ms, for 20 s at most. */
#define EVENTUALLY(condition)                                                                                \
    do {                                                                                                     \
        int tries_left = 2000;                                                                               \
        while (!(condition) && tries_left-- > 0)                                                             \
            poll(NULL, 0, 10);                                                                               \
        if (tries_left < 0)                                                                                  \
            fail_msg("in vain: %s\n%s", #condition, server_log_text());                                      \
    } while (0)

/* ---- the program ---- */

struct echo {
    const struct config_settings *settings;
    struct log log;
};

static inline void echo_answer(const struct echo *echo, int fd)
{
    char line[64], reply[128];
    ssize_t n = read(fd, line, sizeof line - 1);
    line[n > 0 ? n : 0] = '\0';
    if (strncmp(line, "slow ", 5) == 0)
        poll(NULL, 0, atoi(line + 5));
    if (strncmp(line, "die", 3) == 0)
        kill(getpid(), SIGKILL);
    if (strncmp(line, "log", 3) == 0)
        LOG(&echo->log, LOG_INFO, "echo-was-here", LOG_INT("n", 1));
    while (strncmp(line, "hang", 4) == 0)
        poll(NULL, 0, 1000);
    snprintf(reply, sizeof reply, "%ld %s\n", (long)getpid(),
             config_text(echo->settings, CONFIG_token_audience));
    if (n > 0 && send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
        perror("send");
}

static inline int echo_run(void *data, int listen_fd, struct pool_worker *self)
{
    const struct echo *echo = data;
    const char *audience = config_text(echo->settings, CONFIG_token_audience);
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (strcmp(audience, "bad-start") == 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event) != 0)
        return 7;
    pool_worker_started(self);
    if (strcmp(audience, "die-early") == 0)
        return 5;
    while (!pool_worker_stopping(self)) {
        if (epoll_pwait(epoll_fd, &event, 1, -1, pool_worker_wait_mask(self)) <= 0)
            continue;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        pool_worker_request_begin(self, clock_monotonic_us());
        echo_answer(echo, fd);
        close(fd);
        pool_worker_request_end(self);
    }
    close(epoll_fd);
    return 0;
}

/* The process beside the workers: does nothing until it is told to end, and says so. "edge-dies": it ends at once. */
static inline int echo_edge(void *data, struct pool_worker *self)
{
    const struct echo *echo = data;
    pool_worker_started(self);
    if (strcmp(config_text(echo->settings, CONFIG_token_audience), "edge-dies") == 0)
        return 6;
    while (!pool_worker_stopping(self))
        ppoll(NULL, 0, NULL, pool_worker_wait_mask(self));
    LOG(&echo->log, LOG_INFO, "edge-was-here", LOG_INT("n", 1));
    return 0;
}

static inline enum err echo_preflight(void *data, struct err_detail *detail)
{
    const struct echo *echo = data;
    if (strcmp(config_text(echo->settings, CONFIG_token_audience), "bad-preflight") == 0)
        return err_set(detail, ERR_INVALID, "the preflight says no");
    return OK;
}

/* What main does when it is called as "TEST alone …": one worker on descriptor 0, as a web server would start
 * it. */
static inline int alone_main(int argc, char **argv)
{
    struct config_settings settings;
    struct echo echo = {.settings = &settings, .log = {.fd = STDERR_FILENO, .level = LOG_DEBUG}};
    const struct config_source source = {NULL, environ, (const char *const *)argv + 2, (size_t)argc - 2};
    const struct pool_worker_program program = {.run = echo_run, .data = &echo};
    if (config_load(&source, &settings, NULL) != OK)
        return 1;
    uint64_t max_requests = (uint64_t)config_number(&settings, CONFIG_server_max_requests);
    int status = pool_worker_alone(&program, STDIN_FILENO, max_requests, &echo.log);
    config_fini(&settings);
    return status;
}

/* What main does when it is called as "TEST serve …". */
static inline int server_main(int argc, char **argv)
{
    struct config_settings settings;
    struct echo echo = {.settings = &settings};
    struct err_detail detail = {0};
    const struct config_source source = {NULL, environ, (const char *const *)argv + 2, (size_t)argc - 2};
    const struct pool_options options = {.settings = &settings, .argv = argv};
    struct pool_worker_program program = {.run = echo_run, .preflight = echo_preflight, .data = &echo};
    pool_close_inherited();
    enum err e = config_load(&source, &settings, &detail);
    if (e == OK) {
        if (strncmp(config_text(&settings, CONFIG_token_audience), "edge", 4) == 0)
            program.edge = echo_edge;
        const char *path = config_text(&settings, CONFIG_log_file);
        echo.log = (struct log){.fd = STDERR_FILENO, .level = LOG_DEBUG};
        if ((e = log_open(&echo.log, path[0] == '\0' ? NULL : path, &detail)) == OK)
            e = pool_serve(&options, &program, &echo.log, &detail);
        log_close(&echo.log);
        config_fini(&settings);
    }
    if (e != OK)
        fprintf(stderr, "serve: %s\n", detail.text);
    return e == OK ? 0 : 1;
}

/* ---- the test's side ---- */

/* One at a time, ended behind each test. */
struct server {
    char folder[32];
    char path[48];   /* of the socket */
    char status[64]; /* of the scoreboard */
    char config[48]; /* of the configuration file */
    char log[48];    /* its standard error */
    char program[256];
    pid_t pid; /* 0: none runs */
    int notify_fd;
    int passed_fd; /* to be passed as systemd does; -1: none */
};

static struct server server;

static inline int server_setup(void **state)
{
    (void)state;
    server = (struct server){.notify_fd = -1, .passed_fd = -1};
    snprintf(server.folder, sizeof server.folder, "/tmp/profiled-test-XXXXXX");
    if (mkdtemp(server.folder) == NULL)
        return -1;
    snprintf(server.path, sizeof server.path, "%s/s.sock", server.folder);
    snprintf(server.status, sizeof server.status, "%s.status", server.path);
    snprintf(server.config, sizeof server.config, "%s/conf", server.folder);
    snprintf(server.log, sizeof server.log, "%s/log", server.folder);
    ssize_t n = readlink("/proc/self/exe", server.program, sizeof server.program - 1);
    /* children of a supervisor that was killed come to us, so that they can be waited for */
    return n < 0 ? -1 : prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static inline void remove_all(const char *folder)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        perror(command);
}

static inline int server_teardown(void **state)
{
    (void)state;
    if (server.pid > 0 && kill(server.pid, SIGKILL) == 0)
        waitpid(server.pid, NULL, 0);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    if (server.notify_fd >= 0)
        close(server.notify_fd);
    if (server.passed_fd >= 0)
        close(server.passed_fd);
    remove_all(server.folder);
    return 0;
}

/* The log so far; for the eyes of who reads a failure, and to look for words in. */
static inline const char *server_log_text(void)
{
    static char text[65536];
    struct buf read_text = {0};
    if (file_read(server.log, sizeof text - 1, &read_text, NULL) != OK)
        return "";
    memcpy(text, buf_text(&read_text), read_text.len + 1);
    buf_fini(&read_text);
    return text;
}

static inline void write_config(const char *text)
{
    assert_int_equal(file_write(server.config, span_str(text), 0644, NULL), OK);
}

/* In the new process. */
static inline void become_server(const char *const *flags)
{
    char *argv[16] = {server.program, (char[]){"serve"}};
    char own_pid[24], listen[80];
    size_t argc = 2;
    int log = open(server.log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(99);
    if (server.passed_fd >= 0) {
        snprintf(own_pid, sizeof own_pid, "%ld", (long)getpid());
        setenv("LISTEN_PID", own_pid, 1);
        setenv("LISTEN_FDS", "1", 1);
        /* it may be 3 already, and then dup2 leaves it closed on exec */
        if (dup2(server.passed_fd, 3) != 3 || fcntl(3, F_SETFD, 0) != 0)
            _exit(99);
    }
    if (access(server.config, F_OK) == 0)
        setenv("PROFILED_CONFIG", server.config, 1);
    snprintf(listen, sizeof listen, "server.listen=unix:%s", server.path);
    if (access(server.config, F_OK) != 0)
        argv[argc++] = listen;
    for (size_t i = 0; flags != NULL && flags[i] != NULL && argc < 15; i++)
        argv[argc++] = (char *)(uintptr_t)flags[i];
    argv[argc] = NULL;
    execv(server.program, argv);
    _exit(98);
}

/* Starts it with these flags (NULL-terminated; NULL: none), without waiting for it. */
static inline void server_spawn(const char *const *flags)
{
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0)
        become_server(flags);
}

/* Asks and gives the answer: false when there was none. */
static inline bool ask_at(const char *path, const char *question, char reply[128])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 20};
    size_t len = 0;
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, question, strlen(question), MSG_NOSIGNAL) < 0) {
        close(fd);
        return false;
    }
    while (len < 127 && (n = read(fd, reply + len, 127 - len)) > 0)
        len += (size_t)n;
    reply[len] = '\0';
    close(fd);
    return len > 0 && reply[len - 1] == '\n';
}

static inline bool ask(const char *question, char reply[128])
{
    return ask_at(server.path, question, reply);
}

/* The pid of whoever answers, 0: nobody. */
static inline pid_t ask_pid(void)
{
    char reply[128];
    return ask("pid", reply) ? (pid_t)atol(reply) : 0;
}

/* Whether who answers has this audience. */
static inline bool answers_as(const char *path, const char *audience)
{
    char reply[128], expected[64];
    if (!ask_at(path, "pid", reply))
        return false;
    snprintf(expected, sizeof expected, " %s\n", audience);
    const char *blank = strchr(reply, ' ');
    return blank != NULL && strcmp(blank, expected) == 0;
}

/* What the scoreboard says; a zeroed one when there is none. */
struct seen {
    enum pool_state state;
    uint32_t generation;
    uint64_t requests, deaths, timeouts, recycled, reloads, refused;
    size_t processes; /* that have a slot */
    uint64_t restarts;
    pid_t pids[16];
    bool there;
};

static inline struct seen look_at(const char *path)
{
    struct scoreboard board;
    struct seen seen = {0};
    if (scoreboard_open(path, &board, NULL) != OK)
        return seen;
    seen.there = scoreboard_alive(&board);
    seen.state = (enum pool_state)atomic_load(&board.header->state);
    seen.generation = atomic_load(&board.header->generation);
    seen.requests = atomic_load(&board.header->requests);
    seen.deaths = atomic_load(&board.header->deaths);
    seen.timeouts = atomic_load(&board.header->timeouts);
    seen.recycled = atomic_load(&board.header->recycled);
    seen.reloads = atomic_load(&board.header->reloads);
    seen.refused = atomic_load(&board.header->reloads_refused);
    for (size_t i = 0; i < scoreboard_reserved(&board); i++) {
        pid_t pid = atomic_load(&board.slots[i].pid);
        seen.restarts += atomic_load(&board.slots[i].restarts);
        seen.requests += atomic_load(&board.slots[i].requests);
        if (pid != 0 && seen.processes < 16)
            seen.pids[seen.processes++] = pid;
    }
    scoreboard_close(&board);
    return seen;
}

static inline struct seen look(void)
{
    return look_at(server.status);
}

static inline bool is_running(uint32_t generation, size_t processes)
{
    struct seen seen = look();
    return seen.there && seen.state == POOL_RUNNING && seen.generation == generation &&
           seen.processes == processes;
}

static inline void server_start(const char *const *flags)
{
    server_spawn(flags);
    EVENTUALLY(look().there && look().state == POOL_RUNNING);
}

/* The exit status of a server that ends, -1 when a signal ended it. */
static inline int server_end(void)
{
    int status = 0;
    pid_t pid = 0;
    EVENTUALLY((pid = waitpid(server.pid, &status, WNOHANG)) != 0);
    assert_int_equal(pid, server.pid);
    server.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void server_stop(void)
{
    kill(server.pid, SIGTERM);
    int status = server_end();
    if (status != 0)
        fail_msg("status %d\n%s", status, server_log_text());
}

static inline bool log_holds(const char *words)
{
    return strstr(server_log_text(), words) != NULL;
}

/* Makes the socket that the server shall notify. */
static inline void listen_for_notices(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", server.folder);
    server.notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server.notify_fd, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

/* Whether a datagram that begins so has come; those before it are passed over. */
static inline bool notice_came(const char *beginning)
{
    char text[1024];
    ssize_t n;
    while ((n = recv(server.notify_fd, text, sizeof text - 1, 0)) > 0) {
        text[n] = '\0';
        if (strncmp(text, beginning, strlen(beginning)) == 0)
            return true;
    }
    return false;
}
