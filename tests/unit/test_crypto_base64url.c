/* Base64url: one text for each byte string and no other, by the quick way and by the careful one. */
#include "crypto/base64url.h"

#include "crypto/init.h"

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
    /* RFC 4648 section 10, without its padding */
    {"nothing", SPAN_INIT(""), SPAN_INIT("")},
    {"f", SPAN_INIT("Zg"), SPAN_INIT("f")},
    {"fo", SPAN_INIT("Zm8"), SPAN_INIT("fo")},
    {"foo", SPAN_INIT("Zm9v"), SPAN_INIT("foo")},
    {"foob", SPAN_INIT("Zm9vYg"), SPAN_INIT("foob")},
    {"fooba", SPAN_INIT("Zm9vYmE"), SPAN_INIT("fooba")},
    {"foobar", SPAN_INIT("Zm9vYmFy"), SPAN_INIT("foobar")},
    {"both odd characters", SPAN_INIT("-_-_"), SPAN_INIT("\xfb\xff\xbf")},
    {"zero bytes", SPAN_INIT("AAAA"), SPAN_INIT("\0\0\0")},

    {"one character", SPAN_INIT("Z"), {NULL, 0}},
    {"five characters", SPAN_INIT("Zm9vY"), {NULL, 0}},
    {"padding of two", SPAN_INIT("Zg=="), {NULL, 0}},
    {"padding of one", SPAN_INIT("Zm8="), {NULL, 0}},
    {"padding alone", SPAN_INIT("="), {NULL, 0}},
    {"padding of four", SPAN_INIT("===="), {NULL, 0}},
    {"stray bits after one byte", SPAN_INIT("Zh"), {NULL, 0}},
    {"most stray bits after one byte", SPAN_INIT("Zv"), {NULL, 0}},
    {"stray bits after two bytes", SPAN_INIT("Zm9"), {NULL, 0}},
    {"stray bits at the end of more", SPAN_INIT("Zm9vYh"), {NULL, 0}},
    {"the other alphabet's plus", SPAN_INIT("Zm+v"), {NULL, 0}},
    {"the other alphabet's slash", SPAN_INIT("Zm/v"), {NULL, 0}},
    {"a space before", SPAN_INIT(" Zm9"), {NULL, 0}},
    {"a space behind", SPAN_INIT("Zm8 "), {NULL, 0}},
    {"a newline within", SPAN_INIT("Zm9v\nYmF"), {NULL, 0}},
    {"a dot", SPAN_INIT("Zm9v.g"), {NULL, 0}},
    {"NUL", SPAN_INIT("Zm9\0"), {NULL, 0}},
    {"NUL instead of padding", SPAN_INIT("Zg\0"), {NULL, 0}},
    {"beyond ASCII", SPAN_INIT("Zm9\xf6"), {NULL, 0}},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        unsigned char bytes[16];
        struct buf text = {0};
        size_t len = 99;
        memset(bytes, 0xee, sizeof bytes);
        enum err e = crypto_base64url_decode(r->text, bytes, sizeof bytes, &len);
        if (r->bytes.ptr == NULL) {
            if (e != ERR_INVALID || len != 0)
                fail_msg("%s: was let in", r->what);
            /* nothing of what was decoded is left */
            for (size_t at = 0; at < crypto_base64url_decoded_len(r->text.len); at++)
                assert_true(bytes[at] == 0 || bytes[at] == 0xee);
            continue;
        }
        if (e != OK || !span_eq(span_of((char *)bytes, len), r->bytes))
            fail_msg("%s: decoded to something else", r->what);
        crypto_base64url_write(&text, r->bytes);
        if (!span_eq(buf_span(&text), r->text))
            fail_msg("%s: written as %s", r->what, buf_text(&text));
        buf_fini(&text);
    }
}

/* In a place of four, each of the 256 bytes counts exactly if it is one of the 64, and stands for its number.
 */
static void test_each_character(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (void)state;
    for (int place = 0; place < 4; place++)
        for (int c = 0; c < 256; c++) {
            char text[] = "AAAA";
            unsigned char bytes[3];
            size_t len;
            text[place] = (char)c;
            const char *at = c == 0 ? NULL : strchr(alphabet, c);
            enum err e = crypto_base64url_decode(span_of(text, 4), bytes, sizeof bytes, &len);
            if (at == NULL) {
                assert_int_equal(e, ERR_INVALID);
                continue;
            }
            assert_int_equal(e, OK);
            long value = (long)bytes[0] << 16 | bytes[1] << 8 | bytes[2];
            assert_int_equal(value, (at - alphabet) << (6 * (3 - place)));
        }
}

/* A byte string of each length: its text has the length that was told, fits exactly, and is the only one. */
static void test_round_trip(void **state)
{
    unsigned char bytes[70], back[70];
    (void)state;
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct buf quick = {0}, careful = {0};
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (unsigned char)(i * 151 + n * 7);
        struct span all = span_of((char *)bytes, n);
        crypto_base64url_write(&quick, all);
        crypto_base64url_write_secret(&careful, all);
        assert_int_equal(quick.len, crypto_base64url_len(n));
        assert_true(span_eq(buf_span(&quick), buf_span(&careful)));
        assert_int_equal(crypto_base64url_decoded_len(quick.len), n);
        assert_int_equal(crypto_base64url_decode(buf_span(&quick), back, n, &len), OK);
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
        assert_int_equal(crypto_base64url_decode_secret(buf_span(&quick), back, n), OK);
        assert_memory_equal(back, bytes, n);
        if (n > 0)
            assert_int_equal(crypto_base64url_decode(buf_span(&quick), back, n - 1, &len), ERR_TOO_LARGE);
        buf_fini(&quick);
        buf_fini(&careful);
    }
}

/* The careful way is as strict, and also asks for the length. */
static void test_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        unsigned char bytes[16] = {0};
        size_t size = crypto_base64url_decoded_len(r->text.len);
        enum err e = crypto_base64url_decode_secret(r->text, bytes, size);
        if (e != (r->bytes.ptr == NULL ? ERR_INVALID : OK))
            fail_msg("%s", r->what);
        if (e != OK)
            for (size_t at = 0; at < size; at++)
                assert_int_equal(bytes[at], 0);
        assert_int_equal(crypto_base64url_decode_secret(r->text, bytes, size + 1), ERR_INVALID);
    }
}

/* A piece of a longer text is judged by its own bytes: what stands behind it would make the length good. */
static void test_pieces(void **state)
{
    static const char text[] = "AAAAAAAAAAAAAAAAAAAA";
    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++) {
        unsigned char bytes[16];
        size_t len;
        enum err expected = n % 4 == 1 ? ERR_INVALID : OK;
        assert_int_equal(crypto_base64url_decode(span_of(text, n), bytes, sizeof bytes, &len), expected);
        assert_int_equal(
            crypto_base64url_decode_secret(span_of(text, n), bytes, crypto_base64url_decoded_len(n)),
            expected);
    }
}

static void test_limit(void **state)
{
    struct buf out = {.limit = 5};
    (void)state;
    crypto_base64url_write(&out, SPAN("foob"));
    assert_int_equal(buf_status(&out), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_each_character),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_secret),
        cmocka_unit_test(test_limit),      cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
