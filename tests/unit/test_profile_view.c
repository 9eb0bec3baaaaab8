/* Both views as text, and the owner's as a tree. */
#include "profile/parse.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SET(field, literal) [PROFILE_FIELD_##field] = SPAN_INIT(literal)

static const struct profile full = {
    .id = SPAN_INIT("auth0|ada"),
    .handle = SPAN_INIT("ada"),
    .values =
        {
            SET(name, "Ada \"Countess\" Lovelace"),
            SET(given_name, "Ada"),
            SET(family_name, "Lovelace"),
            SET(nickname, ""),
            SET(pronouns, "she/her"),
            SET(bio, "one\ntwo\\"),
            SET(picture, "https://example.org/a.png"),
            SET(website, "https://example.org/"),
            SET(locale, "en-GB"),
            SET(zoneinfo, "Europe/London"),
            SET(email, "ada@example.org"),
            SET(email_verified, "true"),
            SET(phone_number, "+442071234567"),
            SET(birthdate, "1815-12-10"),
            SET(address, "{\"locality\":\"London\"}"),
            SET(attributes, "{\"b\":null,\"a\":[1,1.5,{}]}"),
        },
    .private_fields = PROFILE_PRIVATE_DEFAULT | 1 << PROFILE_FIELD_locale,
    .state = PROFILE_SUSPENDED,
    .created_ms = 0,
    .stamps = {{7, 1795425186123}, {9, 1795425186999}},
};

static const struct profile bare = {
    .id = SPAN_INIT("x"), .handle = SPAN_INIT("xx"), .stamps = {{1, 1}, {INT64_MAX, 2}}};

static const char full_public[] =
    "{\"id\":\"auth0|ada\",\"handle\":\"ada\",\"name\":\"Ada \\\"Countess\\\" "
    "Lovelace\",\"given_name\":\"Ada\","
    "\"family_name\":\"Lovelace\",\"nickname\":\"\",\"pronouns\":\"she/her\",\"bio\":\"one\\ntwo\\\\\","
    "\"picture\":\"https://example.org/a.png\",\"website\":\"https://example.org/\",\"zoneinfo\":\"Europe/"
    "London\","
    "\"attributes\":{\"b\":null,\"a\":[1,1.5,{}]},\"version\":7,\"created_at\":\"1970-01-01T00:00:00.000Z\","
    "\"updated_at\":\"2026-11-23T09:13:06.123Z\"}";

static const char full_owner[] =
    "{\"id\":\"auth0|ada\",\"handle\":\"ada\",\"name\":\"Ada \\\"Countess\\\" "
    "Lovelace\",\"given_name\":\"Ada\","
    "\"family_name\":\"Lovelace\",\"nickname\":\"\",\"pronouns\":\"she/her\",\"bio\":\"one\\ntwo\\\\\","
    "\"picture\":\"https://example.org/a.png\",\"website\":\"https://example.org/\",\"locale\":\"en-GB\","
    "\"zoneinfo\":\"Europe/London\",\"email\":\"ada@example.org\",\"email_verified\":true,"
    "\"phone_number\":\"+442071234567\",\"birthdate\":\"1815-12-10\",\"address\":{\"locality\":\"London\"},"
    "\"attributes\":{\"b\":null,\"a\":[1,1.5,{}]},"
    "\"visibility\":{\"name\":\"public\",\"given_name\":\"public\",\"family_name\":\"public\",\"nickname\":"
    "\"public\","
    "\"pronouns\":\"public\",\"bio\":\"public\",\"picture\":\"public\",\"website\":\"public\",\"locale\":"
    "\"private\","
    "\"zoneinfo\":\"public\",\"email\":\"private\",\"email_verified\":\"private\",\"phone_number\":"
    "\"private\","
    "\"birthdate\":\"private\",\"address\":\"private\",\"attributes\":\"public\"},\"state\":\"suspended\","
    "\"version\":9,\"created_at\":\"1970-01-01T00:00:00.000Z\",\"updated_at\":\"2026-11-23T09:13:06.999Z\"}";

static const char bare_public[] =
    "{\"id\":\"x\",\"handle\":\"xx\",\"version\":1,\"created_at\":\"1970-01-01T00:00:00."
    "000Z\",\"updated_at\":\"1970-01-01T00:00:00.001Z\"}";

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const struct profile *profile;
        enum profile_view view;
        const char *text;
    } cases[] = {
        {&full, PROFILE_VIEW_PUBLIC, full_public},
        {&full, PROFILE_VIEW_OWNER, full_owner},
        {&bare, PROFILE_VIEW_PUBLIC, bare_public},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        profile_view_write(cases[i].profile, cases[i].view, &out);
        assert_string_equal(buf_text(&out), cases[i].text);
        assert_int_equal(out.len, strlen(cases[i].text));
        buf_fini(&out);
    }
}

/* Nothing of a private field, not even its name, stands in the public view, whichever fields are private. */
static void test_nothing_leaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        struct profile p = full;
        struct buf out = {0};
        json_t *doc;
        p.private_fields = UINT32_C(1) << i;
        profile_view_write(&p, PROFILE_VIEW_PUBLIC, &out);
        assert_int_equal(json_load_strict(buf_span(&out), JSON_MAX_DEPTH, &doc, NULL), OK);
        assert_null(json_object_get(doc, profile_field_table[i].name.ptr));
        assert_null(json_object_get(doc, "visibility"));
        assert_null(json_object_get(doc, "state"));
        assert_int_equal(json_object_size(doc), 2 + PROFILE_FIELD_COUNT - 1 + 3);
        json_decref(doc);
        buf_fini(&out);
    }
}

static void test_limit(void **state)
{
    (void)state;
    struct buf out = {.limit = 100};
    profile_view_write(&full, PROFILE_VIEW_OWNER, &out);
    assert_int_equal(buf_status(&out), ERR_TOO_LARGE);
    buf_fini(&out);
}

static void test_tree(void **state)
{
    (void)state;
    static const struct profile *const profiles[] = {&full, &bare};
    for (size_t i = 0; i < 2; i++) {
        struct buf out = {0};
        json_t *read, *tree = profile_to_json(profiles[i]);
        assert_non_null(tree);
        profile_view_write(profiles[i], PROFILE_VIEW_OWNER, &out);
        assert_int_equal(json_load_strict(buf_span(&out), JSON_MAX_DEPTH, &read, NULL), OK);
        assert_true(json_equal(tree, read));
        json_decref(read);
        json_decref(tree);
        buf_fini(&out);
    }
}

static void test_tree_of_broken_text(void **state)
{
    (void)state;
    struct profile p = full;
    p.values[PROFILE_FIELD_attributes] = SPAN("{\"a\":");
    assert_null(profile_to_json(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_nothing_leaks),       cmocka_unit_test(test_limit),
        cmocka_unit_test(test_tree), cmocka_unit_test(test_tree_of_broken_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
