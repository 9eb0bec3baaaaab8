#include "crypto/hex.h"

#include <sodium.h>

void crypto_hex_write(struct buf *out, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *to = bytes.len > SIZE_MAX / 4 ? NULL : buf_reserve(out, bytes.len * 2);
    if (to == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    buf_extend(out, bytes.len * 2);
}

enum err crypto_hex_decode(struct span text, void *out, size_t size, size_t *len)
{
    *len = 0;
    if (text.len % 2 != 0)
        return ERR_INVALID;
    if (text.len / 2 > size)
        return ERR_TOO_LARGE;
    if (text.len == 0)
        return OK;
    if (sodium_hex2bin(out, size, text.ptr, text.len, NULL, len, NULL) != 0) {
        sodium_memzero(out, text.len / 2);
        *len = 0;
        return ERR_INVALID;
    }
    return OK;
}
