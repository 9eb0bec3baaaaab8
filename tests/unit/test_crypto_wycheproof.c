/*
 * Files of Ed25519 cases in Project Wycheproof's format: those in tests/vectors, and the one that
 * PROFILED_WYCHEPROOF names.
 */
#include "base/file.h"
#include "crypto/ed25519.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "json/get.h"
#include "json/load.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct counts {
    size_t valid, invalid;
};

/* A member in hexadecimal; the caller frees the buffer. */
static struct buf get_bytes(const json_t *object, const char *name)
{
    struct span text = json_get_text(object, name);
    struct buf out = {0};
    size_t len = 0;
    char *to = buf_reserve(&out, text.len / 2);
    assert_non_null(text.ptr);
    assert_non_null(to);
    assert_int_equal(crypto_hex_decode(text, to, text.len / 2, &len), OK);
    buf_extend(&out, len);
    return out;
}

static void check_case(const char *path, struct span public_key, const json_t *one, struct counts *counts)
{
    struct span result = json_get_text(one, "result");
    struct buf msg = get_bytes(one, "msg"), sig = get_bytes(one, "sig");
    bool valid = public_key.len == CRYPTO_ED25519_PUBLIC_LEN && sig.len == CRYPTO_ED25519_SIGNATURE_LEN &&
                 crypto_ed25519_verify((const unsigned char *)public_key.ptr, buf_span(&msg),
                                       (const unsigned char *)sig.ptr);
    /* "acceptable" leaves the choice; nothing in it may crash */
    if (span_eq(result, SPAN("valid")))
        counts->valid++;
    else if (span_eq(result, SPAN("invalid")))
        counts->invalid++;
    if ((span_eq(result, SPAN("valid")) && !valid) || (span_eq(result, SPAN("invalid")) && valid))
        fail_msg("%s, tcId %lld (%s): %s", path, (long long)json_integer_value(json_object_get(one, "tcId")),
                 json_string_value(json_object_get(one, "comment")), valid ? "verified" : "refused");
    buf_fini(&msg);
    buf_fini(&sig);
}

static struct counts check_file(const char *path)
{
    struct counts counts = {0};
    struct err_detail detail = {0};
    struct buf text = {0};
    json_t *file = NULL;
    if (file_read(path, 16 << 20, &text, &detail) != OK ||
        json_load_strict(buf_span(&text), JSON_MAX_DEPTH, &file, &detail) != OK)
        fail_msg("%s: %s", path, detail.text);
    const json_t *groups = json_object_get(file, "testGroups");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        /* the first edition of the format calls it key */
        const json_t *key = json_object_get(group, "publicKey");
        struct buf public_key = get_bytes(key != NULL ? key : json_object_get(group, "key"), "pk");
        const json_t *tests = json_object_get(group, "tests");
        for (size_t at = 0; at < json_array_size(tests); at++)
            check_case(path, buf_span(&public_key), json_array_get(tests, at), &counts);
        buf_fini(&public_key);
    }
    assert_int_equal(counts.valid + counts.invalid,
                     json_integer_value(json_object_get(file, "numberOfTests")));
    json_decref(file);
    buf_fini(&text);
    return counts;
}

/* Both kinds must have been there, or nothing was tested. */
static void test_kept_files(void **state)
{
    glob_t found = {0};
    struct counts all = {0};
    (void)state;
    assert_int_equal(glob(SOURCE_DIR "/tests/vectors/*.wycheproof.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct counts one = check_file(found.gl_pathv[i]);
        all.valid += one.valid;
        all.invalid += one.invalid;
    }
    globfree(&found);
    assert_true(all.valid >= 5);
    assert_true(all.invalid >= 50);
}

static void test_named_file(void **state)
{
    const char *path = getenv("PROFILED_WYCHEPROOF");
    (void)state;
    if (path == NULL || path[0] == '\0')
        skip();
    struct counts counts = check_file(path);
    assert_true(counts.valid > 0);
    assert_true(counts.invalid > 0);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_files),
        cmocka_unit_test(test_named_file),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
