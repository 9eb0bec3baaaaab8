#include "handlers/export.h"

#include "handlers/change_entry.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"
#include "profile/time.h"
#include "store/held.h"
#include "token/verify.h"
#include "json/write.h"

#include <inttypes.h>

/* What the sections are written from. */
struct export
{
    struct handlers_context *context;
    struct http_exchange *exchange;
    struct span subject;
    struct store_held held;
    struct buf entries; /* of the change log, joined by commas */
};

static void write_time(struct buf *out, int64_t ms)
{
    char text[PROFILE_TIME_LEN + 1];
    profile_time_format(ms, text);
    json_write_string(out, span_str(text));
}

/* ---- the sections: each writes its value, or nothing when it holds nothing */

static void write_profile(const struct export *x, struct buf *out)
{
    if (x->held.has_profile)
        profile_view_write(&x->held.profile, PROFILE_VIEW_OWNER, out);
}

static void write_changes(const struct export *x, struct buf *out)
{
    if (x->entries.len == 0)
        return;
    buf_lit(out, "{\"entries\":[");
    buf_append(out, buf_span(&x->entries));
    buf_char(out, ']');
    if (x->held.before > 0)
        buf_printf(out, ",\"older_from\":%" PRId64, x->held.before);
    buf_char(out, '}');
}

static void write_revocation(const struct export *x, struct buf *out)
{
    if (x->held.revoked_until_s == INT64_MIN)
        return;
    buf_lit(out, "{\"until\":");
    write_time(out, x->held.revoked_until_s * 1000);
    buf_char(out, '}');
}

static void write_tombstone(const struct export *x, struct buf *out)
{
    if (!x->held.has_tombstone)
        return;
    buf_lit(out, "{\"deleted_at\":");
    write_time(out, x->held.deleted_ms);
    buf_printf(out, ",\"seq\":%" PRId64 "}", x->held.deleted_seq);
}

static void write_avatar(const struct export *x, struct buf *out)
{
    buf_append(out, x->held.avatar);
}

static void write_revoked_tokens(const struct export *x, struct buf *out)
{
    buf_append(out, x->held.tokens);
}

static void write_answers(const struct export *x, struct buf *out)
{
    buf_append(out, x->held.answers);
}

static const struct section {
    const char *name;
    void (*write)(const struct export *x, struct buf *out);
} sections[] = {
    {"profile", write_profile},
    {"avatar", write_avatar},
    {"changes", write_changes},
    {"revocation", write_revocation},
    {"revoked_tokens", write_revoked_tokens},
    {"answers", write_answers},
    {"tombstone", write_tombstone},
};

static void write_document(const struct export *x, struct buf *out)
{
    buf_lit(out, "{\"subject\":");
    json_write_string(out, x->subject);
    buf_lit(out, ",\"exported_at\":");
    write_time(out, x->exchange->now_ms);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        size_t before = out->len;
        buf_printf(out, ",\"%s\":", sections[i].name);
        size_t begun = out->len;
        sections[i].write(x, out);
        if (out->len == begun)
            buf_truncate(out, before);
    }
    buf_char(out, '}');
}

/* ---- the exchange */

static void take(void *data, const struct store_change *change)
{
    struct buf *entries = data;
    if (entries->len > 0)
        buf_char(entries, ',');
    handlers_change_write(entries, change);
}

/* *from: 0 unless said. OK, or the answer is made. */
static enum err read_from(struct http_exchange *x, int64_t *from)
{
    struct span text;
    struct handlers_parameter known = {.name = "from", .values = &text, .most = 1};
    uint64_t number;
    enum err e = handlers_parameters_read(x, &known, 1);
    *from = 0;
    if (e != OK || known.count == 0)
        return e;
    if (!span_to_u64(text, INT64_MAX, &number) || number == 0)
        return handlers_problem(x, HTTP_PROBLEM_INVALID_PARAMETER, ERR_INVALID,
                                "from is older_from of an export before");
    *from = (int64_t)number;
    return OK;
}

static void write_lines(struct http_exchange *x)
{
    struct http_response *r = x->response;
    char today[PROFILE_TIME_LEN + 1];
    enum { DATE_LEN = 10 };
    profile_time_format(x->now_ms, today);
    http_response_header(r, "Content-Type", SPAN("application/json"));
    http_response_header(r, "Cache-Control", SPAN("private, no-store"));
    http_response_header(r, "Vary", SPAN("Authorization"));
    size_t start = http_response_header_begin(r, "Content-Disposition");
    buf_printf(&r->head, "attachment; filename=\"profiled-export-%.*s.json\"", DATE_LEN, today);
    http_response_header_end(r, start);
    http_response_header(r, "X-Request-Id", span_str(x->request->id));
}

enum err handlers_export(void *data, struct http_exchange *x)
{
    struct export export = {.context = data, .exchange = x, .subject = x->caller->subject};
    struct store *store;
    int64_t from;
    enum err e = read_from(x, &from);
    if (e != OK)
        return e;
    e = handlers_store(data, &store, &x->reason);
    if (e == OK)
        e = store_held_read(store, export.subject, from, x->arena, take, &export.entries, &export.held,
                            &x->reason);
    if (e == OK)
        e = buf_status(&export.entries);
    if (e == OK) {
        x->response->status = 200;
        write_lines(x);
        write_document(&export, &x->response->body);
    } else if (e == ERR_NOT_FOUND && from == 0) {
        handlers_problem(x, HTTP_PROBLEM_NO_SUCH_PROFILE, e, "nothing is held on this subject");
    } else if (e == ERR_NOT_FOUND) {
        handlers_problem(x, HTTP_PROBLEM_INVALID_PARAMETER, e, "from is no entry about this subject");
    } else {
        handlers_fault(x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
    }
    buf_fini(&export.entries);
    return e;
}
