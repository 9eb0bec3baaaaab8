#include "profile/ascii.h"
#include "profile/syntax.h"

#include <arpa/inet.h>

enum { LABEL_MAX = 63, NAME_MAX_LEN = 253 };

static bool label_sound(struct span label, bool utf8)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        bool letter =
            profile_ascii_alphanumeric(c) || c == '-' || c == '_' || (utf8 && (unsigned char)c >= 0x80);
        if (!letter)
            return false;
    }
    return true;
}

bool profile_syntax_domain(struct span s, bool utf8)
{
    if (s.len == 0 || s.len > NAME_MAX_LEN)
        return false;
    struct span label, rest = s;
    do {
        label = span_cut(&rest, '.');
        if (!label_sound(label, utf8))
            return false;
    } while (rest.ptr != NULL);
    return !profile_ascii_all_digits(label);
}

bool profile_syntax_ipv4(struct span s)
{
    size_t count = 0;
    struct span rest = s;
    do {
        struct span part = span_cut(&rest, '.');
        uint64_t value;
        if (!span_to_u64(part, 255, &value) || (part.len > 1 && part.ptr[0] == '0'))
            return false;
        count++;
    } while (rest.ptr != NULL);
    return count == 4;
}

bool profile_syntax_ipv6(struct span s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.len == 0 || s.len >= sizeof text || memchr(s.ptr, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}
