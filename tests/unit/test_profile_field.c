/* The table of fields, the rules for names, the form of a time. */
#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(PROFILE_FIELD_COUNT, 16);
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        const struct profile_field_row *row = &profile_field_table[i];
        assert_int_equal(profile_field_by_name(row->name), i);
        assert_int_equal(row->starts_private, PROFILE_PRIVATE_DEFAULT >> i & 1);
    }
    assert_int_equal(PROFILE_PRIVATE_DEFAULT, 1 << PROFILE_FIELD_email | 1 << PROFILE_FIELD_email_verified |
                                                  1 << PROFILE_FIELD_phone_number |
                                                  1 << PROFILE_FIELD_birthdate | 1 << PROFILE_FIELD_address);
}

static void test_no_field(void **state)
{
    (void)state;
    static const struct span names[] = {
        SPAN_INIT(""),        SPAN_INIT("id"),     SPAN_INIT("handle"),     SPAN_INIT("Name"),
        SPAN_INIT("nam"),     SPAN_INIT("name "),  SPAN_INIT("name\0"),     SPAN_INIT("naме"),
        SPAN_INIT("version"), SPAN_INIT("state"),  SPAN_INIT("visibility"), SPAN_INIT("pictury"),
        SPAN_INIT("emai"),    SPAN_INIT("emails"), SPAN_INIT("__proto__"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(profile_field_by_name(names[i]), PROFILE_FIELD_COUNT);
    assert_int_equal(profile_field_by_name((struct span){NULL, 0}), PROFILE_FIELD_COUNT);
}

static void test_id(void **state)
{
    (void)state;
    char longest[129];
    memset(longest, 'a', sizeof longest);
    assert_true(profile_id_valid(span_of(longest, 128)));
    assert_false(profile_id_valid(span_of(longest, 129)));
    assert_true(profile_id_valid(SPAN("a@b.example|x:y~z_+-")));
    assert_true(profile_id_valid(SPAN("...")));
    static const struct span bad[] = {
        SPAN_INIT(""),    SPAN_INIT("@ada"), SPAN_INIT("."),   SPAN_INIT(".."),   SPAN_INIT("query"),
        SPAN_INIT("a/b"), SPAN_INIT("a b"),  SPAN_INIT("a%b"), SPAN_INIT("a\0b"), SPAN_INIT("ä"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(profile_id_valid(bad[i]));
}

static void test_handle(void **state)
{
    (void)state;
    static const struct {
        struct span raw;
        const char *folded; /* NULL: refused */
    } cases[] = {
        {SPAN_INIT("ada"), "ada"},
        {SPAN_INIT("Ada_L0VELACE"), "ada_l0velace"},
        {SPAN_INIT("__"), "__"},
        {SPAN_INIT("abcdefghijklmnopqrstuvwxyz0123"), "abcdefghijklmnopqrstuvwxyz0123"},
        {SPAN_INIT("abcdefghijklmnopqrstuvwxyz01234"), NULL},
        {SPAN_INIT(""), NULL},
        {SPAN_INIT("a"), NULL},
        {SPAN_INIT("a-b"), NULL},
        {SPAN_INIT("a.b"), NULL},
        {SPAN_INIT(" ada"), NULL},
        {SPAN_INIT("@ada"), NULL},
        {SPAN_INIT("ad\0a"), NULL},
        {SPAN_INIT("adä"), NULL},
        {SPAN_INIT("\xe2\x84\xaa"
                   "elvin"),
         NULL}, /* U+212A folds to k in Unicode, not here */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[PROFILE_HANDLE_MAX + 1];
        bool ok = profile_handle_fold(cases[i].raw, out);
        assert_int_equal(ok, cases[i].folded != NULL);
        assert_string_equal(out, ok ? cases[i].folded : "");
    }
}

static void test_time(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868799999, "2000-02-29T23:59:59.999Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {1795425186123, "2026-11-23T09:13:06.123Z"},
        {1767225599999, "2025-12-31T23:59:59.999Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        profile_time_write(cases[i].ms, &out);
        assert_string_equal(buf_text(&out), cases[i].text);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),  cmocka_unit_test(test_no_field), cmocka_unit_test(test_id),
        cmocka_unit_test(test_handle), cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
