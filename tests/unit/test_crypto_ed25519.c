/* Ed25519: the RFC's own vectors, and which signatures and keys are refused whatever they sign. */
#include "crypto/ed25519.h"

#include "crypto/hex.h"
#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void from_hex(const char *text, unsigned char *out, size_t size)
{
    size_t len = 0;
    assert_int_equal(crypto_hex_decode(span_str(text), out, size, &len), OK);
    assert_int_equal(len, size);
}

/* RFC 8032 section 7.1 */
static const struct {
    const char *seed, *public_key;
    struct span message;
    const char *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", SPAN_INIT(""),
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0595bbe24"
     "655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", SPAN_INIT("\x72"),
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "eb4302aee"
     "b00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", SPAN_INIT("\xaf\x82"),
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9716ed28d"
     "c027beceea1ec40a"},
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        unsigned char seed[32], public_key[32], expected[64], signature[64];
        struct crypto_ed25519_pair pair;
        from_hex(vectors[i].seed, seed, sizeof seed);
        from_hex(vectors[i].public_key, public_key, sizeof public_key);
        from_hex(vectors[i].signature, expected, sizeof expected);
        crypto_ed25519_from_seed(seed, &pair);
        assert_memory_equal(pair.public_key, public_key, sizeof public_key);
        assert_memory_equal(pair.secret_key, seed, sizeof seed);
        assert_memory_equal(pair.secret_key + 32, public_key, sizeof public_key);
        assert_true(crypto_ed25519_key_valid(public_key));
        crypto_ed25519_sign(pair.secret_key, vectors[i].message, signature);
        assert_memory_equal(signature, expected, sizeof expected);
        assert_true(crypto_ed25519_verify(public_key, vectors[i].message, signature));
    }
}

/* Each of the 512 bits of a signature, each of the 256 of the key and each of the message counts. */
static void test_flipped_bits(void **state)
{
    struct crypto_ed25519_pair pair;
    unsigned char signature[64];
    char message[] = "message";
    struct span whole = {message, 7};
    (void)state;
    crypto_ed25519_generate(&pair);
    crypto_ed25519_sign(pair.secret_key, whole, signature);
    for (size_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(crypto_ed25519_verify(pair.public_key, whole, signature));
        signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 256; bit++) {
        pair.public_key[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(crypto_ed25519_verify(pair.public_key, whole, signature));
        pair.public_key[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 56; bit++) {
        message[bit / 8] = (char)(message[bit / 8] ^ 1 << bit % 8);
        assert_false(crypto_ed25519_verify(pair.public_key, whole, signature));
        message[bit / 8] = (char)(message[bit / 8] ^ 1 << bit % 8);
    }
    assert_false(crypto_ed25519_verify(pair.public_key, SPAN("messag"), signature));
    assert_false(crypto_ed25519_verify(pair.public_key, SPAN("message\0"), signature));
    assert_false(crypto_ed25519_verify(pair.public_key, SPAN(""), signature));
    assert_true(crypto_ed25519_verify(pair.public_key, whole, signature));
}

/* S + L is the same number to the curve and must not be to us (RFC 8032 section 5.1.7). */
static void test_malleated(void **state)
{
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                            0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct crypto_ed25519_pair pair;
    unsigned char signature[64];
    unsigned carry = 0;
    (void)state;
    crypto_ed25519_generate(&pair);
    crypto_ed25519_sign(pair.secret_key, SPAN("x"), signature);
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_false(crypto_ed25519_verify(pair.public_key, SPAN("x"), signature));
}

static const struct {
    const char *what, *key;
} bad_keys[] = {
    {"order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
    {"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order 4, the other", "0000000000000000000000000000000000000000000000000000000000000080"},
    {"order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
    {"order 8, the second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"},
    {"order 8, the third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
    {"order 8, the fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
    {"order 1, its sign set", "0100000000000000000000000000000000000000000000000000000000000080"},
    {"order 2, its sign set", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"y = p, its sign set", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"y = p + 1, its sign set", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"not on the curve", "0200000000000000000000000000000000000000000000000000000000000000"},
};
/* 12345 B with a point of order 8 or 4 added: most of a proper key, and yet none */
static const struct {
    const char *what, *key;
} mixed_keys[] = {
    {"B and order 8", "cdbc161be64c4302f56443ff29ccf36a2075be1a1fa67ff126b56315f5681c38"},
    {"B and order 4", "3e91719c07a826f40e504f2d3278ac5ea1012d69b5237dc3db07af7ddf81f8c1"},
};

static void test_keys(void **state)
{
    /* R = 5 B, S = 5: fits for anybody where the key drops out of the equation */
    unsigned char key[32], forged[64] = {0};
    (void)state;
    from_hex("edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df", forged, 32);
    forged[32] = 5;
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        from_hex(bad_keys[i].key, key, sizeof key);
        if (crypto_ed25519_key_valid(key))
            fail_msg("%s was let in as a key", bad_keys[i].what);
        for (char c = 'a'; c <= 'z'; c++) /* some of these make the challenge a multiple of the key's order */
            if (crypto_ed25519_verify(key, span_of(&c, 1), forged))
                fail_msg("%s verified a forgery", bad_keys[i].what);
    }
    for (size_t i = 0; i < sizeof mixed_keys / sizeof mixed_keys[0]; i++) {
        from_hex(mixed_keys[i].key, key, sizeof key);
        if (crypto_ed25519_key_valid(key))
            fail_msg("%s was let in as a key", mixed_keys[i].what);
    }
    from_hex("ef4f62f8479733ad879cfaced3c89a9c39dd4fc795ef2efa1c3eafe4d729a081", key, sizeof key);
    assert_true(crypto_ed25519_key_valid(key)); /* 12345 B itself */
}

static void test_generate(void **state)
{
    struct crypto_ed25519_pair one, two, again;
    (void)state;
    crypto_ed25519_generate(&one);
    crypto_ed25519_generate(&two);
    assert_memory_not_equal(one.public_key, two.public_key, 32);
    crypto_ed25519_from_seed(one.secret_key, &again);
    assert_memory_equal(again.public_key, one.public_key, 32);
    assert_memory_equal(again.secret_key, one.secret_key, 64);
    assert_true(crypto_ed25519_key_valid(one.public_key));
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_flipped_bits), cmocka_unit_test(test_malleated),
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_generate),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
