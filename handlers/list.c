#include "handlers/list.h"

#include "crypto/hash.h"
#include "crypto/hex.h"
#include "handlers/condition.h"
#include "handlers/cursor.h"
#include "handlers/fields.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"
#include "http/etag.h"
#include "http/percent.h"
#include "profile/text.h"
#include "store/search.h"

enum {
    LIMIT_DEFAULT = 20,
    LIMIT_MOST = 100,
    TEXT_MOST = 200, /* characters of q */
    PLACE_LEN = 8,
};

struct list {
    struct handlers_context *context;
    struct http_exchange *x;
    struct store *store;
    size_t limit;
    uint32_t members; /* of each view that are wanted */
    struct span q;    /* as it came; absent: the whole list */
    struct store_words words;
    unsigned char key[STORE_SECRET_LEN];
    struct handlers_cursor cursor;
    unsigned char position[HANDLERS_POSITION_MAX]; /* that the page begins behind */
    size_t position_len;
    struct profile *profiles;
    size_t count;
    struct store_snapshot snapshot;
    struct span next; /* absent: there is no more */
    struct span etag;
};

static enum err refuse(struct http_exchange *x, const char *detail)
{
    return handlers_problem(x, HTTP_PROBLEM_INVALID_PARAMETER, ERR_INVALID, detail);
}

static enum err fault(struct list *l, enum err e)
{
    /* what else the store may call it is no answer of ours */
    return handlers_fault(l->x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
}

static enum err read_words(struct list *l)
{
    struct span text;
    enum profile_text_flaw flaw = profile_text_clean(l->q, TEXT_MOST, false, l->x->arena, &text, NULL);
    if (flaw == PROFILE_TEXT_NOMEM)
        return fault(l, ERR_NOMEM);
    if (flaw == PROFILE_TEXT_LONG)
        return refuse(l->x, "q may have 200 characters at most");
    if (flaw != PROFILE_TEXT_SOUND)
        return refuse(l->x,
                      "q holds what no name may hold: control characters, or such as override the direction");
    enum err e = store_words_read(l->store, text, l->x->arena, &l->words, &l->x->reason);
    if (e == ERR_TOO_LARGE)
        return refuse(l->x, "q may have 8 words at most");
    if (e != OK)
        return fault(l, e);
    if (l->words.letters < STORE_SEARCH_LETTERS)
        return refuse(l->x, "q needs a word of two letters or digits at least");
    return OK;
}

/* What a cursor is bound to: the words, so that another spelling of the same search may go on with it. */
static struct span join_words(struct list *l)
{
    struct buf text = {0};
    for (size_t i = 0; i < l->words.count; i++) {
        buf_append(&text, l->words.list[i]);
        buf_char(&text, ' ');
    }
    struct span copy = text.failed ? (struct span){NULL, 0} : arena_copy(l->x->arena, buf_span(&text));
    buf_fini(&text);
    return copy;
}

static enum err read_cursor(struct list *l, struct span after)
{
    enum err e = store_secret(l->store, "cursor", l->key, &l->x->reason);
    if (e != OK)
        return fault(l, e);
    l->cursor = (struct handlers_cursor){
        .key = l->key, .order = l->q.ptr == NULL ? SPAN("handle") : SPAN("place"), .query = join_words(l)};
    if (l->cursor.query.ptr == NULL)
        return fault(l, ERR_NOMEM);
    if (after.ptr == NULL)
        return OK;
    e = handlers_cursor_read(&l->cursor, after, l->position, &l->position_len);
    if (e == ERR_NOMEM)
        return fault(l, e);
    if (e != OK || (l->q.ptr != NULL && l->position_len != PLACE_LEN))
        return handlers_problem(l->x, HTTP_PROBLEM_BAD_CURSOR, ERR_INVALID,
                                "after is no cursor of this list; begin at its first page");
    return OK;
}

static enum err read_parameters(struct list *l)
{
    enum { LIMIT, AFTER, QUERY, FIELDS, COUNT };
    struct span limit = {NULL, 0}, after = {NULL, 0}, fields;
    struct handlers_parameter known[COUNT] = {
        [LIMIT] = {"limit", &limit, 1, 0},
        [AFTER] = {"after", &after, 1, 0},
        [QUERY] = {"q", &l->q, 1, 0},
        [FIELDS] = HANDLERS_FIELDS(&fields),
    };
    uint64_t number = LIMIT_DEFAULT;
    enum err e = handlers_parameters_read(l->x, known, COUNT);
    if (e != OK || (e = handlers_fields_of(l->x, &known[FIELDS], PROFILE_VIEW_PUBLIC, &l->members)) != OK)
        return e;
    if (limit.ptr != NULL && (!span_to_u64(limit, LIMIT_MOST, &number) || number == 0))
        return refuse(l->x, "limit is a number from 1 to 100");
    l->limit = (size_t)number;
    if ((e = handlers_store(l->context, &l->store, &l->x->reason)) != OK)
        return fault(l, e);
    if (l->q.ptr != NULL && (e = read_words(l)) != OK)
        return e;
    return read_cursor(l, after);
}

static int64_t place_of(const unsigned char bytes[PLACE_LEN])
{
    uint64_t place = 0;
    for (size_t i = 0; i < PLACE_LEN; i++)
        place = place << 8 | bytes[i];
    return (int64_t)place;
}

/* One row more than the page has, so as to know whether there is a next one. */
static enum err read_page(struct list *l)
{
    struct span after = span_of((const char *)l->position, l->position_len);
    enum err e;
    l->profiles = arena_alloc(l->x->arena, (l->limit + 1) * sizeof l->profiles[0]);
    if (l->profiles == NULL)
        return fault(l, ERR_NOMEM);
    if (l->q.ptr == NULL)
        e = store_list_page(l->store, after, l->limit + 1, l->x->arena, l->profiles, &l->count, &l->snapshot,
                            &l->x->reason);
    else
        e = store_search_page(l->store, &l->words, place_of(l->position), l->limit + 1, l->x->arena,
                              l->profiles, &l->count, &l->snapshot, &l->x->reason);
    return e == OK ? OK : fault(l, e);
}

/* The next page begins behind the last row of this one. */
static enum err make_next(struct list *l)
{
    struct buf text = {0};
    unsigned char place[PLACE_LEN];
    if (l->count <= l->limit)
        return OK;
    l->count = l->limit;
    const struct profile *last = &l->profiles[l->count - 1];
    for (size_t i = 0; i < PLACE_LEN; i++)
        place[i] = (unsigned char)((uint64_t)last->place >> (8 * (PLACE_LEN - 1 - i)));
    handlers_cursor_write(
        &l->cursor, l->q.ptr == NULL ? last->handle : span_of((const char *)place, sizeof place), &text);
    if (!text.failed)
        l->next = arena_copy(l->x->arena, buf_span(&text));
    buf_fini(&text);
    return l->next.ptr == NULL ? fault(l, ERR_NOMEM) : OK;
}

/* Sequence numbers of the change log stand for the members' public views, for none comes back. */
static enum err make_etag(struct list *l)
{
    unsigned char hash[CRYPTO_BLAKE2B_MIN_LEN];
    struct buf text = {0};
    buf_printf(&text, "list %d %x %s", HTTP_ETAG_FORMAT, (unsigned)l->members, l->snapshot.epoch);
    for (size_t i = 0; i < l->count; i++) {
        buf_char(&text, ' ');
        buf_i64(&text, l->profiles[i].stamps[PROFILE_VIEW_PUBLIC].seq);
    }
    buf_char(&text, ' ');
    buf_append(&text, l->next);
    crypto_blake2b(buf_span(&text), (struct span){NULL, 0}, hash, sizeof hash);
    bool failed = text.failed;
    buf_clear(&text);
    buf_char(&text, '"');
    crypto_hex_write(&text, span_of((const char *)hash, sizeof hash));
    buf_char(&text, '"');
    if (!failed && !text.failed)
        l->etag = arena_copy(l->x->arena, buf_span(&text));
    buf_fini(&text);
    return l->etag.ptr == NULL ? fault(l, ERR_NOMEM) : OK;
}

static void write_address(const struct list *l, struct span after, const char *relation)
{
    struct buf *head = &l->x->response->head;
    buf_char(head, '<');
    buf_append(head, l->context->mount);
    buf_printf(head, "/v1/profiles?limit=%zu", l->limit);
    if (l->members != PROFILE_WHOLE) {
        buf_lit(head, "&fields=");
        profile_part_names(l->members, head);
    }
    if (l->q.ptr != NULL) {
        buf_lit(head, "&q=");
        http_percent_encode_form(head, l->q);
    }
    if (after.ptr != NULL) {
        buf_lit(head, "&after=");
        buf_append(head, after);
    }
    buf_printf(head, ">; rel=\"%s\"", relation);
}

static void write_lines(const struct list *l)
{
    struct http_response *response = l->x->response;
    const struct span none = {NULL, 0};
    http_cache_control_write(&l->context->cache_policy, HTTP_CACHE_LIST, none, none, response);
    http_response_header(response, "ETag", l->etag);
    size_t link = http_response_header_begin(response, "Link");
    if (l->next.ptr != NULL) {
        write_address(l, l->next, "next");
        buf_lit(&response->head, ", ");
    }
    write_address(l, none, "first");
    http_response_header_end(response, link);
    http_response_header(response, "X-Request-Id", span_str(l->x->request->id));
}

/* A view, or what is wanted of it, which is cut out of the whole. */
static void write_view(const struct list *l, const struct profile *profile, struct buf *whole)
{
    struct buf *body = &l->x->response->body;
    if (l->members == PROFILE_WHOLE) {
        profile_view_write(profile, PROFILE_VIEW_PUBLIC, body);
        return;
    }
    buf_clear(whole);
    profile_view_write(profile, PROFILE_VIEW_PUBLIC, whole);
    if (whole->failed || profile_part_write(buf_span(whole), l->members, body) != OK)
        body->failed = true;
}

static void write_body(const struct list *l)
{
    struct buf *body = &l->x->response->body, whole = {0};
    http_response_header(l->x->response, "Content-Type", SPAN("application/json"));
    buf_lit(body, "{\"profiles\":[");
    for (size_t i = 0; i < l->count; i++) {
        if (i > 0)
            buf_char(body, ',');
        write_view(l, &l->profiles[i], &whole);
    }
    buf_fini(&whole);
    buf_char(body, ']');
    if (l->next.ptr != NULL) {
        buf_lit(body, ",\"next\":\"");
        buf_append(body, l->next);
        buf_char(body, '"');
    }
    buf_char(body, '}');
}

static enum err answer(const struct list *l)
{
    const struct http_current current = {
        .exists = true, .tags = &l->etag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    enum handlers_condition condition = handlers_condition(l->x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE)
        write_body(l);
    write_lines(l);
    return OK;
}

enum err handlers_list(void *data, struct http_exchange *x)
{
    struct list l = {.context = data, .x = x};
    enum err e = read_parameters(&l);
    if (e == OK && (e = read_page(&l)) == OK && (e = make_next(&l)) == OK && (e = make_etag(&l)) == OK)
        e = answer(&l);
    return e;
}
