/* Parts of a view: every set of members of every view, held against jansson's reading of the whole; names;
 * and texts that are none. */
#include "profile/part.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#define SET(field, literal) [PROFILE_FIELD_##field] = SPAN_INIT(literal)
#define SLASHES             "\\\\\\\\\\\\"

/* What could lead a walk over the text astray: quotes, backslashes in odd and even numbers, brackets, names
 * of members. */
static const struct profile profiles[] = {
    {.id = SPAN_INIT("x"), .handle = SPAN_INIT("xx"), .stamps = {{1, 1}, {INT64_MAX, 2}}},
    {.id = SPAN_INIT("auth0|a~b:c@d+e"),
     .handle = SPAN_INIT("ada"),
     .values = {SET(name, "\\"), SET(given_name, "\\\\"), SET(family_name, "\""), SET(nickname, ""),
                SET(pronouns, "\\\""), SET(bio, "\",\"picture\":\"forged\",\"x\":\"\n\\\\\\"),
                SET(picture, "https://x/}],{[\""), SET(website, "}"), SET(locale, "{"),
                SET(zoneinfo, "[,]:\""), SET(email, "\",\"id\":\"other"), SET(email_verified, "true"),
                SET(phone_number, "\x01\x1f\x7f"), SET(birthdate, "\xf0\x9f\x98\x80\xe2\x80\xa8"),
                SET(address, "{\"id\":\"no\",\"name\":\"\\\"}\",\"}\":\"{\"}"),
                SET(attributes,
                    "{\"id\":[[[{\"name\":\"]\"}]]],\"name\":{\"a\":[1,-1.5e3,null,false]},\"\":\"" SLASHES
                    "\",\"\\\"\":{}}")},
     .stamps = {{7, 1795425186123}, {9, 1795425186999}}},
    {.id = SPAN_INIT("y"),
     .handle = SPAN_INIT("yy"),
     .values = {SET(name, "n"), SET(attributes, "{}")},
     .private_fields = PROFILE_PRIVATE_DEFAULT,
     .state = PROFILE_SUSPENDED},
};
enum { PROFILES = sizeof profiles / sizeof profiles[0], ALL = (1u << PROFILE_MEMBER_COUNT) - 1 };

static struct span name_of(size_t member)
{
    static struct buf names[PROFILE_MEMBER_COUNT];
    if (names[member].len == 0)
        profile_part_names(UINT32_C(1) << member, &names[member]);
    return buf_span(&names[member]);
}

static json_t *tree(struct span text)
{
    json_t *t = NULL;
    struct err_detail why = {0};
    if (json_load_strict(text, JSON_MAX_DEPTH, &t, &why) != OK)
        fail_msg("%.*s: %s", SPAN_ARG(text), why.text);
    return t;
}

/* The part has just the members of the set that the whole has, of the same values, in the same order. */
static void check(const json_t *whole, struct span text, uint32_t members)
{
    struct buf part = {0};
    size_t expected = 0;
    assert_int_equal(profile_part_write(text, members, &part), OK);
    json_t *got = tree(buf_span(&part));
    void *at = json_object_iter(got);
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++) {
        const struct span name = name_of(i);
        const json_t *value = json_object_getn(whole, name.ptr, name.len);
        if (value == NULL || (members >> i & 1) == 0)
            continue;
        assert_non_null(at);
        assert_true(span_eq(span_of(json_object_iter_key(at), json_object_iter_key_len(at)), name));
        assert_true(json_equal(json_object_iter_value(at), (json_t *)(uintptr_t)value));
        at = json_object_iter_next(got, at);
        expected++;
    }
    assert_int_equal(json_object_size(got), expected);
    json_decref(got);
    buf_fini(&part);
}

/* Each single member, each pair, all but one, and sets drawn at random (of 2^23 there are too many to try
 * each). */
static void test_sets_against_a_parser(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROFILES; i++)
        for (int view = 0; view < PROFILE_VIEW_COUNT; view++) {
            struct buf text = {0};
            uint32_t x = 1;
            profile_view_write(&profiles[i], (enum profile_view)view, &text);
            json_t *whole = tree(buf_span(&text));
            for (size_t a = 0; a < PROFILE_MEMBER_COUNT; a++)
                for (size_t b = a; b < PROFILE_MEMBER_COUNT; b++) {
                    check(whole, buf_span(&text), UINT32_C(1) << a | UINT32_C(1) << b);
                    check(whole, buf_span(&text), ALL & ~(UINT32_C(1) << a | UINT32_C(1) << b));
                }
            for (int n = 0; n < 3000; n++) {
                x = x * 1664525 + 1013904223;
                check(whole, buf_span(&text), x >> 7 & ALL);
            }
            json_decref(whole);
            buf_fini(&text);
        }
}

static void test_all_of_it_is_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROFILES; i++)
        for (int view = 0; view < PROFILE_VIEW_COUNT; view++) {
            struct buf text = {0}, part = {0};
            profile_view_write(&profiles[i], (enum profile_view)view, &text);
            for (int n = 0; n < 2; n++) {
                buf_clear(&part);
                buf_lit(&part, "before");
                assert_int_equal(
                    profile_part_write(buf_span(&text), n == 0 ? ALL : (unsigned)PROFILE_WHOLE, &part), OK);
                assert_true(span_eq(span_from(buf_span(&part), 6), buf_span(&text)));
            }
            buf_fini(&text);
            buf_fini(&part);
        }
}

/* Cut anywhere, or with a byte changed, it is refused or a part of what it then says: never read past its
 * end. */
static void test_texts_that_are_none(void **state)
{
    (void)state;
    struct buf text = {0}, part = {0};
    profile_view_write(&profiles[1], PROFILE_VIEW_OWNER, &text);
    for (size_t len = 0; len < text.len; len++) {
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, text.ptr, len);
        buf_clear(&part);
        buf_lit(&part, "x");
        assert_int_equal(profile_part_write(span_of(exact, len), ALL, &part), ERR_INVALID);
        assert_string_equal(buf_text(&part), "x");
        free(exact);
    }
    static const char bytes[] = "\"\\{}[],:x";
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            char *exact = malloc(text.len);
            assert_non_null(exact);
            memcpy(exact, text.ptr, text.len);
            exact[at] = bytes[i];
            buf_clear(&part);
            if (profile_part_write(span_of(exact, text.len), ALL, &part) == OK)
                assert_true(part.len <= text.len);
            else
                assert_int_equal(part.len, 0);
            free(exact);
        }
    static const char *const others[] = {"",
                                         "{",
                                         "}",
                                         "{}",
                                         "[]",
                                         "null",
                                         "{\"id\"}",
                                         "{\"id\":}",
                                         "{\"id\":1",
                                         "{id:1}",
                                         "{\"x\":1}",
                                         "{\"handle\":1,\"id\":2}",
                                         "{\"id\":1,\"id\":2}",
                                         "{\"id\":\"}",
                                         "{\"id\":[}",
                                         "{ \"id\":1}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        buf_clear(&part);
        if (profile_part_write(span_str(others[i]), ALL, &part) == OK &&
            strcmp(others[i], "{\"id\":}") != 0 && strcmp(others[i], "{}") != 0)
            fail_msg("%s was taken", others[i]);
    }
    buf_fini(&text);
    buf_fini(&part);
}

static void test_names(void **state)
{
    (void)state;
#define B(name) PROFILE_MEMBER_BIT(name)
    static const struct {
        const char *names;
        uint32_t open, owner; /* 0: refused */
        const char *wrong;    /* in the public view */
    } rows[] = {
        {"name", B(id) | B(name), B(id) | B(name), NULL},
        {"name,picture", B(id) | B(name) | B(picture), B(id) | B(name) | B(picture), NULL},
        {"picture,name", B(id) | B(name) | B(picture), B(id) | B(name) | B(picture), NULL},
        {"name,name,id,name", B(id) | B(name), B(id) | B(name), NULL},
        {"id", B(id), B(id), NULL},
        {"email", B(id) | B(email), B(id) | B(email), NULL},
        {"version,updated_at,created_at,handle",
         B(id) | B(handle) | B(version) | B(created_at) | B(updated_at),
         B(id) | B(handle) | B(version) | B(created_at) | B(updated_at), NULL},
        {"visibility", 0, B(id) | B(visibility), "visibility"},
        {"name,state", 0, B(id) | B(name) | B(state), "state"},
        {"", 0, 0, ""},
        {",", 0, 0, ""},
        {"name,", 0, 0, ""},
        {",name", 0, 0, ""},
        {"name,,bio", 0, 0, ""},
        {"Name", 0, 0, "Name"},
        {"nam", 0, 0, "nam"},
        {"names", 0, 0, "names"},
        {"name bio", 0, 0, "name bio"},
        {"name, bio", 0, 0, " bio"},
        {"name;bio", 0, 0, "name;bio"},
        {"address.locality", 0, 0, "address.locality"},
        {"*", 0, 0, "*"},
        {"-name", 0, 0, "-name"},
        {"owner_seq", 0, 0, "owner_seq"},
        {"private", 0, 0, "private"},
    };
#undef B
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t members = 77;
        struct span wrong;
        enum err e = profile_part_parse(span_str(rows[i].names), PROFILE_VIEW_PUBLIC, &members, &wrong);
        assert_int_equal(e, rows[i].open == 0 ? ERR_INVALID : OK);
        assert_int_equal(members, rows[i].open);
        if (e != OK && !span_eq(wrong, span_str(rows[i].wrong)))
            fail_msg("%s: '%.*s' is named", rows[i].names, SPAN_ARG(wrong));
        e = profile_part_parse(span_str(rows[i].names), PROFILE_VIEW_OWNER, &members, &wrong);
        assert_int_equal(e, rows[i].owner == 0 ? ERR_INVALID : OK);
        assert_int_equal(members, rows[i].owner);
    }
    struct span wrong;
    uint32_t members;
    assert_int_equal(profile_part_parse((struct span){NULL, 0}, PROFILE_VIEW_PUBLIC, &members, &wrong),
                     ERR_INVALID);
    struct buf names = {0};
    assert_int_equal(
        profile_part_parse(SPAN("updated_at,bio,handle,name"), PROFILE_VIEW_PUBLIC, &members, &wrong), OK);
    profile_part_names(members, &names);
    assert_string_equal(buf_text(&names), "id,handle,name,bio,updated_at");
    buf_fini(&names);
}

/* The order that the names are listed in is that of the views, with no member left out. */
static void test_the_table_is_the_views(void **state)
{
    (void)state;
    struct buf text = {0};
    profile_view_write(&profiles[1], PROFILE_VIEW_OWNER, &text);
    json_t *whole = tree(buf_span(&text));
    void *at = json_object_iter(whole);
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++, at = json_object_iter_next(whole, at)) {
        assert_non_null(at);
        assert_true(span_eq(span_of(json_object_iter_key(at), json_object_iter_key_len(at)), name_of(i)));
    }
    assert_null(at);
    json_decref(whole);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_against_a_parser),  cmocka_unit_test(test_all_of_it_is_the_whole),
        cmocka_unit_test(test_texts_that_are_none),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_table_is_the_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
