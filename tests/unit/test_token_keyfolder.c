/* The key folder: what is read, what is refused, which key signs, new keys and retired ones. */
#include "support_token.h"
#include "token/keyedit.h"
#include "token/keyfolder.h"

#include "crypto/init.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = support_folder();
    return *state == NULL;
}

static int tear_down(void **state)
{
    char *folder = *state;
    support_remove(&folder);
    return 0;
}

/* Writes the key of that byte as kid.jwk. */
static void put_key(const char *folder, unsigned char byte, const char *kid, bool secret, const char *members)
{
    struct crypto_ed25519_pair key = support_key(byte);
    struct buf text = support_jwk(&key, kid, secret, members), name = {0};
    buf_printf(&name, "%s.jwk", kid);
    assert_int_equal(support_write(folder, buf_text(&name), buf_span(&text), 0600), OK);
    buf_fini(&text);
    buf_fini(&name);
}

static void test_empty(void **state)
{
    struct token_keyfolder keys;
    struct token_signer signer;
    struct err_detail detail = {0};
    assert_int_equal(token_keyfolder_load(*state, &keys, &detail), OK);
    assert_int_equal(keys.count, 0);
    assert_null(token_keyfolder_signing(&keys));
    assert_int_equal(token_signer_load(*state, &signer, &detail), ERR_NOT_FOUND);
    assert_non_null(strstr(detail.text, *state));
    token_keyfolder_fini(&keys);
}

/* The newest that is not retired and has its secret half signs; one that does not say its age counts as the
 * oldest. */
static void test_signing(void **state)
{
    static const struct {
        unsigned char byte;
        const char *kid;
        bool secret;
        const char *members, *signs; /* once it is there */
    } steps[] = {
        {1, "ageless", true, "", "ageless"},
        {2, "b", true, ",\"created_at\":\"2024-01-01T00:00:00Z\"", "b"},
        {3, "a", true, ",\"created_at\":\"2024-01-01T00:00:00.000Z\"", "b"},
        {4, "older", true, ",\"created_at\":\"2023-12-31T23:59:59.999Z\"", "b"},
        {5, "newer", true, ",\"created_at\":\"2024-01-01T00:00:00.001Z\"", "newer"},
        {6, "public", false, ",\"created_at\":\"2025-01-01T00:00:00Z\"", "newer"},
        {7, "retired", true,
         ",\"created_at\":\"2025-01-01T00:00:00Z\",\"retired_at\":\"2025-01-02T00:00:00Z\"", "newer"},
        {8, "newest", true, ",\"created_at\":\"2024-12-31T23:59:59-05:00\"", "newest"},
    };
    struct token_keyfolder keys;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct crypto_ed25519_pair pair;
        struct token_signer signer;
        put_key(*state, steps[i].byte, steps[i].kid, steps[i].secret, steps[i].members);
        assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
        assert_int_equal(keys.count, i + 1);
        assert_string_equal(token_keyfolder_signing(&keys)->kid, steps[i].signs);
        assert_int_equal(token_signer_load(*state, &signer, NULL), OK);
        assert_string_equal(signer.kid, steps[i].signs);
        memcpy(pair.secret_key, signer.secret_key, sizeof pair.secret_key);
        assert_memory_equal(pair.secret_key + 32, token_keyfolder_signing(&keys)->public_key, 32);
        token_signer_wipe(&signer);
        assert_int_equal(signer.secret_key[0] | signer.secret_key[63] | signer.kid[0], 0);
        token_keyfolder_fini(&keys);
    }
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
    const struct token_keyfile *retired = token_keyfolder_find(&keys, SPAN("retired"));
    assert_true(retired->retired && retired->retired_ms == INT64_C(1735776000000));
    assert_false(token_keyfolder_find(&keys, SPAN("public"))->has_secret);
    assert_null(token_keyfolder_find(&keys, SPAN("none")));
    assert_string_equal(keys.keys[0].kid, "ageless");
    assert_string_equal(keys.keys[1].kid, "older");
    assert_string_equal(keys.keys[2].kid, "a");
    token_keyfolder_fini(&keys);
}

/* Only files named *.jwk count, and a file need not say its kid. */
static void test_names(void **state)
{
    static const char *const others[] = {"note.txt", ".hidden.jwk", "key.jwk.Xy12ab", "key.jwk~",
                                         ".jwk",     "jwk",         "a.JWK"};
    struct token_keyfolder keys;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(support_write(*state, others[i], SPAN("no key"), 0666), OK);
    assert_int_equal(support_write(*state, "plain.jwk",
                                   SPAN("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                        "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                                        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
                                   0640),
                     OK);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.keys[0].kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_int_equal(keys.keys[0].created_ms, 0);
    token_keyfolder_fini(&keys);
}

#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\""
#define X   ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define D   ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\""

static const struct {
    const char *what, *text;
} bad_files[] = {
    {"empty", ""},
    {"not JSON", "no key"},
    {"a list", "[]"},
    {"something behind it", "{" OKP X D "}{}"},
    {"an RSA key", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"},
    {"for encryption", "{" OKP X D ",\"use\":\"enc\"}"},
    {"no x", "{" OKP D "}"},
    {"x of small order", "{" OKP ",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"d of another key", "{" OKP X ",\"d\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}"},
    {"d too short", "{" OKP X ",\"d\":\"nWGx\"}"},
    {"d padded", "{" OKP X ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\"}"},
    {"d of another type", "{" OKP X ",\"d\":1}"},
    {"d null", "{" OKP X ",\"d\":null}"},
    {"d spelt with an escape", "{" OKP X ",\"\\u0064\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}"},
    {"d twice", "{" OKP X D D "}"},
    {"x twice", "{" OKP X X D "}"},
    {"an empty kid", "{" OKP X D ",\"kid\":\"\"}"},
    {"created_at a number", "{" OKP X D ",\"created_at\":1700000000}"},
    {"created_at no time", "{" OKP X D ",\"created_at\":\"yesterday\"}"},
    {"retired_at null", "{" OKP X D ",\"retired_at\":null}"},
    {"retired_at false", "{" OKP X D ",\"retired_at\":false}"},
    {"retired_at no time", "{" OKP X D ",\"retired_at\":\"\"}"},
};

static void test_bad_files(void **state)
{
    struct token_keyfolder keys;
    put_key(*state, 1, "good", true, "");
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        struct err_detail detail = {0};
        assert_int_equal(support_write(*state, "bad.jwk", span_str(bad_files[i].text), 0600), OK);
        if (token_keyfolder_load(*state, &keys, &detail) != ERR_INVALID ||
            strstr(detail.text, "/bad.jwk: ") == NULL)
            fail_msg("%s: \"%s\"", bad_files[i].what, detail.text);
        if (strstr(detail.text, "nWGx") != NULL)
            fail_msg("%s: the reason tells the secret", bad_files[i].what);
        assert_null(keys.keys);
        assert_int_equal(keys.count, 0);
    }
}

static void test_same_kid(void **state)
{
    struct crypto_ed25519_pair key = support_key(2);
    struct buf text = support_jwk(&key, "good", true, "");
    struct err_detail detail = {0};
    struct token_keyfolder keys;
    put_key(*state, 1, "good", true, "");
    assert_int_equal(support_write(*state, "other.jwk", buf_span(&text), 0600), OK);
    assert_int_equal(token_keyfolder_load(*state, &keys, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "same kid"));
    buf_fini(&text);
}

static void test_too_large(void **state)
{
    struct err_detail detail = {0};
    struct token_keyfolder keys;
    struct buf text = {0};
    for (int i = 0; i <= TOKEN_KEYFILE_MAX_LEN; i++)
        buf_char(&text, ' ');
    assert_int_equal(support_write(*state, "large.jwk", buf_span(&text), 0600), OK);
    assert_int_equal(token_keyfolder_load(*state, &keys, &detail), ERR_TOO_LARGE);
    buf_fini(&text);
}

static void test_file_modes(void **state)
{
    static const struct {
        mode_t mode;
        enum err err;
    } modes[] = {
        {0600, OK},         {0400, OK},         {0640, OK},         {0440, OK},         {0700, OK},
        {0604, ERR_DENIED}, {0602, ERR_DENIED}, {0601, ERR_DENIED}, {0620, ERR_DENIED}, {0660, ERR_DENIED},
        {0644, ERR_DENIED}, {0666, ERR_DENIED}, {0777, ERR_DENIED},
    };
    struct buf path = {0};
    put_key(*state, 1, "k", true, "");
    buf_printf(&path, "%s/k.jwk", (char *)*state);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct err_detail detail = {0};
        struct token_keyfolder keys;
        assert_int_equal(chmod(buf_text(&path), modes[i].mode), 0);
        if (token_keyfolder_load(*state, &keys, &detail) != modes[i].err)
            fail_msg("mode %04o: \"%s\"", (unsigned)modes[i].mode, detail.text);
        token_keyfolder_fini(&keys);
    }
    buf_fini(&path);
}

static void test_folder_modes(void **state)
{
    static const struct {
        mode_t mode;
        enum err err;
    } modes[] = {
        {0700, OK},         {0750, OK},         {0755, OK},          {0500, OK},
        {0770, ERR_DENIED}, {0702, ERR_DENIED}, {01777, ERR_DENIED}, {0720, ERR_DENIED},
    };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct err_detail detail = {0};
        struct token_keyfolder keys;
        assert_int_equal(chmod(*state, modes[i].mode), 0);
        if (token_keyfolder_load(*state, &keys, &detail) != modes[i].err)
            fail_msg("mode %04o: \"%s\"", (unsigned)modes[i].mode, detail.text);
        token_keyfolder_fini(&keys);
    }
    assert_int_equal(chmod(*state, 0700), 0);
}

/* A pipe would block whoever opens it. */
static void test_odd_files(void **state)
{
    struct err_detail detail = {0};
    struct token_keyfolder keys;
    struct buf path = {0};
    assert_int_equal(token_keyfolder_load("/nonexistent/keys", &keys, &detail), ERR_NOT_FOUND);
    detail.text[0] = '\0';
    assert_int_equal(token_keyfolder_load("/dev/null", &keys, &detail), ERR_INVALID);
    buf_printf(&path, "%s/pipe.jwk", (char *)*state);
    assert_int_equal(mkfifo(buf_text(&path), 0600), 0);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), ERR_INVALID);
    assert_int_equal(unlink(buf_text(&path)), 0);
    assert_int_equal(symlink("nowhere", buf_text(&path)), 0);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), ERR_IO);
    buf_fini(&path);
}

static const int64_t NOW_MS = INT64_C(1700000000123);

static void test_new(void **state)
{
    struct token_keyfolder keys;
    struct token_signer signer;
    struct stat st;
    struct buf path = {0};
    char first[TOKEN_THUMBPRINT_LEN + 1], second[TOKEN_THUMBPRINT_LEN + 1],
        thumbprint[TOKEN_THUMBPRINT_LEN + 1];
    struct token_key_owner owner = {geteuid(), getegid()};
    assert_int_equal(token_key_new(*state, NOW_MS, NULL, first, NULL), OK);
    assert_int_equal(token_key_new(*state, NOW_MS + 1, &owner, second, NULL), OK);
    assert_string_not_equal(first, second);
    buf_printf(&path, "%s/%s.jwk", (char *)*state, first);
    assert_int_equal(stat(buf_text(&path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.keys[0].kid, first);
    assert_string_equal(keys.keys[0].path, buf_text(&path));
    assert_int_equal(keys.keys[0].created_ms, NOW_MS);
    token_jwk_thumbprint(keys.keys[0].public_key, thumbprint);
    assert_string_equal(thumbprint, first);
    assert_int_equal(token_signer_load(*state, &signer, NULL), OK);
    assert_string_equal(signer.kid, second);
    token_signer_wipe(&signer);
    token_keyfolder_fini(&keys);
    buf_fini(&path);
}

/* A missing folder is made with its parents; one with bad modes is refused and gets no key. */
static void test_new_folder(void **state)
{
    char kid[TOKEN_THUMBPRINT_LEN + 1];
    struct buf above = {0}, folder = {0}, file = {0};
    struct stat st;
    buf_printf(&above, "%s/above", (char *)*state);
    buf_printf(&folder, "%s/keys", buf_text(&above));
    assert_int_equal(token_key_new(buf_text(&folder), NOW_MS, NULL, kid, NULL), OK);
    assert_int_equal(stat(buf_text(&folder), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    buf_printf(&file, "%s/%s.jwk", buf_text(&folder), kid);
    assert_int_equal(unlink(buf_text(&file)), 0);
    assert_int_equal(chmod(buf_text(&folder), 0770), 0);
    assert_int_equal(token_key_new(buf_text(&folder), NOW_MS, NULL, kid, NULL), ERR_DENIED);
    assert_int_equal(rmdir(buf_text(&folder)), 0); /* so it is empty */
    assert_int_equal(rmdir(buf_text(&above)), 0);
    assert_int_equal(token_key_new("/dev/null/keys", NOW_MS, NULL, kid, NULL), ERR_IO);
    buf_fini(&above);
    buf_fini(&folder);
    buf_fini(&file);
}

static void test_retire(void **state)
{
    char kid[TOKEN_THUMBPRINT_LEN + 1];
    struct token_keyfolder keys;
    struct err_detail detail = {0};
    struct buf path = {0};
    struct stat st;
    assert_int_equal(token_key_new(*state, NOW_MS, NULL, kid, NULL), OK);
    buf_printf(&path, "%s/%s.jwk", (char *)*state, kid);
    assert_int_equal(chmod(buf_text(&path), 0640), 0);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
    assert_int_equal(token_key_retire(&keys.keys[0], NOW_MS + 5000, NULL), OK);
    token_keyfolder_fini(&keys);

    assert_int_equal(stat(buf_text(&path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(token_keyfolder_load(*state, &keys, NULL), OK);
    assert_int_equal(keys.count, 1);
    assert_true(keys.keys[0].retired);
    assert_true(keys.keys[0].has_secret);
    assert_int_equal(keys.keys[0].retired_ms, NOW_MS + 5000);
    assert_int_equal(keys.keys[0].created_ms, NOW_MS);
    assert_null(token_keyfolder_signing(&keys));
    assert_int_equal(token_key_retire(&keys.keys[0], NOW_MS, &detail), ERR_CONFLICT);
    assert_non_null(strstr(detail.text, "retired already"));
    token_keyfolder_fini(&keys);
    buf_fini(&path);
}

static int set_up_all(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_kid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_new_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retire, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
