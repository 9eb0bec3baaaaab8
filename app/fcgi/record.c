#include "fcgi/record.h"

#include <string.h>

/* Section 8. */
enum {
    VERSION = 1,
    BEGIN_REQUEST = 1,
    ABORT_REQUEST = 2,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    ROLE_RESPONDER = 1,
    CONTENT_MOST = 65528, /* a multiple of 8: no padding */
};

static unsigned number_at(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* The header is whole: does the record make sense here? */
static enum err begin_record(struct fcgi_intake *in)
{
    unsigned id = number_at(in->header + 2);
    in->content_left = number_at(in->header + 4);
    in->padding_left = in->header[6];
    if (in->header[0] != VERSION || id == 0)
        return ERR_INVALID;
    if (in->header[1] == BEGIN_REQUEST) {
        in->id = (uint16_t)id;
        return in->begun || in->content_left != sizeof in->begin ? ERR_INVALID : OK;
    }
    if (!in->begun || id != in->id)
        return ERR_INVALID;
    if (in->header[1] == PARAMS)
        return in->params_ended ? ERR_INVALID : OK;
    if (in->header[1] == STDIN)
        return in->body_ended ? ERR_INVALID : OK;
    return ERR_INVALID;
}

static enum err take_content(struct fcgi_intake *in, struct span content)
{
    switch (in->header[1]) {
    case BEGIN_REQUEST:
        memcpy(in->begin + in->begin_len, content.ptr, content.len);
        in->begin_len += (unsigned)content.len;
        return OK;
    case PARAMS:
        buf_append(&in->params, content);
        return buf_status(&in->params);
    default:
        in->body_len += (uint32_t)content.len;
        return in->body_len > FCGI_BODY_MOST ? ERR_TOO_LARGE : OK;
    }
}

/* The record is over. An empty one ends its stream (section 3.3). */
static enum err end_record(struct fcgi_intake *in)
{
    bool empty = number_at(in->header + 4) == 0;
    if (in->header[1] == BEGIN_REQUEST) {
        in->begun = true;
        in->header_len = 0;
        return number_at(in->begin) == ROLE_RESPONDER ? OK : ERR_INVALID;
    }
    in->params_ended = in->params_ended || (empty && in->header[1] == PARAMS);
    in->body_ended = in->body_ended || (empty && in->header[1] == STDIN);
    in->header_len = 0;
    return OK;
}

/* Takes up to len bytes off the front. */
static struct span cut(struct span *bytes, size_t len)
{
    struct span head = span_of(bytes->ptr, bytes->len < len ? bytes->len : len);
    *bytes = span_from(*bytes, head.len);
    return head;
}

enum err fcgi_intake_feed(struct fcgi_intake *in, struct span bytes)
{
    enum err e = OK;
    in->params.limit = FCGI_PARAMS_MOST;
    while (e == OK && !(in->params_ended && in->body_ended)) {
        if (in->header_len < FCGI_RECORD_HEADER) {
            struct span part = cut(&bytes, FCGI_RECORD_HEADER - in->header_len);
            if (part.len == 0)
                return ERR_NOT_FOUND;
            memcpy(in->header + in->header_len, part.ptr, part.len);
            in->header_len += (unsigned)part.len;
            if (in->header_len < FCGI_RECORD_HEADER)
                return ERR_NOT_FOUND;
            if ((e = begin_record(in)) != OK)
                return e;
        }
        if (in->content_left > 0) {
            struct span part = cut(&bytes, in->content_left);
            if (part.len == 0)
                return ERR_NOT_FOUND;
            in->content_left -= (uint32_t)part.len;
            e = take_content(in, part);
        } else if (in->padding_left > 0) {
            struct span part = cut(&bytes, in->padding_left);
            if (part.len == 0)
                return ERR_NOT_FOUND;
            in->padding_left -= (uint32_t)part.len;
        }
        if (e == OK && in->content_left == 0 && in->padding_left == 0)
            e = end_record(in);
    }
    return e;
}

void fcgi_intake_fini(struct fcgi_intake *in)
{
    buf_fini(&in->params);
}

/* A length: one byte, or four with the highest bit set (section 3.4). */
static bool take_length(struct span *rest, size_t *out)
{
    const unsigned char *at = (const unsigned char *)rest->ptr;
    size_t len = rest->len > 0 && at[0] >= 0x80 ? 4 : 1;
    if (rest->len < len)
        return false;
    *out = len == 1 ? at[0] : (size_t)(at[0] & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)number_at(at + 2);
    *rest = span_from(*rest, len);
    return true;
}

static bool take_pair(struct span *rest, struct span *name, struct span *value)
{
    size_t name_len, value_len;
    if (!take_length(rest, &name_len) || !take_length(rest, &value_len) || rest->len < name_len ||
        rest->len - name_len < value_len)
        return false;
    *name = cut(rest, name_len);
    *value = cut(rest, value_len);
    return memchr(name->ptr, '\0', name->len) == NULL && memchr(value->ptr, '\0', value->len) == NULL;
}

enum err fcgi_params_read(struct span params, struct arena *arena, char ***out)
{
    struct span name, value, rest = params;
    size_t count = 0;
    *out = NULL;
    for (; rest.len > 0; count++)
        if (!take_pair(&rest, &name, &value))
            return ERR_INVALID;
    char **list = arena_alloc(arena, (count + 1) * sizeof list[0]);
    if (list == NULL)
        return ERR_NOMEM;
    rest = params;
    for (size_t i = 0; i < count && take_pair(&rest, &name, &value); i++) {
        if ((list[i] = arena_alloc(arena, name.len + value.len + 2)) == NULL)
            return ERR_NOMEM;
        memcpy(list[i], name.ptr, name.len);
        list[i][name.len] = '=';
        memcpy(list[i] + name.len + 1, value.ptr, value.len);
        list[i][name.len + 1 + value.len] = '\0';
    }
    list[count] = NULL;
    *out = list;
    return OK;
}

static void write_record(struct buf *out, unsigned type, uint16_t id, struct span content)
{
    const char header[FCGI_RECORD_HEADER] = {
        VERSION, (char)type, (char)(id >> 8), (char)id, (char)(content.len >> 8), (char)content.len};
    buf_append(out, span_of(header, sizeof header));
    buf_append(out, content);
}

static void write_stream(struct buf *out, uint16_t id, struct span bytes)
{
    while (bytes.len > 0)
        write_record(out, STDOUT, id, cut(&bytes, CONTENT_MOST));
}

void fcgi_answer_write(struct buf *out, uint16_t id, struct span head, struct span body)
{
    static const char end[8] = {0}; /* status 0, FCGI_REQUEST_COMPLETE (section 5.5) */
    write_stream(out, id, head);
    write_stream(out, id, body);
    write_record(out, STDOUT, id, SPAN(""));
    write_record(out, END_REQUEST, id, span_of(end, sizeof end));
}
