#include "handlers/changes.h"

#include "handlers/change_entry.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"
#include "http/precondition.h"
#include "http/prefer.h"
#include "profile/time.h"
#include "store/tidy.h"
#include "store/watch.h"
#include "json/write.h"

#include <inttypes.h>

#define SEQ_MOST (UINT64_C(1) << 62) /* schema/0002_change_log.sql */

struct asked {
    bool has_after;
    uint64_t after, limit, wait_s;
    struct span epoch; /* absent: not said */
};

static enum err invalid(struct http_exchange *x, const char *what)
{
    return handlers_problem(x, HTTP_PROBLEM_INVALID_PARAMETER, ERR_INVALID, what);
}

/* RFC 7240 section 2: a preference that makes no sense is passed over. */
static void read_preference(const struct http_request *request, struct asked *out)
{
    struct span value;
    if (http_prefer_find(http_request_header(request, HTTP_HEADER_PREFER), SPAN("wait"), &value))
        span_to_u64(value, UINT32_MAX, &out->wait_s);
}

static enum err read_asked(struct http_exchange *x, struct asked *out)
{
    struct span after, limit, wait, epoch;
    struct handlers_parameter known[] = {
        {.name = "after", .values = &after, .most = 1},
        {.name = "limit", .values = &limit, .most = 1},
        {.name = "wait", .values = &wait, .most = 1},
        {.name = "epoch", .values = &epoch, .most = 1},
    };
    enum { AFTER, LIMIT, WAIT, EPOCH };
    enum err e = handlers_parameters_read(x, known, sizeof known / sizeof known[0]);
    if (e != OK)
        return e;
    *out = (struct asked){.limit = HANDLERS_CHANGES_LIMIT, .has_after = known[AFTER].count > 0};
    read_preference(x->request, out);
    if (out->has_after && !span_to_u64(after, SEQ_MOST, &out->after))
        return invalid(x, "after is a number of the change log, such as last of the answer before");
    if (known[LIMIT].count > 0 &&
        (!span_to_u64(limit, HANDLERS_CHANGES_MOST, &out->limit) || out->limit == 0))
        return invalid(x, "limit is a number from 1 to 1000");
    if (known[WAIT].count > 0 && !span_to_u64(wait, UINT32_MAX, &out->wait_s))
        return invalid(x, "wait is a number of seconds");
    if (known[EPOCH].count > 0)
        out->epoch = epoch;
    if (out->wait_s > HANDLERS_CHANGES_WAIT_MOST_S)
        out->wait_s = HANDLERS_CHANGES_WAIT_MOST_S;
    return OK;
}

/* ---- the page */

struct entries {
    struct buf *text;
    uint64_t count, limit;
};

static void write_member(struct buf *out, const char *name, struct span value)
{
    if (value.ptr == NULL)
        return;
    buf_printf(out, ",\"%s\":", name);
    json_write_string(out, value);
}

void handlers_change_write(struct buf *out, const struct store_change *change)
{
    char at[PROFILE_TIME_LEN + 1];
    profile_time_format(change->at_ms, at);
    buf_printf(out, "{\"seq\":%" PRId64, change->seq);
    /* an image is no profile's, or several profiles' */
    write_member(out, change->kind == STORE_CHANGE_AVATAR ? "avatar" : "id", change->profile_id);
    write_member(out, "what", store_change_name(change->kind));
    write_member(out, "at", span_str(at));
    write_member(out, "handle", change->handle);
    write_member(out, "old_handle", change->old_handle);
    buf_char(out, '}');
}

static bool take(void *data, const struct store_change *change)
{
    struct entries *entries = data;
    if (entries->count == entries->limit)
        return false;
    if (entries->count++ > 0)
        buf_char(entries->text, ',');
    handlers_change_write(entries->text, change);
    return true;
}

/* Reads the page into text. Where no place was said, *after becomes the one before the oldest entry, which
 * may be tidied away meanwhile: once more, then. */
static enum err read_page(struct store *store, const struct asked *asked, int64_t *after, struct buf *text,
                          struct store_page *page, struct err_detail *detail)
{
    enum { TURNS = 3 };
    enum err e = OK;
    for (int turn = 0; turn < TURNS; turn++) {
        struct entries entries = {.text = text, .limit = asked->limit};
        int64_t first;
        buf_clear(text);
        *after = (int64_t)asked->after;
        if (!asked->has_after) {
            if ((e = store_changes_first(store, &first, detail)) != OK)
                return e;
            *after = first > 0 ? first - 1 : 0;
        }
        e = store_changes_page(store, *after, take, &entries, page, detail);
        if (e != ERR_TOO_LARGE || asked->has_after)
            break;
    }
    return e == OK ? buf_status(text) : e;
}

uint64_t handlers_changes_place(const struct store_snapshot *snapshot)
{
    return (snapshot->lineage + (uint64_t)snapshot->seq * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

/* ---- the answer */

static void write_state(struct buf *out, const struct store_snapshot *snapshot)
{
    buf_printf(out, "\"newest\":%" PRId64 ",\"epoch\":\"%s\"", snapshot->seq, snapshot->epoch);
}

static enum err gone(struct http_exchange *x, const struct store_snapshot *snapshot, const char *why)
{
    struct buf members = {0};
    write_state(&members, snapshot);
    const struct http_problem problem = {
        .type = HTTP_PROBLEM_CHANGES_GONE, .detail = span_str(why), .members = buf_span(&members)};
    http_problem_write(x->response, x->request->id, &problem);
    if (members.failed)
        x->response->body.failed = true;
    buf_fini(&members);
    return ERR_NOT_FOUND;
}

static void write_lines(const struct handlers_context *context, struct http_exchange *x, struct span etag)
{
    const struct span none = {NULL, 0};
    http_cache_control_write(&context->cache_policy, HTTP_CACHE_LIST, none, none, x->response);
    http_response_header(x->response, "ETag", etag);
    http_response_header(x->response, "X-Request-Id", span_str(x->request->id));
}

static enum err write_page(const struct handlers_context *context, struct http_exchange *x, struct span etag,
                           const struct store_page *page, struct span text)
{
    const struct http_current current = {
        .exists = true, .tags = &etag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    struct buf *body = &x->response->body;
    switch (http_precondition_evaluate(x->request, &current, x->now_ms / 1000)) {
    case HTTP_PRECONDITION_NOT_MODIFIED:
        x->response->status = 304;
        write_lines(context, x, etag);
        return OK;
    case HTTP_PRECONDITION_FAILED:
    case HTTP_PRECONDITION_REQUIRED:
        return handlers_problem(x, HTTP_PROBLEM_PRECONDITION_FAILED, ERR_CONFLICT, NULL);
    case HTTP_PRECONDITION_PROCEED:
    case HTTP_PRECONDITION_COUNT:
        break;
    }
    x->response->status = 200;
    http_response_header(x->response, "Content-Type", SPAN("application/json"));
    write_lines(context, x, etag);
    buf_lit(body, "{\"changes\":[");
    buf_append(body, text);
    buf_printf(body, "],\"last\":%" PRId64 ",", page->upto);
    write_state(body, &page->snapshot);
    buf_append(body, page->upto < page->snapshot.seq ? SPAN(",\"more\":true}") : SPAN(",\"more\":false}"));
    return OK;
}

static enum err answer(struct handlers_context *context, struct http_exchange *x, const struct asked *asked,
                       struct buf *text, struct buf *etag)
{
    const struct store_snapshot *now;
    struct store_page page = {0};
    struct store *store;
    int64_t after = 0;
    enum err e = handlers_store(context, &store, &x->reason);
    if (e == OK)
        e = read_page(store, asked, &after, text, &page, &x->reason);
    now = &page.snapshot;
    if (e == OK || e == ERR_CONFLICT || e == ERR_TOO_LARGE) {
        if (asked->epoch.ptr != NULL && !span_eq(asked->epoch, span_str(now->epoch)))
            return gone(x, now, "the database is another one, or was restored");
        if (e == ERR_CONFLICT)
            return gone(x, now, "the log does not go so far: the database was restored");
    }
    if (e == ERR_TOO_LARGE)
        return gone(x, now, "entries behind that place have been tidied away");
    if (e != OK) /* what the store calls not found, say, is no answer of ours */
        return handlers_fault(x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
    if (page.upto == after && asked->wait_s > 0 && x->hold != NULL && !x->hold->last) {
        if (x->hold->full)
            return handlers_problem(x, HTTP_PROBLEM_OVERLOADED, ERR_BUSY,
                                    "too many wait for changes already");
        *x->hold = (struct http_hold){.wait_ms = (int64_t)asked->wait_s * 1000,
                                      .place = handlers_changes_place(now)};
        return OK;
    }
    buf_printf(etag, "\"%s-1c%" PRId64 "-%" PRId64 "-%" PRIu64 "\"", now->epoch, now->seq, after,
               asked->limit);
    return etag->failed ? handlers_fault(x, ERR_NOMEM)
                        : write_page(context, x, buf_span(etag), &page, buf_span(text));
}

enum err handlers_changes(void *data, struct http_exchange *x)
{
    struct buf text = {0}, etag = {0};
    struct asked asked;
    enum err e = read_asked(x, &asked);
    if (e == OK)
        e = answer(data, x, &asked, &text, &etag);
    buf_fini(&text);
    buf_fini(&etag);
    return e;
}
