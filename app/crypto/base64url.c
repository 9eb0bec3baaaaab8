#include "crypto/base64url.h"

#include <sodium.h>

/* What a character stands for, and OTHER for the rest. Values are one too high, so that the rest of the table
 * is the zeroes that the language puts there: 0 - 1 has the bits that no value has. */
static const unsigned char values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};
static const uint32_t OTHER = ~(uint32_t)63;

/* 0 to 63, or a number with bits of OTHER. */
static inline uint32_t value_of(char c)
{
    return (uint32_t)values[(unsigned char)c] - 1;
}

void crypto_base64url_encode(const void *bytes, size_t n, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *from = bytes;
    for (; n >= 3; n -= 3, from += 3, out += 4) {
        uint32_t group = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        out[0] = alphabet[group >> 18];
        out[1] = alphabet[group >> 12 & 63];
        out[2] = alphabet[group >> 6 & 63];
        out[3] = alphabet[group & 63];
    }
    if (n > 0) {
        uint32_t group = (uint32_t)from[0] << 16 | (n > 1 ? (uint32_t)from[1] << 8 : 0);
        out[0] = alphabet[group >> 18];
        out[1] = alphabet[group >> 12 & 63];
        if (n > 1)
            out[2] = alphabet[group >> 6 & 63];
    }
}

void crypto_base64url_write(struct buf *out, struct span bytes)
{
    char *to = bytes.len > SIZE_MAX / 4 ? NULL : buf_reserve(out, crypto_base64url_len(bytes.len));
    if (to == NULL) {
        out->failed = true;
        return;
    }
    crypto_base64url_encode(bytes.ptr, bytes.len, to);
    buf_extend(out, crypto_base64url_len(bytes.len));
}

enum err crypto_base64url_decode(struct span text, void *out, size_t size, size_t *len)
{
    const char *from = text.ptr;
    unsigned char *to = out;
    size_t left = text.len;
    size_t n = crypto_base64url_decoded_len(left);
    uint32_t seen = 0; /* all values or'ed: one test at the end finds any other character */
    uint32_t stray = 0;
    *len = 0;
    if (left % 4 == 1)
        return ERR_INVALID;
    if (n > size)
        return ERR_TOO_LARGE;
    for (; left >= 4; left -= 4, from += 4, to += 3) {
        uint32_t a = value_of(from[0]), b = value_of(from[1]), c = value_of(from[2]), d = value_of(from[3]);
        uint32_t group = a << 18 | b << 12 | c << 6 | d;
        seen |= a | b | c | d;
        to[0] = (unsigned char)(group >> 16);
        to[1] = (unsigned char)(group >> 8);
        to[2] = (unsigned char)group;
    }
    if (left > 0) {
        uint32_t a = value_of(from[0]), b = value_of(from[1]), c = left > 2 ? value_of(from[2]) : 0;
        uint32_t group = a << 18 | b << 12 | c << 6;
        seen |= a | b | c;
        to[0] = (unsigned char)(group >> 16);
        if (left > 2)
            to[1] = (unsigned char)(group >> 8);
        stray = left > 2 ? group & 0xff : group & 0xffff; /* RFC 4648 section 3.5 */
    }
    if ((seen & OTHER) != 0 || stray != 0) {
        if (n > 0)
            memset(out, 0, n);
        return ERR_INVALID;
    }
    *len = n;
    return OK;
}

void crypto_base64url_write_secret(struct buf *out, struct span bytes)
{
    size_t n = bytes.len > SIZE_MAX / 4
                   ? 0
                   : sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *to = n == 0 ? NULL : buf_reserve(out, n);
    if (to == NULL) {
        out->failed = true;
        return;
    }
    sodium_bin2base64(to, n, (const unsigned char *)bytes.ptr, bytes.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_extend(out, n - 1); /* libsodium counts the NUL */
}

enum err crypto_base64url_decode_secret(struct span text, void *out, size_t size)
{
    size_t len = 0;
    unsigned char seen = 0;
    /* libsodium takes any byte from 0x80 on for '_' */
    for (size_t i = 0; i < text.len; i++)
        seen |= (unsigned char)text.ptr[i];
    if (seen < 0x80 && text.len == crypto_base64url_len(size) &&
        sodium_base642bin(out, size, text.ptr, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
        len == size)
        return OK;
    sodium_memzero(out, size);
    return ERR_INVALID;
}
