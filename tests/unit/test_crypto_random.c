/* Random bytes, UUIDs, wiping, comparing. */
#include "crypto/random.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_random(void **state)
{
    unsigned char a[32] = {0}, b[32] = {0}, guard[34];
    (void)state;
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    memset(guard, 0x5a, sizeof guard);
    crypto_random(guard + 1, 32);
    assert_int_equal(guard[0], 0x5a);
    assert_int_equal(guard[33], 0x5a);
}

/* A child of a fork must not draw what its parent draws. */
static void test_fork(void **state)
{
    unsigned char ours[16], theirs[16];
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        crypto_random(theirs, sizeof theirs);
        _exit(write(ends[1], theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
    }
    crypto_random(ours, sizeof ours);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_memory_not_equal(ours, theirs, sizeof ours);
    close(ends[0]);
    close(ends[1]);
}

static void test_wipe(void **state)
{
    unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const unsigned char expected[8] = {1, 0, 0, 0, 0, 0, 7, 8};
    (void)state;
    crypto_wipe(bytes + 1, 5);
    assert_memory_equal(bytes, expected, sizeof bytes);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(crypto_equal("abc", "abc", 3));
    assert_true(crypto_equal("abc", "abd", 2));
    assert_true(crypto_equal("a\0b", "a\0b", 3));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_false(crypto_equal("bbc", "abc", 3));
    assert_false(crypto_equal("a\0b", "a\0c", 3));
    assert_true(crypto_equal("x", "y", 0));
}

/* RFC 9562 section 5.7, with the time of its appendix A.6. */
static void test_uuid7(void **state)
{
    static const int64_t now_ms = 0x017f22e279b0;
    char one[CRYPTO_UUID_LEN + 1], two[CRYPTO_UUID_LEN + 1];
    (void)state;
    for (int i = 0; i < 200; i++) {
        crypto_uuid7(now_ms, one);
        crypto_uuid7(now_ms, two);
        assert_int_equal(strlen(one), CRYPTO_UUID_LEN);
        assert_memory_equal(one, "017f22e2-79b0-7", 15);
        assert_int_equal(one[18], '-');
        assert_non_null(strchr("89ab", one[19]));
        assert_int_equal(one[23], '-');
        assert_int_equal(strspn(one, "0123456789abcdef-"), CRYPTO_UUID_LEN);
        assert_string_not_equal(one, two);
    }
    crypto_uuid7(now_ms + 1, two);
    assert_memory_equal(two, "017f22e2-79b1-7", 15);
    crypto_uuid7(0, two);
    assert_memory_equal(two, "00000000-0000-7", 15);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random), cmocka_unit_test(test_fork),  cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_equal),  cmocka_unit_test(test_uuid7),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
