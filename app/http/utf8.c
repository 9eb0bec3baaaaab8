#include "http/utf8.h"

/* The length of the character at the front of these n > 0 bytes; 0 when it is none (RFC 3629 section 4). */
static size_t character(const unsigned char *p, size_t n)
{
    /* the second byte's range is narrower behind E0, ED, F0 and F4: no overlong form, no surrogate, nothing
     * too high */
    unsigned char least = 0x80, most = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        least = p[0] == 0xe0 ? 0xa0 : 0x80;
        most = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        least = p[0] == 0xf0 ? 0x90 : 0x80;
        most = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (n < len || p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return len;
}

size_t http_utf8_prefix(struct span s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t n = character((const unsigned char *)s.ptr + at, s.len - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}
