/* Validators and caches: tags, conditions, what caches are told, and what an edge does. */
#include "cli/doctor_check.h"

#include "http/etag.h"

#include <inttypes.h>

bool doctor_has_public(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC];
    if (!doctor_has(e, DOCTOR_PUBLIC, f,
                    e->has_token ? "the token's subject has no profile: name one with --profile ID"
                                 : "needs --token"))
        return false;
    if (a->status == 200)
        return true;
    if (a->status >= 500)
        doctor_fault(f, DOCTOR_FAULT_NOT_READY, "the public view of %s answers %d", e->id, a->status);
    else {
        doctor_skip(f, "the public view of %s answers %d", e->id, a->status);
        f->unseen = true;
    }
    return false;
}

static struct span tag_of(const struct doctor_answer *a)
{
    return doctor_answer_header(a, "ETag", 0);
}

static bool is_weak(struct span tag)
{
    return span_starts(tag, SPAN("W/"));
}

/* Whether it is a tag as profiled writes them, weak or not and with a compression's suffix or not:
 * "EPOCH-FORMATpSEQUENCE". */
static bool is_own(struct span tag)
{
    struct span rest = span_from(tag, is_weak(tag) ? 2 : 0);
    if (rest.len < 2 || rest.ptr[0] != '"')
        return false;
    rest = span_from(rest, 1);
    struct span epoch = span_cut(&rest, '-');
    size_t digits = 0;
    while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
        digits++;
    return epoch.len > 0 && digits > 0 && digits < rest.len && rest.ptr[digits] == HTTP_ETAG_PUBLIC;
}

void doctor_check_etag(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC];
    if (!doctor_has_public(e, f))
        return;
    struct span tag = tag_of(a);
    int shown = (int)(tag.len < 80 ? tag.len : 80);
    if (tag.ptr == NULL)
        doctor_fault(f, DOCTOR_FAULT_ETAG, "the public view has no ETag: it is taken out on the way");
    else if (doctor_answer_header(a, "ETag", 1).ptr != NULL)
        doctor_fault(f, DOCTOR_FAULT_ETAG,
                     "the public view has two ETags: something on the way adds its own");
    else if (!is_own(tag))
        doctor_fault(f, DOCTOR_FAULT_ETAG, "the ETag is changed on the way: %.*s is none of profiled's",
                     shown, tag.ptr);
    else if (is_weak(tag))
        doctor_fault(f, DOCTOR_FAULT_ETAG,
                     "the ETag is made weak on the way, without compression: If-Match never matches it");
    else
        doctor_fine(f, "%.*s", shown, tag.ptr);
}

static void judge_compressed(const struct doctor_evidence *e, enum doctor_probe probe, enum doctor_probe back,
                             enum doctor_probe match, const char *coding, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[probe], *b = &e->answers[back];
    if (!doctor_has_public(e, f) || !doctor_has(e, probe, f, "not asked"))
        return;
    struct span encoding = doctor_answer_header(a, "Content-Encoding", 0), tag = tag_of(a);
    bool compressed = encoding.ptr != NULL && !span_eq_nocase(encoding, SPAN("identity"));
    int shown = (int)(tag.len < 80 ? tag.len : 80);
    if (a->status != 200)
        doctor_fault(f, DOCTOR_FAULT_COMPRESSED, "with Accept-Encoding: %s the answer is %d", coding,
                     a->status);
    else if (tag.ptr == NULL)
        doctor_fault(f, DOCTOR_FAULT_COMPRESSED, "compressed with %s the answer has no ETag", coding);
    else if (!doctor_has(e, back, f, "not asked"))
        return;
    else if (b->status != 304)
        doctor_fault(f, DOCTOR_FAULT_COMPRESSED,
                     "the tag of the %s answer, %.*s, gets %d when it comes back, where 304 was due: the "
                     "copy is fetched anew for ever",
                     coding, shown, tag.ptr, b->status);
    else if (compressed && !doctor_answer_lists(a, "Vary", "Accept-Encoding"))
        doctor_fault(f, DOCTOR_FAULT_VARY,
                     "the answer is compressed with %s and lacks Vary: Accept-Encoding: caches give it to "
                     "those who cannot read it",
                     coding);
    else if (doctor_answer_is(&e->answers[match], 412))
        doctor_fault(
            f, DOCTOR_FAULT_WEAK_MATCH,
            "the tag of the %s answer, %.*s, gets 412 in If-Match: who read it compressed cannot edit it",
            coding, shown, tag.ptr);
    else if (compressed)
        doctor_fine(f, "%.*s comes back as a 304, and holds in If-Match", shown, tag.ptr);
    else
        doctor_fine(f, "not compressed; its tag comes back as a 304");
}

void doctor_check_gzip(const struct doctor_evidence *e, struct doctor_finding *f)
{
    judge_compressed(e, DOCTOR_GZIP, DOCTOR_GZIP_TAG, DOCTOR_GZIP_MATCH, "gzip", f);
}

void doctor_check_br(const struct doctor_evidence *e, struct doctor_finding *f)
{
    judge_compressed(e, DOCTOR_BR, DOCTOR_BR_TAG, DOCTOR_BR_MATCH, "br", f);
}

void doctor_check_not_modified(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC], *b = &e->answers[DOCTOR_PUBLIC_TAG];
    if (!doctor_has_public(e, f) || !doctor_has(e, DOCTOR_PUBLIC_TAG, f, "there is no ETag to send"))
        return;
    if (b->status != 304)
        doctor_fault(f, DOCTOR_FAULT_CONDITION_LOST,
                     "If-None-Match with the current tag gets %d, where 304 was due", b->status);
    else if (b->body.len > 0)
        doctor_fault(f, DOCTOR_FAULT_NONE, "the 304 has a body");
    else if (!span_eq(tag_of(a), tag_of(b)))
        doctor_fault(f, DOCTOR_FAULT_ETAG, "the 304 lacks the ETag of the 200 (RFC 9110 section 15.4.5)");
    else if (!doctor_answer_same(a, b, "Cache-Control", NULL))
        doctor_fault(f, DOCTOR_FAULT_CACHE_CONTROL, "the 304 has another Cache-Control than the 200");
    else if (!doctor_answer_same(a, b, "Vary", "Accept-Encoding"))
        doctor_fault(f, DOCTOR_FAULT_VARY, "the 304 has another Vary than the 200");
    else
        doctor_fine(f, "If-None-Match gets a 304 with ETag, Cache-Control and Vary");
}

void doctor_check_date(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC], *b = &e->answers[DOCTOR_PUBLIC_DATE];
    if (!doctor_has_public(e, f))
        return;
    if (doctor_answer_header(a, "Last-Modified", 0).ptr == NULL)
        doctor_fault(f, DOCTOR_FAULT_ETAG, "the public view has no Last-Modified");
    else if (doctor_has(e, DOCTOR_PUBLIC_DATE, f, "not asked") && b->status != 304)
        doctor_fault(f, DOCTOR_FAULT_CONDITION_LOST,
                     "If-Modified-Since with its Last-Modified gets %d, where 304 was due", b->status);
    else if (b->status == 304)
        doctor_fine(f, "If-Modified-Since gets a 304");
}

void doctor_check_head(const struct doctor_evidence *e, struct doctor_finding *f)
{
    static const char *const names[] = {"ETag", "Cache-Control", "Content-Type", "Last-Modified"};
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC_AGAIN], *b = &e->answers[DOCTOR_PUBLIC_HEAD];
    if (!doctor_has_public(e, f) || !doctor_has(e, DOCTOR_PUBLIC_HEAD, f, "not asked"))
        return;
    struct span length = doctor_answer_header(a, "Content-Length", 0),
                other = doctor_answer_header(b, "Content-Length", 0);
    if (b->status != a->status) {
        doctor_fault(f, DOCTOR_FAULT_METHOD, "HEAD gets %d, GET %d", b->status, a->status);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!span_eq(doctor_answer_header(a, names[i], 0), doctor_answer_header(b, names[i], 0))) {
            doctor_fault(f, DOCTOR_FAULT_NONE,
                         "HEAD has another %s than GET: something on the way answers it by itself", names[i]);
            return;
        }
    if (length.ptr != NULL && other.ptr != NULL && !span_eq(length, other))
        doctor_fault(f, DOCTOR_FAULT_NONE, "HEAD has another Content-Length than GET (%.*s, %.*s)",
                     SPAN_ARG(other), SPAN_ARG(length));
    else
        doctor_fine(f, "HEAD has the headers of GET");
}

void doctor_check_precondition(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC_LOST], *b = &e->answers[DOCTOR_HEAD_LOST];
    if (!doctor_has_public(e, f) || !doctor_has(e, DOCTOR_PUBLIC_LOST, f, "not asked") ||
        !doctor_has(e, DOCTOR_HEAD_LOST, f, "not asked"))
        return;
    if (a->status != 412 || b->status != 412)
        doctor_fault(f, DOCTOR_FAULT_IF_MATCH_LOST,
                     "If-Match with a tag it never had gets %d by %s, where 412 was due: edits could be lost",
                     a->status != 412 ? a->status : b->status, a->status != 412 ? "GET" : "HEAD");
    else
        doctor_fine(f, "If-Match with a tag it never had gets 412");
}

void doctor_check_write_precondition(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PATCH_LOST];
    if (!doctor_has(e, DOCTOR_PATCH_LOST, f, "needs --token"))
        return;
    if (a->status == 412)
        doctor_fine(f, "a PATCH with a tag it never had gets 412");
    else if (a->status == 428)
        doctor_fault(f, DOCTOR_FAULT_IF_MATCH_LOST, "If-Match does not arrive with a PATCH: 428");
    else if (a->status >= 200 && a->status < 300)
        doctor_fault(f, DOCTOR_FAULT_IF_MATCH_LOST,
                     "DANGER: an (empty) PATCH with a tag it never had was carried out: %d", a->status);
    else if (doctor_answer_ours(a) && (a->status == 403 || a->status == 404 || a->status == 401))
        doctor_skip(f, "a PATCH of /v1/me gets %d: the token may not write, or its subject has no profile",
                    a->status);
    else
        doctor_fault(f, DOCTOR_FAULT_METHOD, "a PATCH with If-Match gets %d, where 412 was due", a->status);
}

/* What the public view's Cache-Control may be: in the modes revalidate and edge, with http.max_age, and in
 * the mode private. */
void doctor_check_policy(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC];
    if (!doctor_has_public(e, f))
        return;
    bool open = doctor_answer_lists(a, "Cache-Control", "public"),
         closed = doctor_answer_lists(a, "Cache-Control", "private");
    bool asks = doctor_answer_lists(a, "Cache-Control", "no-cache"),
         must = doctor_answer_lists(a, "Cache-Control", "must-revalidate");
    bool lasts = doctor_answer_lists(a, "Cache-Control", "max-age"),
         shares = doctor_answer_lists(a, "Cache-Control", "s-maxage");
    struct span value = doctor_answer_header(a, "Cache-Control", 0);
    bool known =
        !shares && ((open && !closed && asks && must && !lasts) || (!open && closed && (asks != lasts)));
    if (!known)
        doctor_fault(
            f, DOCTOR_FAULT_CACHE_CONTROL,
            "the public view says Cache-Control: %.*s, which profiled never does: it is changed on the way",
            (int)(value.len < 120 ? value.len : 120), value.ptr == NULL ? "" : value.ptr);
    else if (e->shared_cache != NULL && strcmp(e->shared_cache, "private") == 0 && open)
        doctor_fault(f, DOCTOR_FAULT_CACHE_CONTROL,
                     "the public view says public, http.shared_cache says private: another configuration is "
                     "served, or it is changed on the way");
    else
        doctor_fine(f, "%.*s", (int)(value.len < 120 ? value.len : 120), value.ptr);
}

void doctor_check_edge(const struct doctor_evidence *e, struct doctor_finding *f)
{
    static const enum doctor_probe seen[] = {DOCTOR_PUBLIC, DOCTOR_PUBLIC_AGAIN, DOCTOR_PUBLIC_TAG,
                                             DOCTOR_PUBLIC_HEAD};
    static const char *const names[] = {"CDN-Cache-Control", "Surrogate-Key", "Surrogate-Control"};
    if (!doctor_has_public(e, f))
        return;
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
            if (doctor_answer_header(&e->answers[seen[i]], names[n], 0).ptr != NULL) {
                doctor_fault(f, DOCTOR_FAULT_LEAK,
                             "%s leaks out: a cache beyond may take it as leave to answer without asking. "
                             "Either no edge stands here, or it does not strip it",
                             names[n]);
                return;
            }
    if (e->shared_cache != NULL && strcmp(e->shared_cache, "edge") == 0 &&
        (e->purge == NULL || e->purge[0] == '\0'))
        doctor_fault(f, DOCTOR_FAULT_PURGE,
                     "http.shared_cache is edge and edge.purge names no edge: what it keeps is never purged");
    else
        doctor_fine(f, "neither CDN-Cache-Control nor Surrogate-Key leaks out");
}

void doctor_check_origin(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC_AGAIN], *o = &e->answers[DOCTOR_ORIGIN];
    if (!doctor_has_public(e, f) ||
        !doctor_has(e, DOCTOR_ORIGIN, f, "only with --origin URL, the address behind the edge"))
        return;
    if (o->status != 200)
        doctor_fault(f, DOCTOR_FAULT_NONE, "the origin answers %d where the edge answers 200", o->status);
    else if (!span_eq(tag_of(a), tag_of(o)) || !span_eq(buf_span(&a->body), buf_span(&o->body)))
        doctor_fault(f, DOCTOR_FAULT_PURGE,
                     "the edge gives %.*s, the origin %.*s: what the edge keeps is old", SPAN_ARG(tag_of(a)),
                     SPAN_ARG(tag_of(o)));
    else
        doctor_fine(f, "edge and origin give the same");
}

void doctor_check_purge(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_trial *t = &e->trial;
    if (!t->tried)
        doctor_skip(f, "only with --write and --admin-token: makes a throw-away profile");
    else if (t->failure[0] != '\0')
        doctor_fault(f, DOCTOR_FAULT_NONE, "%s%s", t->failure,
                     t->left_behind ? "; the profile is still there" : "");
    else if (t->created_ms < 0 || t->changed_ms < 0 || t->deleted_ms < 0)
        doctor_fault(f, DOCTOR_FAULT_PURGE,
                     "%s was not seen within %d ms: no purge reaches the cache in front",
                     t->created_ms < 0   ? "a creation"
                     : t->changed_ms < 0 ? "an edit"
                                         : "a deletion",
                     DOCTOR_TRIAL_LIMIT_MS);
    else if (t->created_ms > DOCTOR_FRESH_MS || t->changed_ms > DOCTOR_FRESH_MS ||
             t->deleted_ms > DOCTOR_FRESH_MS)
        doctor_fault(f, DOCTOR_FAULT_PURGE,
                     "writes are seen late: creation %" PRId64 " ms, edit %" PRId64 " ms, deletion %" PRId64
                     " ms after the answer",
                     t->created_ms, t->changed_ms, t->deleted_ms);
    else
        doctor_fine(f,
                    "creation, edit and deletion were seen %" PRId64 ", %" PRId64 " and %" PRId64
                    " ms after the answer",
                    t->created_ms, t->changed_ms, t->deleted_ms);
}
