/* Whether bytes are UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. Pure. */
#pragma once
#include "base/span.h"

/* The length of the longest beginning of s that is UTF-8 and ends with a whole character; s.len when all of
 * it is. */
size_t http_utf8_prefix(struct span s);
static inline bool http_utf8_valid(struct span s)
{
    return http_utf8_prefix(s) == s.len;
}
