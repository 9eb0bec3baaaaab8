/* RFC 7396: its appendix A, and what it leaves unsaid. */
#include "profile/merge_patch.h"
#include "json/load.h"
#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *target; /* NULL: there is none */
    const char *patch, *result;
} cases[] = {
    /* appendix A */
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    /* section 3 */
    {"{\"title\":\"Goodbye!\",\"author\":{\"givenName\":\"John\",\"familyName\":\"Doe\"},\"tags\":["
     "\"example\",\"sample\"],"
     "\"content\":\"This will be unchanged\"}",
     "{\"title\":\"Hello!\",\"phoneNumber\":\"+01-123-456-7890\",\"author\":{\"familyName\":null},\"tags\":["
     "\"example\"]}",
     "{\"title\":\"Hello!\",\"author\":{\"givenName\":\"John\"},\"tags\":[\"example\"],\"content\":\"This "
     "will be unchanged\","
     "\"phoneNumber\":\"+01-123-456-7890\"}"},
    /* others */
    {NULL, "{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "{\"b\":{\"d\":1}}"},
    {"{\"a\":1}", "{}", "{\"a\":1}"},
    {"{}", "{}", "{}"},
    {"{\"a\":1}", "{\"z\":null}", "{\"a\":1}"},
    {"{\"a\":null}", "{\"a\":null}", "{}"},
    {"{\"a\":null}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
    {"{\"\":1,\"a/b\":2,\"~\":3}", "{\"\":null,\"a/b\":null,\"~\":4}", "{\"~\":4}"},
    {"{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"c\":null}}}", "{\"a\":{\"b\":{\"d\":2}}}"},
    /* nulls inside of an array are values */
    {"{\"a\":1}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}"},
    {"{\"a\":\"x\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\u0000\"}"},
};

static json_t *load(const char *text)
{
    json_t *value;
    assert_int_equal(json_load_strict(span_str(text), JSON_MAX_DEPTH, &value, NULL), OK);
    return value;
}

static void assert_text(const json_t *value, const char *text)
{
    struct buf out = {0};
    json_write_value(&out, value);
    assert_string_equal(buf_text(&out), text);
    buf_fini(&out);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *target = cases[i].target == NULL ? NULL : load(cases[i].target);
        json_t *patch = load(cases[i].patch), *result;
        assert_int_equal(profile_merge_patch(target, patch, &result), OK);
        assert_text(result, cases[i].result);
        assert_text(patch, cases[i].patch);
        if (target != NULL)
            assert_text(target, cases[i].target);
        json_decref(result);
        json_decref(patch);
        json_decref(target);
    }
}

/* The result shares nothing with what it was made from. */
static void test_result_is_its_own(void **state)
{
    (void)state;
    json_t *target = load("{\"a\":{\"b\":1}}"), *patch = load("{\"c\":{\"d\":2}}"), *result;
    assert_int_equal(profile_merge_patch(target, patch, &result), OK);
    json_object_clear(json_object_get(result, "a"));
    json_object_clear(json_object_get(result, "c"));
    assert_text(target, "{\"a\":{\"b\":1}}");
    assert_text(patch, "{\"c\":{\"d\":2}}");
    json_decref(result);
    json_decref(patch);
    json_decref(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_result_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
