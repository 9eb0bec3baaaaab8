/* The shared scoreboard's file: made, read, refused, removed. */
#include "pool/scoreboard.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        cmocka_unit_test(what_one_writes_another_reads), cmocka_unit_test(the_dead_are_known),
        cmocka_unit_test(what_is_none_is_refused),       cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(a_link_is_not_followed),        cmocka_unit_test(another_s_file_stays),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
