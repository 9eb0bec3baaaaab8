/* conf/maintainers.sh: package lists in, a profile a person out, as `profiled import` takes it. */
#include "base/buf.h"
#include "profile/parse.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs the converter over the list; an array of the objects that it printed, each taken by the rules of a new
 * profile. */
static json_t *convert(const char *list)
{
    char path[] = "/tmp/profiled-maintainers-XXXXXX", command[256], *line = NULL;
    struct arena arena = {0};
    json_t *all = json_array();
    size_t size = 0;
    ssize_t len;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, list, strlen(list)), strlen(list));
    close(fd);
    snprintf(command, sizeof command, "sh '%s/conf/maintainers.sh' %s", SOURCE_DIR, path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    while ((len = getline(&line, &size, out)) > 0) {
        const struct profile_rules rules = {.admin = true, .attributes_max = 16384};
        struct profile_faults faults;
        struct profile p;
        json_t *object = NULL;
        struct err_detail detail = {0};
        if (json_load_strict(span_of(line, (size_t)len), 32, &object, &detail) != OK)
            fail_msg("%s: %s", line, detail.text);
        if (profile_parse(object, &rules, &arena, &p, &faults) != OK)
            fail_msg("%s: %.*s", line, SPAN_ARG(faults.list[0].detail));
        json_array_append_new(all, object);
    }
    assert_int_equal(pclose(out), 0);
    free(line);
    arena_fini(&arena);
    unlink(path);
    return all;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void test_who_is_a_person(void **state)
{
    static const struct {
        const char *maintainer, *name, *email, *handle; /* name NULL: left out */
    } rows[] = {
        {"Ann Example <ann@debian.org>", "Ann Example", "ann@debian.org", "ann"},
        {"Ann Example <Ann.B+deb@Example.ORG>", "Ann Example", "ann.b+deb@example.org", "ann_b_deb"},
        {"Björn Müller <bjoern@example.org>", "Björn Müller", "bjoern@example.org", "bjoern"},
        {"Ann \"Nick\" Example <ann@debian.org>", "Ann \"Nick\" Example", "ann@debian.org", "ann"},
        {"\"Ann Q. Example\" <ann@debian.org>", "Ann Q. Example", "ann@debian.org", "ann"},
        {"Ann O'Hara <a@debian.org>", "Ann O'Hara", "a@debian.org", "u_a"},
        {"Teamson Person <teamson@debian.org>", "Teamson Person", "teamson@debian.org", "teamson"},
        {"Ann <__ann__@debian.org>", "Ann", "__ann__@debian.org", "ann"},
        {"Ann <a.very.long.local.part.of.an.address@debian.org>", "Ann",
         "a.very.long.local.part.of.an.address@debian.org", "a_very_long_local_part_o"},
        {"Debian Games Team <pkg-games-devel@lists.alioth.debian.org>", NULL, NULL, NULL},
        {"Debian Python Team <team+python@tracker.debian.org>", NULL, NULL, NULL},
        {"Ann Example <somebody@lists.debian.org>", NULL, NULL, NULL},
        {"Debian QA Group <packages@qa.debian.org>", NULL, NULL, NULL},
        {"Debian Perl Group <ann@debian.org>", NULL, NULL, NULL},
        {"APT Development <ann-maintainers@example.org>", NULL, NULL, NULL},
        {"Ann <pkg-ann@example.org>", NULL, NULL, NULL},
        {"Maintainers of X <x@example.org>", NULL, NULL, NULL},
        {"Ann Example", NULL, NULL, NULL},
        {"<ann@debian.org>", NULL, NULL, NULL},
        {"Ann <ann>", NULL, NULL, NULL},
        {"Ann <ann@debian.org> and more", NULL, NULL, NULL},
        {"Ann <ann@debian.org@x>", NULL, NULL, NULL},
        {"Ann <a\\nn@debian.org>", NULL, NULL, NULL},
        {"Ann <änn@debian.org>", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char list[256];
        snprintf(list, sizeof list, "Package: one\nMaintainer: %s\nVersion: 1\n", rows[i].maintainer);
        json_t *all = convert(list);
        if (json_array_size(all) != (rows[i].name != NULL))
            fail_msg("%s: %zu profiles", rows[i].maintainer, json_array_size(all));
        if (rows[i].name != NULL) {
            const json_t *p = json_array_get(all, 0);
            assert_string_equal(member(p, "name"), rows[i].name);
            assert_string_equal(member(p, "email"), rows[i].email);
            assert_string_equal(member(p, "handle"), rows[i].handle);
            assert_null(strstr(member(p, "id"), "@"));
        }
        json_decref(all);
    }
    (void)state;
}

static void test_one_profile_a_person(void **state)
{
    json_t *all = convert("Package: zoo\nMaintainer: Ann <ann@debian.org>\n\n"
                          "Package: ant\nDescription: x\n Maintainer: Not <not@debian.org>\n"
                          "Maintainer: Ann E. <ANN@debian.org>\n\n"
                          "Package: ant\nMaintainer: Ann <ann@debian.org>\n\n"
                          "Maintainer: Nameless <n@debian.org>\n\n"
                          "Package: bee\nMaintainer: Other Ann <ann@example.org>\n\n"
                          "Package: cat\nMaintainer: Third Ann <ann@example.net>\n");
    static const struct {
        const char *email, *handle;
        int packages;
    } expected[] = {
        {"ann@debian.org", "ann", 2}, {"ann@example.org", "ann_2", 1}, {"ann@example.net", "ann_3", 1}};
    assert_int_equal(json_array_size(all), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *p = json_array_get(all, i), *a = json_object_get(p, "attributes");
        assert_string_equal(member(p, "email"), expected[i].email);
        assert_string_equal(member(p, "handle"), expected[i].handle);
        assert_int_equal(json_integer_value(json_object_get(a, "packages_count")), expected[i].packages);
        assert_int_equal(json_array_size(json_object_get(a, "packages")), expected[i].packages);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(member(p, "id"), member(json_array_get(all, k), "id"));
    }
    json_decref(all);
    (void)state;
}

/* An id stands for the address, whatever else is in the list and in what order. */
static void test_ids_are_stable(void **state)
{
    json_t *a = convert("Package: a\nMaintainer: Ann <ann@debian.org>\n");
    json_t *b = convert("Package: q\nMaintainer: Bob <bob@debian.org>\n\n"
                        "Package: z\nMaintainer: Ann Else <ann@debian.org>\n");
    assert_string_equal(member(json_array_get(a, 0), "id"), member(json_array_get(b, 1), "id"));
    json_decref(a);
    json_decref(b);
    (void)state;
}

/* More packages than attributes have room for: as many names as fit, and the true count. */
static void test_many_packages(void **state)
{
    struct buf list = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&list,
                   "Package: a-package-with-quite-a-long-name-%d\nMaintainer: Ann <ann@debian.org>\n\n", i);
    assert_int_equal(buf_status(&list), OK);
    json_t *all = convert(buf_text(&list));
    const json_t *a = json_object_get(json_array_get(all, 0), "attributes");
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(json_integer_value(json_object_get(a, "packages_count")), 1000);
    assert_in_range(json_array_size(json_object_get(a, "packages")), 250, 400);
    json_decref(all);
    buf_fini(&list);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_a_person),
        cmocka_unit_test(test_one_profile_a_person),
        cmocka_unit_test(test_ids_are_stable),
        cmocka_unit_test(test_many_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
