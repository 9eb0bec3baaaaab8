/* conf/profiled.conf, the commented example, against the table: every key, each with its default, each once.
 */
#include "base/file.h"
#include "config/load.h"
#include "config/parse.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

static void read_example(struct buf *text)
{
    struct err_detail detail = {0};
    if (file_read(SOURCE_DIR "/conf/profiled.conf", 1 << 20, text, &detail) != OK)
        fail_msg("%s", detail.text);
}

/* ";key = value" and ";[issuer NAME]": a comment that begins at once, without a blank. */
static bool is_commented_out(struct span line)
{
    return line.len > 1 && line.ptr[0] == ';' && line.ptr[1] != ' ';
}

static void as_it_stands(void **state)
{
    (void)state;
    struct buf text = {0};
    struct config_settings s = {0};
    struct err_detail detail = {0};
    read_example(&text);
    assert_int_equal(config_defaults(&s), OK);
    if (config_parse(buf_span(&text), "profiled.conf", &s, &detail) != OK)
        fail_msg("%s", detail.text);
    for (int id = 0; id < CONFIG_ID_COUNT; id++)
        assert_int_equal(s.values[id].origin, CONFIG_FROM_DEFAULT);
    assert_int_equal(s.issuer_count, 0);
    config_fini(&s);
    buf_fini(&text);
}

static void every_key_with_its_default(void **state)
{
    (void)state;
    struct buf text = {0}, bare = {0};
    struct config_settings s = {0};
    struct err_detail detail = {0};
    read_example(&text);
    for (struct span rest = buf_span(&text); rest.ptr != NULL;) {
        struct span line = span_cut(&rest, '\n');
        buf_append(&bare, is_commented_out(line) ? span_from(line, 1) : line);
        buf_char(&bare, '\n');
    }
    assert_int_equal(config_defaults(&s), OK);
    if (config_parse(buf_span(&bare), "profiled.conf", &s, &detail) != OK)
        fail_msg("%s", detail.text);
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        const struct config_row *row = config_row((enum config_id)i);
        if (s.values[i].origin != CONFIG_FROM_FILE)
            fail_msg("%s.%s is missing", row->section, row->key);
        if (strcmp(s.values[i].text, row->def) != 0)
            fail_msg("%s.%s: `%s`, and the default is `%s`", row->section, row->key, s.values[i].text,
                     row->def);
    }
    assert_int_equal(s.issuer_count, 1);
    for (int key = 0; key < CONFIG_ISSUER_KEY_COUNT; key++)
        if (s.issuers[0].lines[key] == 0)
            fail_msg("issuer %s is missing", config_issuer_row((enum config_issuer_key)key)->key);
    assert_string_equal(s.issuers[0].scopes, CONFIG_ISSUER_SCOPES);
    config_fini(&s);
    buf_fini(&bare);
    buf_fini(&text);
}

/* The manual names them all too. */
static void the_manual(void **state)
{
    (void)state;
    struct buf text = {0};
    struct err_detail detail = {0};
    if (file_read(SOURCE_DIR "/conf/man/profiled.conf.5", 1 << 20, &text, &detail) != OK)
        fail_msg("%s", detail.text);
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        const struct config_row *row = config_row((enum config_id)i);
        char item[128];
        snprintf(item, sizeof item, "\n.BR %s \" = %s\"\n", row->key, row->def);
        if (strstr(buf_text(&text), item) == NULL)
            fail_msg("profiled.conf.5 lacks%s", item);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_stands),
        cmocka_unit_test(every_key_with_its_default),
        cmocka_unit_test(the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
