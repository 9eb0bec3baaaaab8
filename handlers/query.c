#include "handlers/query.h"

#include "handlers/draft.h"
#include "handlers/many.h"
#include "http/etag.h"
#include "http/media_type.h"
#include "profile/iterable.h"
#include "profile/pointer.h"
#include "json/get.h"
#include "json/write.h"

enum { FAULTS_MAX = 32 };

struct faults {
    struct http_problem_fault list[FAULTS_MAX];
    size_t count; /* further ones are dropped */
    bool out_of_memory;
};

/* At "/member/inner", without inner when that is absent, or at the whole. */
static void fault(struct http_exchange *x, struct faults *faults, struct span member, struct span inner,
                  const char *detail)
{
    if (faults->count == FAULTS_MAX)
        return;
    char *text = arena_alloc(x->arena, 2 * (member.len + inner.len) + 3), *end = text;
    if (text == NULL) {
        faults->out_of_memory = true;
        return;
    }
    if (member.ptr != NULL)
        end = profile_pointer_write(end, member);
    if (inner.ptr != NULL)
        end = profile_pointer_write(end, inner);
    faults->list[faults->count++] =
        (struct http_problem_fault){span_of(text, (size_t)(end - text)), span_str(detail)};
}

static void read_ids(struct http_exchange *x, const json_t *ids, struct handlers_many *many,
                     struct faults *faults)
{
    const struct span absent = {NULL, 0}, member = SPAN("ids");
    if (!json_is_object(ids)) {
        fault(x, faults, member, absent, "it must be an object of ids, each with an entity tag or null");
        return;
    }
    if (json_object_size(ids) > HANDLERS_MANY_MAX) {
        fault(x, faults, member, absent, "it must name 100 ids at most");
        return;
    }
    for (void *i = json_object_iter(profile_json_iterable(ids)); i != NULL;
         i = json_object_iter_next(profile_json_iterable(ids), i)) {
        struct span id = span_of(json_object_iter_key(i), json_object_iter_key_len(i));
        const json_t *value = json_object_iter_value(i);
        struct span tag = json_text(value);
        if (json_is_null(value) || http_etag_valid(tag))
            handlers_many_add(many, id, tag);
        else
            fault(x, faults, member, id, "it must be an entity tag, with its quotes, or null");
    }
}

/* Every member but `ids` is unknown. */
static void read_body(struct http_exchange *x, const json_t *body, struct handlers_many *many,
                      struct faults *faults)
{
    const struct span absent = {NULL, 0};
    if (!json_is_object(body)) {
        fault(x, faults, absent, absent, "it must be an object");
        return;
    }
    for (void *i = json_object_iter(profile_json_iterable(body)); i != NULL;
         i = json_object_iter_next(profile_json_iterable(body), i)) {
        struct span name = span_of(json_object_iter_key(i), json_object_iter_key_len(i));
        if (!span_eq(name, SPAN("ids")))
            fault(x, faults, name, absent, "there is no such member");
    }
    read_ids(x, json_object_get(body, "ids"), many, faults);
}

static enum err refuse(struct http_exchange *x, const struct faults *faults)
{
    const struct http_problem problem = {
        .type = HTTP_PROBLEM_INVALID_QUERY,
        .detail = SPAN("each fault is named by its JSON pointer"),
        .faults = faults->list,
        .fault_count = faults->count,
    };
    if (faults->out_of_memory)
        return handlers_fault(x, ERR_NOMEM);
    http_problem_write(x->response, x->request->id, &problem);
    return ERR_INVALID;
}

static void write_etags(const struct handlers_many *many, struct buf *body)
{
    buf_lit(body, ",\"etags\":{");
    for (size_t i = 0; i < many->count; i++) {
        const struct handlers_member *m = &many->list[i];
        if (m->is != HANDLERS_FOUND)
            continue;
        if (body->ptr[body->len - 1] != '{')
            buf_char(body, ',');
        json_write_string(body, m->id);
        buf_char(body, ':');
        json_write_string(body, m->etag);
    }
    buf_char(body, '}');
}

static void answer(struct http_exchange *x, const struct handlers_many *many)
{
    struct buf *body = &x->response->body;
    write_etags(many, body);
    handlers_many_write_ids(many, "not_modified", HANDLERS_UNCHANGED);
    handlers_many_write_ids(many, "missing", HANDLERS_MISSING);
    buf_char(body, '}');
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("application/json"));
    http_response_header(x->response, "Cache-Control", SPAN("no-store"));
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

enum err handlers_query(void *data, struct http_exchange *x)
{
    struct faults faults = {.count = 0};
    struct handlers_body body = {0};
    struct handlers_many *many;
    uint32_t members;
    enum err e = handlers_fields_read(x, PROFILE_VIEW_PUBLIC, &members);
    if (e != OK)
        return e;
    if ((many = handlers_many_new(data, x, members)) == NULL)
        return handlers_fault(x, ERR_NOMEM);
    if ((e = handlers_body_read(x, HTTP_MEDIA_JSON, &body)) != OK)
        goto out;
    read_body(x, body.json, many, &faults);
    if (faults.count > 0 || faults.out_of_memory) {
        e = refuse(x, &faults);
        goto out;
    }
    if ((e = handlers_many_read(many)) == OK)
        answer(x, many);
    handlers_many_write_status(many);
out:
    handlers_body_fini(&body);
    return e;
}
