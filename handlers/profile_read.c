#include "handlers/profile_read.h"

#include "base/clock.h"
#include "handlers/condition.h"
#include "handlers/representation.h"
#include "handlers/source.h"

/* What the loader of a miss is called with. */
struct loading {
    struct handlers_context *context;
    struct http_exchange *exchange;
    const struct handlers_target *target;
    struct cache_key profile; /* the public view by id, whose changes make the answer by handle old */
};

/* How long it may be kept; 0: not at all. */
static int64_t ttl_ms(const struct handlers_context *context, bool found)
{
    const int64_t without_limit_s = INT64_C(100) * 365 * 86400;
    if (!found)
        return context->cache_policy.negative_ttl_s * 1000;
    return (context->ttl_s == 0 ? without_limit_s : context->ttl_s) * 1000;
}

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
    /* a suspended profile is there for its owner and for admins, at /full and /v1/me */
    bool found = e == OK && (t->view == PROFILE_VIEW_OWNER || resource.profile.state == PROFILE_ACTIVE);
    if (found)
        handlers_representation_write(l->context, l->exchange, t, &resource, &fill->value);
    else
        handlers_representation_write_missing(&fill->value);
    if (t->address == HANDLERS_BY_HANDLE && e == OK &&
        cache_key_make(l->context->cache, CACHE_PUBLIC_VIEW, resource.profile.id, &l->profile))
        fill->depends = &l->profile;
    fill->state = handlers_cache_state(&resource.snapshot);
    fill->ttl_ms = ttl_ms(l->context, found);
    fill->negative = !found;
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

static void write_head(struct http_exchange *x, const struct handlers_target *t,
                       const struct handlers_representation *r)
{
    buf_append(&x->response->head, r->head);
    if (t->address == HANDLERS_ME)
        handlers_write_address(x->response, "Content-Location", t->id, t->view);
    if (t->view == PROFILE_VIEW_OWNER)
        http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

static enum err answer(const struct handlers_context *context, struct http_exchange *x,
                       const struct handlers_target *t, const struct handlers_representation *r)
{
    if (!r->found)
        return handlers_no_profile(context, x, t);
    const struct http_current current = {
        .exists = true, .tags = &r->etag, .tag_count = 1, .modified_s = r->modified_s};
    enum handlers_condition condition = handlers_condition(x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE) {
        http_response_header(x->response, "Content-Type", SPAN("application/json"));
        buf_append(&x->response->body, r->body);
    }
    write_head(x, t, r);
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
