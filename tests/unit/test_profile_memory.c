/* Memory that runs out at the first allocation of jansson's, the second, and so on: an error, no leak, no
 * half result. */
#include "profile/json_patch.h"
#include "profile/merge_patch.h"
#include "profile/parse.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* How many allocations still succeed; negative: all. jansson's hooks take no argument of ours. */
static long left = -1;

static void *failing_malloc(size_t n)
{
    if (left == 0)
        return NULL;
    if (left > 0)
        left--;
    return malloc(n);
}

static const struct profile ada = {
    .id = SPAN_INIT("x"),
    .handle = SPAN_INIT("ada"),
    .values = {[PROFILE_FIELD_name] = SPAN_INIT("Ada"),
               [PROFILE_FIELD_email_verified] = SPAN_INIT("true"),
               [PROFILE_FIELD_attributes] = SPAN_INIT("{\"a\":[1,{\"b\":\"c\"}],\"d\":2.5}")},
};

static json_t *load(const char *text)
{
    json_t *value;
    assert_int_equal(json_load_strict(span_str(text), JSON_MAX_DEPTH, &value, NULL), OK);
    return value;
}

enum work { TO_JSON, MERGE, PATCH };

/* One run with so many allocations. */
static enum err run(enum work work, const json_t *target, const json_t *patch, long allocations)
{
    json_t *out = NULL;
    enum err e = OK;
    left = allocations;
    switch (work) {
    case TO_JSON:
        out = profile_to_json(&ada);
        e = out == NULL ? ERR_NOMEM : OK;
        break;
    case MERGE:
        e = profile_merge_patch(target, patch, &out);
        break;
    case PATCH:
        e = profile_json_patch(target, patch, &out, NULL);
        break;
    }
    left = -1;
    assert_int_equal(out == NULL, e != OK);
    json_decref(out);
    return e;
}

static void check(enum work work, const char *patch_text)
{
    json_t *target = load("{\"a\":{\"b\":[1,\"x\",{}],\"c\":1.5},\"d\":\"e\"}"), *patch = load(patch_text);
    json_t *target_before = json_deep_copy(target), *patch_before = json_deep_copy(patch);
    long allocations = 0;
    enum err e;
    while ((e = run(work, target, patch, allocations)) != OK) {
        assert_int_equal(e, ERR_NOMEM);
        allocations++;
        assert_true(allocations < 10000);
    }
    assert_true(allocations > 5);
    assert_true(json_equal(target, target_before));
    assert_true(json_equal(patch, patch_before));
    json_decref(target);
    json_decref(patch);
    json_decref(target_before);
    json_decref(patch_before);
}

static void test_to_json(void **state)
{
    (void)state;
    check(TO_JSON, "null");
}

static void test_merge_patch(void **state)
{
    (void)state;
    check(MERGE, "{\"a\":{\"b\":null,\"n\":{\"m\":[1]}},\"d\":{\"e\":\"f\"},\"g\":\"h\"}");
}

static void test_json_patch(void **state)
{
    (void)state;
    check(PATCH, "[{\"op\":\"test\",\"path\":\"/a/b/2\",\"value\":{}},"
                 "{\"op\":\"add\",\"path\":\"/a/b/0\",\"value\":{\"y\":[1,2]}},"
                 "{\"op\":\"replace\",\"path\":\"/a/b/1\",\"value\":[[]]},"
                 "{\"op\":\"replace\",\"path\":\"/d\",\"value\":{\"z\":\"z\"}},"
                 "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/new\"},"
                 "{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/new/c\"},"
                 "{\"op\":\"remove\",\"path\":\"/a\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_json),
        cmocka_unit_test(test_merge_patch),
        cmocka_unit_test(test_json_patch),
    };
    json_set_alloc_funcs(failing_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
