/* From JSON to a profile: each member alone. Single quotes stand for double ones in the JSON of the tables.
 */
#include "profile/parse.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static json_t *load(const char *quoted)
{
    struct buf text = {0};
    json_t *value;
    struct err_detail detail = {{0}};
    for (const char *c = quoted; *c != '\0'; c++)
        buf_char(&text, *c == '\'' ? '"' : *c);
    if (json_load_strict(buf_span(&text), JSON_MAX_DEPTH, &value, &detail) != OK)
        fail_msg("%s: %s", quoted, detail.text);
    buf_fini(&text);
    return value;
}

/* The faults' pointers, one a line. */
static struct buf pointers(const struct profile_faults *faults)
{
    struct buf out = {0};
    for (size_t i = 0; i < faults->count; i++) {
        assert_true(faults->list[i].detail.len > 0);
        buf_append(&out, faults->list[i].pointer);
        buf_char(&out, '\n');
    }
    return out;
}

#define TIMES_10(text) text text text text text text text text text text

static const struct {
    const char *value;  /* of the field, as JSON */
    const char *stored; /* NULL: a fault, at the field itself unless said otherwise */
    const char *pointer;
    enum profile_field field;
} values[] = {
#define KEPT(field, value, stored)                                                                           \
    {                                                                                                        \
        value, stored, NULL, PROFILE_FIELD_##field                                                           \
    }
#define FAULT(field, value)                                                                                  \
    {                                                                                                        \
        value, NULL, "/" #field, PROFILE_FIELD_##field                                                       \
    }
#define FAULT_AT(field, value, where)                                                                        \
    {                                                                                                        \
        value, NULL, "/" #field "/" where, PROFILE_FIELD_##field                                             \
    }
    KEPT(name, "'Ada'", "Ada"),
    KEPT(name, "''", ""),
    KEPT(name, "'Jo\\u0308rg'", "J\u00f6rg"),
    KEPT(name, "'\\ud83d\\ude00'", "\U0001F600"),
    KEPT(given_name, "'\u5c71\u7530'", "\u5c71\u7530"),
    FAULT(name, "null"),
    FAULT(name, "1"),
    FAULT(name, "true"),
    FAULT(name, "[]"),
    FAULT(name, "{}"),
    FAULT(name, "'a\\nb'"),
    FAULT(name, "'a\\u0000b'"),
    FAULT(name, "'a\\u007f'"),
    FAULT(name, "'\\u202eabc'"),
    KEPT(name, "'\\ufffe'", "\xef\xbf\xbe"),
    FAULT(pronouns, "'" TIMES_10("0123456") "'"),
    KEPT(bio, "'a\\r\\nb\\n'", "a\nb\n"),
    FAULT(bio, "'a\\tb'"),
    FAULT(bio, "'a\\rb'"),
    KEPT(picture, "'https://example.org/a.png'", "https://example.org/a.png"),
    FAULT(picture, "'http://example.org/a.png'"),
    FAULT(website, "''"),
    FAULT(website, "'https://ex\u00e4mple.org'"),
    FAULT(website, "['https://example.org']"),
    KEPT(locale, "'pt-BR'", "pt-BR"),
    FAULT(locale, "'pt_BR'"),
    FAULT(locale, "'en-x-aaaaaaaa-bbbbbbbb-cccccccc-dddd'"),
    KEPT(zoneinfo, "'Europe/Berlin'", "Europe/Berlin"),
    FAULT(zoneinfo, "'Europe Berlin'"),
    KEPT(email, "'ada@example.org'", "ada@example.org"),
    KEPT(email, "'jo\\u0308rg@example.org'", "j\u00f6rg@example.org"),
    FAULT(email, "'ada'"),
    KEPT(email_verified, "true", "true"),
    KEPT(email_verified, "false", "false"),
    FAULT(email_verified, "'true'"),
    FAULT(email_verified, "1"),
    FAULT(email_verified, "null"),
    KEPT(phone_number, "'+4930901820'", "+4930901820"),
    FAULT(phone_number, "4930901820"),
    FAULT(phone_number, "'030 901820'"),
    KEPT(birthdate, "'0000-12-10'", "0000-12-10"),
    FAULT(birthdate, "'1815-02-29'"),
    FAULT(birthdate, "1815"),
    KEPT(address, "{}", "{}"),
    KEPT(address, "{'locality':'K\\u006f\\u0308ln','country':'DE'}",
         "{\"locality\":\"K\u00f6ln\",\"country\":\"DE\"}"),
    KEPT(address, "{'formatted':'a\\r\\nb','street_address':'\\''}",
         "{\"formatted\":\"a\\nb\",\"street_address\":\"\\\"\"}"),
    KEPT(address, "{'a\u0308':'x'}", "{\"\u00e4\":\"x\"}"),
    FAULT(address, "'Berlin'"),
    FAULT(address, "[]"),
    FAULT(address, "null"),
    FAULT_AT(address, "{'locality':1}", "locality"),
    FAULT_AT(address, "{'locality':null}", "locality"),
    FAULT_AT(address, "{'locality':{}}", "locality"),
    FAULT_AT(address, "{'locality':'a\\nb'}", "locality"),
    FAULT_AT(address, "{'locality':'\\u2066'}", "locality"),
    FAULT_AT(address, "{'a/b~c':1}", "a~1b~0c"),
    FAULT_AT(address, "{'':'x'}", ""),
    FAULT_AT(address, "{'a\\tb':'x'}", "a\tb"),
    FAULT_AT(address, "{'\u00e4':'x','a\u0308':'y'}", "a\u0308"),
    FAULT_AT(address, "{'" TIMES_10("abcdefg") "':'x'}", TIMES_10("abcdefg")),
    FAULT_AT(address, "{'region':'" TIMES_10(TIMES_10("01234567890")) "'}", "region"),
    FAULT(address,
          "{'region':'" TIMES_10(TIMES_10("012345")) "','locality':'" TIMES_10(TIMES_10("012345")) "'}"),
    FAULT(address,
          "{'a':'','b':'','c':'','d':'','e':'','f':'','g':'','h':'','i':'','j':'','k':'','l':'','m':'',"
          "'n':'','o':'','p':'','q':'','r':'','s':'','t':'','u':''}"),
    KEPT(attributes, "{}", "{}"),
    KEPT(attributes, "{'z':null,'a':[1,1.0,1e3,{'':'Jo\\u0308rg'}],'\\u202e':'\\u0000\\u001f\\ufffe'}",
         "{\"z\":null,\"a\":[1,1.0,1000.0,{\"\":\"Jo\u0308rg\"}],\"\u202e\":\"\\u0000\\u001f\ufffe\"}"),
    KEPT(attributes, "{'x':'" TIMES_10("0123456789012345678") "12'}",
         "{\"x\":\"" TIMES_10("0123456789012345678") "12\"}"), /* 200 bytes: just what is allowed */
    FAULT(attributes, "{'x':'" TIMES_10("0123456789012345678") "123'}"),
    FAULT(attributes, "[]"),
    FAULT(attributes, "'{}'"),
    FAULT(attributes, "null"),
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct profile_rules rules = {.id = SPAN("x"), .admin = true, .attributes_max = 200};
        struct arena arena = {0};
        struct profile p;
        struct profile_faults faults;
        json_t *doc = load("{'handle':'ada'}");
        json_object_set_new(doc, profile_field_table[values[i].field].name.ptr, load(values[i].value));
        enum err e = profile_parse(doc, &rules, &arena, &p, &faults);
        json_decref(doc); /* nothing may point into it */
        struct buf where = pointers(&faults);
        if (e != (values[i].stored == NULL ? ERR_INVALID : OK))
            fail_msg("%s: %s at %s", values[i].value, err_name(e), buf_text(&where));
        if (e == OK) {
            if (!span_eq(p.values[values[i].field], span_str(values[i].stored)))
                fail_msg("%s: stored as %.*s", values[i].value, SPAN_ARG(p.values[values[i].field]));
        } else {
            assert_int_equal(faults.count, 1);
            assert_true(span_eq(faults.list[0].pointer, span_str(values[i].pointer)));
            assert_null(p.handle.ptr);
        }
        buf_fini(&where);
        arena_fini(&arena);
    }
}

/* Bodies of a new profile by somebody who is no admin. */
static const struct {
    const char *description, *body;
    const char *faults; /* pointers, each with a newline */
} bodies[] = {
    {"no more than is needed", "{'handle':'ada'}", ""},
    {"the handle is folded", "{'handle':'ADA'}", ""},
    {"its own id", "{'id':'x','handle':'ada'}", ""},
    {"visibility", "{'handle':'ada','visibility':{'email':'public','name':'private'}}", ""},
    {"the state it will have", "{'handle':'ada','state':'active'}", ""},
    {"an empty object", "{}", "/handle\n"},
    {"an array", "[]", "\n"},
    {"null", "null", "\n"},
    {"a string", "'handle'", "\n"},
    {"null for the handle", "{'handle':null}", "/handle\n"},
    {"a number for the handle", "{'handle':12}", "/handle\n"},
    {"a handle too short", "{'handle':'a'}", "/handle\n"},
    {"a handle with a hyphen", "{'handle':'a-b'}", "/handle\n"},
    {"a handle with U+0000", "{'handle':'ada\\u0000'}", "/handle\n"},
    {"another id", "{'id':'y','handle':'ada'}", "/id\n"},
    {"another id by case", "{'id':'X','handle':'ada'}", "/id\n"},
    {"null for the id", "{'id':null,'handle':'ada'}", "/id\n"},
    {"an id that is none", "{'id':'@x','handle':'ada'}", "/id\n"},
    {"unknown members", "{'handle':'ada','foo':1,'a/b~':null,'':2}", "/foo\n/a~1b~0\n/\n"},
    {"a field in other case", "{'handle':'ada','Name':'Ada'}", "/Name\n"},
    {"an unknown member that is an attribute elsewhere", "{'handle':'ada','__proto__':{}}", "/__proto__\n"},
    {"version", "{'handle':'ada','version':1}", "/version\n"},
    {"times", "{'handle':'ada','created_at':'1970-01-01T00:00:00.000Z','updated_at':null}",
     "/created_at\n/updated_at\n"},
    {"suspended", "{'handle':'ada','state':'suspended'}", "/state\n"},
    {"an unknown state", "{'handle':'ada','state':'Active'}", "/state\n"},
    {"null for the state", "{'handle':'ada','state':null}", "/state\n"},
    {"email_verified", "{'handle':'ada','email':'a@b','email_verified':true}", "/email_verified\n"},
    {"email_verified, false", "{'handle':'ada','email_verified':false}", "/email_verified\n"},
    {"email_verified of a wrong kind: one fault", "{'handle':'ada','email_verified':'yes'}",
     "/email_verified\n"},
    {"visibility as a list", "{'handle':'ada','visibility':['email']}", "/visibility\n"},
    {"null for visibility", "{'handle':'ada','visibility':null}", "/visibility\n"},
    {"visibility of what is always public",
     "{'handle':'ada','visibility':{'handle':'public','id':'private'}}",
     "/visibility/handle\n/visibility/id\n"},
    {"visibility of what is no field", "{'handle':'ada','visibility':{'nam/e':'public','version':'public'}}",
     "/visibility/nam~1e\n/visibility/version\n"},
    {"visibility of other kinds", "{'handle':'ada','visibility':{'name':true,'bio':'Public','email':null}}",
     "/visibility/name\n/visibility/bio\n/visibility/email\n"},
    {"faults in every field at once",
     "{'id':1,'handle':'','name':1,'given_name':1,'family_name':1,'nickname':1,'pronouns':1,'bio':1,'picture'"
     ":1,"
     "'website':1,'locale':1,'zoneinfo':1,'email':1,'email_verified':1,'phone_number':1,'birthdate':1,"
     "'address':{'a':1,'b':2},'attributes':1,'visibility':1,'state':1,'version':1,'created_at':1,'updated_at'"
     ":1,'x':1}",
     "/id\n/handle\n/name\n/given_name\n/family_name\n/nickname\n/pronouns\n/bio\n/picture\n/website\n/"
     "locale\n/zoneinfo\n"
     "/email\n/email_verified\n/phone_number\n/birthdate\n/address/a\n/address/b\n/attributes\n/visibility\n/"
     "state\n"
     "/version\n/created_at\n/updated_at\n/x\n"},
};

static void test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct profile_rules rules = {.id = SPAN("x"), .attributes_max = 200};
        struct arena arena = {0};
        struct profile p;
        struct profile_faults faults;
        json_t *doc = load(bodies[i].body);
        enum err e = profile_parse(doc, &rules, &arena, &p, &faults);
        json_decref(doc);
        struct buf where = pointers(&faults);
        if (strcmp(buf_text(&where), bodies[i].faults) != 0)
            fail_msg("%s: %s at %s", bodies[i].description, err_name(e), buf_text(&where));
        assert_int_equal(e, bodies[i].faults[0] == '\0' ? OK : ERR_INVALID);
        if (e == OK) {
            assert_true(span_eq(p.id, SPAN("x")));
            assert_true(span_eq(p.handle, SPAN("ada")));
            assert_int_equal(p.state, PROFILE_ACTIVE);
        }
        buf_fini(&where);
        arena_fini(&arena);
    }
}

static void test_id(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        struct span rule, id; /* id absent, with body's faults */
        enum err outcome;
    } cases[] = {
        {"{'handle':'ada'}", {NULL, 0}, {NULL, 0}, OK},
        {"{'id':'auth0|7','handle':'ada'}", {NULL, 0}, SPAN_INIT("auth0|7"), OK},
        {"{'id':'auth0|7','handle':'ada'}", SPAN_INIT("auth0|7"), SPAN_INIT("auth0|7"), OK},
        {"{'id':'query','handle':'ada'}", {NULL, 0}, {NULL, 0}, ERR_INVALID},
        {"{'id':'','handle':'ada'}", {NULL, 0}, {NULL, 0}, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct profile_rules rules = {.id = cases[i].rule};
        struct arena arena = {0};
        struct profile p;
        struct profile_faults faults;
        json_t *doc = load(cases[i].body);
        assert_int_equal(profile_parse(doc, &rules, &arena, &p, &faults), cases[i].outcome);
        json_decref(doc);
        assert_int_equal(p.id.ptr == NULL, cases[i].id.ptr == NULL);
        assert_true(span_eq(p.id, cases[i].id));
        arena_fini(&arena);
    }
}

/* More faults than there is room for, and huge names in them. */
static void test_many_faults(void **state)
{
    (void)state;
    const struct profile_rules rules = {.id = SPAN("x")};
    struct arena arena = {0};
    struct profile p;
    struct profile_faults faults;
    json_t *doc = json_object();
    char *name = malloc(100000);
    assert_non_null(name);
    memset(name, '~', 100000);
    for (size_t i = 0; i < 50; i++)
        json_object_setn_new(doc, name, 99950 + i, json_null());
    assert_int_equal(profile_parse(doc, &rules, &arena, &p, &faults), ERR_INVALID);
    assert_int_equal(faults.count, PROFILE_MAX_FAULTS);
    assert_int_equal(faults.list[3].pointer.len, 1 + 2 * 99953);
    json_decref(doc);
    free(name);
    arena_fini(&arena);
}

/* A fault tells what would be right and repeats nothing of what was sent. */
static void test_details(void **state)
{
    (void)state;
    static const struct {
        const char *body, *detail;
    } cases[] = {
        {"{'handle':'Not A Handle'}", "must be 2 to 30 of a-z 0-9 _"},
        {"{}", "is required: 2 to 30 of a-z 0-9 _"},
        {"{'handle':'ada','pronouns':'" TIMES_10("secret!") "'}", "may have at most 64 characters"},
        {"{'handle':'ada','email':'secret'}", "must be a mailbox by RFC 5321, as in \"ada@example.org\""},
        {"{'handle':'ada','attributes':{'secret':'" TIMES_10(TIMES_10("secret")) "'}}",
         "may have at most 200 bytes as compact JSON"},
        {"{'handle':'ada','secret':1}",
         "is no member of a profile: members of your own belong in attributes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct profile_rules rules = {.attributes_max = 200};
        struct arena arena = {0};
        struct profile p;
        struct profile_faults faults;
        json_t *doc = load(cases[i].body);
        assert_int_equal(profile_parse(doc, &rules, &arena, &p, &faults), ERR_INVALID);
        json_decref(doc);
        assert_int_equal(faults.count, 1);
        assert_string_equal(faults.list[0].detail.ptr, cases[i].detail);
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_bodies),  cmocka_unit_test(test_id),
        cmocka_unit_test(test_many_faults), cmocka_unit_test(test_details),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
