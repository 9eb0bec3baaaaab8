#include "profile/ascii.h"
#include "profile/syntax.h"

enum { LOCAL_MAX = 64, ADDRESS_MAX = 254 }; /* RFC 5321 section 4.5.3.1, a path less its angle brackets */

/* atext of RFC 5322 section 3.2.3, and UTF8-non-ascii of RFC 6532. */
static bool atext(char c)
{
    return (unsigned char)c >= 0x80 || profile_ascii_alphanumeric(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool dot_atom(struct span local)
{
    struct span rest = local;
    do {
        struct span atom = span_cut(&rest, '.');
        if (atom.len == 0)
            return false;
        for (size_t i = 0; i < atom.len; i++)
            if (!atext(atom.ptr[i]))
                return false;
    } while (rest.ptr != NULL);
    return true;
}

/* Quoted-string of RFC 5321 section 4.1.2: qtextSMTP and quoted pairs. */
static bool quoted_string(struct span local)
{
    if (local.len < 2 || local.ptr[0] != '"' || local.ptr[local.len - 1] != '"')
        return false;
    for (size_t i = 1, last = local.len - 1; i < last; i++) {
        bool escaped = local.ptr[i] == '\\';
        if (escaped && ++i == last)
            return false;
        char c = local.ptr[i];
        if ((c == '"' && !escaped) || (unsigned char)c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

/* "[" IPv4 "]" or "[IPv6:" IPv6 "]", section 4.1.3. */
static bool address_literal(struct span domain)
{
    const struct span tag = SPAN("IPv6:");
    if (domain.len < 2 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
        return false;
    struct span address = span_of(domain.ptr + 1, domain.len - 2);
    if (address.len > tag.len && span_eq_nocase(span_of(address.ptr, tag.len), tag))
        return profile_syntax_ipv6(span_from(address, tag.len));
    return profile_syntax_ipv4(address);
}

bool profile_syntax_email(struct span s)
{
    const char *at = s.len == 0 ? NULL : memrchr(s.ptr, '@', s.len);
    if (at == NULL || s.len > ADDRESS_MAX)
        return false;
    struct span local = span_of(s.ptr, (size_t)(at - s.ptr));
    struct span domain = span_from(s, local.len + 1);
    if (local.len == 0 || local.len > LOCAL_MAX)
        return false;
    if (!dot_atom(local) && !quoted_string(local))
        return false;
    return profile_syntax_domain(domain, true) || address_literal(domain);
}
