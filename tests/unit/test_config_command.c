/* `profiled config`: what it prints can be read again, as a file and as JSON; what is wrong it says. */
#include "base/file.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/profiled-test-XXXXXX";
static char path[64], printed[64], complained[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/f.conf", folder);
    snprintf(printed, sizeof printed, "%s/out", folder);
    snprintf(complained, sizeof complained, "%s/err", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(printed);
    unlink(complained);
    return rmdir(folder);
}

/* Puts a file in the place of a descriptor; gives what to put back. */
static int redirect(int fd, const char *file)
{
    int kept = dup(fd);
    int to = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && to >= 0 && dup2(to, fd) == fd);
    close(to);
    return kept;
}

/* Calls the command with these arguments behind -c FILE; what it prints lands in the files. */
static int run(const char *first, const char *second)
{
    char *argv[] = {
        (char[]){"config"}, (char[]){"-c"}, path, (char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL};
    int argc = first == NULL ? 3 : second == NULL ? 4 : 5;
    fflush(stdout);
    int out = redirect(STDOUT_FILENO, printed), err = redirect(STDERR_FILENO, complained);
    int status = cli_config.run(argc, argv);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return status;
}

static void text_of(const char *file, struct buf *out)
{
    buf_clear(out);
    assert_int_equal(file_read(file, 1 << 20, out, NULL), OK);
}

static void write_file(const char *text)
{
    assert_int_equal(file_write(path, span_str(text), 0600, NULL), OK);
}

static const char good[] = "[server]\nworkers = 3\nmount = /p\n[http]\ncors_origins = https://a.example\n"
                           "  https://b.example\n[issuer x]\niss = https://x\njwks = /x.json\naudience = a\n"
                           "subject_prefix =\n";

static void load(const char *file, struct config_settings *s)
{
    const struct config_source source = {file, NULL, NULL, 0};
    struct err_detail detail = {0};
    if (config_load(&source, s, &detail) != OK)
        fail_msg("%s", detail.text);
}

static void what_is_printed_is_a_file(void **state)
{
    (void)state;
    struct config_settings once, again;
    struct buf longer = {0};
    write_file(good);
    /* longer than a line may be: given by flag, it has to be broken */
    buf_lit(&longer, "http.cors_origins=https://first.example");
    for (int i = 0; i < 30; i++)
        buf_printf(&longer, " https://host-%d.example", i);
    assert_int_equal(run("-o", buf_text(&longer)), 0);
    load(path, &once);
    load(printed, &again);
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        const char *expected =
            i == CONFIG_http_cors_origins ? strchr(buf_text(&longer), '=') + 1 : once.values[i].text;
        if (strcmp(expected, again.values[i].text) != 0)
            fail_msg("%s: `%s`, `%s`", config_row((enum config_id)i)->key, expected, again.values[i].text);
    }
    assert_int_equal(again.issuer_count, 1);
    assert_string_equal(again.issuers[0].iss, "https://x");
    assert_string_equal(again.issuers[0].subject_prefix, "");
    config_fini(&once);
    config_fini(&again);
    buf_fini(&longer);
}

static void origins_are_told(void **state)
{
    (void)state;
    struct buf text = {0};
    char line[128];
    write_file(good);
    setenv("PROFILED_LOG_LEVEL", "debug", 1);
    assert_int_equal(run("-o", "server.backlog=9"), 0);
    unsetenv("PROFILED_LOG_LEVEL");
    text_of(printed, &text);
    snprintf(line, sizeof line, "\nworkers = 3%*s; %s:2\n", 45, "", path);
    assert_non_null(strstr(buf_text(&text), line));
    assert_non_null(strstr(buf_text(&text), "; flag -o server.backlog\n"));
    assert_non_null(strstr(buf_text(&text), "; variable PROFILED_LOG_LEVEL\n"));
    assert_non_null(strstr(buf_text(&text), "\nuser = profiled "));
    buf_fini(&text);
}

static void as_json(void **state)
{
    (void)state;
    const char *file, *value, *from, *name;
    int line, number;
    write_file(good);
    assert_int_equal(run("--json", NULL), 0);
    json_t *root = json_load_file(printed, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_unpack(root, "{s:s, s:{s:{s:{s:s, s:s, s:i, s:i}}}, s:[{s:s}]}", "file", &file,
                                 "settings", "server", "workers", "value", &value, "from", &from, "line",
                                 &line, "number", &number, "issuers", "name", &name),
                     0);
    assert_string_equal(file, path);
    assert_string_equal(value, "3");
    assert_string_equal(from, "file");
    assert_int_equal(line, 2);
    assert_int_equal(number, 3);
    assert_string_equal(name, "x");
    size_t count = 0;
    const char *section;
    json_t *keys;
    json_object_foreach(json_object_get(root, "settings"), section, keys) count += json_object_size(keys);
    assert_int_equal(count, CONFIG_ID_COUNT);
    json_decref(root);
}

static void the_check(void **state)
{
    (void)state;
    struct buf text = {0};
    char expected[256];
    write_file(good);
    assert_int_equal(run("--check", NULL), 0);
    text_of(printed, &text);
    assert_int_equal(text.len, 0);
    text_of(complained, &text);
    assert_int_equal(text.len, 0);

    write_file("[server]\nwrokers = 3\n");
    assert_int_equal(run("--check", NULL), 1);
    text_of(complained, &text);
    snprintf(expected, sizeof expected,
             "profiled config: %s:2: unknown key `wrokers` in [server]; did you mean `workers`?\n", path);
    assert_string_equal(buf_text(&text), expected);
    text_of(printed, &text);
    assert_int_equal(text.len, 0);
    buf_fini(&text);
}

static void wrong_calls(void **state)
{
    (void)state;
    struct buf text = {0};
    static const char *const calls[][2] = {
        {"--nonsense", NULL}, {"operand", NULL}, {"-o", NULL}, {"--json=x", NULL}};
    write_file("");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_int_equal(run(calls[i][0], calls[i][1]), 2);
        text_of(complained, &text);
        assert_int_equal(strncmp(buf_text(&text), "profiled config: ", 17), 0);
        /* one line */
        assert_ptr_equal(strchr(buf_text(&text), '\n'), buf_text(&text) + text.len - 1);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_a_file),
        cmocka_unit_test(origins_are_told),
        cmocka_unit_test(as_json),
        cmocka_unit_test(the_check),
        cmocka_unit_test(wrong_calls),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
