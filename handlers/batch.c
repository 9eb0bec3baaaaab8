#include "handlers/batch.h"

#include "crypto/hash.h"
#include "crypto/hex.h"
#include "handlers/condition.h"
#include "handlers/many.h"

enum { TAG_HASH_LEN = CRYPTO_BLAKE2B_MIN_LEN };

/* Of each: its id, NUL, its tag or nothing, NUL. Neither can hold a NUL. */
static struct span write_tag(struct http_exchange *x, const struct handlers_many *many)
{
    unsigned char hash[TAG_HASH_LEN];
    struct buf text = {0}, tag = {0};
    buf_reserve(&text, many->count * 64);
    for (size_t i = 0; i < many->count; i++) {
        buf_append(&text, many->list[i].id);
        buf_char(&text, '\0');
        buf_append(&text, many->list[i].etag);
        buf_char(&text, '\0');
    }
    crypto_blake2b(buf_span(&text), (struct span){NULL, 0}, hash, sizeof hash);
    buf_char(&tag, '"');
    crypto_hex_write(&tag, span_of((const char *)hash, sizeof hash));
    buf_char(&tag, '"');
    struct span etag =
        text.failed || tag.failed ? (struct span){NULL, 0} : arena_copy(x->arena, buf_span(&tag));
    buf_fini(&text);
    buf_fini(&tag);
    return etag;
}

static enum err answer(const struct handlers_context *context, struct http_exchange *x,
                       const struct handlers_many *many)
{
    const struct span none = {NULL, 0}, etag = write_tag(x, many);
    if (etag.ptr == NULL)
        return handlers_fault(x, ERR_NOMEM);
    /* no date: what goes leaves none behind */
    const struct http_current current = {
        .exists = true, .tags = &etag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    switch (handlers_condition(x, &current)) {
    case HANDLERS_REFUSED:
        return ERR_CONFLICT;
    case HANDLERS_NOT_MODIFIED:
        buf_clear(&x->response->body);
        break;
    case HANDLERS_WHOLE:
        handlers_many_write_ids(many, "missing", HANDLERS_MISSING);
        buf_char(&x->response->body, '}');
        http_response_header(x->response, "Content-Type", SPAN("application/json"));
        break;
    }
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_LIST, none, none, x->response);
    http_response_header(x->response, "ETag", etag);
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
    return OK;
}

enum err handlers_batch(void *data, struct http_exchange *x)
{
    struct span ids[HANDLERS_MANY_MAX], fields;
    struct handlers_parameter known[] = {{.name = "id", .values = ids, .most = HANDLERS_MANY_MAX},
                                         HANDLERS_FIELDS(&fields)};
    struct handlers_many *many;
    uint32_t members;
    enum err e = handlers_parameters_read(x, known, sizeof known / sizeof known[0]);
    if (e != OK || (e = handlers_fields_of(x, &known[1], PROFILE_VIEW_PUBLIC, &members)) != OK)
        return e;
    if ((many = handlers_many_new(data, x, members)) == NULL)
        return handlers_fault(x, ERR_NOMEM);
    for (size_t i = 0; i < known[0].count; i++)
        handlers_many_add(many, ids[i], (struct span){NULL, 0});
    if ((e = handlers_many_read(many)) == OK)
        e = answer(data, x, many);
    handlers_many_write_status(many);
    return e;
}
