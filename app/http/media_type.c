#include "http/media_type.h"

#include "http/syntax.h"

struct row {
    enum http_media_type type;
    struct span name;
};

static const struct row rows[] = {
    {HTTP_MEDIA_JSON, SPAN_INIT("application/json")},
    {HTTP_MEDIA_MERGE_PATCH, SPAN_INIT("application/merge-patch+json")},
    {HTTP_MEDIA_JSON_PATCH, SPAN_INIT("application/json-patch+json")},
    {HTTP_MEDIA_FORM, SPAN_INIT("application/x-www-form-urlencoded")},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* type "/" subtype, as one span; false when it is none. */
static bool take_type(struct span *rest, struct span *name)
{
    struct span whole = *rest;
    struct span type = http_take_token(rest);
    if (type.len == 0 || !http_take_char(rest, '/'))
        return false;
    struct span subtype = http_take_token(rest);
    *name = span_of(whole.ptr, type.len + 1 + subtype.len);
    return subtype.len > 0;
}

/* The parameters (RFC 9110 section 5.6.6) to the end; false when they are malformed. *foreign: one names a
 * charset other than UTF-8. */
static bool take_parameters(struct span *rest, bool *foreign)
{
    *foreign = false;
    for (;;) {
        http_take_space(rest);
        if (rest->len == 0)
            return true;
        if (!http_take_char(rest, ';'))
            return false;
        http_take_space(rest);
        struct span name = http_take_token(rest), value;
        if (name.len == 0)
            continue;
        if (!http_take_char(rest, '=') || !http_take_word(rest, &value))
            return false;
        if (span_eq_nocase(name, SPAN("charset")) && !span_eq_nocase(value, SPAN("utf-8")))
            *foreign = true;
    }
}

static unsigned type_of(struct span name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (span_eq_nocase(rows[i].name, name))
            return rows[i].type;
    return 0;
}

/* "…; this takes A or B" */
static enum err refuse(struct err_detail *detail, unsigned accepted, const char *what)
{
    const char *names[ROW_COUNT + 1] = {"", "", "", "", ""};
    size_t n = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if ((accepted & rows[i].type) != 0)
            names[n++] = rows[i].name.ptr;
    return err_set(detail, ERR_INVALID, "%s; this takes %s%s%s%s%s", what, names[0], n > 1 ? " or " : "",
                   names[1], n > 2 ? " or " : "", names[2]);
}

enum err http_media_type_parse(struct span value, unsigned accepted, unsigned *out, struct err_detail *detail)
{
    struct span rest = span_trim(value), name;
    bool foreign;

    *out = 0;
    if (rest.len == 0)
        return refuse(detail, accepted, "There is no Content-Type");
    if (!take_type(&rest, &name) || !take_parameters(&rest, &foreign))
        return refuse(detail, accepted, "The Content-Type is malformed");
    unsigned type = type_of(name);
    if ((type & accepted) == 0)
        return refuse(detail, accepted, "The Content-Type is another one");
    if (foreign)
        return refuse(detail, accepted, "The body is UTF-8, not the charset that the Content-Type names");
    *out = type;
    return OK;
}

void http_media_type_list(struct buf *out, unsigned types)
{
    bool first = true;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((types & rows[i].type) == 0)
            continue;
        if (!first)
            buf_lit(out, ", ");
        buf_append(out, rows[i].name);
        first = false;
    }
}
