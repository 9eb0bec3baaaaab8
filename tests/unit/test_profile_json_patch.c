/* RFC 6902: its appendix A, then each rule with what breaks it. Single quotes stand for double ones
 * throughout. */
#include "profile/json_patch.h"
#include "json/load.h"
#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct sample {
    const char *description, *target, *patch;
    const char *result; /* NULL: it fails */
    enum err outcome;
};
#define GIVES(description, target, patch, result)                                                            \
    {                                                                                                        \
        description, target, patch, result, OK                                                               \
    }
#define FAILS(description, target, patch)                                                                    \
    {                                                                                                        \
        description, target, patch, NULL, ERR_CONFLICT                                                       \
    }
#define BAD(description, target, patch)                                                                      \
    {                                                                                                        \
        description, target, patch, NULL, ERR_INVALID                                                        \
    }

static const struct sample appendix[] = {
    GIVES("A.1", "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]", "{'foo':'bar','baz':'qux'}"),
    GIVES("A.2", "{'foo':['bar','baz']}", "[{'op':'add','path':'/foo/1','value':'qux'}]",
          "{'foo':['bar','qux','baz']}"),
    GIVES("A.3", "{'baz':'qux','foo':'bar'}", "[{'op':'remove','path':'/baz'}]", "{'foo':'bar'}"),
    GIVES("A.4", "{'foo':['bar','qux','baz']}", "[{'op':'remove','path':'/foo/1'}]", "{'foo':['bar','baz']}"),
    GIVES("A.5", "{'baz':'qux','foo':'bar'}", "[{'op':'replace','path':'/baz','value':'boo'}]",
          "{'baz':'boo','foo':'bar'}"),
    GIVES("A.6", "{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
          "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
          "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}"),
    GIVES("A.7", "{'foo':['all','grass','cows','eat']}", "[{'op':'move','from':'/foo/1','path':'/foo/3'}]",
          "{'foo':['all','cows','eat','grass']}"),
    GIVES("A.8", "{'baz':'qux','foo':['a',2,'c']}",
          "[{'op':'test','path':'/baz','value':'qux'},{'op':'test','path':'/foo/1','value':2}]",
          "{'baz':'qux','foo':['a',2,'c']}"),
    FAILS("A.9", "{'baz':'qux'}", "[{'op':'test','path':'/baz','value':'bar'}]"),
    GIVES("A.10", "{'foo':'bar'}", "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
          "{'foo':'bar','child':{'grandchild':{}}}"),
    GIVES("A.11", "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','xyz':123}]",
          "{'foo':'bar','baz':'qux'}"),
    FAILS("A.12", "{'foo':'bar'}", "[{'op':'add','path':'/baz/bat','value':'qux'}]"),
    /* A.13 has "op" twice, which the reader of JSON refuses; a later "op" in other case is another member */
    GIVES("A.13", "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','OP':'remove'}]",
          "{'foo':'bar','baz':'qux'}"),
    GIVES("A.14", "{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':10}]", "{'/':9,'~1':10}"),
    FAILS("A.15", "{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':'10'}]"),
    GIVES("A.16", "{'foo':['bar']}", "[{'op':'add','path':'/foo/-','value':['abc','def']}]",
          "{'foo':['bar',['abc','def']]}"),
};

static const struct sample documents[] = {
    GIVES("no operation", "{}", "[]", "{}"),
    BAD("an object is no patch", "{}", "{}"),
    BAD("null is no patch", "{}", "null"),
    BAD("an operation is an object", "{}", "['add']"),
    BAD("null is no operation", "{}", "[null]"),
    BAD("op is missing", "{}", "[{'path':'/a','value':1}]"),
    BAD("op is no string", "{}", "[{'op':1,'path':'/a','value':1}]"),
    BAD("op is unknown", "{}", "[{'op':'spam','path':'/a','value':1}]"),
    BAD("op in other case", "{}", "[{'op':'Add','path':'/a','value':1}]"),
    BAD("op with a tail", "{}", "[{'op':'add\\u0000','path':'/a','value':1}]"),
    BAD("path is missing", "{}", "[{'op':'add','value':1}]"),
    BAD("path is null", "{}", "[{'op':'add','path':null,'value':1}]"),
    BAD("path is an array", "{}", "[{'op':'add','path':['a'],'value':1}]"),
    BAD("path without a slash", "{'foo':1}", "[{'op':'test','path':'foo','value':1}]"),
    BAD("path as a fragment", "{'foo':1}", "[{'op':'test','path':'#/foo','value':1}]"),
    BAD("a tilde alone", "{'~':1}", "[{'op':'test','path':'/~','value':1}]"),
    BAD("an unknown escape", "{'~2':1}", "[{'op':'test','path':'/~2','value':1}]"),
    BAD("a tilde before a slash", "{'~':{'a':1}}", "[{'op':'test','path':'/~/a','value':1}]"),
    BAD("U+0000 in a path", "{}", "[{'op':'add','path':'/a\\u0000','value':1}]"),
    BAD("U+0000 in a from", "{'a':1}", "[{'op':'copy','from':'/a\\u0000','path':'/b'}]"),
    BAD("add without value", "{}", "[{'op':'add','path':'/a'}]"),
    BAD("replace without value", "{'a':1}", "[{'op':'replace','path':'/a'}]"),
    BAD("test without value", "{'a':null}", "[{'op':'test','path':'/a'}]"),
    BAD("test without value where there is nothing", "{}", "[{'op':'test','path':'/a'}]"),
    BAD("move without from", "{'a':1}", "[{'op':'move','path':'/a'}]"),
    BAD("copy without from", "{'a':1}", "[{'op':'copy','path':'/a'}]"),
    BAD("from is null", "{'a':1}", "[{'op':'copy','from':null,'path':'/b'}]"),
    BAD("from without a slash", "{'a':1}", "[{'op':'move','from':'a','path':'/b'}]"),
    BAD("a move into itself", "{'a':{'b':1}}", "[{'op':'move','from':'/a','path':'/a/b'}]"),
    BAD("a move of the whole into itself", "{'a':1}", "[{'op':'move','from':'','path':'/a'}]"),
    BAD("what is malformed counts before what fails", "{}",
        "[{'op':'remove','path':'/a'},{'op':'spam','path':''}]"),
    GIVES("a name that begins alike is no child", "{'a':1}", "[{'op':'move','from':'/a','path':'/ab'}]",
          "{'ab':1}"),
    GIVES("value and from are ignored where not needed", "{'a':1,'b':2}",
          "[{'op':'remove','path':'/a','value':1,'from':5}]", "{'b':2}"),
};

static const struct sample pointers[] = {
    GIVES("RFC 6901 section 5",
          "{'foo':['bar','baz'],'':0,'a/b':1,'c%d':2,'e^f':3,'g|h':4,'i\\\\j':5,'k\\'l':6,' ':7,'m~n':8}",
          "[{'op':'test','path':'/foo','value':['bar','baz']},{'op':'test','path':'/foo/0','value':'bar'},"
          "{'op':'test','path':'/','value':0},{'op':'test','path':'/a~1b','value':1},{'op':'test','path':'/"
          "c%d','value':2},"
          "{'op':'test','path':'/e^f','value':3},{'op':'test','path':'/g|h','value':4},{'op':'test','path':'/"
          "i\\\\j','value':5},"
          "{'op':'test','path':'/k\\'l','value':6},{'op':'test','path':'/ "
          "','value':7},{'op':'test','path':'/m~0n','value':8},"
          "{'op':'replace','path':'','value':true}]",
          "true"),
    GIVES("empty names below each other", "{'':{'':1}}", "[{'op':'replace','path':'//','value':2}]",
          "{'':{'':2}}"),
    GIVES("a trailing slash is an empty name", "{'foo':{}}", "[{'op':'add','path':'/foo/','value':1}]",
          "{'foo':{'':1}}"),
    GIVES("escapes in a name that is made", "{}", "[{'op':'add','path':'/~01~1~0','value':1}]", "{'~1/~':1}"),
    GIVES("escapes on the way", "{'a/b':{'~':[1]}}", "[{'op':'remove','path':'/a~1b/~0/0'}]",
          "{'a/b':{'~':[]}}"),
    GIVES("a percent sign stays", "{'a':1}", "[{'op':'add','path':'/%61','value':2}]", "{'a':1,'%61':2}"),
    GIVES("digits and - as names", "{'0':1}",
          "[{'op':'add','path':'/-','value':2},{'op':'replace','path':'/0','value':3},"
          "{'op':'remove','path':'/-'}]",
          "{'0':3}"),
    GIVES("names differ by case", "{'foo':'bar'}", "[{'op':'add','path':'/FOO','value':'BAR'}]",
          "{'foo':'bar','FOO':'BAR'}"),
    FAILS("a scalar has no members", "{'a':'text'}", "[{'op':'add','path':'/a/b','value':1}]"),
    FAILS("a scalar has no elements", "{'a':'text'}", "[{'op':'test','path':'/a/0','value':'t'}]"),
    FAILS("null has no members", "{'a':null}", "[{'op':'add','path':'/a/b','value':1}]"),
    FAILS("an array has no names", "{'a':[]}", "[{'op':'add','path':'/a/b','value':1}]"),
    FAILS("an array has no empty name", "{'a':[1]}", "[{'op':'add','path':'/a/','value':1}]"),
    FAILS("nothing on the way", "{}", "[{'op':'add','path':'/a/b/c','value':1}]"),
    FAILS("a name in an array on the way", "{'a':[{'b':1}]}", "[{'op':'test','path':'/a/x/b','value':1}]"),
};

static const struct sample indexes[] = {
    GIVES("add at 0", "[1]", "[{'op':'add','path':'/0','value':0}]", "[0,1]"),
    GIVES("add at the end", "[1]", "[{'op':'add','path':'/1','value':2}]", "[1,2]"),
    GIVES("add behind the end", "[1]", "[{'op':'add','path':'/-','value':2}]", "[1,2]"),
    GIVES("add to an empty array", "[]", "[{'op':'add','path':'/0','value':2}]", "[2]"),
    GIVES("remove twice", "[1,2,3]", "[{'op':'remove','path':'/0'},{'op':'remove','path':'/0'}]", "[3]"),
    GIVES("replace an element", "[1,2]", "[{'op':'replace','path':'/0','value':[{}]}]", "[[{}],2]"),
    GIVES("deep", "[[[1]]]",
          "[{'op':'add','path':'/0/0/-','value':2},{'op':'test','path':'/0/0/1','value':2}]", "[[[1,2]]]"),
    FAILS("add past the end", "[1]", "[{'op':'add','path':'/2','value':2}]"),
    FAILS("a negative index", "[1]", "[{'op':'add','path':'/-1','value':2}]"),
    FAILS("a plus sign", "[1]", "[{'op':'add','path':'/+0','value':2}]"),
    FAILS("leading zeros", "[1,2]", "[{'op':'test','path':'/01','value':2}]"),
    FAILS("two zeros", "[1]", "[{'op':'test','path':'/00','value':1}]"),
    FAILS("an exponent", "[1,2]", "[{'op':'test','path':'/1e0','value':2}]"),
    FAILS("add at an exponent", "[1]", "[{'op':'add','path':'/1e0','value':2}]"),
    FAILS("remove at an exponent", "[1,2]", "[{'op':'remove','path':'/1e0'}]"),
    FAILS("replace at an exponent", "[1,2]", "[{'op':'replace','path':'/1e0','value':2}]"),
    FAILS("copy from an exponent", "[1,2]", "[{'op':'copy','from':'/1e0','path':'/0'}]"),
    FAILS("move from an exponent", "[1,2]", "[{'op':'move','from':'/1e0','path':'/0'}]"),
    FAILS("a fraction", "[1]", "[{'op':'test','path':'/0.0','value':1}]"),
    FAILS("a space", "[1]", "[{'op':'test','path':'/ 0','value':1}]"),
    FAILS("digits of another script", "[1]", "[{'op':'test','path':'/\\u0660','value':1}]"),
    FAILS("an index of many digits", "[1]", "[{'op':'test','path':'/18446744073709551616','value':1}]"),
    FAILS("2 to the 64 less 1", "[1]", "[{'op':'add','path':'/18446744073709551615','value':1}]"),
    FAILS("test at -", "[1]", "[{'op':'test','path':'/-','value':1}]"),
    FAILS("remove at -", "[1]", "[{'op':'remove','path':'/-'}]"),
    FAILS("replace at -", "[1]", "[{'op':'replace','path':'/-','value':2}]"),
    FAILS("copy from -", "[1]", "[{'op':'copy','from':'/-','path':'/0'}]"),
    FAILS("move from -", "[1]", "[{'op':'move','from':'/-','path':'/0'}]"),
    FAILS("- on the way", "[[1]]", "[{'op':'add','path':'/-/0','value':2}]"),
    FAILS("remove from an empty array", "[]", "[{'op':'remove','path':'/0'}]"),
    FAILS("replace in an empty array", "[]", "[{'op':'replace','path':'/0','value':1}]"),
    FAILS("remove behind the end", "[1]", "[{'op':'remove','path':'/1'}]"),
};

static const struct sample operations[] = {
    GIVES("add replaces a member where it stands", "{'a':1,'b':2}",
          "[{'op':'add','path':'/a','value':{'c':[]}}]", "{'a':{'c':[]},'b':2}"),
    GIVES("add null", "{'a':1}", "[{'op':'add','path':'/b','value':null}]", "{'a':1,'b':null}"),
    GIVES("add true and false", "{}",
          "[{'op':'add','path':'/t','value':true},{'op':'add','path':'/f','value':false}]",
          "{'t':true,'f':false}"),
    GIVES("add the whole", "{'a':1}", "[{'op':'add','path':'','value':{'b':2}}]", "{'b':2}"),
    GIVES("replace the whole", "{'a':1}",
          "[{'op':'replace','path':'','value':[1]},{'op':'add','path':'/0','value':0}]", "[0,1]"),
    GIVES("replace a scalar document", "'a'", "[{'op':'replace','path':'','value':'b'}]", "'b'"),
    GIVES("replace null", "{'a':null}", "[{'op':'replace','path':'/a','value':1}]", "{'a':1}"),
    GIVES("replace by null", "{'a':1}", "[{'op':'replace','path':'/a','value':null}]", "{'a':null}"),
    FAILS("replace what is not there", "{'a':1}", "[{'op':'replace','path':'/b','value':1}]"),
    FAILS("replace below what is not there", "{'a':1}", "[{'op':'replace','path':'/b/c','value':1}]"),
    GIVES("remove null", "{'a':null}", "[{'op':'remove','path':'/a'}]", "{}"),
    FAILS("remove what is not there", "{'a':1}", "[{'op':'remove','path':'/b'}]"),
    FAILS("remove twice", "{'a':1}", "[{'op':'remove','path':'/a'},{'op':'remove','path':'/a'}]"),
    FAILS("remove the whole", "{'a':1}", "[{'op':'remove','path':''}]"),
    GIVES("move a null", "{'a':null}", "[{'op':'move','from':'/a','path':'/b'}]", "{'b':null}"),
    GIVES("move onto itself", "{'a':1,'b':2}", "[{'op':'move','from':'/a','path':'/a'}]", "{'a':1,'b':2}"),
    GIVES("move the whole onto itself", "{'a':1}", "[{'op':'move','from':'','path':''}]", "{'a':1}"),
    GIVES("move up over its parent", "{'a':{'b':[1]}}", "[{'op':'move','from':'/a/b','path':'/a'}]",
          "{'a':[1]}"),
    GIVES("move up to be the whole", "{'a':{'b':[1]}}", "[{'op':'move','from':'/a','path':''}]", "{'b':[1]}"),
    GIVES("move from an array to an object", "{'a':[1,2],'b':{}}",
          "[{'op':'move','from':'/a/0','path':'/b/c'}]", "{'a':[2],'b':{'c':1}}"),
    GIVES("the index counts after the removal", "['a','b','c']", "[{'op':'move','from':'/0','path':'/2'}]",
          "['b','c','a']"),
    GIVES("move to the end", "['a','b','c']", "[{'op':'move','from':'/0','path':'/-'}]", "['b','c','a']"),
    FAILS("move past the end that the removal left", "['a','b']", "[{'op':'move','from':'/0','path':'/2'}]"),
    FAILS("move what is not there", "{'a':1}", "[{'op':'move','from':'/b','path':'/c'}]"),
    FAILS("move what is not there onto itself", "{'a':1}", "[{'op':'move','from':'/b','path':'/b'}]"),
    FAILS("move to a place that is not there", "{'a':1}", "[{'op':'move','from':'/a','path':'/b/c'}]"),
    FAILS("move into what slid into its place, a scalar", "[[1],2]",
          "[{'op':'move','from':'/0','path':'/0x/0'}]"),
    GIVES("copy null", "{'a':null}", "[{'op':'copy','from':'/a','path':'/b'}]", "{'a':null,'b':null}"),
    GIVES("copy into itself", "{'a':{'b':1}}", "[{'op':'copy','from':'/a','path':'/a/c'}]",
          "{'a':{'b':1,'c':{'b':1}}}"),
    GIVES("copy the whole", "{'a':1}", "[{'op':'copy','from':'','path':'/b'}]", "{'a':1,'b':{'a':1}}"),
    GIVES("a copy is its own", "{'a':[1]}",
          "[{'op':'copy','from':'/a','path':'/b'},{'op':'add','path':'/b/-','value':2}]",
          "{'a':[1],'b':[1,2]}"),
    GIVES("copy inserts into an array", "['a','b']", "[{'op':'copy','from':'/1','path':'/0'}]",
          "['b','a','b']"),
    FAILS("copy what is not there", "{'a':1}", "[{'op':'copy','from':'/b','path':'/c'}]"),
    FAILS("copy to a place that is not there", "{'a':1}", "[{'op':'copy','from':'/a','path':'/b/c'}]"),
    GIVES("a value of the patch is its own", "{}",
          "[{'op':'add','path':'/a','value':{'x':[]}},{'op':'add','path':'/a/x/"
          "-','value':1},{'op':'test','path':'/a','value':{'x':[1]}}]",
          "{'a':{'x':[1]}}"),
};

static const struct sample tests[] = {
    GIVES("an object in other order", "{'a':{'x':1,'y':[2]}}",
          "[{'op':'test','path':'/a','value':{'y':[2],'x':1}}]", "{'a':{'x':1,'y':[2]}}"),
    GIVES("the whole", "{'a':1}", "[{'op':'test','path':'','value':{'a':1}}]", "{'a':1}"),
    GIVES("numbers by value", "[1,1.0,100,-0.0,0.1]",
          "[{'op':'test','path':'/0','value':1.0},{'op':'test','path':'/1','value':1},{'op':'test','path':'/"
          "2','value':1e2},"
          "{'op':'test','path':'/3','value':0},{'op':'test','path':'/4','value':1e-1}]",
          "[1,1.0,100,-0.0,0.1]"),
    GIVES("the largest integers", "[9223372036854775807,-9223372036854775808]",
          "[{'op':'test','path':'/0','value':9223372036854775807},{'op':'test','path':'/"
          "1','value':-9223372036854775808.0}]",
          "[9223372036854775807,-9223372036854775808]"),
    GIVES("null", "{'a':null}", "[{'op':'test','path':'/a','value':null}]", "{'a':null}"),
    FAILS("null and nothing", "{}", "[{'op':'test','path':'/a','value':null}]"),
    FAILS("null and false", "{'a':false}", "[{'op':'test','path':'/a','value':null}]"),
    FAILS("true and false", "{'a':false}", "[{'op':'test','path':'/a','value':true}]"),
    FAILS("a number and its text", "{'a':1}", "[{'op':'test','path':'/a','value':'1'}]"),
    FAILS("1 and 1.5", "{'a':1}", "[{'op':'test','path':'/a','value':1.5}]"),
    FAILS("integers a double cannot tell apart", "{'a':9007199254740993}",
          "[{'op':'test','path':'/a','value':9007199254740992.0}]"),
    FAILS("2 to the 63 is no 64-bit integer", "{'a':9223372036854775807}",
          "[{'op':'test','path':'/a','value':9223372036854775808.0}]"),
    FAILS("a huge double", "{'a':1}", "[{'op':'test','path':'/a','value':1e300}]"),
    FAILS("a name less", "{'a':{'x':1,'y':2}}", "[{'op':'test','path':'/a','value':{'x':1}}]"),
    FAILS("a name more", "{'a':{'x':1}}", "[{'op':'test','path':'/a','value':{'x':1,'y':2}}]"),
    FAILS("another name", "{'a':{'x':null}}", "[{'op':'test','path':'/a','value':{'y':null}}]"),
    FAILS("an element more", "{'a':[1]}", "[{'op':'test','path':'/a','value':[1,2]}]"),
    FAILS("elements in other order", "{'a':[1,2]}", "[{'op':'test','path':'/a','value':[2,1]}]"),
    FAILS("an array and an object", "{'a':[]}", "[{'op':'test','path':'/a','value':{}}]"),
    FAILS("strings by code points, not by normal form", "{'a':'\\u00e9'}",
          "[{'op':'test','path':'/a','value':'e\\u0301'}]"),
    FAILS("strings beyond U+0000", "{'a':'x\\u0000y'}", "[{'op':'test','path':'/a','value':'x\\u0000z'}]"),
    FAILS("case", "{'a':'X'}", "[{'op':'test','path':'/a','value':'x'}]"),
    FAILS("a later test undoes what came before", "{'a':1}",
          "[{'op':'add','path':'/b','value':2},{'op':'test','path':'/a','value':2}]"),
};

/* Parsed from text with ' for ". */
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

static struct buf text_of(const json_t *value)
{
    struct buf out = {0};
    json_write_value(&out, value);
    return out;
}

static void run(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *target = load(samples[i].target), *patch = load(samples[i].patch), *out;
        json_t *target_before = json_deep_copy(target), *patch_before = json_deep_copy(patch);
        struct err_detail detail = {{0}};
        enum err e = profile_json_patch(target, patch, &out, &detail);
        if (e != samples[i].outcome)
            fail_msg("%s: %s (%s)", samples[i].description, err_name(e), detail.text);
        assert_int_equal(out == NULL, e != OK);
        assert_int_equal(detail.text[0] == '\0', e == OK);
        assert_true(json_equal(target, target_before));
        assert_true(json_equal(patch, patch_before));
        if (e == OK) {
            json_t *wanted = load(samples[i].result);
            struct buf is = text_of(out), should = text_of(wanted);
            assert_string_equal(buf_text(&is), buf_text(&should));
            buf_fini(&is);
            buf_fini(&should);
            json_decref(wanted);
        }
        json_decref(out);
        json_decref(target);
        json_decref(patch);
        json_decref(target_before);
        json_decref(patch_before);
    }
}

#define GROUP(name)                                                                                          \
    static void test_##name(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        run(name, sizeof(name) / sizeof((name)[0]));                                                         \
    }
GROUP(appendix)
GROUP(documents)
GROUP(pointers)
GROUP(indexes)
GROUP(operations)
GROUP(tests)

static void test_detail(void **state)
{
    (void)state;
    json_t *target = load("{}"),
           *patch = load("[{'op':'test','path':'','value':{}},{'op':'remove','path':'/a'}]"), *out;
    struct err_detail detail = {{0}};
    assert_int_equal(profile_json_patch(target, patch, &out, &detail), ERR_CONFLICT);
    assert_string_equal(detail.text, "operation 1 (remove): there is no such location in the profile");
    assert_int_equal(profile_json_patch(target, patch, &out, NULL), ERR_CONFLICT);
    json_decref(patch);
    json_decref(target);
}

#define TIMES_10(text) text text text text text text text text text text

/* As many copies of one operation as asked. */
static json_t *repeated(const char *operation, size_t count)
{
    json_t *patch = json_array(), *one = load(operation);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(json_array_append(patch, one), 0);
    json_decref(one);
    return patch;
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *description, *target, *operation;
        size_t count;
        enum err outcome;
    } cases[] = {
        {"1000 operations", "{}", "{'op':'add','path':'/a','value':1}", 1000, OK},
        {"1001 operations", "{}", "{'op':'add','path':'/a','value':1}", 1001, ERR_TOO_LARGE},
        {"copies that double", "{'a':[]}", "{'op':'copy','from':'/a','path':'/a/-'}", 1000, ERR_TOO_LARGE},
        {"many copies of 1.1 KB", "{'a':[],'b':'" TIMES_10(TIMES_10("0123456789x")) "'}",
         "{'op':'copy','from':'/b','path':'/a/-'}", 1000, ERR_TOO_LARGE},
        {"they may be added", "{'a':[]}",
         "{'op':'add','path':'/a/-','value':'" TIMES_10(TIMES_10("0123456789x")) "'}", 1000, OK},
        {"many small copies", "{'a':[],'b':'x'}", "{'op':'copy','from':'/b','path':'/a/-'}", 1000, OK},
        {"31 levels below the first", "{}", "{'op':'copy','from':'','path':'/a'}", 31, OK},
        {"32 levels below the first", "{}", "{'op':'copy','from':'','path':'/a'}", 32, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *target = load(cases[i].target), *patch = repeated(cases[i].operation, cases[i].count), *out;
        enum err e = profile_json_patch(target, patch, &out, NULL);
        if (e != cases[i].outcome)
            fail_msg("%s: %s", cases[i].description, err_name(e));
        json_decref(out);
        json_decref(patch);
        json_decref(target);
    }
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_appendix), cmocka_unit_test(test_documents),  cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_indexes),  cmocka_unit_test(test_operations), cmocka_unit_test(test_tests),
        cmocka_unit_test(test_detail),   cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
