#include "handlers/profile_read.h"

#include "base/clock.h"
#include "handlers/condition.h"
#include "handlers/fields.h"
#include "handlers/representation.h"

/* What the loader of a miss is called with. */
struct loading {
    struct handlers_context *context;
    struct http_exchange *exchange;
    const struct handlers_target *target;
    struct cache_key profile; /* the public view by id, whose changes make the answer by handle old */
};

/* A miss: the answer out of the database. */
static enum err load(void *data, struct cache_fill *fill)
{
    struct loading *l = data;
    const struct handlers_target *t = l->target;
    struct handlers_resource resource;
    struct http_timing *timing = l->exchange->timing;
    int64_t begun_us = timing == NULL ? 0 : clock_monotonic_us();
    enum err e = handlers_resource_get(l->context, l->exchange, t, &resource);
    if (timing != NULL)
        timing->store_us = clock_monotonic_us() - begun_us;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    handlers_representation_fill(l->context, l->exchange, t, &resource, e == OK, fill);
    if (t->address == HANDLERS_BY_HANDLE && e == OK &&
        cache_key_make(l->context->cache, CACHE_PUBLIC_VIEW, resource.profile.id, &l->profile))
        fill->depends = &l->profile;
    return OK;
}

/* RFC 9211. */
static void write_cache_status(struct http_exchange *x, enum cache_outcome outcome)
{
    static const struct span words[CACHE_OUTCOME_COUNT] = {
        [CACHE_HIT] = SPAN_INIT("profiled; hit"),
        [CACHE_COLLAPSED] = SPAN_INIT("profiled; fwd=miss; collapsed"),
        [CACHE_STORED] = SPAN_INIT("profiled; fwd=miss; stored"),
        [CACHE_MISSED] = SPAN_INIT("profiled; fwd=miss"),
        [CACHE_BYPASSED] = SPAN_INIT("profiled; fwd=bypass"),
    };
    http_response_header(x->response, "Cache-Status", words[outcome]);
    if (x->timing != NULL)
        x->timing->cache = words[outcome];
}

/* A part is another representation: its tag is its own, and so is where it lies. */
static void write_part_lines(struct http_exchange *x, const struct handlers_target *t, struct span etag)
{
    struct buf query = {0};
    buf_lit(&query, "?fields=");
    profile_part_names(t->members, &query);
    http_response_extend_header(x->response, "Content-Location", buf_span(&query));
    http_response_drop_header(x->response, "ETag");
    http_response_header(x->response, "ETag", etag);
    if (query.failed)
        x->response->head.failed = true;
    buf_fini(&query);
}

static void write_head(struct http_exchange *x, const struct handlers_target *t,
                       const struct handlers_representation *r, struct span etag)
{
    buf_append(&x->response->head, r->head);
    if (t->address == HANDLERS_ME)
        handlers_write_address(x->response, "Content-Location", t->id, t->view);
    if (t->members != PROFILE_WHOLE)
        write_part_lines(x, t, etag);
    if (t->view == PROFILE_VIEW_OWNER)
        http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

static enum err answer(const struct handlers_context *context, struct http_exchange *x,
                       const struct handlers_target *t, const struct handlers_representation *r)
{
    if (!r->found)
        return handlers_no_profile(context, x, t);
    struct span etag = handlers_fields_etag(x->arena, r->etag, t->members);
    if (etag.ptr == NULL)
        return handlers_fault(x, ERR_NOMEM);
    const struct http_current current = {
        .exists = true, .tags = &etag, .tag_count = 1, .modified_s = r->modified_s};
    enum handlers_condition condition = handlers_condition(x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE) {
        http_response_header(x->response, "Content-Type", SPAN("application/json"));
        if (profile_part_write(r->body, t->members, &x->response->body) != OK)
            return handlers_fault(x, ERR_INVALID);
    }
    write_head(x, t, r, etag);
    return OK;
}

static bool make_key(const struct handlers_context *context, const struct handlers_target *t,
                     struct cache_key *out)
{
    if (t->address == HANDLERS_BY_HANDLE)
        return cache_key_make(context->cache, CACHE_HANDLE, t->handle, out);
    return cache_key_make(context->cache,
                          t->view == PROFILE_VIEW_PUBLIC ? CACHE_PUBLIC_VIEW : CACHE_OWNER_VIEW, t->id, out);
}

static enum err read_profile(struct handlers_context *context, struct http_exchange *x,
                             enum handlers_address address)
{
    struct handlers_target target;
    struct handlers_representation representation;
    struct loading loading = {.context = context, .exchange = x, .target = &target};
    struct cache_key key;
    struct span value;
    enum cache_outcome outcome;
    enum err e = handlers_target_read(x, address, address == HANDLERS_FULL, &target);
    if (e != OK)
        return e;
    if (!make_key(context, &target, &key)) /* ids and handles are shorter than keys may be */
        return handlers_fault(x, ERR_TOO_LARGE);
    e = cache_read(context->cache, &key, load, &loading, &value, &outcome);
    if (e == OK)
        e = handlers_representation_read(value, &representation);
    e = e == OK ? answer(context, x, &target, &representation) : handlers_fault(x, e);
    write_cache_status(x, outcome);
    return e;
}

enum err handlers_read_by_id(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_BY_ID);
}

enum err handlers_read_by_handle(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_BY_HANDLE);
}

enum err handlers_read_full(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_FULL);
}

enum err handlers_read_me(void *data, struct http_exchange *x)
{
    return read_profile(data, x, HANDLERS_ME);
}
