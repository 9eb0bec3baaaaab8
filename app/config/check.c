#include "config/check.h"

#include "config/edge.h"
#include "config/listen.h"

#include <stdarg.h>
#include <stdio.h>

static enum err refuse(const struct config_settings *s, enum config_id id, struct err_detail *detail,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "where it came from: section.key: why" */
static enum err refuse(const struct config_settings *s, enum config_id id, struct err_detail *detail,
                       const char *format, ...)
{
    struct buf where = {0};
    char why[sizeof detail->text];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    config_origin_write(s, id, &where);
    enum err e = err_set(detail, ERR_INVALID, "%s: %s.%s: %s", buf_text(&where), config_row(id)->section,
                         config_row(id)->key, why);
    buf_fini(&where);
    return e;
}

static struct span text_of(const struct config_settings *s, enum config_id id)
{
    return span_str(config_text(s, id));
}

static enum err check_listen(const struct config_settings *s, struct err_detail *detail)
{
    struct config_listen listen;
    struct err_detail why = {0};
    unsigned mode;
    if (config_listen_parse(text_of(s, CONFIG_server_listen), &listen, &why) != OK)
        return refuse(s, CONFIG_server_listen, detail, "%s", why.text);
    struct span changes = text_of(s, CONFIG_server_changes_listen);
    if (changes.len > 0 && !span_eq(changes, SPAN("off"))) {
        if (config_listen_parse(changes, &listen, &why) != OK)
            return refuse(s, CONFIG_server_changes_listen, detail, "%s", why.text);
        if (span_eq(changes, text_of(s, CONFIG_server_listen)))
            return refuse(s, CONFIG_server_changes_listen, detail, "it is that of server.listen");
    }
    if (config_listen_mode(text_of(s, CONFIG_server_listen_mode), &mode, &why) != OK)
        return refuse(s, CONFIG_server_listen_mode, detail, "%s", why.text);
    return OK;
}

/* Empty, or segments as an address bears them (RFC 3986 section 3.3), none of them empty or a dot segment. */
static bool mount_valid(struct span mount)
{
    struct span rest = span_from(mount, 1);
    if (mount.len == 0)
        return true;
    if (mount.ptr[0] != '/')
        return false;
    while (rest.ptr != NULL) {
        struct span segment = span_cut(&rest, '/');
        if (segment.len == 0 || span_eq(segment, SPAN(".")) || span_eq(segment, SPAN("..")))
            return false;
        for (size_t i = 0; i < segment.len; i++)
            if ((unsigned char)segment.ptr[i] <= ' ' || strchr("?#%\"<>\\^`{|}", segment.ptr[i]) != NULL)
                return false;
    }
    return true;
}

static enum err check_paths(const struct config_settings *s, struct err_detail *detail)
{
    struct span url = text_of(s, CONFIG_store_url);
    if (!mount_valid(text_of(s, CONFIG_server_mount)))
        return refuse(
            s, CONFIG_server_mount, detail,
            "a path that begins with / and does not end with one, such as /profiles; empty for none");
    if (!span_starts(url, SPAN("sqlite:")) || url.len == strlen("sqlite:"))
        return refuse(s, CONFIG_store_url, detail, "`%s` is not sqlite:PATH", url.ptr);
    return OK;
}

static enum err check_not_empty(const struct config_settings *s, struct err_detail *detail)
{
    static const enum config_id ids[] = {CONFIG_server_user, CONFIG_token_keys, CONFIG_token_issuer};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (text_of(s, ids[i]).len == 0)
            return refuse(s, ids[i], detail, "must not be empty");
    return OK;
}

/* These are known so that a file may name them with their defaults; a limit that nobody keeps must not look
 * like one. */
static enum err check_edge(const struct config_settings *s, struct err_detail *detail)
{
    struct span seen[CONFIG_EDGE_MOST], word, rest = text_of(s, CONFIG_edge_purge);
    const char *key = config_text(s, CONFIG_edge_key), *path = config_edge_key_path(key);
    struct err_detail why = {0};
    size_t count = 0;
    while ((word = config_edge_address_next(&rest)).ptr != NULL) {
        if (config_edge_address_check(word, &why) != OK)
            return refuse(s, CONFIG_edge_purge, detail, "%s", why.text);
        for (size_t i = 0; i < count; i++)
            if (span_eq(seen[i], word))
                return refuse(s, CONFIG_edge_purge, detail, "`%.*s` stands there twice", SPAN_ARG(word));
        if (count == CONFIG_EDGE_MOST)
            return refuse(s, CONFIG_edge_purge, detail, "%d addresses at most", CONFIG_EDGE_MOST);
        seen[count++] = word;
    }
    if (count > 0 && key[0] == '\0')
        return refuse(s, CONFIG_edge_purge, detail,
                      "edge.key must be said as well, the secret that purges bear");
    if (path != NULL && path[0] == '\0')
        return refuse(s, CONFIG_edge_key, detail, "file: lacks the path of the file");
    if (path == NULL && key[0] != '\0' && config_edge_key_check(span_str(key), &why) != OK)
        return refuse(s, CONFIG_edge_key, detail, "%s", why.text);
    return OK;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands before "://" (RFC 3986 section 3.1), as browsers send it: in lower case. */
static bool scheme_valid(struct span scheme)
{
    for (size_t i = 0; i < scheme.len; i++)
        if (!is_lower(scheme.ptr[i]) &&
            !(i > 0 && (is_digit(scheme.ptr[i]) || strchr("+.-", scheme.ptr[i]) != NULL)))
            return false;
    return scheme.len > 0;
}

static bool host_valid(struct span host)
{
    bool bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracketed)
        host = span_of(host.ptr + 1, host.len - 2);
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool good = is_digit(c) || (bracketed ? (c >= 'a' && c <= 'f') || c == ':' || c == '.'
                                              : is_lower(c) || c == '.' || c == '-' || c == '_');
        if (!good)
            return false;
    }
    return host.len > 0;
}

/* An origin as a browser serialises it (RFC 6454 section 6.2): anything else would never be equal to one. */
static bool origin_valid(struct span origin)
{
    const char *at = origin.len < 4 ? NULL : memmem(origin.ptr, origin.len, "://", 3);
    if (at == NULL)
        return false;
    struct span scheme = span_of(origin.ptr, (size_t)(at - origin.ptr));
    struct span host = span_from(origin, scheme.len + 3);
    const char *colon = host.len == 0 ? NULL : memrchr(host.ptr, ':', host.len);
    if (colon != NULL && host.ptr[host.len - 1] != ']') {
        struct span digits = span_from(host, (size_t)(colon - host.ptr) + 1);
        uint64_t port;
        if (!span_to_u64(digits, 65535, &port) || digits.ptr[0] == '0')
            return false;
        if ((port == 80 && span_eq(scheme, SPAN("http"))) || (port == 443 && span_eq(scheme, SPAN("https"))))
            return false;
        host.len = (size_t)(colon - host.ptr);
    }
    return scheme_valid(scheme) && host_valid(host);
}

/* An origin of http or https, and perhaps a path: what an address is put together behind. */
static enum err check_base_url(const struct config_settings *s, struct err_detail *detail)
{
    enum { LONGEST = 1024 }; /* a picture's address has room for 2048 characters */
    struct span url = text_of(s, CONFIG_http_base_url);
    const char *at = url.len == 0 ? NULL : memmem(url.ptr, url.len, "://", 3);
    if (url.len == 0)
        return OK;
    size_t len = at == NULL ? 0 : (size_t)(at - url.ptr) + 3;
    while (at != NULL && len < url.len && url.ptr[len] != '/')
        len++;
    struct span origin = span_of(url.ptr, len);
    bool web = span_starts(url, SPAN("https://")) || span_starts(url, SPAN("http://"));
    if (!web || url.len > LONGEST || !origin_valid(origin) || !mount_valid(span_from(url, len)))
        return refuse(s, CONFIG_http_base_url, detail,
                      "https://HOST or https://HOST/PATH in lower case, no default port, no / behind it; "
                      "empty: by the Host of each request");
    return OK;
}

static enum err check_origins(const struct config_settings *s, struct err_detail *detail)
{
    struct span rest = text_of(s, CONFIG_http_cors_origins);
    size_t words = 0;
    bool any = false;
    while (rest.ptr != NULL) {
        struct span word = span_trim(span_cut(&rest, ' '));
        if (word.len == 0)
            continue;
        words++;
        if (span_eq(word, SPAN("*")))
            any = true;
        else if (!origin_valid(word))
            return refuse(
                s, CONFIG_http_cors_origins, detail,
                "`%.*s` is no origin as browsers send it: scheme://host or scheme://host:port in lower "
                "case, no path, no default port",
                (int)(word.len > 60 ? 60 : word.len), word.ptr);
    }
    if (any && words > 1)
        return refuse(s, CONFIG_http_cors_origins, detail, "* stands alone: it lets every origin in");
    return OK;
}

static enum err refuse_issuer(const struct config_settings *s, int line, struct err_detail *detail,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum err refuse_issuer(const struct config_settings *s, int line, struct err_detail *detail,
                              const char *format, ...)
{
    char why[sizeof detail->text];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return err_set(detail, ERR_INVALID, "%s:%d: %s", s->path == NULL ? "(file)" : s->path, line, why);
}

/* A scope that is misspelt would quietly not be granted. */
static bool scope_known(struct span scope)
{
    static const char *const known[] = {"profile:read", "profile:list", "profile:write", "profile:admin",
                                        "metrics:read"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq(scope, span_str(known[i])))
            return true;
    return false;
}

static enum err check_scopes(const struct config_settings *s, const struct config_issuer *issuer,
                             struct err_detail *detail)
{
    struct span rest = span_str(issuer->scopes);
    while (rest.ptr != NULL) {
        struct span word = span_cut(&rest, ' ');
        if (word.len > 0 && !scope_known(word))
            return refuse_issuer(
                s, issuer->lines[CONFIG_ISSUER_scopes], detail,
                "[issuer %s] scopes: `%.*s` is none of profile:read, profile:list, profile:write, "
                "profile:admin, metrics:read",
                issuer->name, (int)(word.len > 40 ? 40 : word.len), word.ptr);
    }
    return OK;
}

static enum err check_issuer(const struct config_settings *s, const struct config_issuer *issuer,
                             struct err_detail *detail)
{
    if (issuer->iss == NULL)
        return refuse_issuer(s, issuer->line, detail, "[issuer %s] lacks `iss`", issuer->name);
    if (issuer->jwks == NULL)
        return refuse_issuer(s, issuer->line, detail, "[issuer %s] lacks `jwks`", issuer->name);
    if (issuer->audience == NULL)
        return refuse_issuer(s, issuer->line, detail, "[issuer %s] lacks `audience`", issuer->name);
    if (issuer->subject_prefix == NULL)
        return refuse_issuer(
            s, issuer->line, detail,
            "[issuer %s] lacks `subject_prefix`: say it, empty if its subjects are taken as they "
            "stand",
            issuer->name);
    if (strcmp(issuer->iss, config_text(s, CONFIG_token_issuer)) == 0)
        return refuse_issuer(s, issuer->lines[CONFIG_ISSUER_iss], detail,
                             "[issuer %s] iss is our own token.issuer", issuer->name);
    for (const struct config_issuer *other = s->issuers; other < issuer; other++)
        if (strcmp(issuer->iss, other->iss) == 0)
            return refuse_issuer(s, issuer->lines[CONFIG_ISSUER_iss], detail,
                                 "[issuer %s] has the iss of [issuer %s] on line %d", issuer->name,
                                 other->name, other->lines[CONFIG_ISSUER_iss]);
    return check_scopes(s, issuer, detail);
}

enum err config_check(const struct config_settings *s, struct err_detail *detail)
{
    enum err e;
    if ((e = check_not_empty(s, detail)) != OK || (e = check_listen(s, detail)) != OK ||
        (e = check_paths(s, detail)) != OK || (e = check_base_url(s, detail)) != OK ||
        (e = check_origins(s, detail)) != OK || (e = check_edge(s, detail)) != OK)
        return e;
    for (size_t i = 0; i < s->issuer_count; i++)
        if ((e = check_issuer(s, &s->issuers[i], detail)) != OK)
            return e;
    return OK;
}
