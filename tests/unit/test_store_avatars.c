/* Images in the database: each content once, for as long as a profile holds it; in pieces; told to the change
 * log. */
#include "support_store.h"

#include "store/avatars.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
enum { LEN = 200 * 1000 };

static int set_up(void **state)
{
    if (support_set_up(state) != 0)
        return 1;
    support_sql(*state, "INSERT INTO profiles (id, handle) VALUES ('a', 'aa'), ('b', 'bb')");
    return 0;
}

/* Byte i of every image is this. */
static char byte_at(uint64_t i)
{
    return (char)(i * 7 + i / 251);
}

static enum err read_bytes(void *data, uint64_t offset, char *to, size_t len)
{
    const int *fail_after = data;
    if (fail_after != NULL && offset >= (uint64_t)*fail_after)
        return ERR_IO;
    for (size_t i = 0; i < len; i++)
        to[i] = byte_at(offset + i);
    return OK;
}

static enum err put(struct support_store *s, const char *id, const char *hash, const char *expected,
                    bool *had)
{
    struct buf picture = {0};
    struct err_detail why = {0};
    buf_printf(&picture, "https://x/v1/avatars/%s", hash);
    const struct store_avatar avatar = {
        .id = span_str(id),
        .hash = span_str(hash),
        .type = SPAN("image/png"),
        .picture = buf_span(&picture),
        .len = LEN,
        .read = read_bytes,
        .thumbnails = {{48, SPAN("forty-eight")}, {96, SPAN("ninety-six")}},
        .thumbnail_count = 2,
        .expected = expected,
    };
    enum err e = store_avatar_put(s->store, &avatar, had, &why);
    buf_fini(&picture);
    return e;
}

static const char counts[] =
    "SELECT (SELECT count(*) FROM images), (SELECT count(*) FROM thumbnails), (SELECT count(*) FROM avatars)";

static void test_once_and_dropped(void **state)
{
    struct support_store *s = *state;
    bool had;
    assert_int_equal(put(s, "a", HASH_A, NULL, &had), OK);
    assert_false(had);
    assert_int_equal(put(s, "b", HASH_A, NULL, &had), OK);
    assert_int_equal(put(s, "a", HASH_A, NULL, &had), OK);
    assert_true(had);
    support_expect(s, counts, "1|2|2");
    support_expect(s, "SELECT picture = 'https://x/v1/avatars/" HASH_A "' FROM profiles", "1;1");
    support_expect(s, "SELECT what, profile_id FROM changes WHERE seq > 2", "update|a;update|b");
    assert_int_equal(put(s, "a", HASH_B, NULL, &had), OK);
    support_expect(s, counts, "2|4|2");
    assert_int_equal(put(s, "b", HASH_B, NULL, &had), OK);
    support_expect(s, counts, "1|2|2");
    support_expect(s, "SELECT count(*) FROM changes WHERE what = 'avatar' AND profile_id = '" HASH_A "'",
                   "1");
    ASSERT_OK(store_avatar_delete(s->store, SPAN("a"), NULL, detail));
    support_expect(s, counts, "1|2|1");
    support_expect(s, "SELECT picture FROM profiles WHERE id = 'a'", "");
    support_sql(s, "DELETE FROM profiles WHERE id = 'b'");
    support_expect(s, counts, "0|0|0");
    support_expect(s, "SELECT count(*) FROM changes WHERE what = 'avatar' AND profile_id = '" HASH_B "'",
                   "1");
}

static void test_refused(void **state)
{
    struct support_store *s = *state;
    struct err_detail why = {0};
    bool had;
    assert_int_equal(put(s, "nobody", HASH_A, NULL, &had), ERR_NOT_FOUND);
    assert_int_equal(put(s, "a", HASH_A, HASH_B, &had), ERR_CONFLICT);
    assert_int_equal(store_avatar_delete(s->store, SPAN("a"), NULL, &why), ERR_NOT_FOUND);
    assert_int_equal(store_avatar_delete(s->store, SPAN("nobody"), NULL, &why), ERR_NOT_FOUND);
    assert_int_equal(put(s, "a", HASH_A, "", &had), OK);
    assert_int_equal(put(s, "a", HASH_B, "", &had), ERR_CONFLICT);
    assert_int_equal(store_avatar_delete(s->store, SPAN("a"), HASH_B, &why), ERR_CONFLICT);
    support_expect(s, counts, "1|2|1");
}

/* What breaks off in the middle leaves nothing. */
static void test_half_an_image(void **state)
{
    struct support_store *s = *state;
    struct err_detail why = {0};
    int after = 65536;
    bool had;
    const struct store_avatar avatar = {.id = SPAN("a"),
                                        .hash = SPAN(HASH_A),
                                        .type = SPAN("image/png"),
                                        .picture = SPAN("https://x/y"),
                                        .len = LEN,
                                        .read = read_bytes,
                                        .data = &after};
    assert_int_equal(store_avatar_put(s->store, &avatar, &had, &why), ERR_IO);
    support_expect(s, counts, "0|0|0");
    support_expect(s, "SELECT count(*) FROM profiles WHERE picture IS NOT NULL", "0");
    assert_int_equal(put(s, "a", HASH_A, NULL, &had), OK);
}

static void test_reading(void **state)
{
    struct support_store *s = *state;
    struct store_image image;
    struct err_detail why = {0};
    char piece[70000];
    bool had;
    assert_int_equal(store_image_find(s->store, SPAN(HASH_A), 0, &image, &why), ERR_NOT_FOUND);
    assert_int_equal(put(s, "a", HASH_A, NULL, &had), OK);
    ASSERT_OK(store_image_find(s->store, SPAN(HASH_A), 0, &image, detail));
    assert_string_equal(image.type, "image/png");
    assert_int_equal(image.len, LEN);
    static const size_t places[][2] = {{0, 1},       {0, 70000},           {65536, 65536},
                                       {LEN - 1, 1}, {LEN - 70000, 70000}, {4095, 2}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        ASSERT_OK(store_image_read(s->store, SPAN(HASH_A), 0, places[i][0], piece, places[i][1], detail));
        for (size_t at = 0; at < places[i][1]; at++)
            assert_int_equal(piece[at], byte_at(places[i][0] + at));
    }
    ASSERT_OK(store_image_find(s->store, SPAN(HASH_A), 96, &image, detail));
    assert_int_equal(image.len, 10);
    ASSERT_OK(store_image_read(s->store, SPAN(HASH_A), 96, 7, piece, 3, detail));
    assert_memory_equal(piece, "six", 3);
    assert_int_equal(store_image_find(s->store, SPAN(HASH_A), 256, &image, &why), ERR_NOT_FOUND);
    support_sql(s, "UPDATE profiles SET state = 'suspended' WHERE id = 'a'");
    assert_int_equal(store_image_find(s->store, SPAN(HASH_A), 0, &image, &why), ERR_NOT_FOUND);
    assert_int_equal(store_image_find(s->store, SPAN(HASH_A), 48, &image, &why), ERR_NOT_FOUND);
    support_expect(s, "SELECT count(*) FROM changes WHERE what = 'avatar'", "1");
    support_sql(s, "UPDATE profiles SET picture = NULL WHERE id = 'a'");
    assert_int_equal(store_image_read(s->store, SPAN(HASH_A), 0, 0, piece, 1, &why), ERR_NOT_FOUND);
    /* the next image may lie in the row where the first one lay: it is not taken for it */
    assert_int_equal(put(s, "b", HASH_B, NULL, &had), OK);
    assert_int_equal(store_image_read(s->store, SPAN(HASH_A), 0, 0, piece, 1, &why), ERR_NOT_FOUND);
}

/* A reader between two pieces holds no snapshot: the write-ahead log can begin anew. */
static void test_nothing_is_pinned(void **state)
{
    struct support_store *s = *state;
    char piece[16];
    bool had;
    assert_int_equal(put(s, "a", HASH_A, NULL, &had), OK);
    ASSERT_OK(store_image_read(s->store, SPAN(HASH_A), 0, 0, piece, sizeof piece, detail));
    ASSERT_OK(store_checkpoint(s->store, true, detail));
    support_expect(s, "PRAGMA wal_checkpoint(TRUNCATE)", "0|0|0");
}

static void test_key(void **state)
{
    struct support_store *s = *state;
    unsigned char key[STORE_AVATAR_KEY_LEN], again[STORE_AVATAR_KEY_LEN];
    struct err_detail why = {0};
    int applied;
    ASSERT_OK(store_avatar_key(s->store, key, detail));
    ASSERT_OK(store_migrate(s->url, &support_options, &applied, detail));
    ASSERT_OK(store_avatar_key(s->store, again, detail));
    assert_memory_equal(key, again, sizeof key);
    support_sql(s, "DELETE FROM avatar_key");
    assert_int_equal(store_avatar_key(s->store, again, &why), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once_and_dropped, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_half_an_image, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_reading, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_pinned, set_up, support_tear_down),
        cmocka_unit_test_setup_teardown(test_key, set_up, support_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
