/* A whole pool: start, answers, deaths, time-outs, signals, end. */
#include "pool_server.h"

#define FLAGS(...) ((const char *const[]){"server.user=root", __VA_ARGS__, NULL})

static void it_starts_and_ends(void **state)
{
    (void)state;
    char name[64], path[64];
    struct stat st;
    server_start(FLAGS("server.workers=3", "server.listen_mode=0600", "token.audience=a"));
    EVENTUALLY(is_running(1, 3));
    assert_true(answers_as(server.path, "a"));
    assert_int_equal(lstat(server.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    /* every process bears the name */
    struct seen seen = look();
    const pid_t pids[] = {server.pid, seen.pids[0], seen.pids[1], seen.pids[2]};
    for (size_t i = 0; i < 4; i++) {
        struct buf comm = {0};
        snprintf(path, sizeof path, "/proc/%ld/comm", (long)pids[i]);
        assert_int_equal(file_read(path, sizeof name, &comm, NULL), OK);
        assert_string_equal(buf_text(&comm), "profiled\n");
        buf_fini(&comm);
    }
    server_stop();
    assert_int_not_equal(access(server.path, F_OK), 0);
    assert_int_not_equal(access(server.status, F_OK), 0);
    assert_true(log_holds("\"event\":\"pool-started\""));
    assert_true(log_holds("\"event\":\"pool-stopped\",\"requests\":1"));
}

static void an_interrupt_ends_it_too(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=1"));
    kill(server.pid, SIGINT);
    assert_int_equal(server_end(), 0);
}

static void the_dead_are_replaced(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=2"));
    for (uint64_t round = 1; round <= 4; round++) {
        pid_t victim = ask_pid();
        assert_true(victim > 0);
        EVENTUALLY(look().requests == 2 * round - 1);
        kill(victim, SIGKILL);
        EVENTUALLY(look().deaths == round && is_running(1, 2));
        struct seen seen = look();
        for (size_t i = 0; i < seen.processes; i++)
            assert_int_not_equal(seen.pids[i], victim);
        assert_true(ask_pid() > 0);
        EVENTUALLY(look().requests == 2 * round);
    }
    /* one that ends by itself in a request is a dead one as well; what it had answered still counts */
    char reply[128];
    assert_false(ask("die", reply));
    EVENTUALLY(look().deaths == 5 && is_running(1, 2));
    assert_int_equal(look().requests, 8);
    assert_true(log_holds("\"event\":\"worker-died\""));
    assert_true(log_holds("signal 9 (Killed)"));
    server_stop();
}

static void a_crash_loop_is_slowed(void **state)
{
    (void)state;
    server_spawn(FLAGS("server.workers=1", "token.audience=die-early"));
    EVENTUALLY(look().restarts >= 5);
    /* the pauses were 0, 100, 200, 400 ms, and are some 800 now: without them hundreds would start in this
     * while */
    uint64_t before = look().restarts;
    for (int i = 0; i < 100; i++)
        poll(NULL, 0, 10);
    assert_true(look().restarts - before < 20);
    assert_true(look().there);
    server_stop();
}

static void the_preflight_comes_first(void **state)
{
    (void)state;
    server_spawn(FLAGS("token.audience=bad-preflight"));
    assert_int_equal(server_end(), 1);
    assert_true(log_holds("serve: the preflight says no\n"));
    assert_false(log_holds("worker-"));
    assert_int_not_equal(access(server.path, F_OK), 0);
    assert_int_not_equal(access(server.status, F_OK), 0);
}

static void workers_that_never_start_end_it(void **state)
{
    (void)state;
    server_spawn(FLAGS("token.audience=bad-start", "server.workers=2"));
    assert_int_equal(server_end(), 1);
    assert_true(log_holds("serve: workers end before they are ready to serve: status 7\n"));
}

static void a_bad_environment_is_refused(void **state)
{
    (void)state;
    setenv(POOL_HANDOVER_VARIABLE, "1 pid=nonsense", 1);
    server_spawn(FLAGS("server.workers=1"));
    unsetenv(POOL_HANDOVER_VARIABLE);
    assert_int_equal(server_end(), 1);
    assert_true(log_holds("makes no sense"));

    /* another process's means nothing */
    setenv(POOL_HANDOVER_VARIABLE, "3 pid=1 generation=7 listen=0 activated=0 changes=0 board=1 memory=0 children=1:0", 1);
    server_start(FLAGS("server.workers=1"));
    unsetenv(POOL_HANDOVER_VARIABLE);
    assert_int_equal(look().generation, 1);
    server_stop();
}

static void a_check_serves_nothing(void **state)
{
    (void)state;
    setenv(POOL_CHECK_VARIABLE, "1", 1);
    server_spawn(FLAGS("server.workers=1"));
    assert_int_equal(server_end(), 0);
    server_spawn(FLAGS("token.audience=bad-preflight"));
    assert_int_equal(server_end(), 1);
    unsetenv(POOL_CHECK_VARIABLE);
    assert_int_not_equal(access(server.path, F_OK), 0);
}

static void two_pools_on_one_socket(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=1"));
    pid_t first = server.pid;
    server_spawn(FLAGS("server.workers=1"));
    assert_int_equal(server_end(), 1);
    assert_true(log_holds("somebody listens on unix:"));
    server.pid = first;
    assert_true(look().there);
    assert_true(ask_pid() > 0);
    server_stop();
}

static void a_request_takes_too_long(void **state)
{
    (void)state;
    char reply[128];
    server_start(FLAGS("server.workers=2", "server.request_timeout=1s"));
    assert_false(ask("hang", reply));
    EVENTUALLY(look().timeouts == 1 && look().deaths == 1 && is_running(1, 2));
    assert_true(log_holds("\"event\":\"worker-killed\""));
    assert_true(log_holds("\"reason\":\"request_timeout\""));
    assert_true(ask_pid() > 0);
    /* who waits without a request in hand is left alone */
    assert_int_equal(look().deaths, 1);
    server_stop();
}

/* Asks in a process of its own; its exit status is 0 when the answer came. */
static pid_t ask_aside(const char *question)
{
    pid_t pid = fork();
    if (pid == 0) {
        char reply[128];
        _exit(ask(question, reply) ? 0 : 1);
    }
    return pid;
}

static bool answered(pid_t asker)
{
    int status = 0;
    EVENTUALLY(waitpid(asker, &status, WNOHANG) == asker);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static size_t count_busy(void)
{
    struct scoreboard board;
    size_t busy = 0;
    if (scoreboard_open(server.status, &board, NULL) != OK)
        return 0;
    for (size_t i = 0; i < scoreboard_reserved(&board); i++)
        busy += atomic_load(&board.slots[i].busy_since_us) != 0 ? 1 : 0;
    scoreboard_close(&board);
    return busy;
}

static void what_is_in_hand_is_finished(void **state)
{
    (void)state;
    char reply[128];
    server_start(FLAGS("server.workers=2"));
    pid_t asker = ask_aside("slow 700");
    EVENTUALLY(count_busy() == 1);
    kill(server.pid, SIGTERM);
    EVENTUALLY(access(server.path, F_OK) != 0);
    assert_false(ask("pid", reply));
    assert_true(answered(asker));
    assert_int_equal(server_end(), 0);
}

static void what_hangs_at_the_end_is_killed(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=1", "server.request_timeout=1s"));
    pid_t asker = ask_aside("hang");
    EVENTUALLY(count_busy() == 1);
    kill(server.pid, SIGTERM);
    assert_int_equal(server_end(), 0);
    assert_false(answered(asker));
}

static void workers_survive_their_supervisor_to_finish(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=2"));
    struct seen seen = look();
    pid_t asker = ask_aside("slow 700");
    EVENTUALLY(count_busy() == 1);
    kill(server.pid, SIGKILL);
    assert_int_equal(server_end(), -1);
    assert_true(answered(asker));
    /* and then they end: this process is their parent now */
    for (size_t i = 0; i < seen.processes; i++) {
        int status;
        EVENTUALLY(waitpid(seen.pids[i], &status, WNOHANG) == seen.pids[i]);
        assert_int_equal(status, 0);
    }
    /* the files are left; a new pool takes their place */
    assert_int_equal(access(server.path, F_OK), 0);
    assert_false(look().there);
    server_start(FLAGS("server.workers=1"));
    assert_true(ask_pid() > 0);
    server_stop();
}

static void workers_are_recycled(void **state)
{
    (void)state;
    pid_t last = 0;
    int changes = 0;
    server_start(FLAGS("server.workers=1", "server.max_requests=3"));
    for (int i = 0; i < 30; i++) {
        pid_t pid = ask_pid();
        assert_true(pid > 0);
        changes += pid != last ? 1 : 0;
        last = pid;
    }
    assert_int_equal(changes, 10);
    EVENTUALLY(look().recycled == 10 && look().requests == 30);
    assert_int_equal(look().deaths, 0);
    server_stop();
}

static void logs_are_opened_anew(void **state)
{
    (void)state;
    char flag[80], path[64], old[64], reply[128];
    struct buf text = {0};
    snprintf(path, sizeof path, "%s/own.log", server.folder);
    snprintf(old, sizeof old, "%s/old.log", server.folder);
    snprintf(flag, sizeof flag, "log.file=%s", path);
    server_start(FLAGS("server.workers=1", flag));
    assert_int_equal(rename(path, old), 0);
    kill(server.pid, SIGUSR1);
    EVENTUALLY(access(path, F_OK) == 0);
    struct stat st;
    /* the worker's turn may come later than the supervisor's: ask until its line lies in the new file */
    EVENTUALLY(ask("log", reply) && stat(path, &st) == 0 && st.st_size > 0);
    assert_int_equal(file_read(path, 65536, &text, NULL), OK);
    assert_non_null(strstr(buf_text(&text), "echo-was-here"));
    assert_int_equal(look().deaths, 0);
    buf_clear(&text);
    server_stop();
    assert_int_equal(file_read(path, 65536, &text, NULL), OK);
    assert_non_null(strstr(buf_text(&text), "pool-stopped"));
    buf_fini(&text);
}

static void the_manager_hears(void **state)
{
    (void)state;
    listen_for_notices();
    setenv("WATCHDOG_USEC", "200000", 1);
    server_start(FLAGS("server.workers=2"));
    unsetenv("WATCHDOG_USEC");
    unsetenv("NOTIFY_SOCKET");
    EVENTUALLY(notice_came("READY=1\nSTATUS=2 workers serve, generation 1"));
    EVENTUALLY(notice_came("WATCHDOG=1"));
    EVENTUALLY(notice_came("WATCHDOG=1"));
    server_stop();
    EVENTUALLY(notice_came("STOPPING=1"));
}

static void the_manager_hears_nothing_of_a_failure(void **state)
{
    (void)state;
    listen_for_notices();
    server_spawn(FLAGS("token.audience=bad-preflight"));
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(server_end(), 1);
    assert_false(notice_came("READY=1"));
}

static void a_socket_is_passed(void **state)
{
    (void)state;
    char path[64], flag[80];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s/passed.sock", server.folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    snprintf(flag, sizeof flag, "server.listen=unix:%s/other.sock", server.folder);
    server.passed_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.passed_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.passed_fd, 16), 0);
    snprintf(server.status, sizeof server.status, "%s/other.sock.status", server.folder);
    server_start(FLAGS("server.workers=1", "token.audience=passed", flag));
    assert_true(answers_as(path, "passed"));
    snprintf(flag, sizeof flag, "%s/other.sock", server.folder);
    assert_int_not_equal(access(flag, F_OK), 0);
    server_stop();
    /* it is the manager's, and stays */
    assert_int_equal(access(path, F_OK), 0);
}

/* The real, effective and saved user of a process are all this one. */
static bool runs_as(pid_t pid, unsigned uid)
{
    char path[48], line[64];
    struct buf text = {0};
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    bool found = file_read(path, 65536, &text, NULL) == OK;
    snprintf(line, sizeof line, "\nUid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
    found = found && strstr(buf_text(&text), line) != NULL;
    buf_fini(&text);
    return found;
}

static void root_is_left(void **state)
{
    (void)state;
    struct stat st;
    char flag[80];
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(server.folder, 0777), 0);
    snprintf(flag, sizeof flag, "log.file=%s/own.log", server.folder);
    server_start((const char *const[]){"server.user=nobody", "server.workers=1", flag, NULL});
    struct seen seen = look();
    assert_true(runs_as(server.pid, 65534));
    assert_true(runs_as(seen.pids[0], 65534));
    assert_int_equal(lstat(server.path, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(stat(server.status, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    snprintf(flag, sizeof flag, "%s/own.log", server.folder);
    assert_int_equal(stat(flag, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_true(ask_pid() > 0);
    server_stop();
    assert_int_not_equal(access(server.path, F_OK), 0);
}

static void an_unknown_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    server_spawn((const char *const[]){"server.user=no-such-user", NULL});
    assert_int_equal(server_end(), 1);
    assert_true(log_holds("serve: server.user: there is no user `no-such-user`"));
    assert_int_not_equal(access(server.path, F_OK), 0);
}

/* Descriptors that whoever started it left open are not the pool's. */
static void nothing_is_inherited(void **state)
{
    (void)state;
    char path[64], link[64], target[256];
    int leaked = open("/dev/zero", O_RDONLY); /* not closed on exec */
    assert_true(leaked >= 0);
    server_start(FLAGS("server.workers=1"));
    close(leaked);
    struct seen seen = look();
    const pid_t pids[] = {server.pid, seen.pids[0]};
    for (size_t i = 0; i < 2; i++)
        for (int fd = 0; fd < 64; fd++) {
            snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pids[i], fd);
            ssize_t n = readlink(path, target, sizeof target - 1);
            target[n > 0 ? n : 0] = '\0';
            if (strcmp(target, "/dev/zero") == 0)
                fail_msg("%s is /dev/zero", path);
            /* a worker has neither the supervisor's signals nor the scoreboard's file */
            if (i == 1 && (strstr(target, "signalfd") != NULL || strstr(target, ".status") != NULL))
                fail_msg("%s is %s", path, target);
        }
    snprintf(link, sizeof link, "/proc/%ld/fd/0", (long)seen.pids[0]);
    assert_true(readlink(link, target, sizeof target) == (ssize_t)strlen("/dev/null"));
    server_stop();
}

/* Starts a worker without a supervisor on a socket of ours; server.pid is the worker's. */
static void start_alone(const char *flag)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", server.path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    server.pid = fork();
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDIN_FILENO);
        execl(server.program, server.program, "alone", flag, (char *)NULL);
        _exit(98);
    }
    close(fd);
}

static void a_worker_alone(void **state)
{
    (void)state;
    char reply[128];
    start_alone("server.max_requests=0");
    assert_int_equal(ask_pid(), server.pid);
    /* logs, or what it would log to, are opened anew without harm; the terminal's SIGHUP is its own matter */
    kill(server.pid, SIGUSR1);
    assert_int_equal(ask_pid(), server.pid);
    kill(server.pid, SIGTERM);
    assert_int_equal(server_end(), 0);
    assert_false(ask("pid", reply));
}

static void a_worker_alone_is_recycled(void **state)
{
    (void)state;
    start_alone("server.max_requests=2");
    assert_true(ask_pid() > 0);
    assert_true(ask_pid() > 0);
    assert_int_equal(server_end(), 0);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, server_setup, server_teardown)

/* The process beside the workers; 0: there is none. */
static pid_t edge_pid(void)
{
    struct scoreboard board;
    pid_t pid = 0;
    if (scoreboard_open(server.status, &board, NULL) != OK)
        return 0;
    for (size_t i = 0; i < scoreboard_reserved(&board); i++)
        if (atomic_load(&board.slots[i].role) == POOL_EDGE && atomic_load(&board.slots[i].pid) != 0)
            pid = atomic_load(&board.slots[i].pid);
    scoreboard_close(&board);
    return pid;
}

static void the_edge_process(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=2", "token.audience=edge"));
    EVENTUALLY(is_running(1, 3) && edge_pid() != 0);
    pid_t first = edge_pid();
    for (int i = 0; i < 6; i++)
        assert_int_not_equal(ask_pid(), first); /* it answers no request */
    kill(first, SIGKILL);
    EVENTUALLY(edge_pid() != 0 && edge_pid() != first && is_running(1, 3));
    assert_int_equal(look().deaths, 0);
    assert_true(log_holds("\"event\":\"edge-died\""));
    /* a reload renews it */
    pid_t second = edge_pid();
    kill(server.pid, SIGHUP);
    EVENTUALLY(is_running(2, 3) && edge_pid() != 0 && edge_pid() != second);
    /* at the end it goes last: a request that is still in hand may write */
    pid_t asker = ask_aside("slow 700");
    EVENTUALLY(count_busy() == 1);
    pid_t third = edge_pid();
    kill(server.pid, SIGTERM);
    EVENTUALLY(access(server.path, F_OK) != 0);
    assert_int_equal(kill(third, 0), 0);
    assert_int_equal(edge_pid(), third);
    assert_true(answered(asker));
    assert_int_equal(server_end(), 0);
    assert_true(log_holds("\"event\":\"edge-was-here\""));
}

static void an_edge_process_that_cannot_live(void **state)
{
    (void)state;
    server_start(FLAGS("server.workers=1", "token.audience=edge-dies"));
    EVENTUALLY(look().restarts >= 4);
    uint64_t before = look().restarts;
    for (int i = 0; i < 50; i++)
        poll(NULL, 0, 10);
    assert_true(look().restarts - before < 10); /* ever more slowly */
    assert_true(ask_pid() > 0);                 /* and the workers serve */
    assert_int_equal(look().deaths, 0);
    server_stop();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE(it_starts_and_ends),
        LIVE(an_interrupt_ends_it_too),
        LIVE(the_dead_are_replaced),
        LIVE(a_crash_loop_is_slowed),
        LIVE(the_preflight_comes_first),
        LIVE(workers_that_never_start_end_it),
        LIVE(a_bad_environment_is_refused),
        LIVE(a_check_serves_nothing),
        LIVE(two_pools_on_one_socket),
        LIVE(a_request_takes_too_long),
        LIVE(what_is_in_hand_is_finished),
        LIVE(what_hangs_at_the_end_is_killed),
        LIVE(workers_survive_their_supervisor_to_finish),
        LIVE(workers_are_recycled),
        LIVE(logs_are_opened_anew),
        LIVE(the_manager_hears),
        LIVE(the_manager_hears_nothing_of_a_failure),
        LIVE(a_socket_is_passed),
        LIVE(root_is_left),
        LIVE(an_unknown_user),
        LIVE(nothing_is_inherited),
        LIVE(the_edge_process),
        LIVE(an_edge_process_that_cannot_live),
        LIVE(a_worker_alone),
        LIVE(a_worker_alone_is_recycled),
    };
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return server_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], "alone") == 0)
        return alone_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
