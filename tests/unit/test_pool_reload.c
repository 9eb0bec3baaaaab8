/* SIGHUP: new configuration and program, in place, with no request lost; bad ones leave the pool as it was.
 */
#include "pool_server.h"

/* The configuration file: the socket, the number of workers, and the audience that every answer bears. */
static void configure_at(const char *path, int workers, const char *audience)
{
    char text[256];
    snprintf(text, sizeof text,
             "[server]\nlisten = unix:%s\nuser = root\nworkers = %d\nrequest_timeout = "
             "10s\n[token]\naudience = %s\n",
             path, workers, audience);
    write_config(text);
}

static void configure(int workers, const char *audience)
{
    configure_at(server.path, workers, audience);
}

static void reload(void)
{
    assert_int_equal(kill(server.pid, SIGHUP), 0);
}

/* Asks without pause until the pipe's other end is closed; exits with 1 at the first question that gets no
 * answer. */
static pid_t keep_asking(const int ends[2])
{
    pid_t pid = fork();
    if (pid == 0) {
        char reply[128];
        struct pollfd end = {.fd = ends[0]};
        close(ends[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (poll(&end, 1, 0) == 0)
            if (!ask("pid", reply))
                _exit(1);
        _exit(0);
    }
    return pid;
}

static void nothing_is_lost(void **state)
{
    (void)state;
    pid_t askers[3];
    int ends[2];
    char audience[16];
    configure(2, "r0");
    server_start(NULL);
    pid_t pid = server.pid;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (int i = 0; i < 3; i++)
        askers[i] = keep_asking(ends);
    close(ends[0]);
    for (unsigned round = 1; round <= 4; round++) {
        snprintf(audience, sizeof audience, "r%u", round);
        configure((int)(2 + round % 2), audience);
        reload();
        EVENTUALLY(is_running(round + 1, 2 + round % 2));
        for (int i = 0; i < 10; i++)
            assert_true(answers_as(server.path, audience));
    }
    close(ends[1]);
    for (int i = 0; i < 3; i++) {
        int status = -1;
        EVENTUALLY(waitpid(askers[i], &status, WNOHANG) == askers[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(server.pid, pid);
    assert_int_equal(look().reloads, 4);
    assert_int_equal(look().deaths, 0);
    assert_true(look().requests > 40);
    server_stop();
}

static void what_is_in_hand_is_finished(void **state)
{
    (void)state;
    int status = -1;
    configure(1, "old");
    server_start(NULL);
    pid_t asker = fork();
    if (asker == 0) {
        char reply[128];
        _exit(ask("slow 1500", reply) && strstr(reply, " old\n") != NULL ? 0 : 1);
    }
    /* its worker is the only one: once another is started, the request is in hand */
    struct scoreboard board;
    assert_int_equal(scoreboard_open(server.status, &board, NULL), OK);
    EVENTUALLY(atomic_load(&board.slots[0].busy_since_us) != 0);
    scoreboard_close(&board);
    configure(1, "new");
    reload();
    EVENTUALLY(answers_as(server.path, "new"));
    EVENTUALLY(waitpid(asker, &status, WNOHANG) == asker);
    assert_int_equal(status, 0);
    EVENTUALLY(is_running(2, 1));
    assert_int_equal(look().deaths, 0);
    server_stop();
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    char words[128];
    configure(2, "good");
    server_start(NULL);

    write_config("[server]\nwrokers = 3\n");
    reload();
    EVENTUALLY(look().refused == 1 && look().state == POOL_RUNNING);
    snprintf(words, sizeof words, "serve: %s:2: unknown key `wrokers` in [server]; did you mean `workers`?",
             server.config);
    assert_true(log_holds(words));
    assert_true(log_holds("\"event\":\"reload-refused\""));
    assert_true(answers_as(server.path, "good"));

    configure(3, "bad-preflight");
    reload();
    EVENTUALLY(look().refused == 2 && look().state == POOL_RUNNING);
    assert_true(log_holds("the preflight says no"));
    assert_true(answers_as(server.path, "good"));

    unlink(server.config);
    reload();
    EVENTUALLY(look().refused == 3 && look().state == POOL_RUNNING);
    assert_true(is_running(1, 2));
    assert_int_equal(look().deaths, 0);

    configure(1, "better");
    reload();
    EVENTUALLY(is_running(2, 1));
    assert_true(answers_as(server.path, "better"));
    server_stop();
}

static void old_workers_go_on_while_new_ones_fail(void **state)
{
    (void)state;
    configure(2, "old");
    server_start(NULL);
    struct seen before = look();
    configure(2, "bad-start");
    reload();
    EVENTUALLY(look().generation == 2 && look().deaths >= 3);
    assert_int_equal(look().state, POOL_RELOADING);
    for (int i = 0; i < 10; i++)
        assert_true(answers_as(server.path, "old"));
    assert_int_equal(kill(before.pids[0], 0), 0);
    assert_int_equal(kill(before.pids[1], 0), 0);

    /* the remedy is a further reload, which does not wait for what will never come */
    configure(2, "new");
    reload();
    EVENTUALLY(is_running(3, 2));
    for (int i = 0; i < 10; i++)
        assert_true(answers_as(server.path, "new"));
    server_stop();
}

static void an_end_while_new_ones_fail(void **state)
{
    (void)state;
    configure(2, "old");
    server_start(NULL);
    configure(2, "bad-start");
    reload();
    EVENTUALLY(look().generation == 2 && look().deaths >= 1);
    server_stop();
    assert_int_not_equal(access(server.path, F_OK), 0);
}

static void an_end_while_it_is_checked(void **state)
{
    (void)state;
    configure(2, "old");
    server_start(NULL);
    for (int i = 0; i < 5; i++)
        reload();
    server_stop();
    assert_int_not_equal(access(server.path, F_OK), 0);
    assert_int_not_equal(access(server.status, F_OK), 0);
}

static void many_at_once(void **state)
{
    (void)state;
    configure(2, "a");
    server_start(NULL);
    configure(2, "b");
    for (int i = 0; i < 20; i++)
        reload();
    EVENTUALLY(look().reloads >= 1 && look().state == POOL_RUNNING && look().processes == 2);
    assert_true(answers_as(server.path, "b"));
    server_stop();
}

static ino_t running_inode(void)
{
    char path[48];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)server.pid);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void copy_program(const char *to)
{
    struct buf bytes = {0};
    struct err_detail detail = {0};
    if (file_read("/proc/self/exe", (size_t)256 << 20, &bytes, &detail) != OK ||
        file_write(to, buf_span(&bytes), 0755, &detail) != OK)
        fail_msg("%s", detail.text);
    buf_fini(&bytes);
}

static void a_new_program_is_taken_up(void **state)
{
    (void)state;
    struct stat st;
    snprintf(server.program, sizeof server.program, "%s/program", server.folder);
    copy_program(server.program);
    configure(1, "a");
    server_start(NULL);
    ino_t first = running_inode();

    /* installed over the old one, as a package manager does */
    copy_program(server.program);
    assert_int_equal(stat(server.program, &st), 0);
    assert_int_not_equal(st.st_ino, first);
    reload();
    EVENTUALLY(is_running(2, 1));
    assert_int_equal(running_inode(), st.st_ino);

    /* a broken one is refused */
    assert_int_equal(file_write(server.program,
                                SPAN("\x7f"
                                     "ELF nonsense"),
                                0755, NULL),
                     OK);
    reload();
    EVENTUALLY(look().refused == 1 && is_running(2, 1));
    assert_true(log_holds("cannot run "));

    /* its file is gone: the one that runs is good for a new configuration still */
    assert_int_equal(unlink(server.program), 0);
    configure(1, "b");
    reload();
    EVENTUALLY(is_running(3, 1));
    assert_true(answers_as(server.path, "b"));
    server_stop();
}

static void the_address_moves(void **state)
{
    (void)state;
    char other[64], other_status[80];
    snprintf(other, sizeof other, "%s/other.sock", server.folder);
    snprintf(other_status, sizeof other_status, "%s.status", other);
    configure(2, "here");
    server_start(NULL);
    configure_at(other, 2, "there");
    reload();
    EVENTUALLY(answers_as(other, "there"));
    EVENTUALLY(access(server.path, F_OK) != 0 && access(server.status, F_OK) != 0);
    EVENTUALLY(look_at(other_status).there && look_at(other_status).processes == 2);
    assert_int_equal(look_at(other_status).deaths, 0);
    server_stop();
    assert_int_not_equal(access(other, F_OK), 0);
    assert_int_not_equal(access(other_status, F_OK), 0);
}

static void an_address_that_cannot_be_had(void **state)
{
    (void)state;
    configure(2, "here");
    server_start(NULL);
    configure_at("/nonexistent/folder/s.sock", 2, "there");
    reload();
    EVENTUALLY(look().generation == 2 && look().state == POOL_RUNNING);
    assert_true(log_holds("\"event\":\"listen-failed\""));
    /* an old worker may still have taken one that came before it was told to end */
    EVENTUALLY(answers_as(server.path, "there"));
    server_stop();
}

static void the_manager_hears(void **state)
{
    (void)state;
    listen_for_notices();
    configure(1, "a");
    server_start(NULL);
    unsetenv("NOTIFY_SOCKET");
    EVENTUALLY(notice_came("READY=1"));
    configure(1, "b");
    reload();
    EVENTUALLY(notice_came("RELOADING=1\nMONOTONIC_USEC="));
    EVENTUALLY(notice_came("READY=1\nSTATUS=1 workers serve, generation 2"));
    write_config("nonsense");
    reload();
    EVENTUALLY(notice_came("RELOADING=1\nMONOTONIC_USEC="));
    EVENTUALLY(notice_came("READY=1\nSTATUS=reload refused: "));
    server_stop();
}

static void logs_and_signals_work_on(void **state)
{
    (void)state;
    configure(1, "a");
    server_start(NULL);
    configure(1, "b");
    reload();
    EVENTUALLY(is_running(2, 1));
    /* signals that were blocked over the change are let in again */
    kill(server.pid, SIGUSR1);
    pid_t victim = ask_pid();
    assert_true(victim > 0);
    kill(victim, SIGTERM);
    EVENTUALLY(look().deaths == 1 && is_running(2, 1));
    assert_int_not_equal(look().pids[0], victim);
    server_stop();
}

/* A new program whose scoreboard has another form: it begins a new one, and lets the old workers end. */
static void another_version_of_the_scoreboard(void **state)
{
    (void)state;
    const uint32_t other = SCOREBOARD_VERSION + 1;
    configure(2, "old");
    server_start(NULL);
    struct seen before = look();
    int fd = open(server.status, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &other, sizeof other, offsetof(struct scoreboard_header, version)),
                     sizeof other);
    close(fd);
    assert_false(look().there);
    configure(2, "new");
    reload();
    EVENTUALLY(is_running(2, 2));
    assert_true(log_holds("status-begun-anew"));
    assert_true(answers_as(server.path, "new"));
    assert_int_not_equal(kill(before.pids[0], 0), 0);
    assert_int_not_equal(kill(before.pids[1], 0), 0);
    assert_int_equal(look().deaths, 0);
    server_stop();
    assert_int_not_equal(access(server.status, F_OK), 0);
}

static void another_user_needs_a_start(void **state)
{
    (void)state;
    char text[256];
    if (geteuid() != 0)
        skip();
    configure(1, "a");
    server_start(NULL);
    snprintf(text, sizeof text, "[server]\nlisten = unix:%s\nuser = nobody\nworkers = 1\n", server.path);
    write_config(text);
    reload();
    EVENTUALLY(is_running(2, 1));
    assert_true(log_holds("\"event\":\"user-not-changed\""));
    server_stop();
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, server_setup, server_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE(nothing_is_lost),
        LIVE(what_is_in_hand_is_finished),
        LIVE(bad_configurations_are_refused),
        LIVE(old_workers_go_on_while_new_ones_fail),
        LIVE(an_end_while_new_ones_fail),
        LIVE(an_end_while_it_is_checked),
        LIVE(many_at_once),
        LIVE(a_new_program_is_taken_up),
        LIVE(the_address_moves),
        LIVE(an_address_that_cannot_be_had),
        LIVE(the_manager_hears),
        LIVE(logs_and_signals_work_on),
        LIVE(another_version_of_the_scoreboard),
        LIVE(another_user_needs_a_start),
    };
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return server_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
