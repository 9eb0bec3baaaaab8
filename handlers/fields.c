#include "handlers/fields.h"

#include "http/etag.h"

enum err handlers_fields_of(struct http_exchange *x, const struct handlers_parameter *fields,
                            enum profile_view view, uint32_t *members)
{
    struct buf detail = {0};
    struct span wrong;
    *members = PROFILE_WHOLE;
    if (fields->count == 0)
        return OK;
    enum err e = profile_part_parse(fields->values[0], view, members, &wrong);
    if (e == OK)
        return OK;
    if (wrong.len == 0)
        buf_lit(&detail, "the parameter 'fields' wants names between commas, and one of them is empty");
    else
        buf_printf(&detail, "the parameter 'fields' names '%.*s', which is no member of this view",
                   SPAN_ARG(wrong));
    handlers_problem(x, HTTP_PROBLEM_INVALID_PARAMETER, e, buf_text(&detail));
    buf_fini(&detail);
    return e;
}

enum err handlers_fields_read(struct http_exchange *x, enum profile_view view, uint32_t *members)
{
    struct span value;
    struct handlers_parameter known[] = {HANDLERS_FIELDS(&value)};
    *members = PROFILE_WHOLE;
    if (x->request->query.ptr == NULL)
        return OK;
    enum err e = handlers_parameters_read(x, known, sizeof known / sizeof known[0]);
    return e == OK ? handlers_fields_of(x, &known[0], view, members) : e;
}

struct span handlers_fields_etag(struct arena *arena, struct span etag, uint32_t members)
{
    struct buf tag = {0};
    if (members == PROFILE_WHOLE)
        return etag;
    http_etag_write_part(&tag, etag, members);
    etag = tag.failed ? (struct span){NULL, 0} : arena_copy(arena, buf_span(&tag));
    buf_fini(&tag);
    return etag;
}
