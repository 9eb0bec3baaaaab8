/* The writers' lock between processes: taken, waited for, let go of by the dead, and not waited for without
 * end. */
#include "store/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    char path[96];
    struct store_lock lock;
    pid_t holder;
    int to_holder[2], from_holder[2];
};

/* A process that takes the lock, says so, and holds it until its pipe is closed. */
static void start_holder(struct fixture *f)
{
    char byte = 0;
    assert_int_equal(pipe(f->to_holder), 0);
    assert_int_equal(pipe(f->from_holder), 0);
    f->holder = fork();
    assert_true(f->holder >= 0);
    if (f->holder == 0) {
        struct store_lock lock = {.fd = -1};
        struct err_detail detail = {0};
        close(f->to_holder[1]);
        bool ok =
            store_lock_open(&lock, f->path, &detail) == OK && store_lock_take(&lock, 1000, &detail) == OK;
        if (write(f->from_holder[1], ok ? "y" : "n", 1) == 1)
            while (read(f->to_holder[0], &byte, 1) > 0)
                continue;
        store_lock_release(&lock);
        _exit(0);
    }
    close(f->to_holder[0]);
    assert_int_equal(read(f->from_holder[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
}

static void end_holder(struct fixture *f)
{
    int status;
    waitpid(f->holder, &status, 0);
    close(f->from_holder[0]);
    close(f->from_holder[1]);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err_detail detail = {0};
    snprintf(f->folder, sizeof f->folder, "/tmp/test-lock.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/p.db", f->folder);
    FILE *database = fopen(f->path, "w");
    assert_non_null(database);
    fclose(database);
    f->lock.fd = -1;
    assert_int_equal(store_lock_open(&f->lock, f->path, &detail), OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[96];
    store_lock_close(&f->lock);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int status = system(command);
    free(f);
    return status;
}

static void it_is_taken_and_let_go(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_lock_take(&f->lock, 0, &detail), OK);
        assert_true(f->lock.held);
        store_lock_release(&f->lock);
        assert_false(f->lock.held);
    }
}

static void who_does_not_wait_hears_so_at_once(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    start_holder(f);
    assert_int_equal(store_lock_take(&f->lock, 0, &detail), ERR_BUSY);
    assert_false(f->lock.held);
    close(f->to_holder[1]);
    end_holder(f);
    assert_int_equal(store_lock_take(&f->lock, 0, &detail), OK);
}

static void a_stopped_holder_is_not_waited_for_without_end(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    start_holder(f);
    kill(f->holder, SIGSTOP);
    assert_int_equal(store_lock_take(&f->lock, 150, &detail), ERR_BUSY);
    assert_true(detail.text[0] != '\0');
    /* and nothing is left of the wait: the next one can have it */
    kill(f->holder, SIGCONT);
    close(f->to_holder[1]);
    end_holder(f);
    assert_int_equal(store_lock_take(&f->lock, 150, &detail), OK);
}

static void the_dead_hold_nothing(void **state)
{
    struct fixture *f = *state;
    struct err_detail detail = {0};
    start_holder(f);
    kill(f->holder, SIGKILL);
    assert_int_equal(store_lock_take(&f->lock, 5000, &detail), OK);
    close(f->to_holder[1]);
    end_holder(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_taken_and_let_go, setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_wait_hears_so_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_holder_is_not_waited_for_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(the_dead_hold_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
