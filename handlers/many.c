#include "handlers/many.h"

#include "base/clock.h"
#include "http/etag.h"
#include "json/write.h"

struct handlers_many *handlers_many_new(struct handlers_context *context, struct http_exchange *x,
                                        uint32_t members)
{
    struct handlers_many *many = arena_alloc(x->arena, sizeof *many);
    if (many == NULL)
        return NULL;
    /* not all of it: the lists are long, and written before they are read */
    many->context = context;
    many->exchange = x;
    many->members = members;
    many->count = many->wanted_count = 0;
    memset(many->outcomes, 0, sizeof many->outcomes);
    many->e = OK;
    return many;
}

/* By the keys' hashes where there are any, or a hundred ids of one length would be compared byte by byte. */
static bool is_asked_already(const struct handlers_many *many, struct span id, const struct cache_key *key)
{
    if (key != NULL) {
        for (size_t i = 0; i < many->wanted_count; i++)
            if (many->wanted[i].key.hash == key->hash && span_eq(many->list[many->wanted_of[i]].id, id))
                return true;
        return false;
    }
    for (size_t i = 0; i < many->count; i++)
        if (span_eq(many->list[i].id, id))
            return true;
    return false;
}

void handlers_many_add(struct handlers_many *many, struct span id, struct span known)
{
    struct cache_wanted *wanted = &many->wanted[many->wanted_count];
    bool valid =
        profile_id_valid(id) && cache_key_make(many->context->cache, CACHE_PUBLIC_VIEW, id, &wanted->key);
    if (is_asked_already(many, id, valid ? &wanted->key : NULL))
        return;
    many->list[many->count] = (struct handlers_member){.id = id, .known = known, .is = HANDLERS_MISSING};
    if (valid) {
        wanted->front = known.ptr != NULL;
        many->wanted_of[many->wanted_count++] = many->count;
    }
    many->count++;
}

/* What there is now is what the caller has. */
static bool is_known(const struct handlers_member *m)
{
    return m->known.ptr != NULL && http_etag_list_matches(m->known, &m->etag, 1, HTTP_ETAG_WEAK);
}

/* false: memory is out. */
static bool set_tag(struct handlers_many *many, struct handlers_member *m, struct span etag)
{
    struct arena *arena = many->exchange->arena;
    m->etag = many->members == PROFILE_WHOLE ? arena_copy(arena, etag)
                                             : handlers_fields_etag(arena, etag, many->members);
    return m->etag.ptr != NULL;
}

static bool take_front(void *data, size_t index, struct span front)
{
    struct handlers_many *many = data;
    struct handlers_member *m = &many->list[many->wanted_of[index]];
    struct span etag;
    if (handlers_representation_read_tag(front, &etag) != OK)
        return false;
    if (etag.ptr != NULL) {
        if (!set_tag(many, m, etag) || !is_known(m))
            return false;
        m->is = HANDLERS_UNCHANGED;
    }
    many->outcomes[CACHE_HIT]++;
    return true;
}

static enum err append(struct handlers_many *many, struct handlers_member *m, struct span text)
{
    struct buf *body = &many->exchange->response->body;
    if (body->ptr[body->len - 1] != '[')
        buf_char(body, ',');
    m->at = body->len;
    enum err e = profile_part_write(text, many->members, body);
    m->len = body->len - m->at;
    m->is = HANDLERS_FOUND;
    return e == OK ? buf_status(body) : e;
}

static void take(void *data, size_t index, struct span value, enum cache_outcome outcome)
{
    struct handlers_many *many = data;
    struct handlers_member *m = &many->list[many->wanted_of[index]];
    struct handlers_representation r;
    many->outcomes[outcome]++;
    if (many->e != OK || (many->e = handlers_representation_read(value, &r)) != OK || !r.found)
        return;
    if (!set_tag(many, m, r.etag))
        many->e = ERR_NOMEM;
    else if (is_known(m))
        m->is = HANDLERS_UNCHANGED;
    else
        many->e = append(many, m, r.body);
}

/* What the read of the database needs room for. */
struct loading {
    struct span ids[HANDLERS_MANY_MAX];
    struct profile profiles[HANDLERS_MANY_MAX];
    bool found[HANDLERS_MANY_MAX];
};

static enum err give_all(struct handlers_many *many, const struct loading *l, const size_t *missed,
                         size_t count, const struct store_snapshot *snapshot, struct cache_giving *to)
{
    struct handlers_resource r = {.snapshot = *snapshot};
    enum err e = OK;
    for (size_t i = count; e == OK && i-- > 0;) {
        const struct handlers_target t = {
            .address = HANDLERS_BY_ID, .view = PROFILE_VIEW_PUBLIC, .id = l->ids[i]};
        if (l->found[i])
            r.profile = l->profiles[i];
        handlers_representation_fill(many->context, many->exchange, &t, &r, l->found[i],
                                     cache_give_begin(to));
        e = cache_give(to, missed[i]);
    }
    return e;
}

static enum err load(void *data, const size_t *missed, size_t count, struct cache_giving *to)
{
    struct handlers_many *many = data;
    struct http_exchange *x = many->exchange;
    struct loading *l = arena_alloc(x->arena, sizeof *l);
    int64_t begun_us = x->timing == NULL ? 0 : clock_monotonic_us();
    struct store_snapshot snapshot;
    struct store *store;
    enum err e;
    if (l == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        l->ids[i] = many->list[many->wanted_of[missed[i]]].id;
    /* all rows are read before the first is written: no snapshot is held while the cache is waited for */
    if ((e = handlers_store(many->context, &store, &x->reason)) == OK)
        e = store_profiles_get_many(store, l->ids, count, x->arena, l->profiles, l->found, &snapshot,
                                    &x->reason);
    if (x->timing != NULL)
        x->timing->store_us = clock_monotonic_us() - begun_us;
    return e == OK ? give_all(many, l, missed, count, &snapshot, to) : e;
}

/* What was loaded stands behind what was there: once more, in the order asked. */
static enum err put_in_order(struct handlers_many *many, size_t begin)
{
    struct buf *body = &many->exchange->response->body, ordered = {0};
    buf_reserve(&ordered, body->len);
    buf_append(&ordered, span_of(body->ptr, begin));
    for (size_t i = 0; i < many->count; i++) {
        const struct handlers_member *m = &many->list[i];
        if (m->is != HANDLERS_FOUND)
            continue;
        if (ordered.len > begin)
            buf_char(&ordered, ',');
        buf_append(&ordered, span_of(body->ptr + m->at, m->len));
    }
    enum err e = buf_status(&ordered);
    if (e == OK) {
        struct buf other = *body;
        *body = ordered;
        ordered = other;
    }
    buf_fini(&ordered);
    return e;
}

enum err handlers_many_read(struct handlers_many *many)
{
    struct buf *body = &many->exchange->response->body;
    const struct cache_reader reader = {take, take_front, load, many};
    buf_lit(body, "{\"profiles\":[");
    const size_t begin = body->len;
    enum err e = buf_status(body);
    if (e == OK)
        e = cache_read_many(many->context->cache, many->wanted, many->wanted_count, &reader);
    if (e == OK)
        e = many->e;
    if (e == OK && many->outcomes[CACHE_HIT] < many->wanted_count)
        e = put_in_order(many, begin);
    buf_char(body, ']');
    return e == OK ? OK : handlers_fault(many->exchange, e);
}

/* RFC 9211: a hit only if nothing had to be asked of the database; how many were there is the detail. */
void handlers_many_write_status(const struct handlers_many *many)
{
    const size_t *n = many->outcomes, hits = n[CACHE_HIT];
    struct http_exchange *x = many->exchange;
    struct span word = SPAN("profiled; fwd=miss");
    if (hits == many->wanted_count)
        word = SPAN("profiled; hit");
    else if (n[CACHE_BYPASSED] > 0 || hits + n[CACHE_COLLAPSED] + n[CACHE_STORED] + n[CACHE_MISSED] == 0)
        word = SPAN("profiled; fwd=bypass");
    else if (n[CACHE_MISSED] == 0 && n[CACHE_STORED] == 0)
        word = SPAN("profiled; fwd=miss; collapsed");
    else if (n[CACHE_MISSED] == 0)
        word = SPAN("profiled; fwd=miss; stored");
    size_t start = http_response_header_begin(x->response, "Cache-Status");
    buf_append(&x->response->head, word);
    if (hits < many->wanted_count)
        buf_printf(&x->response->head, "; detail=\"%zu of %zu\"", hits, many->wanted_count);
    http_response_header_end(x->response, start);
    if (x->timing != NULL)
        x->timing->cache = word;
}

void handlers_many_write_ids(const struct handlers_many *many, const char *name, enum handlers_member_is is)
{
    struct buf *body = &many->exchange->response->body;
    buf_lit(body, ",\"");
    buf_append(body, span_str(name));
    buf_lit(body, "\":[");
    for (size_t i = 0; i < many->count; i++) {
        if (many->list[i].is != is)
            continue;
        if (body->ptr[body->len - 1] != '[')
            buf_char(body, ',');
        json_write_string(body, many->list[i].id);
    }
    buf_char(body, ']');
}
