/* A ready answer as it is kept: taken apart it is what was put together, and anything else is refused. */
#include "handlers/representation.h"
#include "token/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static const struct handlers_context context = {.ttl_s = 60};

static struct handlers_resource resource(void)
{
    return (struct handlers_resource){
        .profile =
            {.id = SPAN("ada"),
             .handle = SPAN("countess"),
             .private_fields = PROFILE_PRIVATE_DEFAULT,
             .values = {[PROFILE_FIELD_name] = SPAN_INIT("Ada"),
                        [PROFILE_FIELD_email] = SPAN_INIT("ada@example.org")},
             .stamps =
                 {[PROFILE_VIEW_OWNER] = {9, 1700000005000}, [PROFILE_VIEW_PUBLIC] = {7, 1700000003000}}},
        .snapshot = {.epoch = "4cb37ca57d", .seq = 12, .identity = 1},
    };
}

static const struct handlers_target targets[] = {
    {.address = HANDLERS_BY_ID, .view = PROFILE_VIEW_PUBLIC, .id = SPAN_INIT("ada")},
    {.address = HANDLERS_BY_HANDLE, .view = PROFILE_VIEW_PUBLIC, .handle = SPAN_INIT("countess")},
    {.address = HANDLERS_FULL, .view = PROFILE_VIEW_OWNER, .id = SPAN_INIT("ada")},
    {.address = HANDLERS_ME, .view = PROFILE_VIEW_OWNER, .id = SPAN_INIT("ada")},
};
enum { TARGETS = sizeof targets / sizeof targets[0] };

static struct buf written(struct arena *arena, const struct handlers_target *t)
{
    const struct handlers_resource r = resource();
    struct http_exchange x = {.arena = arena};
    struct buf out = {0};
    handlers_representation_write(&context, &x, t, &r, &out);
    assert_int_equal(buf_status(&out), OK);
    return out;
}

static bool holds(struct span text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

static void test_it_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *etag, *in_head;
        bool email, location;
        int64_t modified_s;
    } expected[TARGETS] = {
        {"p7\"", "Cache-Control: public", false, false, 1700000003},
        {"p7\"", "Content-Location: /v1/profiles/ada\r\n", false, true, 1700000003},
        {"o9\"", "Cache-Control: private", true, false, 1700000005},
        {"o9\"", "Cache-Control: private", true, false, 1700000005},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < TARGETS; i++) {
        struct handlers_representation r;
        struct buf out = written(&arena, &targets[i]);
        assert_int_equal(handlers_representation_read(buf_span(&out), &r), OK);
        assert_true(r.found);
        assert_int_equal(r.modified_s, expected[i].modified_s);
        assert_true(holds(r.etag, "\"4cb37ca57d-") && holds(r.etag, expected[i].etag));
        assert_true(holds(r.head, expected[i].in_head));
        assert_true(holds(r.head, "ETag: ") && holds(r.head, "Last-Modified: "));
        assert_int_equal(holds(r.head, "Content-Location"), expected[i].location);
        assert_true(holds(r.body, "\"id\":\"ada\"") && holds(r.body, "\"name\":\"Ada\""));
        assert_int_equal(holds(r.body, "example.org"), expected[i].email);
        buf_fini(&out);
    }
    arena_fini(&arena);
}

/* Nothing of who asks, or when, is in it. */
static void test_it_is_the_same_for_all(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < TARGETS; i++) {
        const struct handlers_resource r = resource();
        struct buf plain = written(&arena, &targets[i]), other = {0};
        struct http_request request = {0};
        struct token_identity caller = {.subject = SPAN("somebody")};
        struct handlers_target t = targets[i];
        struct http_exchange x = {.arena = &arena, .request = &request, .caller = &caller, .now_ms = 1};
        t.admin = true;
        handlers_representation_write(&context, &x, &t, &r, &other);
        assert_true(span_eq(buf_span(&plain), buf_span(&other)));
        buf_fini(&plain);
        buf_fini(&other);
    }
    arena_fini(&arena);
}

static void test_it_is_appended(void **state)
{
    (void)state;
    struct arena arena = {0};
    const struct handlers_resource res = resource();
    struct http_exchange x = {.arena = &arena};
    struct handlers_representation r;
    struct buf out = {0};
    buf_lit(&out, "before");
    handlers_representation_write(&context, &x, &targets[0], &res, &out);
    assert_memory_equal(out.ptr, "before", 6);
    assert_int_equal(handlers_representation_read(span_from(buf_span(&out), 6), &r), OK);
    buf_fini(&out);
    arena_fini(&arena);
}

static void test_a_missing_one(void **state)
{
    (void)state;
    struct handlers_representation r;
    struct buf out = {0};
    handlers_representation_write_missing(&out);
    assert_int_equal(handlers_representation_read(buf_span(&out), &r), OK);
    assert_false(r.found);
    assert_int_equal(r.etag.len + r.head.len + r.body.len, 0);
    buf_fini(&out);
}

/* The tag by the front alone: as soon as it is all there, and not before. */
static void test_the_tag_of_a_front(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < TARGETS; i++) {
        struct handlers_representation r;
        struct buf out = written(&arena, &targets[i]);
        struct span tag;
        size_t enough = 0;
        assert_int_equal(handlers_representation_read(buf_span(&out), &r), OK);
        for (size_t len = 0; len <= out.len; len++)
            if (handlers_representation_read_tag(span_of(out.ptr, len), &tag) == OK) {
                enough = enough == 0 ? len : enough;
                assert_true(span_eq(tag, r.etag));
            } else {
                assert_int_equal(enough, 0);
                assert_null(tag.ptr);
            }
        assert_true(enough > r.etag.len && enough < out.len);
        assert_true(enough <= CACHE_FRONT_LEN);
        buf_fini(&out);
    }
    struct buf none = {0};
    struct span tag = SPAN("x");
    handlers_representation_write_missing(&none);
    assert_int_equal(handlers_representation_read_tag(buf_span(&none), &tag), OK);
    assert_null(tag.ptr);
    buf_fini(&none);
    arena_fini(&arena);
}

static void test_cut_or_longer(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct handlers_representation r;
    struct buf out = written(&arena, &targets[1]);
    for (size_t len = 0; len < out.len; len++) {
        char *exact = malloc(len + 1); /* so that a read past it is seen */
        assert_non_null(exact);
        memcpy(exact, out.ptr, len);
        assert_int_equal(handlers_representation_read(span_of(exact, len), &r), ERR_INVALID);
        assert_null(r.body.ptr);
        assert_false(r.found);
        free(exact);
    }
    buf_char(&out, 'x');
    assert_int_equal(handlers_representation_read(buf_span(&out), &r), ERR_INVALID);
    buf_fini(&out);
    arena_fini(&arena);
}

static void test_lengths_that_lie(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = {
        {1, 0, 0},
        {0, 1, 0},
        {0, 0, 1},
        {UINT32_MAX, 1, 0},
        {UINT32_MAX, UINT32_MAX, 2},
        {1u << 31, 1u << 31, 0},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct handlers_representation r;
        struct buf out = {0};
        handlers_representation_write_missing(&out);
        memcpy(out.ptr + sizeof(int64_t), rows[i], sizeof rows[i]);
        assert_int_equal(handlers_representation_read(buf_span(&out), &r), ERR_INVALID);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_back),      cmocka_unit_test(test_it_is_the_same_for_all),
        cmocka_unit_test(test_it_is_appended),     cmocka_unit_test(test_a_missing_one),
        cmocka_unit_test(test_the_tag_of_a_front), cmocka_unit_test(test_cut_or_longer),
        cmocka_unit_test(test_lengths_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
