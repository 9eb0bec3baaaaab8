#include "profile/ascii.h"
#include "profile/syntax.h"

enum { PORT_MAX = 65535 };

/* pchar, '/' and '?' of RFC 3986 section 3.3 and 3.4, less the percent sign. */
static bool url_character(char c)
{
    return profile_ascii_alphanumeric(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/?", c) != NULL);
}

static bool hex_digit(char c)
{
    return profile_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Path, query and fragment: section 3.3 to 3.5. The fragment, like each of them, may hold no second '#'. */
static bool tail_sound(struct span tail)
{
    bool fragment = false;
    for (size_t i = 0; i < tail.len; i++) {
        char c = tail.ptr[i];
        if (c == '%') {
            if (tail.len - i < 3 || !hex_digit(tail.ptr[i + 1]) || !hex_digit(tail.ptr[i + 2]))
                return false;
            i += 2;
        } else if (c == '#') {
            if (fragment)
                return false;
            fragment = true;
        } else if (!url_character(c)) {
            return false;
        }
    }
    return true;
}

/* Section 3.2.3; a colon with nothing behind it is allowed there. */
static bool port_sound(struct span port)
{
    uint64_t number;
    return port.len == 0 || (port.len <= 5 && span_to_u64(port, PORT_MAX, &number));
}

static bool host_sound(struct span host)
{
    if (profile_syntax_ipv4(host))
        return true;
    if (host.len > 1 && host.ptr[host.len - 1] == '.') /* the root's dot */
        host.len--;
    return profile_syntax_domain(host, false);
}

/* host [":" port]; an '@', and with it userinfo, is in neither. */
static bool authority_sound(struct span authority)
{
    struct span host = authority, port = {NULL, 0};
    if (authority.len > 0 && authority.ptr[0] == '[') {
        const char *end = memchr(authority.ptr, ']', authority.len);
        if (end == NULL)
            return false;
        host = span_of(authority.ptr + 1, (size_t)(end - authority.ptr) - 1);
        struct span behind = span_from(authority, host.len + 2);
        if (behind.len > 0 && behind.ptr[0] != ':')
            return false;
        return profile_syntax_ipv6(host) && port_sound(span_from(behind, 1));
    }
    port = authority;
    host = span_cut(&port, ':');
    return host_sound(host) && port_sound(port);
}

bool profile_syntax_url(struct span s)
{
    const struct span scheme = SPAN("https://");
    if (s.len < scheme.len || !span_eq_nocase(span_of(s.ptr, scheme.len), scheme))
        return false;
    struct span rest = span_from(s, scheme.len);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?' && rest.ptr[len] != '#')
        len++;
    return authority_sound(span_of(rest.ptr, len)) && tail_sound(span_from(rest, len));
}
