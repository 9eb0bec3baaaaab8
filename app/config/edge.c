#include "config/edge.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool name_valid(struct span host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!is_alnum(host.ptr[i]) && host.ptr[i] != '.' && host.ptr[i] != '-' && host.ptr[i] != '_')
            return false;
    return host.len > 0 && host.ptr[0] != '-' && host.ptr[0] != '.';
}

static bool ip6_valid(struct span host)
{
    bool colon = false;
    for (size_t i = 1; i + 1 < host.len; i++) {
        char c = host.ptr[i];
        colon = colon || c == ':';
        if (!is_alnum(c) && c != ':' && c != '.')
            return false;
    }
    return colon && host.len > 3 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
}

enum err config_edge_address_check(struct span text, struct err_detail *detail)
{
    int shown = (int)(text.len > 60 ? 60 : text.len);
    struct span rest = span_from(text, strlen("http://"));
    size_t colon = rest.len;
    uint64_t port;
    if (span_starts(text, SPAN("https://")))
        return err_set(detail, ERR_INVALID, "`%.*s`: purges go over http, on loopback or a private network",
                       shown, text.ptr);
    if (!span_starts(text, SPAN("http://")))
        return err_set(detail, ERR_INVALID, "`%.*s` is not http://HOST:PORT", shown, text.ptr);
    if (text.len > CONFIG_EDGE_ADDRESS_MAX)
        return err_set(detail, ERR_INVALID, "`%.*s…` is longer than %d characters", shown, text.ptr,
                       CONFIG_EDGE_ADDRESS_MAX);
    while (colon > 0 && rest.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return err_set(detail, ERR_INVALID, "`%.*s` lacks its port: http://HOST:PORT", shown, text.ptr);
    struct span host = span_of(rest.ptr, colon - 1);
    if (!name_valid(host) && !ip6_valid(host))
        return err_set(detail, ERR_INVALID, "`%.*s` is not http://HOST:PORT", shown, text.ptr);
    if (!span_to_u64(span_from(rest, colon), 65535, &port) || port == 0)
        return err_set(detail, ERR_INVALID, "`%.*s`: a port is 1 to 65535, and nothing stands behind it",
                       shown, text.ptr);
    return OK;
}

struct span config_edge_address_next(struct span *rest)
{
    while (rest->ptr != NULL) {
        struct span word = span_cut(rest, ' ');
        if (word.len > 0)
            return word;
    }
    return (struct span){NULL, 0};
}

enum err config_edge_key_check(struct span key, struct err_detail *detail)
{
    if (key.len < CONFIG_EDGE_KEY_MIN)
        return err_set(detail, ERR_INVALID, "a secret of %d characters or more, or file:PATH with one in it",
                       CONFIG_EDGE_KEY_MIN);
    if (key.len > CONFIG_EDGE_KEY_MAX)
        return err_set(detail, ERR_TOO_LARGE, "a secret has %d characters at most", CONFIG_EDGE_KEY_MAX);
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~')
            return err_set(detail, ERR_INVALID, "a secret is of visible ASCII characters, without spaces");
    return OK;
}

const char *config_edge_key_path(const char *key)
{
    if (strncmp(key, "file:", strlen("file:")) == 0)
        return key + strlen("file:");
    return key[0] == '/' ? key : NULL;
}
