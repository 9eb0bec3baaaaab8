/* Hexadecimal text. */
#include "crypto/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *what;
    struct span text;
    struct span bytes; /* absent: refused */
};

static const struct row rows[] = {
    {"nothing", SPAN_INIT(""), SPAN_INIT("")},
    {"one byte", SPAN_INIT("00"), SPAN_INIT("\0")},
    {"all digits", SPAN_INIT("0123456789abcdef"), SPAN_INIT("\x01\x23\x45\x67\x89\xab\xcd\xef")},
    {"capitals", SPAN_INIT("ABcdEF"), SPAN_INIT("\xab\xcd\xef")},
    {"one digit", SPAN_INIT("0"), {NULL, 0}},
    {"three digits", SPAN_INIT("012"), {NULL, 0}},
    {"a prefix", SPAN_INIT("0x01"), {NULL, 0}},
    {"a letter too far", SPAN_INIT("0g"), {NULL, 0}},
    {"a letter too far at the end", SPAN_INIT("00000G"), {NULL, 0}},
    {"a space", SPAN_INIT("00 1"), {NULL, 0}},
    {"a colon", SPAN_INIT("00:1"), {NULL, 0}},
    {"a minus sign", SPAN_INIT("-1"), {NULL, 0}},
    {"NUL", SPAN_INIT("0\0"), {NULL, 0}},
    {"beyond ASCII", SPAN_INIT("\xb0\xb1"), {NULL, 0}},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        unsigned char bytes[16] = {0};
        size_t len = 99;
        enum err e = crypto_hex_decode(r->text, bytes, sizeof bytes, &len);
        if (e != (r->bytes.ptr == NULL ? ERR_INVALID : OK) || len != r->bytes.len)
            fail_msg("%s: %s", r->what, err_name(e));
        if (len > 0 && memcmp(bytes, r->bytes.ptr, len) != 0)
            fail_msg("%s: other bytes", r->what);
        for (size_t at = len; at < sizeof bytes; at++)
            assert_int_equal(bytes[at], 0);
    }
}

static void test_write(void **state)
{
    struct buf out = {0};
    (void)state;
    crypto_hex_write(&out, SPAN(""));
    assert_string_equal(buf_text(&out), "");
    crypto_hex_write(&out, SPAN("\0\x0f\xf0\xff"));
    assert_string_equal(buf_text(&out), "000ff0ff");
    buf_fini(&out);
}

static void test_room(void **state)
{
    unsigned char bytes[2] = {7, 7};
    size_t len = 99;
    (void)state;
    assert_int_equal(crypto_hex_decode(SPAN("010203"), bytes, sizeof bytes, &len), ERR_TOO_LARGE);
    assert_int_equal(len, 0);
    assert_int_equal(bytes[0], 7);
    assert_int_equal(crypto_hex_decode(SPAN("0102"), bytes, sizeof bytes, &len), OK);
    assert_int_equal(len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
