/* The file of places: what is written is found again, and what is no such file is as good as none. And the
 * key. */
#include "base/file.h"
#include "edge/key.h"
#include "edge/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define A SPAN("http://127.0.0.1:6083")
#define B SPAN("http://[::1]:80")

static void test_round(void **state)
{
    (void)state;
    const struct edge_place a = {UINT64_MAX, INT64_MAX, 0}, b = {1, 0, UINT64_C(0x0123456789abcdef)},
                            none = {0};
    struct buf text = {0};
    edge_places_begin(&text);
    edge_places_add(&text, A, &a);
    edge_places_add(&text, SPAN("http://new:1"), &none);
    edge_places_add(&text, B, &b);
    assert_int_equal(buf_status(&text), OK);
    struct edge_place found = edge_places_find(buf_span(&text), A);
    assert_memory_equal(&found, &a, sizeof a);
    found = edge_places_find(buf_span(&text), B);
    assert_memory_equal(&found, &b, sizeof b);
    assert_int_equal(edge_places_find(buf_span(&text), SPAN("http://new:1")).lineage, 0);
    assert_int_equal(edge_places_find(buf_span(&text), SPAN("http://127.0.0.1:608")).lineage, 0);
    assert_int_equal(edge_places_find(buf_span(&text), SPAN("")).lineage, 0);
    buf_fini(&text);
}

static void test_nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "profiled-edge 1",
        "profiled-edge 2\nhttp://a:1 0000000000000001 1 0000000000000001\n",
        "http://a:1 0000000000000001 1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 1\n",
        "profiled-edge 1\nhttp://a:1 0000000000000000 1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 000000000000001 1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 -1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 9223372036854775808 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 1 00000000000000g1\n",
        "profiled-edge 1\nhttp://a:1 000000000000000A 1 0000000000000001\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 1 0000000000000001 more\n",
        "profiled-edge 1\nhttp://a:1 0000000000000001 1 00000000000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (edge_places_find(span_str(texts[i]), SPAN("http://a:1")).lineage != 0)
            fail_msg("taken: %s", texts[i]);
    assert_int_equal(
        edge_places_find(SPAN("profiled-edge 1\nhttp://a:1 0000000000000001 5 0000000000000001\n"),
                         SPAN("http://a:1"))
            .seq,
        5);
}

static void test_key(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mode_t mode;
        enum err e;
        const char *says;
    } rows[] = {
        {"a-secret-of-a-file\n", 0600, OK, "a-secret-of-a-file"},
        {"  a-secret-of-a-file \r\nand more\n", 0640, OK, "a-secret-of-a-file"},
        {"a-secret-of-a-file", 0400, OK, "a-secret-of-a-file"},
        {"a-secret-of-a-file\n", 0644, ERR_DENIED, "has mode 0644"},
        {"a-secret-of-a-file\n", 0660, ERR_DENIED, "has mode 0660"},
        {"short\n", 0600, ERR_INVALID, "16 characters or more"},
        {"", 0600, ERR_INVALID, "16 characters or more"},
        {"\na-secret-of-a-file\n", 0600, ERR_INVALID, "16 characters or more"},
        {"a secret with blanks in it\n", 0600, ERR_INVALID, "visible ASCII"},
        {"a-secret-of-\xc3\xa9-a-file\n", 0600, ERR_INVALID, "visible ASCII"},
    };
    char folder[] = "/tmp/profiled-test-XXXXXX", setting[64];
    assert_non_null(mkdtemp(folder));
    snprintf(setting, sizeof setting, "file:%s/key", folder);
    const char *path = setting + 5;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf key = {0};
        struct err_detail why = {0};
        assert_int_equal(file_write(path, span_str(rows[i].text), rows[i].mode, NULL), OK);
        assert_int_equal(edge_key_read(setting, &key, &why), rows[i].e);
        if (rows[i].e == OK)
            assert_string_equal(buf_text(&key), rows[i].says);
        else if (strstr(why.text, rows[i].says) == NULL || strstr(why.text, path) == NULL)
            fail_msg("%s", why.text);
        buf_fini(&key);
    }
    unlink(path);
    struct buf key = {0};
    struct err_detail why = {0};
    assert_int_equal(edge_key_read(setting, &key, &why), ERR_NOT_FOUND);
    snprintf(setting, sizeof setting, "file:%s", folder);
    assert_int_equal(edge_key_read(setting, &key, NULL), ERR_INVALID);
    assert_int_equal(edge_key_read("the-secret-itself", &key, &why), OK);
    assert_string_equal(buf_text(&key), "the-secret-itself");
    buf_fini(&key);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
