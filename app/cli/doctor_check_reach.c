/* Is it there, and all of it: liveness, what speaks for profiled, TLS, clocks, methods, sizes, paths, CORS.
 */
#include "cli/doctor_check.h"

#include "http/date.h"

#include <inttypes.h>
#include <stdio.h>

enum { CERTIFICATE_SOON_S = 14 * 86400, DAY_S = 86400, CLOCK_GRAIN_S = 2 };

bool doctor_has(const struct doctor_evidence *e, enum doctor_probe probe, struct doctor_finding *f,
                const char *why)
{
    const struct doctor_answer *a = &e->answers[probe];
    if (a->outcome == DOCTOR_NOT_ASKED) {
        doctor_skip(f, "%s",
                    e->answers[DOCTOR_HEALTHZ].outcome == DOCTOR_ANSWERED ? why : "nothing answers there");
        /* a second token is more than most have; from DOCTOR_CORS on it takes an option that not all need */
        f->unseen = probe < DOCTOR_CORS && probe != DOCTOR_PUBLIC_OTHER;
    } else if (a->outcome == DOCTOR_FAILED)
        doctor_fault(f, DOCTOR_FAULT_NONE, "no answer: %s", a->failure);
    else if (a->status >= 502 && a->status <= 504 && !doctor_answer_ours(a))
        doctor_fault(f, DOCTOR_FAULT_NOT_READY, "the front has no answer of the pool's: %d", a->status);
    else
        return true;
    return false;
}

void doctor_check_answers(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_HEALTHZ];
    if (!doctor_has(e, DOCTOR_HEALTHZ, f, "not asked"))
        return;
    struct span place = doctor_answer_header(a, "Location", 0);
    if (a->status >= 300 && a->status < 400 && place.ptr != NULL)
        doctor_fault(f, DOCTOR_FAULT_NONE,
                     "/healthz answers %d: call the doctor with the address it names, %.*s", a->status,
                     (int)(place.len < 200 ? place.len : 200), place.ptr);
    else if (a->status != 200 || !doctor_answer_ours(a))
        doctor_fault(f, DOCTOR_FAULT_NOT_SERVED,
                     "/healthz answers %d, and not as profiled does: it is not handed on", a->status);
    else
        doctor_fine(f, "/healthz answers 200 after %" PRId64 " ms", a->received_ms - a->sent_ms);
}

void doctor_check_ready(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_READYZ];
    if (!doctor_has(e, DOCTOR_READYZ, f, "not asked"))
        return;
    if (a->status == 200 && doctor_answer_ours(a))
        doctor_fine(f, "/readyz answers 200");
    else if (a->status == 404 && !doctor_answer_ours(a))
        doctor_fault(f, DOCTOR_FAULT_NOT_SERVED, "/readyz is not handed on: 404");
    else
        doctor_fault(f, DOCTOR_FAULT_NOT_READY, "/readyz answers %d: the pool or its database is not ready",
                     a->status);
}

void doctor_check_own(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_ME_BARE];
    if (!doctor_has(e, DOCTOR_ME_BARE, f, "not asked"))
        return;
    if (!doctor_answer_lists(a, "X-Content-Type-Options", "nosniff"))
        doctor_fault(f, DOCTOR_FAULT_HEADER_LOST, "/v1/me answers %d without X-Content-Type-Options: nosniff",
                     a->status);
    else if (a->status >= 400 && !doctor_answer_ours(a))
        doctor_fault(f, DOCTOR_FAULT_CHALLENGE,
                     "/v1/me answers %d, and no problem document: an error page of the front's own",
                     a->status);
    else
        doctor_fine(f, "nosniff and problem documents arrive");
}

void doctor_check_http(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_HEALTHZ];
    if (a->outcome != DOCTOR_ANSWERED) {
        doctor_skip(f, "nothing answers there");
        return;
    }
    if (a->version < 11)
        doctor_fault(f, DOCTOR_FAULT_HTTP_1_0, "it answers as HTTP/%d.%d: no connection is kept",
                     a->version / 10, a->version % 10);
    else if (a->version % 10 == 0)
        doctor_fine(f, "HTTP/%d", a->version / 10);
    else
        doctor_fine(f, "HTTP/%d.%d", a->version / 10, a->version % 10);
}

void doctor_check_tls(const struct doctor_evidence *e, struct doctor_finding *f)
{
    int64_t left_s = e->certificate_expires_s - e->now_s;
    if (!e->https)
        doctor_skip(
            f, "not https: tokens travel in the clear, which only a loopback or a private network may see");
    else if (e->tls_failed)
        doctor_fault(f, DOCTOR_FAULT_CERTIFICATE, "%s", e->answers[DOCTOR_HEALTHZ].failure);
    else if (e->certificate_expires_s == 0)
        doctor_fine(f, "the certificate is valid");
    else if (left_s < CERTIFICATE_SOON_S)
        doctor_fault(f, DOCTOR_FAULT_CERTIFICATE, "the certificate ends in %" PRId64 " days", left_s / DAY_S);
    else
        doctor_fine(f, "the certificate is valid for %" PRId64 " days more", left_s / DAY_S);
}

void doctor_check_clock(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_ME_BARE];
    int64_t theirs_s;
    if (!doctor_has(e, DOCTOR_ME_BARE, f, "not asked"))
        return;
    struct span date = doctor_answer_header(a, "Date", 0);
    if (date.ptr == NULL || http_date_parse(date, e->now_s, &theirs_s) != OK) {
        doctor_fault(f, DOCTOR_FAULT_NONE, "the answer has no Date that can be read");
        return;
    }
    /* Date has whole seconds, and was written somewhere between sending and receiving */
    int64_t early_s = a->sent_ms / 1000 - theirs_s, late_s = theirs_s - a->received_ms / 1000;
    int64_t off_s = early_s > late_s ? early_s : late_s;
    int64_t allowed_s = e->leeway_s > CLOCK_GRAIN_S ? e->leeway_s : CLOCK_GRAIN_S;
    if (off_s > allowed_s)
        doctor_fault(f, DOCTOR_FAULT_CLOCK,
                     "its clock is %" PRId64 " s %s this one's, more than the leeway of %" PRId64
                     " s: tokens count too late or too long",
                     off_s, early_s > late_s ? "behind" : "ahead of", e->leeway_s);
    else
        doctor_fine(f, "within %" PRId64 " s of this machine's; the leeway is %" PRId64 " s",
                    off_s > 1 ? off_s : 1, e->leeway_s);
}

/* A method that arrives gets profiled's 401, for it comes without a token. */
static bool arrives(const struct doctor_answer *a)
{
    return a->outcome == DOCTOR_ANSWERED && doctor_answer_ours(a) && a->status == 401;
}

void doctor_check_methods(const struct doctor_evidence *e, struct doctor_finding *f)
{
    static const struct {
        enum doctor_probe probe;
        const char *name;
    } methods[] = {{DOCTOR_PUT_BARE, "PUT"}, {DOCTOR_PATCH_BARE, "PATCH"}, {DOCTOR_DELETE_BARE, "DELETE"}};
    const struct doctor_answer *o = &e->answers[DOCTOR_OPTIONS];
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct doctor_answer *a = &e->answers[methods[i].probe];
        if (!doctor_has(e, methods[i].probe, f, "not asked"))
            return;
        if (!arrives(a)) {
            doctor_fault(f, DOCTOR_FAULT_METHOD, "%s does not reach profiled: %d, where its own 401 was due",
                         methods[i].name, a->status);
            return;
        }
    }
    if (!doctor_has(e, DOCTOR_OPTIONS, f, "not asked"))
        return;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (o->status == 204 && doctor_answer_lists(o, "Allow", methods[i].name))
            continue;
        doctor_fault(f, DOCTOR_FAULT_METHOD,
                     "OPTIONS of /v1/me answers %d and does not allow %s: a front answers it by itself",
                     o->status, methods[i].name);
        return;
    }
    doctor_fine(f, "OPTIONS, PUT, PATCH and DELETE arrive");
}

void doctor_check_large_header(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_LARGE_HEADER];
    if (a->outcome == DOCTOR_FAILED)
        doctor_fault(f, DOCTOR_FAULT_LARGE, "a header line of 9 KB gets no answer: %s", a->failure);
    else if (doctor_has(e, DOCTOR_LARGE_HEADER, f, "not asked") && a->status != 401)
        doctor_fault(f, DOCTOR_FAULT_LARGE, "a header line of 9 KB gets %d, where a 401 was due", a->status);
    else if (a->outcome == DOCTOR_ANSWERED)
        doctor_fine(f, "a header line of 9 KB arrives");
}

void doctor_check_long_address(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_LONG_ADDRESS];
    if (a->outcome == DOCTOR_FAILED)
        doctor_fault(f, DOCTOR_FAULT_LARGE, "an address of 13 KB gets no answer: %s", a->failure);
    else if (doctor_has(e, DOCTOR_LONG_ADDRESS, f, "not asked") && !doctor_answer_ours(a))
        doctor_fault(f, DOCTOR_FAULT_LARGE, "an address of 13 KB (a hundred ids) gets %d from the front",
                     a->status);
    else if (a->outcome == DOCTOR_ANSWERED)
        doctor_fine(f, "an address of 13 KB arrives");
}

void doctor_check_slash(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_SLASH];
    if (!doctor_has(e, DOCTOR_SLASH, f, "not asked"))
        return;
    if (arrives(a))
        doctor_fine(f, "%%2F in a path arrives as it was sent");
    else if (doctor_answer_ours(a) && a->status == 404)
        doctor_fault(f, DOCTOR_FAULT_SLASH, "%%2F in a path arrives as /: it is decoded on the way");
    else
        doctor_fault(f, DOCTOR_FAULT_SLASH, "%%2F in a path gets %d from the front", a->status);
}

/* The lines that a page needs, on an answer that it asked for. */
static bool exposes(const struct doctor_evidence *e, enum doctor_probe probe, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[probe];
    struct span allowed = doctor_answer_header(a, "Access-Control-Allow-Origin", 0);
    bool any = span_eq(allowed, SPAN("*"));
    if (allowed.ptr == NULL)
        doctor_fault(f, DOCTOR_FAULT_CORS,
                     "%d without Access-Control-Allow-Origin: pages of %s may not read it", a->status,
                     e->cors_origin);
    else if (doctor_answer_header(a, "Access-Control-Allow-Origin", 1).ptr != NULL)
        doctor_fault(f, DOCTOR_FAULT_CORS_LOST,
                     "Access-Control-Allow-Origin stands there twice: browsers refuse that");
    else if (!any && !span_eq(allowed, span_str(e->cors_origin)))
        doctor_fault(f, DOCTOR_FAULT_VARY,
                     "it allows another origin than the one that asks: an answer for another was kept");
    else if (!any && !doctor_answer_lists(a, "Vary", "Origin"))
        doctor_fault(f, DOCTOR_FAULT_VARY,
                     "%d without Vary: Origin: a cache gives one origin's answer to another", a->status);
    else if (!doctor_answer_lists(a, "Access-Control-Expose-Headers", "ETag"))
        doctor_fault(f, DOCTOR_FAULT_CORS_LOST, "%d does not expose ETag: pages cannot send If-Match",
                     a->status);
    return f->detail[0] == '\0';
}

void doctor_check_cors(const struct doctor_evidence *e, struct doctor_finding *f)
{
    static const char *const wanted[] = {"Authorization", "If-Match", "If-None-Match"};
    const struct doctor_answer *p = &e->answers[DOCTOR_PREFLIGHT];
    snprintf(f->subject, sizeof f->subject, "%s", e->cors_origin == NULL ? "" : e->cors_origin);
    if (!doctor_has(e, DOCTOR_CORS, f,
                    "no origin to try: give --cors-origin, or -c with http.cors_origins") ||
        !exposes(e, DOCTOR_CORS, f))
        return;
    if (e->answers[DOCTOR_CORS_TAG].outcome == DOCTOR_ANSWERED && !exposes(e, DOCTOR_CORS_TAG, f))
        return;
    if (!doctor_has(e, DOCTOR_PREFLIGHT, f, "not asked"))
        return;
    if (doctor_answer_header(p, "Access-Control-Allow-Origin", 0).ptr == NULL ||
        !doctor_answer_lists(p, "Access-Control-Allow-Methods", "PATCH")) {
        doctor_fault(f, DOCTOR_FAULT_CORS_LOST, "the preflight (OPTIONS) gets %d and does not allow PATCH",
                     p->status);
        return;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!doctor_answer_lists(p, "Access-Control-Allow-Headers", wanted[i])) {
            doctor_fault(f, DOCTOR_FAULT_CORS_LOST, "the preflight (OPTIONS) does not let %s be sent",
                         wanted[i]);
            return;
        }
    /* where origins are named, also an answer without Origin must say that it would differ */
    const struct doctor_answer *plain = &e->answers[DOCTOR_PUBLIC];
    bool any =
        span_eq(doctor_answer_header(&e->answers[DOCTOR_CORS], "Access-Control-Allow-Origin", 0), SPAN("*"));
    if (!any && plain->outcome == DOCTOR_ANSWERED && !doctor_answer_lists(plain, "Vary", "Origin"))
        doctor_fault(f, DOCTOR_FAULT_VARY, "an answer without Origin lacks Vary: Origin");
    else
        doctor_fine(f, "ETag is exposed to %s, and the preflight allows what is needed",
                    any ? "every origin" : e->cors_origin);
}
