#include "config/listen.h"

#include <arpa/inet.h>
#include <stdio.h>

static enum err parse_unix(struct span path, struct config_listen *out, struct err_detail *detail)
{
    struct sockaddr_un *address = &out->address.unix_path;
    if (path.len == 0)
        return err_set(detail, ERR_INVALID, "unix: needs a path, as in unix:/run/profiled/profiled.sock");
    if (path.ptr[0] == '@')
        return err_set(detail, ERR_INVALID, "an abstract socket has no owner and no mode; give a path");
    if (path.len >= sizeof address->sun_path)
        return err_set(detail, ERR_INVALID, "the path has %zu bytes, a Unix socket's may have %zu", path.len,
                       sizeof address->sun_path - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path.ptr, path.len);
    out->kind = CONFIG_LISTEN_UNIX;
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return OK;
}

/* The address's text, without brackets, into out; false when it does not fit or the brackets do not match. */
static bool copy_host(struct span host, char out[INET6_ADDRSTRLEN], bool *bracketed)
{
    *bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (*bracketed)
        host = span_of(host.ptr + 1, host.len - 2);
    if (host.len >= INET6_ADDRSTRLEN || (host.len > 0 && memchr(host.ptr, '\0', host.len) != NULL))
        return false;
    memcpy(out, host.ptr, host.len);
    out[host.len] = '\0';
    return true;
}

static enum err parse_tcp(struct span text, struct config_listen *out, struct err_detail *detail)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = text.len == 0 ? NULL : memrchr(text.ptr, ':', text.len);
    uint64_t port = 0;
    bool bracketed;

    if (colon == NULL || !span_to_u64(span_from(text, (size_t)(colon - text.ptr) + 1), 65535, &port) ||
        port == 0)
        return err_set(detail, ERR_INVALID, "tcp: needs ADDRESS:PORT with a port from 1 to 65535");
    if (!copy_host(span_of(text.ptr, (size_t)(colon - text.ptr)), host, &bracketed))
        return err_set(detail, ERR_INVALID, "the address is too long");
    out->kind = CONFIG_LISTEN_TCP;
    if (!bracketed && inet_pton(AF_INET, host, &out->address.ip4.sin_addr) == 1) {
        out->address.ip4.sin_family = AF_INET;
        out->address.ip4.sin_port = htons((uint16_t)port);
        out->len = sizeof out->address.ip4;
        return OK;
    }
    if (bracketed && inet_pton(AF_INET6, host, &out->address.ip6.sin6_addr) == 1) {
        out->address.ip6.sin6_family = AF_INET6;
        out->address.ip6.sin6_port = htons((uint16_t)port);
        out->len = sizeof out->address.ip6;
        return OK;
    }
    return err_set(detail, ERR_INVALID,
                   "`%s` is no address: write 127.0.0.1, or IPv6 in brackets as in [::1]", host);
}

enum err config_listen_parse(struct span text, struct config_listen *out, struct err_detail *detail)
{
    enum err e;
    memset(out, 0, sizeof *out);
    if (span_starts(text, SPAN("unix:")))
        e = parse_unix(span_from(text, 5), out, detail);
    else if (span_starts(text, SPAN("tcp:")))
        e = parse_tcp(span_from(text, 4), out, detail);
    else
        e = err_set(detail, ERR_INVALID, "`%.*s` is neither unix:PATH nor tcp:ADDRESS:PORT",
                    (int)(text.len > 60 ? 60 : text.len), text.ptr);
    if (e != OK)
        memset(out, 0, sizeof *out);
    return e;
}

enum err config_listen_mode(struct span text, unsigned *out, struct err_detail *detail)
{
    unsigned mode = 0;
    bool good = text.len == 3 || (text.len == 4 && text.ptr[0] == '0');
    for (size_t i = 0; i < text.len && good; i++) {
        good = text.ptr[i] >= '0' && text.ptr[i] <= '7';
        mode = mode * 8 + (unsigned)(text.ptr[i] - '0');
    }
    if (!good)
        return err_set(detail, ERR_INVALID, "`%.*s` is not a mode in octal such as 0660",
                       (int)(text.len > 60 ? 60 : text.len), text.ptr);
    *out = mode;
    return OK;
}

enum err config_changes_listen(const struct config_settings *settings, struct buf *out)
{
    struct span said = span_str(config_text(settings, CONFIG_server_changes_listen));
    struct span listen = span_str(config_text(settings, CONFIG_server_listen));
    struct config_listen address;
    struct err_detail ignored;
    size_t before = out->len;
    if (span_eq(said, SPAN("off")) || (said.len == 0 && !span_starts(listen, SPAN("unix:"))))
        return ERR_NOT_FOUND;
    buf_append(out, said.len > 0 ? said : listen);
    if (said.len == 0)
        buf_lit(out, "-changes");
    if (buf_status(out) != OK)
        return ERR_NOMEM;
    if (said.len > 0 || config_listen_parse(span_from(buf_span(out), before), &address, &ignored) == OK)
        return OK;
    buf_truncate(out, before);
    return ERR_NOT_FOUND;
}
