#include "crypto/random.h"

#include <sodium.h>

void crypto_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

void crypto_wipe(void *bytes, size_t n)
{
    sodium_memzero(bytes, n);
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void crypto_uuid7(int64_t now_ms, char out[CRYPTO_UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char id[16];
    uint64_t ms = (uint64_t)now_ms;
    randombytes_buf(id, sizeof id);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i)); /* unix_ts_ms, the most significant byte first */
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x70);  /* ver */
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);  /* var */
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[id[i] >> 4];
        *out++ = digits[id[i] & 15];
    }
    *out = '\0';
}
