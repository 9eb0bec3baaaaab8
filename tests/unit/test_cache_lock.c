/* The lock between processes: held, stopped, killed. */
#include "base/clock.h"
#include "cache/lock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct cache_lock *lock; /* in memory that our children share */

static int map(void **state)
{
    (void)state;
    lock = mmap(NULL, sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return lock == MAP_FAILED ? -1 : 0;
}

static int make(void **state)
{
    (void)state;
    memset(lock, 0xa5, sizeof *lock);
    return cache_lock_init(lock) == OK ? 0 : -1;
}

/* A child that takes the lock `takings` times, gives it back once less, and gets the signal. */
static pid_t holder(int takings, int how)
{
    bool died;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    for (int i = 0; i < takings; i++) {
        if (cache_lock_take(lock, 5000000, &died) != OK)
            _exit(1);
        if (i < takings - 1)
            cache_lock_give(lock);
    }
    raise(how);
    cache_lock_give(lock);
    _exit(0);
}

static void taken_and_given(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        bool died = true;
        assert_int_equal(cache_lock_take(lock, i - 1, &died), OK);
        assert_false(died);
        cache_lock_give(lock);
    }
}

static void a_stopped_holder_is_waited_for_no_longer_than_asked(void **state)
{
    (void)state;
    bool died = true;
    int status;
    pid_t pid = holder(1, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    const struct {
        int64_t wait_us, least_us;
    } rows[] = {{0, 0}, {-1, 0}, {INT64_MIN, 0}, {1000, 1000}, {30000, 30000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t begin = clock_monotonic_us();
        assert_int_equal(cache_lock_take(lock, rows[i].wait_us, &died), ERR_BUSY);
        int64_t took = clock_monotonic_us() - begin;
        assert_false(died);
        assert_true(took >= rows[i].least_us);
        assert_true(took < rows[i].least_us + 2000000);
    }
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(cache_lock_take(lock, INT64_MAX, &died), OK);
    assert_false(died);
    cache_lock_give(lock);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_dead_holder_is_told_of_once(void **state)
{
    (void)state;
    bool died = false;
    int status;
    pid_t pid = holder(3, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(cache_lock_take(lock, 0, &died), OK);
    assert_true(died);
    cache_lock_give(lock);
    assert_int_equal(cache_lock_take(lock, 0, &died), OK);
    assert_false(died);
    cache_lock_give(lock);
}

/* The second dies before it has mended anything: the third must know. */
static void two_deaths_in_a_row(void **state)
{
    (void)state;
    bool died = false;
    for (int i = 0; i < 2; i++) {
        pid_t pid = holder(1, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_int_equal(cache_lock_take(lock, 0, &died), OK);
    assert_true(died);
    cache_lock_give(lock);
}

static void a_waiter_is_woken_by_the_holder_s_death(void **state)
{
    (void)state;
    bool died = false;
    int status;
    pid_t pid = holder(1, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    pid_t killer = fork();
    if (killer == 0) {
        usleep(30000);
        kill(pid, SIGKILL);
        _exit(0);
    }
    assert_int_equal(cache_lock_take(lock, 20000000, &died), OK);
    assert_true(died);
    cache_lock_give(lock);
    assert_int_equal(waitpid(killer, NULL, 0), killer);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void many_at_once_count_right(void **state)
{
    (void)state;
    enum { PROCESSES = 4, ROUNDS = 5000 };
    volatile uint64_t *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool died;
    assert_ptr_not_equal((const void *)(uintptr_t)count, MAP_FAILED);
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() != 0)
            continue;
        for (int i = 0; i < ROUNDS; i++) {
            if (cache_lock_take(lock, 20000000, &died) != OK || died)
                _exit(1);
            *count = *count + 1;
            cache_lock_give(lock);
        }
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(*count, PROCESSES * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(taken_and_given, make),
        cmocka_unit_test_setup(a_stopped_holder_is_waited_for_no_longer_than_asked, make),
        cmocka_unit_test_setup(a_dead_holder_is_told_of_once, make),
        cmocka_unit_test_setup(two_deaths_in_a_row, make),
        cmocka_unit_test_setup(a_waiter_is_woken_by_the_holder_s_death, make),
        cmocka_unit_test_setup(many_at_once_count_right, make),
    };
    return cmocka_run_group_tests(tests, map, NULL);
}
