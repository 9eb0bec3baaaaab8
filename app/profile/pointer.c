#include "profile/pointer.h"

bool profile_pointer_valid(struct span pointer)
{
    if (pointer.ptr == NULL || (pointer.len > 0 && pointer.ptr[0] != '/'))
        return false;
    for (size_t i = 0; i < pointer.len; i++) {
        if (pointer.ptr[i] == '\0')
            return false;
        if (pointer.ptr[i] == '~' &&
            (i + 1 == pointer.len || (pointer.ptr[i + 1] != '0' && pointer.ptr[i + 1] != '1')))
            return false;
    }
    return true;
}

struct span profile_pointer_next(struct span *pointer, struct buf *scratch)
{
    struct span rest = span_from(*pointer, 1);
    const char *end = memchr(rest.ptr, '/', rest.len);
    struct span token = span_of(rest.ptr, end == NULL ? rest.len : (size_t)(end - rest.ptr));
    *pointer = span_from(rest, token.len);
    if (memchr(token.ptr, '~', token.len) == NULL)
        return token;
    buf_clear(scratch);
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        if (c == '~')
            c = token.ptr[++i] == '0' ? '~' : '/';
        buf_char(scratch, c);
    }
    return scratch->failed ? (struct span){NULL, 0} : buf_span(scratch);
}

bool profile_pointer_index(struct span token, size_t last, size_t *index)
{
    uint64_t number;
    if (token.len > 1 && token.ptr[0] == '0')
        return false;
    if (!span_to_u64(token, last, &number))
        return false;
    *index = (size_t)number;
    return true;
}

json_t *profile_pointer_step(const json_t *container, struct span token)
{
    size_t index, size = json_array_size(container);
    if (json_is_object(container))
        return json_object_getn(container, token.ptr, token.len);
    if (size > 0 && profile_pointer_index(token, size - 1, &index))
        return json_array_get(container, index);
    return NULL;
}

char *profile_pointer_write(char *to, struct span token)
{
    *to++ = '/';
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] == '~' || token.ptr[i] == '/') {
            *to++ = '~';
            *to++ = token.ptr[i] == '~' ? '0' : '1';
        } else {
            *to++ = token.ptr[i];
        }
    }
    return to;
}
