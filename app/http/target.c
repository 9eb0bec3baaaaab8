#include "http/target.h"

/* What no form of a target holds (RFC 9112 section 3.2): it would have been cut off or encoded by whoever
 * sent it. */
static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '#')
            return false;
    }
    return true;
}

/* Takes "http://authority" off an absolute-form (RFC 9112 section 3.2.2); false when it is none, or names no
 * host. */
static bool take_authority(struct span *uri)
{
    static const struct span schemes[] = {SPAN_INIT("http://"), SPAN_INIT("https://")};
    for (size_t i = 0; i < 2; i++) {
        struct span scheme = schemes[i];
        if (uri->len <= scheme.len || !span_eq_nocase(span_of(uri->ptr, scheme.len), scheme))
            continue;
        size_t end = scheme.len;
        while (end < uri->len && uri->ptr[end] != '/' && uri->ptr[end] != '?')
            end++;
        if (end == scheme.len)
            return false;
        *uri = span_from(*uri, end);
        return true;
    }
    return false;
}

enum err http_target_split(struct span uri, struct span *path, struct span *query)
{
    *path = *query = (struct span){NULL, 0};
    if (uri.len == 0 || !is_clean(uri))
        return ERR_INVALID;
    if (uri.ptr[0] != '/' && !take_authority(&uri))
        return ERR_INVALID;
    struct span rest = uri;
    *path = span_cut(&rest, '?');
    *query = rest;
    if (path->len == 0)
        *path = SPAN("/");
    return OK;
}

/* pchar of RFC 3986 section 3.3 without "%", and the slash between segments */
static bool stands_in_path(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("/-._~:@!$&'()*+,;=", c) != NULL;
}

/* Writes s encoded; gives the end of what was written, or NULL for a NUL in it. to has room for three times
 * its length. */
static char *encode_path(char *to, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\0')
            return NULL;
        if (stands_in_path(s.ptr[i])) {
            *to++ = s.ptr[i];
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return to;
}

enum err http_target_compose(struct span script_name, struct span path_info, struct arena *arena,
                             struct span *path)
{
    *path = (struct span){NULL, 0};
    /* a script at the root is "/" to some servers and "" to others */
    if (script_name.len > 0 && script_name.ptr[script_name.len - 1] == '/' && path_info.len > 0 &&
        path_info.ptr[0] == '/')
        script_name.len--;
    struct span first = script_name.len > 0 ? script_name : path_info;
    if (first.len == 0 || first.ptr[0] != '/')
        return ERR_INVALID;
    if (script_name.len > SIZE_MAX / 8 || path_info.len > SIZE_MAX / 8)
        return ERR_NOMEM;
    char *text = arena_alloc(arena, (script_name.len + path_info.len) * 3 + 1);
    if (text == NULL)
        return ERR_NOMEM;
    char *end = encode_path(text, script_name);
    if (end != NULL)
        end = encode_path(end, path_info);
    if (end == NULL)
        return ERR_INVALID;
    *end = '\0';
    *path = span_of(text, (size_t)(end - text));
    return OK;
}

/* How many bytes of the path's front the mount takes up; 0 when the path lies outside it. */
static size_t mount_len(struct span path, struct span mount)
{
    size_t at = 0;
    for (size_t i = 0; i < mount.len; i++, at++) {
        char c;
        if (at >= path.len)
            return 0;
        if (path.ptr[at] == mount.ptr[i])
            continue;
        if (mount.ptr[i] == '/' || !http_percent_octet(span_from(path, at), &c) || c != mount.ptr[i])
            return 0;
        at += 2;
    }
    return at == path.len || path.ptr[at] == '/' ? at : 0;
}

enum err http_target_unmount(struct span *path, struct span mount)
{
    while (mount.len > 0 && mount.ptr[mount.len - 1] == '/')
        mount.len--;
    if (mount.len == 0)
        return OK;
    size_t n = mount_len(*path, mount);
    if (n == 0)
        return ERR_NOT_FOUND;
    *path = n == path->len ? SPAN("/") : span_from(*path, n);
    return OK;
}
