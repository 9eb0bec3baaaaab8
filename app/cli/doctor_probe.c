#include "cli/doctor_probe.h"

#include "http/percent.h"

#include <stdio.h>

enum { PADDING_LEN = 9000, ADDRESS_IDS = 100, ID_LEN = 128 };
/* No profile ever has this tag. */
#define LOST_TAG "If-Match: \"profiled-doctor-0p0\""
/* Well formed, of nobody: {"alg":"EdDSA","kid":"doctor"} {"sub":"doctor"} and a signature of zeros. */
#define FORGED_TOKEN                                                                                         \
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImRvY3RvciJ9.eyJzdWIiOiJkb2N0b3IifQ."                                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct round {
    struct doctor_fetcher *fetcher;
    const struct doctor_target *target;
    struct doctor_evidence *e;
    struct buf public; /* path of the public view; empty while it is not known */
};

/* One request of the deployment; line and another may be NULL, and so may the token. */
static void ask(struct round *r, enum doctor_probe probe, const char *method, const char *path,
                const char *token, const char *line, const char *another)
{
    struct buf url = {0};
    bool patch = strcmp(method, "PATCH") == 0, put = strcmp(method, "PUT") == 0;
    buf_printf(&url, "%s%s", probe == DOCTOR_ORIGIN ? r->target->origin : r->target->base, path);
    struct doctor_request request = {.method = method, .url = buf_text(&url), .token = token};
    size_t n = 0;
    if (line != NULL)
        request.lines[n++] = line;
    if (another != NULL)
        request.lines[n++] = another;
    if (patch || put) {
        request.lines[n++] =
            patch ? "Content-Type: application/merge-patch+json" : "Content-Type: application/json";
        request.body = "{}";
    }
    doctor_fetch(r->fetcher, &request, &r->e->answers[probe]);
    buf_fini(&url);
}

/* "Name: value" out of an earlier answer's header, for ask; "" when it has none. */
static const char *line_of(const struct round *r, enum doctor_probe probe, const char *from, const char *name,
                           struct buf *out)
{
    struct span value = doctor_answer_header(&r->e->answers[probe], from, 0);
    buf_clear(out);
    if (value.ptr != NULL)
        buf_printf(out, "%s: %.*s", name, SPAN_ARG(value));
    return buf_text(out);
}

static void ask_without_token(struct round *r)
{
    struct buf large = {0}, longer = {0};
    ask(r, DOCTOR_READYZ, "GET", "/readyz", NULL, NULL, NULL);
    ask(r, DOCTOR_OPTIONS, "OPTIONS", "/v1/me", NULL, NULL, NULL);
    ask(r, DOCTOR_PUT_BARE, "PUT", "/v1/me", NULL, LOST_TAG, NULL);
    ask(r, DOCTOR_PATCH_BARE, "PATCH", "/v1/me", NULL, LOST_TAG, NULL);
    ask(r, DOCTOR_DELETE_BARE, "DELETE", "/v1/me", NULL, LOST_TAG, NULL);
    ask(r, DOCTOR_SLASH, "GET", "/v1/profiles/x%2Fy", NULL, NULL, NULL);
    buf_lit(&large, "X-Profiled-Doctor: ");
    for (size_t i = 0; i < PADDING_LEN; i++)
        buf_char(&large, 'x');
    ask(r, DOCTOR_LARGE_HEADER, "GET", "/v1/me", NULL, buf_text(&large), NULL);
    buf_lit(&longer, "/v1/profiles");
    for (size_t i = 0; i < ADDRESS_IDS; i++) {
        buf_lit(&longer, "&id=");
        longer.ptr[sizeof "/v1/profiles" - 1] = '?';
        for (size_t n = 0; n < ID_LEN; n++)
            buf_char(&longer, 'x');
    }
    ask(r, DOCTOR_LONG_ADDRESS, "GET", buf_text(&longer), NULL, NULL, NULL);
    buf_fini(&large);
    buf_fini(&longer);
}

static void ask_owner(struct round *r)
{
    const struct doctor_target *t = r->target;
    if (t->token != NULL) {
        ask(r, DOCTOR_ME, "GET", "/v1/me", t->token, NULL, NULL);
        ask(r, DOCTOR_ME_AGAIN, "GET", "/v1/me", t->token, NULL, NULL);
    }
    if (t->other != NULL)
        ask(r, DOCTOR_ME_OTHER, "GET", "/v1/me", t->other, NULL, NULL);
    ask(r, DOCTOR_ME_BARE, "GET", "/v1/me", NULL, NULL, NULL);
    if (t->token != NULL)
        ask(r, DOCTOR_PATCH_LOST, "PATCH", "/v1/me", t->token, LOST_TAG, NULL);
}

static void ask_compressed(struct round *r, const char *path, const char *accept, enum doctor_probe first,
                           enum doctor_probe back, enum doctor_probe match)
{
    struct buf line = {0};
    const char *token = r->target->token;
    ask(r, first, "GET", path, token, accept, NULL);
    if (line_of(r, first, "ETag", "If-None-Match", &line)[0] != '\0')
        ask(r, back, "GET", path, token, accept, buf_text(&line));
    if (line_of(r, first, "ETag", "If-Match", &line)[0] != '\0')
        ask(r, match, "GET", path, token, accept, buf_text(&line));
    buf_fini(&line);
}

static void ask_conditions(struct round *r, const char *path, const char *token)
{
    struct buf line = {0};
    const char *text;
    if ((text = line_of(r, DOCTOR_PUBLIC, "ETag", "If-None-Match", &line))[0] != '\0')
        ask(r, DOCTOR_PUBLIC_TAG, "GET", path, token, text, NULL);
    if ((text = line_of(r, DOCTOR_PUBLIC, "Last-Modified", "If-Modified-Since", &line))[0] != '\0')
        ask(r, DOCTOR_PUBLIC_DATE, "GET", path, token, text, NULL);
    ask(r, DOCTOR_PUBLIC_LOST, "GET", path, token, LOST_TAG, NULL);
    ask(r, DOCTOR_HEAD_LOST, "HEAD", path, token, LOST_TAG, NULL);
    ask_compressed(r, path, "Accept-Encoding: gzip", DOCTOR_GZIP, DOCTOR_GZIP_TAG, DOCTOR_GZIP_MATCH);
    ask_compressed(r, path, "Accept-Encoding: br", DOCTOR_BR, DOCTOR_BR_TAG, DOCTOR_BR_MATCH);
    buf_fini(&line);
}

static void ask_public(struct round *r)
{
    const struct doctor_target *t = r->target;
    const char *path = buf_text(&r->public);
    if (t->token != NULL) {
        ask(r, DOCTOR_PUBLIC, "GET", path, t->token, NULL, NULL);
        ask(r, DOCTOR_PUBLIC_AGAIN, "GET", path, t->token, NULL, NULL);
    }
    if (t->other != NULL)
        ask(r, DOCTOR_PUBLIC_OTHER, "GET", path, t->other, NULL, NULL);
    ask(r, DOCTOR_PUBLIC_BARE, "GET", path, NULL, NULL, NULL);
    ask(r, DOCTOR_PUBLIC_FORGED, "GET", path, FORGED_TOKEN, NULL, NULL);
    if (t->token == NULL)
        return;
    ask(r, DOCTOR_PUBLIC_HEAD, "HEAD", path, t->token, NULL, NULL);
    if (doctor_answer_is(&r->e->answers[DOCTOR_PUBLIC], 200))
        ask_conditions(r, path, t->token);
    if (t->origin != NULL)
        ask(r, DOCTOR_ORIGIN, "GET", path, t->token, NULL, NULL);
}

static void ask_cors(struct round *r)
{
    const struct doctor_target *t = r->target;
    bool known = r->public.len > 0 && t->token != NULL;
    const char *path = known ? buf_text(&r->public) : "/v1/me";
    struct buf origin = {0}, tag = {0};
    struct doctor_request preflight = {.method = "OPTIONS"};
    struct buf url = {0};
    buf_printf(&origin, "Origin: %s", r->e->cors_origin);
    ask(r, DOCTOR_CORS, "GET", path, known ? t->token : NULL, buf_text(&origin), NULL);
    const char *text = line_of(r, DOCTOR_CORS, "ETag", "If-None-Match", &tag);
    if (text[0] != '\0')
        ask(r, DOCTOR_CORS_TAG, "GET", path, t->token, buf_text(&origin), text);
    buf_printf(&url, "%s/v1/me", t->base);
    preflight.url = buf_text(&url);
    preflight.lines[0] = buf_text(&origin);
    preflight.lines[1] = "Access-Control-Request-Method: PATCH";
    preflight.lines[2] = "Access-Control-Request-Headers: authorization, if-match";
    doctor_fetch(r->fetcher, &preflight, &r->e->answers[DOCTOR_PREFLIGHT]);
    buf_fini(&origin);
    buf_fini(&tag);
    buf_fini(&url);
}

void doctor_probe_all(struct doctor_fetcher *f, const struct doctor_target *t, struct doctor_evidence *e)
{
    struct round r = {.fetcher = f, .target = t, .e = e};
    ask(&r, DOCTOR_HEALTHZ, "GET", "/healthz", NULL, NULL, NULL);
    e->tls_failed = doctor_fetch_tls_failed(f);
    e->certificate_expires_s = doctor_fetch_certificate(f).expires_s;
    if (e->answers[DOCTOR_HEALTHZ].outcome != DOCTOR_ANSWERED)
        return;
    ask_owner(&r);
    if (t->id != NULL)
        snprintf(e->id, sizeof e->id, "%s", t->id);
    else if (doctor_answer_is(&e->answers[DOCTOR_ME], 200))
        doctor_answer_member(&e->answers[DOCTOR_ME], "id", e->id, sizeof e->id);
    if (e->id[0] != '\0') {
        buf_lit(&r.public, "/v1/profiles/");
        http_percent_encode(&r.public, span_str(e->id));
        ask_public(&r);
    }
    ask_without_token(&r);
    if (e->cors_origin != NULL)
        ask_cors(&r);
    buf_fini(&r.public);
}
