/* What a body does to the profile that is there: what stays, what goes, and who may say so. Single quotes
 * stand for double ones in the JSON of the tables. */
#include "profile/json_patch.h"
#include "profile/merge_patch.h"
#include "profile/parse.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SET(field, literal) [PROFILE_FIELD_##field] = SPAN_INIT(literal)

/* bio is private here, and birthdate is public, against their defaults. */
static const struct profile ada = {
    .id = SPAN_INIT("x"),
    .handle = SPAN_INIT("ada"),
    .values =
        {
            SET(name, "Ada"),
            SET(bio, "secret"),
            SET(email, "ada@example.org"),
            SET(email_verified, "true"),
            SET(birthdate, "1815-12-10"),
            SET(address, "{\"country\":\"GB\"}"),
            SET(attributes, "{\"k\":[1,null]}"),
        },
    .private_fields = (PROFILE_PRIVATE_DEFAULT | 1 << PROFILE_FIELD_bio) & ~(1 << PROFILE_FIELD_birthdate),
    .created_ms = 1795425186123,
    .stamps = {{7, 1795425186200}, {9, 1795425186300}},
};

enum { OWNER_ALL = 0, PUBLIC = 1, ADMIN = 2, SUSPENDED = 4, IMPORT = 8, PUBLIC_URL = 16 };

static struct profile current_of(unsigned how)
{
    struct profile p = ada;
    if ((how & SUSPENDED) != 0)
        p.state = PROFILE_SUSPENDED;
    return p;
}

static enum err parse(const json_t *doc, unsigned how, const struct profile *current, struct arena *arena,
                      struct profile *out, struct profile_faults *faults)
{
    const struct profile_rules rules = {
        .current = current,
        .id = SPAN("x"),
        .replace = (how & PUBLIC) != 0 ? PROFILE_REPLACE_PUBLIC : PROFILE_REPLACE_ALL,
        .view = (how & (PUBLIC | PUBLIC_URL)) != 0 ? PROFILE_VIEW_PUBLIC : PROFILE_VIEW_OWNER,
        .admin = (how & ADMIN) != 0,
        .attributes_max = 1000,
        .foreign_stamps = (how & IMPORT) != 0,
    };
    return profile_parse(doc, &rules, arena, out, faults);
}

static json_t *load(const char *quoted)
{
    struct buf text = {0};
    json_t *value;
    for (const char *c = quoted; *c != '\0'; c++)
        buf_char(&text, *c == '\'' ? '"' : *c);
    assert_int_equal(json_load_strict(buf_span(&text), JSON_MAX_DEPTH, &value, NULL), OK);
    buf_fini(&text);
    return value;
}

/* handle, then the fields that are there, each with a minus when private, then "!" when suspended. */
static struct buf summary(const struct profile *p)
{
    struct buf out = {0};
    buf_append(&out, p->handle);
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        if (p->values[i].ptr == NULL)
            continue;
        buf_char(&out, ' ');
        if ((p->private_fields >> i & 1) != 0)
            buf_char(&out, '-');
        buf_append(&out, profile_field_table[i].name);
        buf_char(&out, '=');
        buf_append(&out, p->values[i]);
    }
    if (p->state == PROFILE_SUSPENDED)
        buf_lit(&out, " !");
    return out;
}

struct sample {
    const char *description;
    unsigned how;
    const char *body;
    const char *result; /* the summary, or "fault at POINTER" */
};

static void check(const struct sample *s, const json_t *doc)
{
    const struct profile current = current_of(s->how);
    struct arena arena = {0};
    struct profile p;
    struct profile_faults faults;
    struct buf result = {0};
    enum err e = parse(doc, s->how, &current, &arena, &p, &faults);
    if (e == OK) {
        result = summary(&p);
        assert_true(span_eq(p.id, SPAN("x")));
        assert_int_equal(p.created_ms, ada.created_ms);
        assert_memory_equal(p.stamps, ada.stamps, sizeof p.stamps);
    } else {
        assert_int_equal(e, ERR_INVALID);
        buf_lit(&result, "fault at");
        for (size_t i = 0; i < faults.count; i++)
            buf_printf(&result, " %.*s", SPAN_ARG(faults.list[i].pointer));
    }
    if (strcmp(buf_text(&result), s->result) != 0)
        fail_msg("%s: %s", s->description, buf_text(&result));
    buf_fini(&result);
    arena_fini(&arena);
}

static const struct sample whole_bodies[] = {
    {"all: what is not named goes, but the verdict on an address that is gone too", OWNER_ALL,
     "{'handle':'ada'}", "ada"},
    {"all: the address stays, and so does its verdict", OWNER_ALL,
     "{'handle':'ada','email':'ada@example.org'}", "ada -email=ada@example.org -email_verified=true"},
    {"all: sent as it is", OWNER_ALL, "{'handle':'ada','email':'ada@example.org','email_verified':true}",
     "ada -email=ada@example.org -email_verified=true"},
    {"all: a new address loses it", OWNER_ALL, "{'handle':'ada','email':'new@example.org'}",
     "ada -email=new@example.org"},
    {"all: also when it is sent as it was", OWNER_ALL,
     "{'handle':'ada','email_verified':true,'email':'new@example.org'}", "ada -email=new@example.org"},
    {"all: an address that differs by case is another", OWNER_ALL,
     "{'handle':'ada','email':'Ada@example.org'}", "ada -email=Ada@example.org"},
    {"all: an owner cannot unsay it", OWNER_ALL,
     "{'handle':'ada','email':'ada@example.org','email_verified':false}", "fault at /email_verified"},
    {"all: visibility falls back to the defaults", OWNER_ALL, "{'handle':'ada','bio':'b','birthdate':'1815'}",
     "ada bio=b -birthdate=1815"},
    {"all: visibility as it is named", OWNER_ALL,
     "{'handle':'ada','bio':'b','birthdate':'1815','visibility':{'bio':'private','birthdate':'public'}}",
     "ada -bio=b birthdate=1815"},
    {"all: an admin who does not name it removes it", ADMIN, "{'handle':'ada','email':'ada@example.org'}",
     "ada -email=ada@example.org"},
    {"all: an admin sets it", ADMIN, "{'handle':'ada','email':'new@example.org','email_verified':true}",
     "ada -email=new@example.org -email_verified=true"},
    {"all: an admin unsays it", ADMIN, "{'handle':'ada','email':'ada@example.org','email_verified':false}",
     "ada -email=ada@example.org -email_verified=false"},
    {"all: an admin's, without an address", ADMIN, "{'handle':'ada','email_verified':true}",
     "ada -email_verified=true"},
    {"state stays when not named", OWNER_ALL | SUSPENDED, "{'handle':'ada'}", "ada !"},
    {"state stays when not named, for an admin too", ADMIN | SUSPENDED, "{'handle':'ada'}", "ada !"},
    {"state sent as it is", OWNER_ALL | SUSPENDED, "{'handle':'ada','state':'suspended'}", "ada !"},
    {"an owner cannot free herself", OWNER_ALL | SUSPENDED, "{'handle':'ada','state':'active'}",
     "fault at /state"},
    {"nor suspend herself", OWNER_ALL, "{'handle':'ada','state':'suspended'}", "fault at /state"},
    {"an admin suspends", ADMIN, "{'handle':'ada','state':'suspended'}", "ada !"},
    {"an admin frees", ADMIN | SUSPENDED, "{'handle':'ada','state':'active'}", "ada"},
    {"public: private fields stay, public ones go", PUBLIC, "{'handle':'ada'}",
     "ada -bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"public: a private field that is named is replaced", PUBLIC, "{'handle':'ada','bio':'new','address':{}}",
     "ada -bio=new -email=ada@example.org -email_verified=true -address={}"},
    {"public: a new address loses the verdict", PUBLIC, "{'handle':'ada','email':'new@example.org'}",
     "ada -bio=secret -email=new@example.org -address={\"country\":\"GB\"}"},
    {"public: for an admin too, unless it is named", PUBLIC | ADMIN,
     "{'handle':'ada','email':'new@example.org'}",
     "ada -bio=secret -email=new@example.org -address={\"country\":\"GB\"}"},
    {"public: an admin's not named stays", PUBLIC | ADMIN, "{'handle':'ada'}",
     "ada -bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"public: visibility stays", PUBLIC, "{'handle':'ada','birthdate':'1815'}",
     "ada -bio=secret -email=ada@example.org -email_verified=true birthdate=1815 "
     "-address={\"country\":\"GB\"}"},
    {"public: what was private when it was not named stays, though it is public now", PUBLIC,
     "{'handle':'ada','visibility':{'bio':'public'}}",
     "ada bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"public: what was public and is not named goes, though it is private now", PUBLIC,
     "{'handle':'ada','visibility':{'name':'private'}}",
     "ada -bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"public: null does not remove", PUBLIC, "{'handle':'ada','bio':null}", "fault at /bio"},
    {"public: what it was read as", PUBLIC,
     "{'id':'x','handle':'ada','version':7,'created_at':'2026-11-23T09:13:06.123Z','updated_at':'2026-11-"
     "23T09:13:06.200Z'}",
     "ada -bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"public: what the owner's view was read as", PUBLIC,
     "{'handle':'ada','version':9,'updated_at':'2026-11-23T09:13:06.300Z'}",
     "ada -bio=secret -email=ada@example.org -email_verified=true -address={\"country\":\"GB\"}"},
    {"all: what it was read as", OWNER_ALL,
     "{'handle':'ada','version':9,'created_at':'2026-11-23T09:13:06.123Z','updated_at':'2026-11-23T09:13:06."
     "300Z'}",
     "ada"},
    {"all: not what the public view was read as", OWNER_ALL,
     "{'handle':'ada','version':7,'updated_at':'2026-11-23T09:13:06.200Z'}", "fault at /version /updated_at"},
    {"an old version", PUBLIC, "{'handle':'ada','version':8}", "fault at /version"},
    {"a version as text", PUBLIC, "{'handle':'ada','version':'7'}", "fault at /version"},
    {"a version as a real", PUBLIC, "{'handle':'ada','version':7.0}", "fault at /version"},
    {"null for the version", PUBLIC, "{'handle':'ada','version':null}", "fault at /version"},
    {"another time of creation, for an admin too", ADMIN,
     "{'handle':'ada','created_at':'2026-11-23T09:13:06.124Z'}", "fault at /created_at"},
    {"a time as a number", OWNER_ALL, "{'handle':'ada','created_at':1795425186123}", "fault at /created_at"},
    {"import passes over another database's", ADMIN | IMPORT,
     "{'handle':'ada','version':1234,'created_at':'2001-01-01T00:00:00.000Z','updated_at':null}", "ada"},
    {"the handle may change, and is folded", OWNER_ALL, "{'handle':'AdaKing'}", "adaking"},
    {"the handle cannot go", PUBLIC, "{'name':'Ada'}", "fault at /handle"},
    {"the id cannot change", ADMIN, "{'handle':'ada','id':'y'}", "fault at /id"},
};

static void test_whole_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof whole_bodies / sizeof whole_bodies[0]; i++) {
        json_t *doc = load(whole_bodies[i].body);
        check(&whole_bodies[i], doc);
        json_decref(doc);
    }
}

#define ADA_REST                                                                                             \
    "-email_verified=true birthdate=1815-12-10 -address={\"country\":\"GB\"} attributes={\"k\":[1,null]}"

static const struct sample patches[] = {
    {"nothing", OWNER_ALL, "{}", "ada name=Ada -bio=secret -email=ada@example.org " ADA_REST},
    {"nothing, at the public view's URL", PUBLIC_URL, "{}",
     "ada name=Ada -bio=secret -email=ada@example.org " ADA_REST},
    {"a field goes", OWNER_ALL, "{'name':null}", "ada -bio=secret -email=ada@example.org " ADA_REST},
    {"attributes are merged", OWNER_ALL, "{'attributes':{'k':null,'n':[null]}}",
     "ada name=Ada -bio=secret -email=ada@example.org -email_verified=true birthdate=1815-12-10 "
     "-address={\"country\":\"GB\"} attributes={\"n\":[null]}"},
    {"one visibility", OWNER_ALL, "{'visibility':{'bio':'public'}}",
     "ada name=Ada bio=secret -email=ada@example.org " ADA_REST},
    {"a visibility that goes is the default again", OWNER_ALL, "{'visibility':{'birthdate':null}}",
     "ada name=Ada -bio=secret -email=ada@example.org -email_verified=true -birthdate=1815-12-10 "
     "-address={\"country\":\"GB\"} attributes={\"k\":[1,null]}"},
    {"a new address loses the verdict", OWNER_ALL, "{'email':'new@example.org'}",
     "ada name=Ada -bio=secret -email=new@example.org birthdate=1815-12-10 -address={\"country\":\"GB\"} "
     "attributes={\"k\":[1,null]}"},
    {"no address, no verdict", OWNER_ALL, "{'email':null}",
     "ada name=Ada -bio=secret birthdate=1815-12-10 -address={\"country\":\"GB\"} "
     "attributes={\"k\":[1,null]}"},
    {"an owner cannot remove it", OWNER_ALL, "{'email_verified':null}",
     "ada name=Ada -bio=secret -email=ada@example.org " ADA_REST},
    {"an owner cannot change it", OWNER_ALL, "{'email_verified':false}", "fault at /email_verified"},
    {"nor the state", OWNER_ALL, "{'state':'suspended'}", "fault at /state"},
    {"an admin changes both", ADMIN, "{'state':'suspended','email_verified':null}",
     "ada name=Ada -bio=secret -email=ada@example.org birthdate=1815-12-10 -address={\"country\":\"GB\"} "
     "attributes={\"k\":[1,null]} !"},
    {"a server's member", OWNER_ALL, "{'version':10}", "fault at /version"},
    {"no handle", OWNER_ALL, "{'handle':null}", "fault at /handle"},
    {"an unknown member", OWNER_ALL, "{'foo':'bar'}", "fault at /foo"},
    {"null for an unknown member changes nothing", OWNER_ALL, "{'foo':null}",
     "ada name=Ada -bio=secret -email=ada@example.org " ADA_REST},
    {"no object", OWNER_ALL, "[]", "fault at "},
};

static void test_merge_patches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        const struct profile current = current_of(patches[i].how);
        json_t *target = profile_to_json(&current), *patch = load(patches[i].body), *doc;
        assert_int_equal(profile_merge_patch(target, patch, &doc), OK);
        check(&patches[i], doc);
        json_decref(doc);
        json_decref(patch);
        json_decref(target);
    }
}

static const struct sample json_patches[] = {
    {"a deep test and a change", OWNER_ALL,
     "[{'op':'test','path':'/attributes/k/1','value':null},{'op':'test','path':'/version','value':9},"
     "{'op':'replace','path':'/visibility/bio','value':'public'},{'op':'copy','from':'/handle','path':'/"
     "name'}]",
     "ada name=ada bio=secret -email=ada@example.org " ADA_REST},
    {"a server's member removed is not named", OWNER_ALL, "[{'op':'remove','path':'/version'}]",
     "ada name=Ada -bio=secret -email=ada@example.org " ADA_REST},
    {"an attribute becomes no name", OWNER_ALL, "[{'op':'move','from':'/attributes/k','path':'/name'}]",
     "fault at /name"},
    {"the whole becomes a string", OWNER_ALL, "[{'op':'replace','path':'','value':'x'}]", "fault at "},
};

static void test_json_patches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof json_patches / sizeof json_patches[0]; i++) {
        json_t *target = profile_to_json(&ada), *patch = load(json_patches[i].body), *doc;
        assert_int_equal(profile_json_patch(target, patch, &doc, NULL), OK);
        check(&json_patches[i], doc);
        json_decref(doc);
        json_decref(patch);
        json_decref(target);
    }
}

/* What is read can be written back, in each view, and changes nothing; the current profile may be gone by
 * then. */
static void test_read_and_written_back(void **state)
{
    (void)state;
    static const unsigned hows[] = {OWNER_ALL, PUBLIC, OWNER_ALL | SUSPENDED, ADMIN, PUBLIC | ADMIN};
    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        struct profile current = current_of(hows[i]), p;
        struct arena arena = {0};
        struct profile_faults faults;
        struct buf text = {0};
        json_t *doc;
        profile_view_write(&current, (hows[i] & PUBLIC) != 0 ? PROFILE_VIEW_PUBLIC : PROFILE_VIEW_OWNER,
                           &text);
        assert_int_equal(json_load_strict(buf_span(&text), JSON_MAX_DEPTH, &doc, NULL), OK);
        assert_int_equal(parse(doc, hows[i], &current, &arena, &p, &faults), OK);
        struct buf before = summary(&current), after = summary(&p);
        assert_string_equal(buf_text(&after), buf_text(&before));
        for (size_t f = 0; f < PROFILE_FIELD_COUNT; f++)
            if (p.values[f].len > 0 && profile_field_table[f].kind != PROFILE_FLAG)
                assert_ptr_not_equal(p.values[f].ptr, current.values[f].ptr);
        buf_fini(&before);
        buf_fini(&after);
        json_decref(doc);
        buf_fini(&text);
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_bodies),
        cmocka_unit_test(test_merge_patches),
        cmocka_unit_test(test_json_patches),
        cmocka_unit_test(test_read_and_written_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
