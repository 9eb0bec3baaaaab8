/* FastCGI's records in and out, however the bytes are cut; and what is none of them. */
#include "fcgi/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define BEGIN      "\1\1\0\7\0\10\0\0\0\1\1\0\0\0\0\0"
#define PARAMS     "\1\4\0\7\0\13\5\0\4\5NAMEvalue" /* and padding, 5 bytes, behind it */
#define PAD        "ppppp"
#define PARAMS_END "\1\4\0\7\0\0\0\0"
#define STDIN_SOME "\1\5\0\7\0\3\0\0abc"
#define STDIN_END  "\1\5\0\7\0\0\0\0"
#define WHOLE      BEGIN PARAMS PAD PARAMS_END STDIN_SOME STDIN_END

static void in_pieces_of_any_size(void **state)
{
    (void)state;
    struct span whole = SPAN(WHOLE);
    for (size_t piece = 1; piece <= whole.len; piece++) {
        struct fcgi_intake in = {0};
        enum err e = ERR_NOT_FOUND;
        for (size_t at = 0; at < whole.len; at += piece) {
            assert_int_equal(e, ERR_NOT_FOUND);
            e = fcgi_intake_feed(&in,
                                 span_of(whole.ptr + at, whole.len - at < piece ? whole.len - at : piece));
        }
        assert_int_equal(e, OK);
        assert_int_equal(in.id, 7);
        assert_int_equal(in.body_len, 3);
        assert_true(span_eq(buf_span(&in.params), SPAN("\4\5NAMEvalue")));
        fcgi_intake_fini(&in);
    }
}

static void what_is_no_request(void **state)
{
    (void)state;
    static const struct span bad[] = {
        SPAN_INIT("\2\1\0\7\0\10\0\0\0\1\1\0\0\0\0\0"), /* another version */
        SPAN_INIT("\1\1\0\0\0\10\0\0\0\1\1\0\0\0\0\0"), /* request 0 is for management */
        SPAN_INIT("\1\1\0\7\0\7\0\0\0\1\1\0\0\0\0"),    /* cut short */
        SPAN_INIT("\1\1\0\7\0\10\0\0\0\2\1\0\0\0\0\0"), /* an authorizer */
        SPAN_INIT("\1\4\0\7\0\0\0\0"),                  /* nothing has begun */
        SPAN_INIT("\1\11\0\0\0\0\0\0"),                 /* GET_VALUES */
        SPAN_INIT(BEGIN BEGIN),                         /* twice */
        SPAN_INIT(BEGIN "\1\4\0\10\0\0\0\0"),           /* another request's */
        SPAN_INIT(BEGIN "\1\2\0\7\0\0\0\0"),            /* taken back */
        SPAN_INIT(BEGIN PARAMS_END PARAMS_END),         /* ended twice */
        SPAN_INIT(BEGIN STDIN_END STDIN_END),
        SPAN_INIT(BEGIN "\1\6\0\7\0\0\0\0"),  /* an answer */
        SPAN_INIT(BEGIN "\1\10\0\7\0\0\0\0"), /* the filter's data */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fcgi_intake in = {0};
        if (fcgi_intake_feed(&in, bad[i]) != ERR_INVALID)
            fail_msg("case %zu", i);
        fcgi_intake_fini(&in);
    }
}

static void too_much(void **state)
{
    (void)state;
    static const struct {
        char type;
        enum err e;
    } rows[] = {{4, ERR_TOO_LARGE}, {5, ERR_TOO_LARGE}};
    static char record[8 + 65535];
    for (size_t i = 0; i < 2; i++) {
        struct fcgi_intake in = {0};
        enum err e = fcgi_intake_feed(&in, SPAN(BEGIN));
        memset(record, 'x', sizeof record);
        memcpy(record, "\1\0\0\7\377\377\0\0", 8);
        record[1] = rows[i].type;
        int records = 0;
        for (; e == ERR_NOT_FOUND && records < 1000; records++)
            e = fcgi_intake_feed(&in, span_of(record, sizeof record));
        assert_int_equal(e, rows[i].e);
        assert_true(records > 1);
        fcgi_intake_fini(&in);
    }
}

static void variables(void **state)
{
    (void)state;
    struct arena arena = {0};
    char **list;
    char longer[4 + 1 + 4 + 300];
    assert_int_equal(fcgi_params_read(SPAN(""), &arena, &list), OK);
    assert_null(list[0]);
    assert_int_equal(fcgi_params_read(SPAN("\4\5NAMEvalue\1\0X"), &arena, &list), OK);
    assert_string_equal(list[0], "NAME=value");
    assert_string_equal(list[1], "X=");
    assert_null(list[2]);
    /* a length of four bytes */
    memset(longer, 'v', sizeof longer);
    memcpy(longer, "\1\200\0\1\54N", 6);
    assert_int_equal(fcgi_params_read(span_of(longer, 6 + 300), &arena, &list), OK);
    assert_int_equal(strlen(list[0]), 302);
    static const struct span bad[] = {
        SPAN_INIT("\4"),
        SPAN_INIT("\4\5NAMEvalu"),
        SPAN_INIT("\200\0\0"),
        SPAN_INIT("\377\377\377\377\1x"),
        SPAN_INIT("\1\377\377\377\377N"),
        SPAN_INIT("\1\1\0v"),
        SPAN_INIT("\1\2Na\0"),
        SPAN_INIT("\2\1N"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (fcgi_params_read(bad[i], &arena, &list) != ERR_INVALID)
            fail_msg("case %zu", i);
    arena_fini(&arena);
}

static void answers(void **state)
{
    (void)state;
    struct buf out = {0};
    static char body[70000];
    fcgi_answer_write(&out, 0x0102, SPAN("Head"), SPAN("body"));
    assert_true(span_eq(
        buf_span(&out),
        SPAN("\1\6\1\2\0\4\0\0Head\1\6\1\2\0\4\0\0body\1\6\1\2\0\0\0\0\1\3\1\2\0\10\0\0\0\0\0\0\0\0\0\0")));
    buf_clear(&out);
    fcgi_answer_write(&out, 1, SPAN("H"), span_of(body, sizeof body));
    assert_int_equal(out.len, 9 + 8 + 65528 + 8 + (sizeof body - 65528) + 8 + 16);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_pieces_of_any_size),
        cmocka_unit_test(what_is_no_request),
        cmocka_unit_test(too_much),
        cmocka_unit_test(variables),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
