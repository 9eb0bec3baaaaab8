/* Who gets in: that tokens arrive, that nobody gets in without one, and that nobody gets another's view. */
#include "cli/doctor_check.h"

static const char need_token[] = "needs --token";

struct span doctor_cache_sign(const struct doctor_answer *a)
{
    static const char *const hits[] = {"X-Cache", "X-Cache-Status", "CF-Cache-Status", "X-Proxy-Cache"};
    struct span value = doctor_answer_header(a, "Age", 0);
    /* Varnish writes "Age: 0" on what it passed by, too */
    if (value.ptr != NULL && !span_eq(value, SPAN("0")))
        return SPAN("Age");
    for (size_t i = 0; i < sizeof hits / sizeof hits[0]; i++) {
        value = doctor_answer_header(a, hits[i], 0);
        for (size_t at = 0; at + 3 <= value.len; at++)
            if (span_eq_nocase(span_of(value.ptr + at, 3), SPAN("hit")))
                return span_str(hits[i]);
    }
    /* two transactions: this one, and the one that fetched it */
    value = span_trim(doctor_answer_header(a, "X-Varnish", 0));
    if (value.ptr != NULL && memchr(value.ptr, ' ', value.len) != NULL)
        return SPAN("X-Varnish");
    return (struct span){NULL, 0};
}

void doctor_check_challenge(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_ME_BARE];
    if (!doctor_has(e, DOCTOR_ME_BARE, f, "not asked"))
        return;
    struct span challenge = doctor_answer_header(a, "WWW-Authenticate", 0);
    if (a->status >= 200 && a->status < 400)
        doctor_fault(f, DOCTOR_FAULT_PRIVATE_STORED, "DANGER: /v1/me answers %d to a request without a token",
                     a->status);
    else if (a->status != 401)
        doctor_fault(f, DOCTOR_FAULT_CHALLENGE, "without a token /v1/me answers %d, where 401 was due",
                     a->status);
    else if (challenge.len < 6 || !span_eq_nocase(span_of(challenge.ptr, 6), SPAN("Bearer")))
        doctor_fault(f, DOCTOR_FAULT_CHALLENGE, "the 401 lacks WWW-Authenticate: Bearer (RFC 6750)");
    else
        doctor_fine(f, "without a token: 401 and a Bearer challenge");
}

/* The value of error_description in a challenge, for people. */
static struct span description(const struct doctor_answer *a)
{
    static const char key[] = "error_description=\"";
    struct span value = doctor_answer_header(a, "WWW-Authenticate", 0);
    for (size_t at = 0; at + sizeof key <= value.len; at++) {
        struct span rest = span_from(value, at);
        if (span_starts(rest, span_str(key))) {
            rest = span_from(rest, sizeof key - 1);
            return span_cut(&rest, '"');
        }
    }
    return SPAN("without a reason");
}

void doctor_check_authorization(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_ME];
    if (!doctor_has(e, DOCTOR_ME, f, need_token))
        return;
    struct span challenge = doctor_answer_header(a, "WWW-Authenticate", 0);
    bool judged = false;
    for (size_t at = 0; at < challenge.len; at++)
        judged = judged || span_starts(span_from(challenge, at), SPAN("error="));
    struct span why = description(a);
    if (a->status == 401 && !judged)
        doctor_fault(f, DOCTOR_FAULT_TOKEN_LOST,
                     "the token does not arrive: with it the answer is a 401 that asks for one");
    else if (a->status == 401)
        doctor_fault(f, DOCTOR_FAULT_TOKEN_REFUSED, "the token arrives and is refused: %.*s",
                     (int)(why.len < 200 ? why.len : 200), why.ptr);
    else if (a->status == 403)
        doctor_fine(f, "the token arrives; it may not read /v1/me");
    else if (a->status == 404 && doctor_answer_ours(a))
        doctor_fine(f, "the token arrives; its subject has no profile");
    else if (a->status != 200)
        doctor_fault(f, DOCTOR_FAULT_NONE, "with the token /v1/me answers %d", a->status);
    else
        doctor_fine(f, "the token arrives and counts");
}

static void judge_closed(const struct doctor_answer *a, const char *who, struct doctor_finding *f)
{
    struct span sign = doctor_cache_sign(a);
    if ((a->status >= 200 && a->status < 300) || a->status == 304)
        doctor_fault(f, DOCTOR_FAULT_UNCHECKED,
                     "DANGER: a request %s gets the profile (%d%s%.*s): a cache answers without asking. "
                     "Everybody reads everything",
                     who, a->status, sign.ptr == NULL ? "" : ", as told by ", SPAN_ARG(sign));
    else if (a->status != 401)
        doctor_fault(f, DOCTOR_FAULT_CHALLENGE, "a request %s gets %d, where 401 was due", who, a->status);
    else
        doctor_fine(f, "a request %s for what others have just read gets 401", who);
}

void doctor_check_unauthenticated(const struct doctor_evidence *e, struct doctor_finding *f)
{
    if (doctor_has(e, DOCTOR_PUBLIC_BARE, f,
                   "needs a profile: --token of somebody who has one, or --profile ID"))
        judge_closed(&e->answers[DOCTOR_PUBLIC_BARE], "without a token", f);
}

void doctor_check_forged(const struct doctor_evidence *e, struct doctor_finding *f)
{
    if (doctor_has(e, DOCTOR_PUBLIC_FORGED, f,
                   "needs a profile: --token of somebody who has one, or --profile ID"))
        judge_closed(&e->answers[DOCTOR_PUBLIC_FORGED], "with a forged token", f);
}

/* The owner's view bears what keeps it out of shared caches. */
void doctor_check_owner(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_ME];
    if (!doctor_has(e, DOCTOR_ME, f, need_token))
        return;
    struct span tag = doctor_answer_header(a, "ETag", 0);
    if (a->status != 200)
        doctor_skip(f, "/v1/me answers %d: the token's subject has no profile, or may not read it",
                    a->status);
    else if (!doctor_answer_lists(a, "Cache-Control", "private") ||
             !doctor_answer_lists(a, "Cache-Control", "no-cache") ||
             doctor_answer_lists(a, "Cache-Control", "public") ||
             doctor_answer_lists(a, "Cache-Control", "s-maxage"))
        doctor_fault(f, DOCTOR_FAULT_CACHE_CONTROL, "/v1/me lacks Cache-Control: private, no-cache");
    else if (!doctor_answer_lists(a, "Vary", "Authorization"))
        doctor_fault(f, DOCTOR_FAULT_VARY, "/v1/me lacks Vary: Authorization");
    else if (tag.ptr == NULL)
        doctor_fault(f, DOCTOR_FAULT_ETAG, "/v1/me has no ETag: its owner cannot write it");
    else
        doctor_fine(f, "/v1/me says private, no-cache and Vary: Authorization");
}

void doctor_check_private(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *me = &e->answers[DOCTOR_ME], *again = &e->answers[DOCTOR_ME_AGAIN],
                               *other = &e->answers[DOCTOR_ME_OTHER], *bare = &e->answers[DOCTOR_ME_BARE];
    if (!doctor_has(e, DOCTOR_ME_AGAIN, f, need_token) || !doctor_has(e, DOCTOR_ME_BARE, f, "not asked"))
        return;
    struct span sign = doctor_cache_sign(again);
    struct span id = doctor_answer_header(me, "X-Request-Id", 0);
    if (id.ptr != NULL && span_eq(id, doctor_answer_header(again, "X-Request-Id", 0)))
        sign = SPAN("the same X-Request-Id twice");
    struct span tag = doctor_answer_header(me, "ETag", 0);
    bool mine = other->outcome == DOCTOR_ANSWERED && other->status == 200 && me->status == 200 &&
                (span_eq(buf_span(&other->body), buf_span(&me->body)) ||
                 (tag.ptr != NULL && span_eq(doctor_answer_header(other, "ETag", 0), tag)));
    if (bare->status == 200)
        doctor_fault(f, DOCTOR_FAULT_PRIVATE_STORED,
                     "DANGER: /v1/me gives somebody's private view to a request without a token");
    else if (mine)
        doctor_fault(f, DOCTOR_FAULT_PRIVATE_STORED,
                     "DANGER: /v1/me gives one subject's private view to another's token");
    else if (again->status == 200 && sign.ptr != NULL)
        doctor_fault(f, DOCTOR_FAULT_PRIVATE_STORED, "a shared cache answers /v1/me: %.*s tells so",
                     SPAN_ARG(sign));
    else if (me->status != 200)
        doctor_skip(f, "/v1/me answers %d: there is no private view to look at", me->status);
    else if (!e->has_other)
        doctor_fine(f, "no cache answers /v1/me (not tried with a second token: needs --admin-token, or -c "
                       "with the keys)");
    else
        doctor_fine(f, "no cache answers /v1/me, and a second subject does not get the first one's");
}

void doctor_check_shared(const struct doctor_evidence *e, struct doctor_finding *f)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_PUBLIC_AGAIN], *b = &e->answers[DOCTOR_PUBLIC_OTHER];
    if (!doctor_has_public(e, f) ||
        !doctor_has(e, DOCTOR_PUBLIC_OTHER, f, "needs a second token: --admin-token, or -c with the keys"))
        return;
    if (b->status != 200)
        doctor_fault(f, DOCTOR_FAULT_NONE, "the second token gets %d for the public view", b->status);
    else if (!span_eq(doctor_answer_header(a, "ETag", 0), doctor_answer_header(b, "ETag", 0)) ||
             !span_eq(buf_span(&a->body), buf_span(&b->body)))
        doctor_fault(f, DOCTOR_FAULT_ETAG,
                     "two subjects get different ETags or bodies of one public view (or it was edited "
                     "meanwhile: try again)");
    else if (doctor_answer_lists(a, "Vary", "Authorization"))
        doctor_fault(f, DOCTOR_FAULT_VARY,
                     "the public view bears Vary: Authorization: no cache can share it");
    else
        doctor_fine(f, "two subjects get one ETag and one body of the public view");
}
