#include "handlers/avatar_write.h"

#include "handlers/avatar_upload.h"
#include "http/precondition.h"
#include "http/prefer.h"
#include "profile/parse.h"
#include "json/write.h"

/* How often a conditional write is decided anew when others are quicker. */
enum { MAX_ATTEMPTS = 16 };

/* An image's, or of none that is named: application/octet-stream, or nothing. */
static bool type_will_do(struct span content_type)
{
    struct span type = span_trim(span_cut(&content_type, ';'));
    const struct span image = SPAN("image/");
    return type.len == 0 || span_eq_nocase(type, SPAN("application/octet-stream")) ||
           (type.len > image.len && span_eq_nocase(span_of(type.ptr, image.len), image));
}

static enum err check_type(struct http_exchange *x)
{
    struct buf list = {0};
    if (type_will_do(http_request_header(x->request, HTTP_HEADER_CONTENT_TYPE)))
        return OK;
    for (enum image_type type = 0; type < IMAGE_TYPE_COUNT; type++) {
        if (type > 0)
            buf_lit(&list, ", ");
        buf_append(&list, image_media_type(type));
    }
    handlers_problem(x, HTTP_PROBLEM_UNSUPPORTED_MEDIA_TYPE, ERR_INVALID,
                     "The Content-Type is no image's; an avatar is a PNG, JPEG, WebP or AVIF image");
    http_response_header(x->response, "Accept", buf_span(&list)); /* RFC 9110 section 15.5.16 */
    buf_fini(&list);
    return ERR_INVALID;
}

static bool is_conditional(const struct http_request *request)
{
    return http_request_has(request, HTTP_HEADER_IF_MATCH) ||
           http_request_has(request, HTTP_HEADER_IF_NONE_MATCH);
}

static enum err no_profile(struct http_exchange *x)
{
    return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, ERR_NOT_FOUND, NULL);
}

/* Whether the request's conditions, if it has any, hold for what the profile holds now, which is left in
 * hash. OK, or the answer is made. */
static enum err decide(struct handlers_context *context, struct http_exchange *x, struct span id,
                       char hash[STORE_IMAGE_HASH_LEN + 1])
{
    char text[STORE_IMAGE_HASH_LEN + 2] = {0};
    struct span tag = span_of(text, sizeof text);
    struct store *store;
    enum err e = handlers_store(context, &store, &x->reason);
    if (e == OK)
        e = store_avatar_get(store, id, hash, &x->reason);
    if (e == ERR_NOT_FOUND)
        return no_profile(x);
    if (e != OK)
        return handlers_fault(x, e);
    if (!is_conditional(x->request))
        return OK;
    text[0] = text[sizeof text - 1] = '"';
    memcpy(text + 1, hash, STORE_IMAGE_HASH_LEN);
    const struct http_current now = {
        .exists = hash[0] != '\0', .tags = &tag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    switch (http_precondition_evaluate(x->request, &now, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_PROCEED:
    case HTTP_PRECONDITION_REQUIRED: /* of a profile; an avatar needs none */
        return OK;
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_NOT_MODIFIED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT, NULL);
}

/* What may stand in an address as its host and port: a client chooses it. */
static bool host_will_do(struct span host)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] == '\0' || strchr(plain, host.ptr[i]) == NULL)
            return false;
    return host.len > 0 && host.len <= 255;
}

/* The image's address, in the arena. */
static enum err write_picture(const struct handlers_context *context, struct http_exchange *x,
                              const char *hash, struct span *out)
{
    struct span host = http_request_header(x->request, HTTP_HEADER_HOST);
    struct buf text = {0};
    if (context->base_url.len > 0) {
        buf_append(&text, context->base_url);
    } else if (host_will_do(host)) {
        buf_lit(&text, "https://");
        buf_append(&text, host);
        buf_append(&text, context->mount);
    } else {
        return handlers_problem(x, HTTP_PROBLEM_BAD_TARGET, ERR_INVALID,
                                "the request names no host that an address could be made of");
    }
    buf_lit(&text, PROFILE_IMAGES_PATH);
    buf_append(&text, span_str(hash));
    *out = text.failed ? (struct span){NULL, 0} : arena_copy(x->arena, buf_span(&text));
    buf_fini(&text);
    return out->ptr == NULL ? handlers_fault(x, ERR_NOMEM) : OK;
}

static void write_lines(const struct handlers_context *context, struct http_exchange *x, struct span id)
{
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_WRITE_RESULT, id, (struct span){NULL, 0},
                             x->response);
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

static enum err reply(const struct handlers_context *context, struct http_exchange *x, struct span id,
                      struct span picture, bool had)
{
    struct http_response *response = x->response;
    bool minimal =
        http_prefer_return(http_request_header(x->request, HTTP_HEADER_PREFER)) == HTTP_RETURN_MINIMAL;
    response->status = !had ? 201 : minimal ? 204 : 200;
    write_lines(context, x, id);
    if (!had)
        http_response_header(response, "Location", picture);
    if (minimal) {
        http_response_header(response, "Preference-Applied", SPAN("return=minimal"));
        return OK;
    }
    http_response_header(response, "Content-Type", SPAN("application/json"));
    buf_lit(&response->body, "{\"picture\":");
    json_write_string(&response->body, picture);
    buf_char(&response->body, '}');
    return OK;
}

/* One attempt. ERR_BUSY with nothing answered: another was quicker, decide again. */
static enum err store_it(struct handlers_context *context, struct http_exchange *x, struct span id,
                         struct handlers_upload *u, struct span picture)
{
    char hash[STORE_IMAGE_HASH_LEN + 1];
    struct store *store;
    bool had;
    enum err e = decide(context, x, id, hash);
    if (e != OK)
        return e == ERR_BUSY ? ERR_IO : e;
    struct store_avatar avatar = {
        .id = id,
        .hash = span_str(u->hash),
        .type = image_media_type(u->facts.type),
        .picture = picture,
        .len = u->len,
        .read = handlers_upload_read,
        .data = u,
        .thumbnail_count = THUMBNAIL_COUNT,
        .expected = is_conditional(x->request) ? hash : NULL,
    };
    static_assert((int)THUMBNAIL_COUNT <= (int)STORE_THUMBNAILS_MAX, "room for each");
    for (size_t i = 0; i < THUMBNAIL_COUNT; i++) {
        avatar.thumbnails[i].size = u->thumbnails[i].size;
        avatar.thumbnails[i].bytes = u->thumbnails[i].bytes;
    }
    if ((e = handlers_store(context, &store, &x->reason)) == OK)
        e = store_avatar_put(store, &avatar, &had, &x->reason);
    if (e == OK)
        return reply(context, x, id, picture, had);
    if (e == ERR_CONFLICT)
        return ERR_BUSY;
    if (e == ERR_NOT_FOUND)
        return no_profile(x);
    handlers_fault(x, e);
    return e == ERR_BUSY ? ERR_IO : e;
}

static enum err remove_it(struct handlers_context *context, struct http_exchange *x, struct span id)
{
    char hash[STORE_IMAGE_HASH_LEN + 1];
    struct store *store;
    enum err e = decide(context, x, id, hash);
    if (e != OK)
        return e == ERR_BUSY ? ERR_IO : e;
    if ((e = handlers_store(context, &store, &x->reason)) == OK)
        e = store_avatar_delete(store, id, is_conditional(x->request) ? hash : NULL, &x->reason);
    if (e == ERR_CONFLICT)
        return ERR_BUSY;
    if (e == ERR_NOT_FOUND)
        return handlers_problem(x, HTTP_PROBLEM_NO_SUCH_AVATAR, e, "the profile has none");
    if (e != OK) {
        handlers_fault(x, e);
        return e == ERR_BUSY ? ERR_IO : e;
    }
    x->response->status = 204;
    write_lines(context, x, id);
    return OK;
}

static enum err put(struct handlers_context *context, struct http_exchange *x, struct span id)
{
    char hash[STORE_IMAGE_HASH_LEN + 1];
    struct handlers_upload upload = {.fd = -1};
    struct span picture = {NULL, 0};
    enum err e = check_type(x);
    /* what would be refused anyway need not be received */
    if (e == OK && (e = decide(context, x, id, hash)) == OK &&
        (e = handlers_upload_receive(context, x, &upload)) == OK &&
        (e = write_picture(context, x, upload.hash, &picture)) == OK) {
        e = ERR_BUSY;
        for (int i = 0; i < MAX_ATTEMPTS && e == ERR_BUSY; i++)
            e = store_it(context, x, id, &upload, picture);
        if (e == ERR_BUSY)
            handlers_problem(x, HTTP_PROBLEM_OVERLOADED, e,
                             "others change this avatar all the time; try again");
    }
    handlers_upload_fini(&upload);
    return e;
}

static enum err write_avatar(struct handlers_context *context, struct http_exchange *x,
                             enum handlers_address address)
{
    struct handlers_target target;
    enum err e = handlers_target_read(x, address, true, &target);
    if (e != OK)
        return e;
    if (x->request->method == HTTP_PUT)
        return put(context, x, target.id);
    e = ERR_BUSY;
    for (int i = 0; i < MAX_ATTEMPTS && e == ERR_BUSY; i++)
        e = remove_it(context, x, target.id);
    if (e == ERR_BUSY)
        handlers_problem(x, HTTP_PROBLEM_OVERLOADED, e, "others change this avatar all the time; try again");
    return e;
}

enum err handlers_avatar_write_me(void *data, struct http_exchange *x)
{
    return write_avatar(data, x, HANDLERS_ME);
}

enum err handlers_avatar_write_by_id(void *data, struct http_exchange *x)
{
    return write_avatar(data, x, HANDLERS_BY_ID);
}
