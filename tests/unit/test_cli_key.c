/* profiled key: new, list, retire, and calls that are wrong. */
#include "support_cli.h"
#include "support_token.h"

#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    struct buf keys; /* token.keys=FOLDER/keys */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f == NULL || (f->folder = support_folder()) == NULL)
        return -1;
    buf_printf(&f->keys, "token.keys=%s", f->folder);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    support_remove(&f->folder);
    buf_fini(&f->keys);
    free(f);
    return 0;
}

/* profiled key ACTION [A [B]] -c /dev/null -o token.keys=… -o server.user=nosuchuser */
static struct support_run run(const struct fixture *f, const char *action, const char *a, const char *b)
{
    const char *argv[] = {"key",  "-c", "/dev/null", "-o", buf_text(&f->keys), "-o", "server.user=nosuchuser",
                          action, a,    b,           NULL};
    return support_run_cli(&cli_key, argv, SPAN(""));
}

/* Makes a key; kid takes what was printed. */
static void make(const struct fixture *f, char kid[TOKEN_THUMBPRINT_LEN + 1])
{
    struct support_run r = run(f, "new", NULL, NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(buf_text(&r.err), "");
    assert_int_equal(r.out.len, TOKEN_THUMBPRINT_LEN + 1); /* with the newline, and nothing else */
    memcpy(kid, buf_text(&r.out), TOKEN_THUMBPRINT_LEN);
    kid[TOKEN_THUMBPRINT_LEN] = '\0';
    support_run_fini(&r);
}

/* The member of the row of that kid in list --json; the caller frees. */
static char *listed(const struct fixture *f, const char *kid, const char *member)
{
    struct support_run r = run(f, "list", "--json", NULL);
    json_t *list = NULL;
    char *text = NULL;
    assert_int_equal(r.status, 0);
    assert_int_equal(json_load_strict(buf_span(&r.out), 3, &list, NULL), OK);
    const json_t *rows = json_object_get(list, "keys");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(json_string_value(json_object_get(row, "kid")), kid) == 0)
            text = json_dumps(json_object_get(row, member), JSON_ENCODE_ANY);
    }
    json_decref(list);
    support_run_fini(&r);
    return text;
}

static void assert_listed(const struct fixture *f, const char *kid, const char *member, const char *expected)
{
    char *text = listed(f, kid, member);
    if (text == NULL || strcmp(text, expected) != 0)
        fail_msg("%s of %s is %s", member, kid, text == NULL ? "missing" : text);
    free(text);
}

static void test_rotation(void **state)
{
    const struct fixture *f = *state;
    char old[TOKEN_THUMBPRINT_LEN + 1], new[TOKEN_THUMBPRINT_LEN + 1];
    make(f, old);
    assert_listed(f, old, "signs", "true");
    make(f, new);
    assert_listed(f, old, "signs", "false");
    assert_listed(f, old, "state", "\"active\"");
    assert_listed(f, new, "signs", "true");

    struct support_run r = run(f, "retire", old, NULL);
    assert_int_equal(r.status, 0);
    support_run_fini(&r);
    assert_listed(f, old, "state", "\"retired\"");
    assert_listed(f, new, "state", "\"active\"");
    char *since = listed(f, old, "retired_at");
    assert_non_null(since);
    free(since);

    r = run(f, "list", NULL, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(buf_text(&r.out), old));
    assert_non_null(strstr(buf_text(&r.out), "retired  no"));
    assert_non_null(strstr(buf_text(&r.out), "active   yes"));
    support_run_fini(&r);
}

/* The last key stays unless it is forced out, also when retired ones stand beside it. */
static void test_last_key(void **state)
{
    const struct fixture *f = *state;
    char first[TOKEN_THUMBPRINT_LEN + 1], second[TOKEN_THUMBPRINT_LEN + 1];
    make(f, first);
    make(f, second);
    struct support_run r = run(f, "retire", first, NULL);
    assert_int_equal(r.status, 0);
    support_run_fini(&r);
    r = run(f, "retire", second, NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(buf_text(&r.err), "--force"));
    support_run_fini(&r);
    assert_listed(f, second, "state", "\"active\"");
    r = run(f, "retire", first, NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(buf_text(&r.err), "retired already"));
    support_run_fini(&r);
    r = run(f, "retire", "nosuchkey", NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(buf_text(&r.err), "there is no key nosuchkey"));
    support_run_fini(&r);
    r = run(f, "retire", "--force", second);
    assert_int_equal(r.status, 0);
    support_run_fini(&r);
    assert_listed(f, second, "state", "\"retired\"");
}

static void test_bad_modes(void **state)
{
    const struct fixture *f = *state;
    static const char *const actions[] = {"new", "list"};
    assert_int_equal(chmod(f->folder, 0777), 0);
    for (size_t i = 0; i < 2; i++) {
        struct support_run r = run(f, actions[i], NULL, NULL);
        assert_int_equal(r.status, 1);
        assert_int_equal(r.out.len, 0);
        assert_non_null(strstr(buf_text(&r.err), "mode 0777"));
        support_run_fini(&r);
    }
}

static void test_wrong_calls(void **state)
{
    static const char *const calls[][5] = {
        {"key"},
        {"key", "make"},
        {"key", ""},
        {"key", "New"},
        {"key", "new", "x"},
        {"key", "list", "x"},
        {"key", "retire"},
        {"key", "retire", "a", "b"},
        {"key", "new", "--json"},
        {"key", "retire", "--json", "a"},
        {"key", "new", "--force"},
        {"key", "list", "--force"},
        {"key", "list", "--nosuch"},
        {"key", "list", "-x"},
        {"key", "list", "-c"},
        {"key", "list", "--json=1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const char *argv[6] = {0};
        memcpy(argv, calls[i], sizeof calls[i]);
        struct support_run r = support_run_cli(&cli_key, argv, SPAN(""));
        const char *newline = strchr(buf_text(&r.err), '\n');
        if (r.status != 2 || r.out.len != 0 || newline == NULL || newline[1] != '\0')
            fail_msg("call %zu: %d, %s", i, r.status, buf_text(&r.err));
        support_run_fini(&r);
    }
}

static void test_help(void **state)
{
    static const char *const argv[] = {"key", "retire", "--help", NULL};
    (void)state;
    struct support_run r = support_run_cli(&cli_key, argv, SPAN(""));
    assert_int_equal(r.status, 0);
    assert_string_equal(buf_text(&r.out), cli_key.help);
    assert_string_equal(buf_text(&r.err), "");
    support_run_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_modes, set_up, tear_down),
        cmocka_unit_test(test_wrong_calls),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
