#include "handlers/avatar_read.h"

#include "handlers/resource.h"
#include "http/precondition.h"
#include "http/query.h"
#include "store/avatars.h"

/* What the stream is read with; in the arena. */
struct download {
    struct handlers_context *context;
    struct span hash;
    unsigned size;
    uint64_t at, len;
};

static enum err read_piece(void *data, char *to, size_t size, size_t *len)
{
    struct download *d = data;
    struct err_detail ignored = {0};
    struct store *store;
    size_t want = d->len - d->at < size ? (size_t)(d->len - d->at) : size;
    *len = 0;
    enum err e = want == 0 ? OK : handlers_store(d->context, &store, &ignored);
    if (want == 0 || e != OK)
        return e;
    e = store_image_read(store, d->hash, d->size, d->at, to, want, &ignored);
    if (e == OK) {
        d->at += want;
        *len = want;
    }
    return e;
}

static bool hash_valid(struct span hash)
{
    for (size_t i = 0; i < hash.len; i++)
        if (strchr("0123456789abcdef", hash.ptr[i]) == NULL || hash.ptr[i] == '\0')
            return false;
    return hash.len == STORE_IMAGE_HASH_LEN;
}

static enum err refuse_parameter(struct http_exchange *x, struct span name, bool known)
{
    struct buf detail = {0};
    if (known)
        buf_lit(&detail, "s is 48, 96 or 256, once");
    else
        buf_printf(&detail, "there is no parameter '%.*s' at this address", SPAN_ARG(name));
    handlers_problem(x, known ? HTTP_PROBLEM_INVALID_PARAMETER : HTTP_PROBLEM_UNKNOWN_PARAMETER, ERR_INVALID,
                     buf_text(&detail));
    buf_fini(&detail);
    return ERR_INVALID;
}

/* *size: the thumbnail's, or 0. OK, or the answer is made. */
static enum err read_size(struct http_exchange *x, unsigned *size)
{
    struct http_query query = {x->request->query};
    struct span name, value;
    enum err e;
    *size = 0;
    while ((e = http_query_next(&query, x->arena, &name, &value)) == OK) {
        uint64_t number;
        bool found = false;
        if (!span_eq(name, SPAN("s")))
            return refuse_parameter(x, name, false);
        if (*size == 0 && value.len > 0 && value.ptr[0] != '0' && span_to_u64(value, 1000, &number))
            for (size_t i = 0; i < THUMBNAIL_COUNT; i++)
                found = found || number == thumbnail_sizes[i];
        if (!found)
            return refuse_parameter(x, name, true);
        *size = (unsigned)number;
    }
    if (e == ERR_INVALID)
        return handlers_problem(x, HTTP_PROBLEM_BAD_TARGET, e, "the query string is malformed");
    return e == ERR_NOT_FOUND ? OK : handlers_fault(x, e);
}

/* Lines that a 200 and a 304 both bear (RFC 9110 section 15.4.5). */
static void write_lines(const struct handlers_context *context, struct http_exchange *x, struct span hash,
                        struct span etag)
{
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_AVATAR, hash, (struct span){NULL, 0},
                             x->response);
    http_response_header(x->response, "ETag", etag);
}

static enum err answer(struct handlers_context *context, struct http_exchange *x, struct span hash,
                       unsigned size, const struct store_image *image)
{
    struct buf tag = {0};
    buf_printf(&tag, "\"%.*s", SPAN_ARG(hash));
    if (size != 0)
        buf_printf(&tag, "-%u", size);
    buf_char(&tag, '"');
    struct span etag = arena_copy(x->arena, buf_span(&tag));
    struct download *download = arena_zalloc(x->arena, sizeof *download);
    bool failed = tag.failed || etag.ptr == NULL || download == NULL;
    buf_fini(&tag);
    if (failed)
        return handlers_fault(x, ERR_NOMEM);
    const struct http_current current = {
        .exists = true, .tags = &etag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    switch (http_precondition_evaluate(x->request, &current, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_NOT_MODIFIED:
        x->response->status = 304;
        write_lines(context, x, hash, etag);
        return OK;
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_REQUIRED:
        return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT, NULL);
    case HTTP_PRECONDITION_PROCEED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", span_str(image->type));
    write_lines(context, x, hash, etag);
    /* opened by itself, it is a picture and nothing else */
    http_response_header(x->response, "Content-Security-Policy", SPAN("default-src 'none'; sandbox"));
    http_response_header(x->response, "Content-Disposition", SPAN("inline"));
    *download = (struct download){.context = context, .hash = hash, .size = size, .len = image->len};
    x->response->stream = (struct http_stream){read_piece, download, image->len};
    return OK;
}

enum err handlers_avatar_read(void *data, struct http_exchange *x)
{
    struct handlers_context *context = data;
    struct span hash = x->captures[0];
    struct store_image image;
    struct store *store;
    unsigned size;
    enum err e = read_size(x, &size);
    if (e != OK)
        return e;
    if (!hash_valid(hash))
        return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_AVATAR, ERR_NOT_FOUND, NULL);
    if ((e = handlers_store(context, &store, &x->reason)) == OK)
        e = store_image_find(store, hash, size, &image, &x->reason);
    if (e == ERR_NOT_FOUND)
        return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_AVATAR, e, NULL);
    return e == OK ? answer(context, x, hash, size, &image) : handlers_fault(x, e);
}
