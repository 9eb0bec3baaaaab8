/* The shared scoreboard's file: made, read, refused, removed. */
#include "pool/scoreboard.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/profiled-test-XXXXXX";
static char path[64];
static const struct metrics_route routes[] = {{"/a", "GET|HEAD"}, {"/b", "PUT"}};
static const struct scoreboard_plan plan = {SCOREBOARD_SLOTS, routes, 2};

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/status", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void what_one_writes_another_reads(void **state)
{
    (void)state;
    struct scoreboard ours, theirs;
    struct err_detail detail = {0};
    struct stat st;
    assert_int_equal(scoreboard_create(path, &plan, &ours, &detail), OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    scoreboard_claim(&ours);
    atomic_store(&ours.slots[SCOREBOARD_SLOTS - 1].requests, 77);
    assert_int_equal(scoreboard_open(path, &theirs, &detail), OK);
    assert_int_equal(atomic_load(&theirs.slots[SCOREBOARD_SLOTS - 1].requests), 77);
    assert_string_equal(theirs.header->path, path);
    assert_int_equal(atomic_load(&theirs.header->pid), getpid());
    assert_true(scoreboard_alive(&theirs));
    scoreboard_close(&theirs);
    scoreboard_unlink(&ours);
    assert_int_not_equal(access(path, F_OK), 0);
    scoreboard_close(&ours);
    assert_null(ours.header);
    scoreboard_close(&ours);
}

static void the_dead_are_known(void **state)
{
    (void)state;
    struct scoreboard board;
    struct err_detail detail = {0};
    assert_int_equal(scoreboard_create_unseen(&plan, &board, &detail), OK);
    assert_false(scoreboard_alive(&board)); /* nobody has claimed it */
    atomic_store(&board.header->process_start, 1);
    assert_false(scoreboard_alive(&board));
    pid_t pid = fork();
    if (pid == 0) {
        scoreboard_claim(&board);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(atomic_load(&board.header->pid), pid);
    assert_false(scoreboard_alive(&board));
    /* a process with that id which began at another moment is another one */
    scoreboard_claim(&board);
    assert_true(scoreboard_alive(&board));
    atomic_fetch_add(&board.header->process_start, 1);
    assert_false(scoreboard_alive(&board));
    atomic_store(&board.header->pid, -1);
    assert_false(scoreboard_alive(&board));
    scoreboard_unlink(&board); /* it has no file */
    scoreboard_close(&board);
}

/* Changes bytes of a good file, or its length, and expects it to be refused. */
static void spoil(off_t offset, const void *bytes, size_t len, off_t size)
{
    struct scoreboard board, other;
    struct err_detail detail = {0};
    assert_int_equal(scoreboard_create(path, &plan, &board, &detail), OK);
    assert_int_equal(pwrite(board.fd, bytes, len, offset), (ssize_t)len);
    assert_int_equal(ftruncate(board.fd, size), 0);
    assert_int_equal(scoreboard_open(path, &other, &detail), ERR_INVALID);
    assert_null(other.header);
    assert_true(detail.text[0] != '\0');
    int fd = dup(board.fd);
    detail = (struct err_detail){0};
    assert_int_equal(scoreboard_adopt(fd, &plan, &other, &detail), ERR_INVALID);
    close(fd); /* it is still ours */
    assert_int_equal(ftruncate(board.fd, SCOREBOARD_SIZE), 0);
    unlink(path);
    scoreboard_close(&board);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    const uint32_t next_version = SCOREBOARD_VERSION + 1, few = 1;
    spoil(0, "PRFDPOOL", 8, SCOREBOARD_SIZE);
    spoil(offsetof(struct scoreboard_header, version), &next_version, sizeof next_version, SCOREBOARD_SIZE);
    spoil(offsetof(struct scoreboard_header, slot_count), &few, sizeof few, SCOREBOARD_SIZE);
    spoil(0, "", 0, SCOREBOARD_SIZE - 1);
    spoil(0, "", 0, SCOREBOARD_SIZE + 1);
    spoil(0, "", 0, SCOREBOARD_HEADER_SIZE);
    spoil(0, "", 0, 10);
    spoil(0, "", 0, 0);
}

/* A change of the tables that say what a word counts is a change of version, whoever forgot to say so. */
static void other_counters_are_refused(void **state)
{
    (void)state;
    static const struct metrics_route swapped[] = {{"/b", "PUT"}, {"/a", "GET|HEAD"}};
    static const struct metrics_route fewer[] = {{"/a", "GET"}, {"/b", "PUT"}};
    static const struct scoreboard_plan others[] = {
        {4, swapped, 2}, {4, routes, 1}, {4, NULL, 0}, {4, fewer, 2}};
    const uint64_t layout = 1;
    const uint32_t many = SCOREBOARD_SLOTS + 1;
    static char endless[SCOREBOARD_HEADER_SIZE - offsetof(struct scoreboard_header, routes)];
    struct scoreboard board, other;
    struct err_detail detail = {0};
    spoil(offsetof(struct scoreboard_header, layout), &layout, sizeof layout, SCOREBOARD_SIZE);
    spoil(offsetof(struct scoreboard_header, routes), "/z", 2, SCOREBOARD_SIZE);
    memset(endless, 'x', sizeof endless);
    spoil(offsetof(struct scoreboard_header, routes), endless, sizeof endless, SCOREBOARD_SIZE);
    spoil(offsetof(struct scoreboard_header, path), endless, SCOREBOARD_PATH_MAX, SCOREBOARD_SIZE);
    spoil(offsetof(struct scoreboard_header, slots_reserved), &many, sizeof many, SCOREBOARD_SIZE);
    assert_int_equal(scoreboard_create_unseen(&plan, &board, &detail), OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        detail = (struct err_detail){0};
        assert_int_equal(scoreboard_adopt(board.fd, &others[i], &other, &detail), ERR_INVALID);
        assert_null(other.header);
        assert_int_equal(other.fd, -1);
        assert_string_equal(detail.text, "the program's routes have changed");
    }
    /* the descriptor was left open each time */
    assert_int_equal(scoreboard_adopt(dup(board.fd), &plan, &other, &detail), OK);
    scoreboard_close(&other);
    scoreboard_close(&board);
}

/* Bytes of the disk that the file has. */
static off_t blocks_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, SCOREBOARD_SIZE);
    return st.st_blocks * 512;
}

/* The file is as long as it ever gets, and has blocks for as many slots as are wanted; a reload may want
 * more, and what is there stays. */
static void slots_are_reserved(void **state)
{
    (void)state;
    struct scoreboard_plan wanted = {8, routes, 2};
    struct scoreboard ours, next, seen;
    struct err_detail detail = {0};
    const off_t slot = SCOREBOARD_SLOT_SIZE;
    assert_int_equal(scoreboard_create(path, &wanted, &ours, &detail), OK);
    assert_int_equal(ours.reserved, 8);
    assert_true(blocks_of(ours.fd) >= SCOREBOARD_HEADER_SIZE + 8 * slot);
    assert_true(blocks_of(ours.fd) < SCOREBOARD_HEADER_SIZE + 64 * slot);
    metrics_add(&ours.slots[7].metrics, METRIC_CACHE_HITS, 9);
    atomic_store(&ours.slots[7].started_ms, 1);

    wanted.slots = 100;
    assert_int_equal(scoreboard_adopt(dup(ours.fd), &wanted, &next, &detail), OK);
    assert_int_equal(next.reserved, 100);
    assert_true(blocks_of(ours.fd) >= SCOREBOARD_HEADER_SIZE + 100 * slot);
    assert_int_equal(metrics_get(&next.slots[7].metrics, METRIC_CACHE_HITS), 9);
    metrics_add(&next.slots[99].metrics, METRIC_CACHE_HITS, 2);
    atomic_store(&next.slots[99].started_ms, 1);

    /* who mapped it before sees the new ones too */
    struct metrics sum;
    uint64_t requests;
    assert_int_equal(scoreboard_reserved(&ours), 100);
    scoreboard_sum(&ours, &sum, &requests);
    assert_int_equal(metrics_get(&sum, METRIC_CACHE_HITS), 11);
    assert_int_equal(scoreboard_open(path, &seen, &detail), OK);
    assert_int_equal(seen.reserved, 100);
    scoreboard_close(&seen);
    scoreboard_close(&next);

    /* fewer are wanted: nothing is given back */
    wanted.slots = 2;
    assert_int_equal(scoreboard_adopt(dup(ours.fd), &wanted, &next, &detail), OK);
    assert_int_equal(next.reserved, 100);
    scoreboard_close(&next);
    scoreboard_unlink(&ours);
    scoreboard_close(&ours);
}

/* In a process of its own, on a small file system that it makes for itself. 0: as it should be; SKIPPED: it
 * may not make one; else the step that was not as it should be. */
static int on_a_small_disk(void)
{
    enum { SKIPPED = 77 };
    struct scoreboard_plan wanted = {4, routes, 2}, more = {100, routes, 2};
    struct scoreboard ours, next;
    struct err_detail detail = {0};
    char at[80];
    snprintf(at, sizeof at, "%s/disk", folder);
    if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) || mkdir(at, 0700) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", at, "tmpfs", 0, "size=128k") != 0)
        return SKIPPED;
    strcat(at, "/status");
    if (scoreboard_create(at, &more, &next, &detail) != ERR_FULL || next.header != NULL ||
        access(at, F_OK) == 0)
        return 1;
    if (scoreboard_create(at, &wanted, &ours, NULL) != OK)
        return 2;
    metrics_add(&ours.slots[3].metrics, METRIC_CACHE_HITS, 9);
    if (scoreboard_adopt(ours.fd, &more, &next, NULL) != ERR_FULL || next.header != NULL)
        return 3;
    /* it is left as it was, and is the caller's */
    if (scoreboard_adopt(ours.fd, &wanted, &next, NULL) != OK || next.reserved != 4 ||
        metrics_get(&next.slots[3].metrics, METRIC_CACHE_HITS) != 9)
        return 4;
    return 0;
}

static void a_full_disk_is_found_out_at_once(void **state)
{
    (void)state;
    int status;
    char at[80];
    pid_t pid = fork();
    if (pid == 0)
        _exit(on_a_small_disk());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    snprintf(at, sizeof at, "%s/disk", folder);
    rmdir(at);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_gone_are_added_up(void **state)
{
    (void)state;
    struct scoreboard_plan wanted = {4, routes, 2};
    struct scoreboard board;
    struct metrics sum;
    uint64_t requests;
    assert_int_equal(scoreboard_create_unseen(&wanted, &board, NULL), OK);
    for (size_t i = 0; i < 4; i++) {
        struct scoreboard_slot *slot = &board.slots[i];
        atomic_store(&slot->started_ms, 1);
        atomic_store(&slot->requests, 10);
        metrics_add(&slot->metrics, METRIC_CACHE_MISSES, 1 + i);
        metrics_request(&slot->metrics, i, 200, 100);
    }
    scoreboard_retire(&board, 1);
    scoreboard_retire(&board, 3);
    scoreboard_retire(&board, 3); /* nothing is left there */
    assert_int_equal(metrics_get(&board.slots[3].metrics, METRIC_CACHE_MISSES), 0);
    assert_int_equal(metrics_get(&board.header->gone, METRIC_CACHE_MISSES), 6);
    assert_int_equal(atomic_load(&board.header->requests), 20);
    scoreboard_sum(&board, &sum, &requests);
    assert_int_equal(requests, 40);
    assert_int_equal(metrics_get(&sum, METRIC_CACHE_MISSES), 10);
    assert_int_equal(metrics_requests(&sum), 4);
    assert_int_equal(metrics_word(&sum.requests[3][METRICS_STATUS_200]), 1);

    /* a supervisor that was killed on the way: what can be seen is shown, at once */
    atomic_fetch_or(&board.header->gone_turn, 1);
    scoreboard_sum(&board, &sum, &requests);
    assert_int_equal(requests, 40);
    /* and the next one goes on from there */
    scoreboard_retire(&board, 0);
    assert_int_equal(atomic_load(&board.header->gone_turn) & 1, 0);
    scoreboard_close(&board);
}

/* One process counts, the supervisor retires it again and again, and who adds up sees every number once. */
static void sums_never_go_down(void **state)
{
    (void)state;
    enum { ROUNDS = 1000 };
    struct scoreboard_plan wanted = {2, routes, 2};
    struct scoreboard board;
    struct metrics sum;
    uint64_t requests = 0, before = 0, hits = 0;
    int status;
    assert_int_equal(scoreboard_create_unseen(&wanted, &board, NULL), OK);
    atomic_store(&board.slots[0].started_ms, 1);
    pid_t pid = fork();
    if (pid == 0) {
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < 50; i++) {
                metrics_add(&board.slots[0].metrics, METRIC_CACHE_HITS, 1);
                metrics_word_add(&board.slots[0].requests, 1);
            }
            scoreboard_retire(&board, 0);
            usleep(100); /* workers do not die without a pause */
        }
        _exit(0);
    }
    while (requests < ROUNDS * 50) {
        scoreboard_sum(&board, &sum, &requests);
        assert_true(requests >= before && requests <= ROUNDS * 50);
        assert_true(metrics_get(&sum, METRIC_CACHE_HITS) >= hits);
        before = requests;
        hits = metrics_get(&sum, METRIC_CACHE_HITS);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    scoreboard_sum(&board, &sum, &requests);
    assert_int_equal(requests, ROUNDS * 50);
    assert_int_equal(metrics_get(&sum, METRIC_CACHE_HITS), ROUNDS * 50);
    scoreboard_close(&board);
}

static void what_cannot_be(void **state)
{
    (void)state;
    struct scoreboard board;
    struct err_detail detail = {0};
    char longer[SCOREBOARD_PATH_MAX + 1];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(scoreboard_create(longer, &plan, &board, &detail), ERR_TOO_LARGE);
    assert_null(board.header);
    assert_int_equal(scoreboard_create("/nonexistent/status", &plan, &board, NULL), ERR_IO);
    assert_int_equal(scoreboard_open(path, &board, NULL), ERR_NOT_FOUND);
    assert_int_equal(scoreboard_open(folder, &board, NULL), ERR_IO);
    assert_int_equal(scoreboard_adopt(-1, &plan, &board, NULL), ERR_IO);
}

static void a_link_is_not_followed(void **state)
{
    (void)state;
    struct scoreboard board;
    struct err_detail detail = {0};
    char victim[80];
    snprintf(victim, sizeof victim, "%s/victim", folder);
    FILE *f = fopen(victim, "w");
    assert_non_null(f);
    fputs("precious", f);
    fclose(f);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(scoreboard_create(path, &plan, &board, &detail), OK);
    struct stat st;
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_size, strlen("precious"));
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    scoreboard_unlink(&board);
    scoreboard_close(&board);
    unlink(victim);
}

static void another_s_file_stays(void **state)
{
    (void)state;
    struct scoreboard first, second;
    struct err_detail detail = {0};
    char moved[80];
    snprintf(moved, sizeof moved, "%s/moved", folder);
    assert_int_equal(scoreboard_create(path, &plan, &first, &detail), OK);
    assert_int_equal(scoreboard_create(path, &plan, &second, &detail), OK);
    scoreboard_unlink(&first);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(scoreboard_move(&first, moved, &detail), ERR_IO);
    assert_int_equal(scoreboard_move(&second, moved, &detail), OK);
    assert_string_equal(second.header->path, moved);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(scoreboard_move(&second, moved, &detail), OK);
    assert_int_equal(scoreboard_move(&second, "/nonexistent/status", &detail), ERR_IO);
    scoreboard_unlink(&second);
    assert_int_not_equal(access(moved, F_OK), 0);
    scoreboard_close(&first);
    scoreboard_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_writes_another_reads),
        cmocka_unit_test(the_dead_are_known),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(other_counters_are_refused),
        cmocka_unit_test(slots_are_reserved),
        cmocka_unit_test(a_full_disk_is_found_out_at_once),
        cmocka_unit_test(the_gone_are_added_up),
        cmocka_unit_test(sums_never_go_down),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(another_s_file_stays),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
