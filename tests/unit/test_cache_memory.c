/* The memory that the pool shares: made, taken over, and refused. */
#include "support_source.h"

#include "cache/layout.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { MEBIBYTE = 1 << 20 };

static const struct cache_memory_options usual = {
    .responses = MEBIBYTE, .verdicts = MEBIBYTE / 2, .fingerprint = 42};

static struct cache_memory make(const struct cache_memory_options *options)
{
    struct cache_memory m;
    struct err_detail detail = {0};
    if (cache_memory_create(options, &m, &detail) != OK)
        fail_msg("%s", detail.text);
    return m;
}

static enum err adopt(int fd, const struct cache_memory_options *options)
{
    struct cache_memory m;
    struct err_detail detail = {0};
    int own = dup(fd);
    enum err e = cache_memory_adopt(own, options, &m, &detail);
    if (e == OK) {
        cache_memory_close(&m);
    } else {
        assert_null(m.header);
        assert_int_equal(m.fd, -1);
        assert_true(detail.text[0] != '\0');
        assert_int_equal(close(own), 0); /* it stayed the caller's */
    }
    return e;
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t responses, verdicts;
    } rows[] = {{0, 0},
                {1, 0},
                {0, 1},
                {1, 1},
                {CACHE_TABLE_MIN_BYTES, 0},
                {4096, 65537},
                {MEBIBYTE + 1, MEBIBYTE - 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cache_memory_options o = {.responses = rows[i].responses, .verdicts = rows[i].verdicts};
        struct cache_memory m = make(&o);
        const bool any = rows[i].responses + rows[i].verdicts > 0;
        assert_int_equal(m.has_responses, rows[i].responses > 0);
        assert_int_equal(m.has_verdicts, rows[i].verdicts > 0);
        assert_int_equal(m.header != NULL, any);
        assert_int_equal(m.fd >= 0, any);
        if (any) {
            struct stat st;
            assert_int_equal(fstat(m.fd, &st), 0);
            assert_int_equal((size_t)st.st_size, m.bytes);
            assert_true(m.header->responses_bytes >= rows[i].responses);
            assert_true(m.header->verdicts_bytes >= rows[i].verdicts);
            assert_int_equal(m.bytes % 4096, 0);
            assert_int_equal(adopt(m.fd, &o), OK);
        }
        cache_memory_close(&m);
        cache_memory_close(&m); /* an empty one is fine */
    }
}

/* The rates alone need a memory; and other settings make a new one, but nobody's quota is whole again for it. */
static void test_rates(void **state)
{
    (void)state;
    const struct cache_memory_options alone = {.rates = true};
    const struct cache_gcra one = cache_gcra_of(1);
    struct cache_gcra_verdict v;
    struct cache_memory m = make(&alone), other = make(&usual), none = make(&(struct cache_memory_options){0});
    assert_non_null(m.header);
    assert_false(m.has_responses || m.has_verdicts);
    cache_rates_ask(m.rates, 'r', SPAN("ann"), &one, 5, &v);
    assert_true(v.allowed);
    assert_int_equal(adopt(m.fd, &usual), ERR_INVALID);
    cache_memory_carry_rates(m.fd, &none); /* nowhere to carry them */
    cache_memory_carry_rates(m.fd, &other);
    cache_rates_ask(other.rates, 'r', SPAN("ann"), &one, 5, &v);
    assert_false(v.allowed);
    /* what is none of ours is left alone */
    int empty = memfd_create("x", 0), zeros = memfd_create("x", 0);
    assert_int_equal(ftruncate(zeros, (off_t)m.bytes), 0);
    cache_memory_carry_rates(empty, &other);
    cache_memory_carry_rates(zeros, &other);
    cache_rates_ask(other.rates, 'r', SPAN("ann"), &one, 5, &v);
    assert_false(v.allowed);
    close(empty);
    close(zeros);
    cache_memory_close(&m);
    cache_memory_close(&other);
}

static void test_reserve(void **state)
{
    (void)state;
    struct cache_memory_options o = usual;
    struct stat st;
    o.reserve = true;
    struct cache_memory m = make(&o);
    assert_int_equal(fstat(m.fd, &st), 0);
    assert_true((size_t)st.st_blocks * 512 >= m.bytes);
    cache_memory_close(&m);
}

static void test_more_than_the_machine_has(void **state)
{
    (void)state;
    struct cache_memory_options o = usual;
    struct cache_memory m;
    struct err_detail detail = {0};
    o.reserve = true;
    o.responses = CACHE_TABLE_MAX_BYTES;
    if ((size_t)sysconf(_SC_PHYS_PAGES) >= o.responses / (size_t)sysconf(_SC_PAGESIZE))
        skip();
    assert_int_equal(cache_memory_create(&o, &m, &detail), ERR_NOMEM);
    assert_non_null(strstr(detail.text, "cache.size"));
    assert_null(m.header);
}

static void test_more_than_may_be(void **state)
{
    (void)state;
    const struct rlimit few = {MEBIBYTE, RLIM_INFINITY};
    struct rlimit before;
    struct cache_memory m;
    struct err_detail detail = {0};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    enum err e = cache_memory_create(&usual, &m, &detail);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(e, ERR_NOMEM);
    assert_true(detail.text[0] != '\0');
    assert_null(m.header);
    assert_int_equal(m.fd, -1);
}

static void test_what_was_put_is_there_after(void **state)
{
    (void)state;
    struct cache_memory m = make(&usual), again;
    struct err_detail detail = {0};
    char out[16];
    size_t len;
    assert_int_equal(cache_table_put(&m.responses, 77, SPAN("key"), SPAN("value"), 0, NULL), OK);
    atomic_store(&m.words[9], 5);
    assert_int_equal(cache_memory_adopt(dup(m.fd), &usual, &again, &detail), OK);
    cache_memory_close(&m);
    assert_int_equal(cache_table_get(&again.responses, 77, SPAN("key"), out, sizeof out, &len), OK);
    assert_int_equal(len, 5);
    assert_int_equal(atomic_load(&again.words[9]), 5);
    cache_memory_close(&again);
}

static void test_secrets_differ(void **state)
{
    (void)state;
    struct cache_memory one = make(&usual), other = make(&usual);
    assert_memory_not_equal(one.header->hash_key, other.header->hash_key, sizeof one.header->hash_key);
    assert_memory_not_equal(one.header->token_key, other.header->token_key, sizeof one.header->token_key);
    cache_memory_close(&one);
    cache_memory_close(&other);
}

static void test_made_under_other_settings(void **state)
{
    (void)state;
    struct cache_memory m = make(&usual);
    const struct cache_memory_options rows[] = {
        {.responses = 2 * MEBIBYTE, .verdicts = MEBIBYTE / 2, .fingerprint = 42},
        {.responses = MEBIBYTE / 2, .verdicts = MEBIBYTE, .fingerprint = 42}, /* of the same size together */
        {.responses = MEBIBYTE, .verdicts = MEBIBYTE / 2, .fingerprint = 43},
        {.responses = MEBIBYTE, .verdicts = 0, .fingerprint = 42},
        {.responses = 0, .verdicts = MEBIBYTE / 2, .fingerprint = 42},
        {.responses = MEBIBYTE + 1, .verdicts = MEBIBYTE / 2, .fingerprint = 42},
        {.responses = 0, .verdicts = 0, .fingerprint = 42},
    };
    assert_int_equal(adopt(m.fd, &usual), OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(adopt(m.fd, &rows[i]), ERR_INVALID);
    cache_memory_close(&m);
}

/* Any byte that says what it is. */
static void test_damaged(void **state)
{
    (void)state;
    struct cache_memory m = make(&usual);
    struct cache_header *h = m.header;
    unsigned char *const bytes[] = {
        (unsigned char *)&h->magic[0],
        (unsigned char *)&h->magic[7],
        (unsigned char *)&h->version,
        (unsigned char *)&h->header_size,
        (unsigned char *)&h->bytes,
        (unsigned char *)&h->bytes + 7,
        (unsigned char *)&h->fingerprint + 3,
        (unsigned char *)&h->responses_at,
        (unsigned char *)&h->responses_bytes,
        (unsigned char *)&h->verdicts_at + 1,
        (unsigned char *)&h->verdicts_bytes,
        (unsigned char *)h + h->responses_at,
        (unsigned char *)h + h->verdicts_at,
        (unsigned char *)h + h->responses_at + 8,
        (unsigned char *)h + h->responses_at + 16,
    };
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        *bytes[i] ^= 0x55;
        if (adopt(m.fd, &usual) != ERR_INVALID)
            fail_msg("taken over with byte %zu damaged", i);
        *bytes[i] ^= 0x55;
    }
    assert_int_equal(adopt(m.fd, &usual), OK);
    cache_memory_close(&m);
}

static void test_no_such_memory(void **state)
{
    (void)state;
    struct cache_memory m = make(&usual);
    char file[] = "/tmp/profiled-memory-XXXXXX";
    int fd = mkstemp(file), null = open("/dev/null", O_RDWR);
    unlink(file);
    assert_int_equal(adopt(fd, &usual), ERR_INVALID); /* empty */
    assert_int_equal(ftruncate(fd, (off_t)m.bytes), 0);
    assert_int_equal(adopt(fd, &usual), ERR_INVALID); /* all zeros */
    assert_int_equal(adopt(null, &usual), ERR_INVALID);
    assert_int_equal(ftruncate(m.fd, (off_t)m.bytes - 4096), 0);
    assert_int_equal(adopt(m.fd, &usual), ERR_INVALID); /* who read it would crash */
    assert_int_equal(ftruncate(m.fd, (off_t)m.bytes + 1), 0);
    assert_int_equal(adopt(m.fd, &usual), ERR_INVALID);
    close(fd);
    close(null);
    cache_memory_close(&m);
    struct err_detail detail = {0};
    assert_int_equal(cache_memory_adopt(-1, &usual, &m, &detail), ERR_INVALID);
}

/* All that lies behind the checked header is anything: nothing may crash, and nothing be given that was not
 * put. */
static void test_hostile_bytes(void **state)
{
    (void)state;
    unsigned seed = 4711;
    char out[CACHE_TABLE_RECORD_MAX];
    size_t len;
    for (int round = 0; round < 20; round++) {
        struct cache_memory m = make(&usual), again;
        struct err_detail detail = {0};
        char *from = (char *)m.header + m.header->responses_at + sizeof(struct cache_block);
        for (int i = 0; i < 4000; i++)
            from[(size_t)rand_r(&seed) % (m.header->responses_bytes - sizeof(struct cache_block))] =
                (char)rand_r(&seed);
        for (size_t i = 0; i < CACHE_WORDS; i += 7)
            atomic_store(&m.words[i], UINT64_MAX);
        if (cache_memory_adopt(dup(m.fd), &usual, &again, &detail) == OK) {
            for (uint64_t hash = 0; hash < 2000; hash++)
                assert_int_equal(cache_table_get(&again.responses, hash * 0x9e3779b97f4a7c15u, SPAN("key"),
                                                 out, sizeof out, &len),
                                 ERR_NOT_FOUND);
            for (uint64_t hash = 0; hash < 200; hash++)
                (void)!cache_table_put(&again.responses, hash * 0x9e3779b97f4a7c15u, SPAN("key"),
                                       SPAN("value"), 0, NULL);
            cache_memory_close(&again);
        }
        cache_memory_close(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_rates), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_more_than_the_machine_has),
        cmocka_unit_test(test_more_than_may_be),
        cmocka_unit_test(test_what_was_put_is_there_after),
        cmocka_unit_test(test_secrets_differ),
        cmocka_unit_test(test_made_under_other_settings),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_such_memory),
        cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
