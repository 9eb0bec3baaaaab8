/* The hashes are the ones that they say they are. */
#include "crypto/hash.h"

#include "crypto/hex.h"
#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 0, 1, 2, … as the papers' own vectors take for keys and messages */
static unsigned char counting[256];

static void assert_hex(const unsigned char *bytes, size_t len, const char *expected)
{
    struct buf text = {0};
    crypto_hex_write(&text, span_of((const char *)bytes, len));
    assert_string_equal(buf_text(&text), expected);
    buf_fini(&text);
}

static void test_blake2b(void **state)
{
    const struct {
        struct span message;
        size_t key_len, out_len;
        const char *hash;
    } rows[] = {
        /* RFC 7693 appendix A */
        {SPAN("abc"), 0, 64,
         "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
         "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
        /* the last keyed one of the BLAKE2 authors' blake2b-kat.txt */
        {span_of((char *)counting, 255), 64, 64,
         "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
         "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461"},
        /* by Python's hashlib */
        {SPAN("abc"), 0, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
        {SPAN(""), 0, 16, "cae66941d9efbd404e4d88758ea67670"},
        {SPAN("abc"), 32, 32, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char hash[CRYPTO_BLAKE2B_MAX_LEN];
        crypto_blake2b(rows[i].message, span_of((char *)counting, rows[i].key_len), hash, rows[i].out_len);
        assert_hex(hash, rows[i].out_len, rows[i].hash);
    }
}

/* The SipHash paper's appendix A, and the neighbours from its authors' vectors.h. */
static void test_siphash(void **state)
{
    (void)state;
    assert_int_equal(crypto_siphash(counting, span_of((char *)counting, 15)), UINT64_C(0xa129ca6149be45e5));
    assert_int_equal(crypto_siphash(counting, SPAN("")), UINT64_C(0x726fdb47dd0e0e31));
    assert_int_equal(crypto_siphash(counting, span_of((char *)counting, 1)), UINT64_C(0x74f839c593dc67fd));
    assert_int_not_equal(crypto_siphash(counting + 1, SPAN("")), crypto_siphash(counting, SPAN("")));
}

static void test_sha256(void **state)
{
    unsigned char hash[CRYPTO_SHA256_LEN];
    (void)state;
    crypto_sha256(SPAN("abc"), hash);
    assert_hex(hash, sizeof hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256((struct span){NULL, 0}, hash);
    assert_hex(hash, sizeof hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* A message in pieces is the message. */
static void test_pieces(void **state)
{
    unsigned char whole[32], pieces[32];
    struct crypto_hasher h;
    const struct span key = span_of((char *)counting, 32),
                      message = SPAN("a message that comes in several pieces");
    (void)state;
    crypto_blake2b(message, key, whole, sizeof whole);
    for (size_t cut = 0; cut <= message.len; cut++) {
        crypto_hasher_begin(&h, key, sizeof pieces);
        crypto_hasher_add(&h, span_of(message.ptr, cut));
        crypto_hasher_add(&h, SPAN(""));
        crypto_hasher_add(&h, span_from(message, cut));
        crypto_hasher_end(&h, pieces, sizeof pieces);
        assert_memory_equal(whole, pieces, sizeof whole);
    }
    crypto_hasher_begin(&h, span_of((char *)counting + 1, 32), sizeof pieces);
    crypto_hasher_add(&h, message);
    crypto_hasher_end(&h, pieces, sizeof pieces);
    assert_memory_not_equal(whole, pieces, sizeof whole);
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (unsigned char)i;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blake2b),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
