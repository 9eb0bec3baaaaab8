/* profiled doctor's judgement: answers as they were recorded, and what it must make of them. */
#include "cli/doctor_judge.h"
#include "cli/doctor_local.h"
#include "cli/doctor_report.h"
#include "cli/doctor_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What a healthy deployment behind lighttpd answers. */
#define FRONT   "Date: Thu, 26 Nov 2026 00:33:00 GMT\r\nServer: lighttpd/1.4.69\r\n"
#define NOSNIFF "X-Content-Type-Options: nosniff\r\n"
#define ASK     "Cache-Control: public, no-cache, must-revalidate\r\n"
#define TAG     "ETag: \"0e11e940a4-1p1\"\r\n"
#define PUBLIC                                                                                               \
    ASK TAG "Last-Modified: Thu, 26 Nov 2026 00:30:00 GMT\r\nContent-Type: application/json\r\n" NOSNIFF FRONT
#define BODY    "{\"id\":\"ann\"}"
#define GOOD    "HTTP/1.1 200 OK\r\n" PUBLIC "Content-Length: 12\r\n\r\n" BODY
#define PROBLEM "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n" NOSNIFF FRONT
#define CLOSED  "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"profiled\"\r\n" PROBLEM "\r\n{}"
#define REFUSED                                                                                              \
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"profiled\", error=\"invalid_token\", "    \
    "error_description=\"the token has expired\"\r\n" PROBLEM "\r\n{}"
#define UNMODIFIED "HTTP/1.1 304 Not Modified\r\n" ASK TAG NOSNIFF FRONT "\r\n"
#define LOST       "HTTP/1.1 412 Precondition Failed\r\n" PROBLEM "\r\n{}"
#define MISSING    "HTTP/1.1 404 Not Found\r\n" PROBLEM "\r\n{}"
#define OWNER                                                                                                \
    "HTTP/1.1 200 OK\r\nCache-Control: private, no-cache\r\nVary: Authorization\r\nETag: "                   \
    "\"0e11e940a4-1o1\"\r\n" NOSNIFF FRONT
#define ME    OWNER "\r\n{\"id\":\"ann\",\"email\":\"a@b.example\"}"
#define ALIVE "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n" NOSNIFF FRONT "\r\n{}"
#define ALLOWED                                                                                              \
    "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, PUT, PATCH, DELETE, OPTIONS\r\n" NOSNIFF FRONT "\r\n"
#define CORS                                                                                                 \
    "Access-Control-Allow-Origin: https://app.example\r\nAccess-Control-Expose-Headers: ETag, "              \
    "Link\r\nVary: Origin\r\n"
#define PREFLIGHT                                                                                            \
    "HTTP/1.1 204 No Content\r\n" CORS "Access-Control-Allow-Methods: GET, PATCH\r\n"                        \
    "Access-Control-Allow-Headers: Authorization, If-Match, If-None-Match\r\n\r\n"
/* A page of a front's own. */
#define PAGE(status) "HTTP/1.1 " status "\r\nContent-Type: text/html\r\nServer: nginx\r\n\r\n<html>"

static const char *const healthy[DOCTOR_PROBE_COUNT] = {
    [DOCTOR_HEALTHZ] = ALIVE,
    [DOCTOR_READYZ] = ALIVE,
    [DOCTOR_ME] = ME,
    [DOCTOR_ME_AGAIN] = ME,
    [DOCTOR_ME_OTHER] = MISSING,
    [DOCTOR_ME_BARE] = CLOSED,
    [DOCTOR_PUBLIC] = GOOD,
    [DOCTOR_PUBLIC_AGAIN] = GOOD,
    [DOCTOR_PUBLIC_OTHER] = GOOD,
    [DOCTOR_PUBLIC_BARE] = CLOSED,
    [DOCTOR_PUBLIC_FORGED] = REFUSED,
    [DOCTOR_PUBLIC_HEAD] = "HTTP/1.1 200 OK\r\n" PUBLIC "\r\n",
    [DOCTOR_PUBLIC_TAG] = UNMODIFIED,
    [DOCTOR_PUBLIC_DATE] = UNMODIFIED,
    [DOCTOR_PUBLIC_LOST] = LOST,
    [DOCTOR_HEAD_LOST] = LOST,
    [DOCTOR_GZIP] = GOOD,
    [DOCTOR_GZIP_TAG] = UNMODIFIED,
    [DOCTOR_GZIP_MATCH] = GOOD,
    [DOCTOR_BR_MATCH] = GOOD,
    [DOCTOR_BR] = GOOD,
    [DOCTOR_BR_TAG] = UNMODIFIED,
    [DOCTOR_OPTIONS] = ALLOWED,
    [DOCTOR_PUT_BARE] = CLOSED,
    [DOCTOR_PATCH_BARE] = CLOSED,
    [DOCTOR_DELETE_BARE] = CLOSED,
    [DOCTOR_PATCH_LOST] = LOST,
    [DOCTOR_LARGE_HEADER] = CLOSED,
    [DOCTOR_LONG_ADDRESS] = CLOSED,
    [DOCTOR_SLASH] = CLOSED,
    [DOCTOR_ORIGIN] = GOOD,
};

struct row {
    const char *what;
    const char *check;
    enum doctor_verdict verdict;
    enum doctor_fault fault;
    enum doctor_probe probe;  /* whose answer is another */
    const char *raw;          /* NULL: it was not asked; "": no answer came */
    enum doctor_probe probe2; /* one more, when raw2 is there */
    const char *raw2;
};

#define FAULT(name) DOCTOR_FAULTY, DOCTOR_FAULT_##name
#define FINE        DOCTOR_OK, DOCTOR_FAULT_NONE
#define SKIP        DOCTOR_SKIPPED, DOCTOR_FAULT_NONE

static const struct row rows[] = {
    {"a redirect", "answers", FAULT(NONE), DOCTOR_HEALTHZ,
     "HTTP/1.1 301 Moved\r\nLocation: https://x.example/\r\n\r\n", 0, NULL},
    {"the pool is away", "answers", FAULT(NOT_READY), DOCTOR_HEALTHZ, PAGE("503 Service Not Available"), 0,
     NULL},
    {"another server's page", "answers", FAULT(NOT_SERVED), DOCTOR_HEALTHZ, PAGE("404 Not Found"), 0, NULL},
    {"a 200 of something else", "answers", FAULT(NOT_SERVED), DOCTOR_HEALTHZ, PAGE("200 OK"), 0, NULL},
    {"no answer", "answers", FAULT(NONE), DOCTOR_HEALTHZ, "", 0, NULL},
    {"a front without its pool", "methods", FAULT(NOT_READY), DOCTOR_PUT_BARE, PAGE("503 No"), 0, NULL},
    {"HTTP/2", "http", FINE, DOCTOR_HEALTHZ, "HTTP/2 200\r\n" NOSNIFF "\r\n", 0, NULL},
    {"HTTP/1.0", "http", FAULT(HTTP_1_0), DOCTOR_HEALTHZ, "HTTP/1.0 200 OK\r\n" NOSNIFF "\r\n", 0, NULL},
    {"not ready", "ready", FAULT(NOT_READY), DOCTOR_READYZ, "HTTP/1.1 503 No\r\n" PROBLEM "\r\n{}", 0, NULL},
    {"not handed on", "ready", FAULT(NOT_SERVED), DOCTOR_READYZ, PAGE("404 Not Found"), 0, NULL},
    {"nosniff taken out", "profiled", FAULT(HEADER_LOST), DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n\r\n", 0, NULL},
    {"an error page for a problem", "profiled", FAULT(CHALLENGE), DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\n" NOSNIFF "\r\n<html>", 0, NULL},
    {"a clock behind", "clock", FAULT(CLOCK), DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\nDate: Thu, 26 Nov 2026 00:32:25 GMT\r\n\r\n", 0, NULL},
    {"a clock ahead", "clock", FAULT(CLOCK), DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\nDate: Thu, 26 Nov 2026 00:33:45 GMT\r\n\r\n", 0, NULL},
    {"a clock a little behind", "clock", FINE, DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\nDate: Thu, 26 Nov 2026 00:32:40 GMT\r\n\r\n", 0, NULL},
    {"no Date", "clock", FAULT(NONE), DOCTOR_ME_BARE, "HTTP/1.1 401 No\r\n\r\n", 0, NULL},
    {"a Date that is none", "clock", FAULT(NONE), DOCTOR_ME_BARE, "HTTP/1.1 401 No\r\nDate: now\r\n\r\n", 0,
     NULL},

    {"a cache that does not ask", "unauthenticated", FAULT(UNCHECKED), DOCTOR_PUBLIC_BARE,
     "HTTP/1.1 200 OK\r\nAge: 3\r\n" PUBLIC "\r\n" BODY, 0, NULL},
    {"and says nothing", "unauthenticated", FAULT(UNCHECKED), DOCTOR_PUBLIC_BARE, GOOD, 0, NULL},
    {"a 304 is as bad", "unauthenticated", FAULT(UNCHECKED), DOCTOR_PUBLIC_BARE, UNMODIFIED, 0, NULL},
    {"a 403 of a front", "unauthenticated", FAULT(CHALLENGE), DOCTOR_PUBLIC_BARE, PAGE("403 Forbidden"), 0,
     NULL},
    {"no profile is known", "unauthenticated", SKIP, DOCTOR_PUBLIC_BARE, NULL, 0, NULL},
    {"any token is enough", "forged", FAULT(UNCHECKED), DOCTOR_PUBLIC_FORGED, GOOD, 0, NULL},
    {"no challenge", "challenge", FAULT(CHALLENGE), DOCTOR_ME_BARE, "HTTP/1.1 401 No\r\n" PROBLEM "\r\n{}", 0,
     NULL},
    {"another challenge", "challenge", FAULT(CHALLENGE), DOCTOR_ME_BARE,
     "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n", 0, NULL},
    {"a 404 for a 401", "challenge", FAULT(CHALLENGE), DOCTOR_ME_BARE, MISSING, 0, NULL},
    {"everybody is somebody", "challenge", FAULT(PRIVATE_STORED), DOCTOR_ME_BARE, ME, 0, NULL},
    {"the token is dropped", "authorization", FAULT(TOKEN_LOST), DOCTOR_ME, CLOSED, 0, NULL},
    {"the token is refused", "authorization", FAULT(TOKEN_REFUSED), DOCTOR_ME, REFUSED, 0, NULL},
    {"no profile of one's own", "authorization", FINE, DOCTOR_ME, MISSING, 0, NULL},
    {"no scope for it", "authorization", FINE, DOCTOR_ME, "HTTP/1.1 403 No\r\n" PROBLEM "\r\n{}", 0, NULL},
    {"a front's 404", "authorization", FAULT(NONE), DOCTOR_ME, PAGE("404 Not Found"), 0, NULL},
    {"no token", "authorization", SKIP, DOCTOR_ME, NULL, 0, NULL},

    {"one's view for another", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_OTHER, ME, 0, NULL},
    {"the same tag, edited", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_OTHER, OWNER "\r\n{\"id\":\"ann\"}",
     0, NULL},
    {"one's view for nobody", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_BARE, ME, 0, NULL},
    {"with an Age", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_AGAIN, OWNER "Age: 7\r\n\r\n{}", 0, NULL},
    {"with Varnish's Age of what it passed by", "private", FINE, DOCTOR_ME_AGAIN, OWNER "Age: 0\r\n\r\n{}", 0,
     NULL},
    {"the same request's answer twice", "private", FAULT(PRIVATE_STORED), DOCTOR_ME,
     OWNER "X-Request-Id: 1f\r\n\r\n{}", DOCTOR_ME_AGAIN, OWNER "X-Request-Id: 1f\r\n\r\n{}"},
    {"two requests' answers", "private", FINE, DOCTOR_ME, OWNER "X-Request-Id: 1f\r\n\r\n{}", DOCTOR_ME_AGAIN,
     OWNER "X-Request-Id: 2f\r\n\r\n{}"},
    {"with X-Cache: HIT", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_AGAIN,
     OWNER "X-Cache: HIT from squid\r\n\r\n{}", 0, NULL},
    {"with two of Varnish's numbers", "private", FAULT(PRIVATE_STORED), DOCTOR_ME_AGAIN,
     OWNER "X-Varnish: 5 3\r\n\r\n{}", 0, NULL},
    {"with one of Varnish's numbers", "private", FINE, DOCTOR_ME_AGAIN, OWNER "X-Varnish: 5\r\n\r\n{}", 0,
     NULL},
    {"with X-Cache: MISS", "private", FINE, DOCTOR_ME_AGAIN, OWNER "X-Cache: MISS\r\n\r\n{}", 0, NULL},
    {"profiled's own hit", "private", FINE, DOCTOR_ME_AGAIN, OWNER "Cache-Status: profiled; hit\r\n\r\n{}", 0,
     NULL},
    {"another's own view", "private", FINE, DOCTOR_ME_OTHER,
     "HTTP/1.1 200 OK\r\nETag: \"0e11e940a4-1o7\"\r\n\r\n{\"id\":\"bob\"}", 0, NULL},
    {"public", "owner", FAULT(CACHE_CONTROL), DOCTOR_ME,
     "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nVary: Authorization\r\nETag: "
     "\"a-1o1\"\r\n\r\n{}",
     0, NULL},
    {"added to", "owner", FAULT(CACHE_CONTROL), DOCTOR_ME, OWNER "Cache-Control: s-maxage=60\r\n\r\n{}", 0,
     NULL},
    {"no Vary", "owner", FAULT(VARY), DOCTOR_ME,
     "HTTP/1.1 200 OK\r\nCache-Control: private, no-cache\r\nETag: \"a-1o1\"\r\n\r\n{}", 0, NULL},
    {"no ETag", "owner", FAULT(ETAG), DOCTOR_ME,
     "HTTP/1.1 200 OK\r\nCache-Control: private, no-cache\r\nVary: Authorization\r\n\r\n{}", 0, NULL},
    {"two tags", "shared", FAULT(ETAG), DOCTOR_PUBLIC_OTHER,
     "HTTP/1.1 200 OK\r\n" ASK "ETag: \"0e11e940a4-1p2\"\r\n\r\n" BODY, 0, NULL},
    {"two bodies", "shared", FAULT(ETAG), DOCTOR_PUBLIC_OTHER, "HTTP/1.1 200 OK\r\n" PUBLIC "\r\n{}", 0,
     NULL},
    {"one token", "shared", SKIP, DOCTOR_PUBLIC_OTHER, NULL, 0, NULL},

    {"max-age by a front", "policy", FAULT(CACHE_CONTROL), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\n" TAG "\r\n", 0, NULL},
    {"none", "policy", FAULT(CACHE_CONTROL), DOCTOR_PUBLIC, "HTTP/1.1 200 OK\r\n" TAG "\r\n", 0, NULL},
    {"s-maxage added", "policy", FAULT(CACHE_CONTROL), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\n" ASK "Cache-Control: s-maxage=9\r\n" TAG "\r\n", 0, NULL},
    {"http.max_age", "policy", FINE, DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\nCache-Control: private, max-age=60, must-revalidate\r\n" TAG "\r\n", 0, NULL},
    {"private", "policy", FINE, DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\nCache-Control: private, no-cache\r\n" TAG "\r\n", 0, NULL},
    {"taken out", "etag", FAULT(ETAG), DOCTOR_PUBLIC, "HTTP/1.1 200 OK\r\n" ASK "\r\n", 0, NULL},
    {"of a front's own", "etag", FAULT(ETAG), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\n" ASK "ETag: \"5f-6a\"\r\n\r\n", 0, NULL},
    {"the owner's", "etag", FAULT(ETAG), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\n" ASK "ETag: \"0e11e940a4-1o1\"\r\n\r\n", 0, NULL},
    {"weak", "etag", FAULT(ETAG), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\n" ASK "ETag: W/\"0e11e940a4-1p1\"\r\n\r\n", 0, NULL},
    {"two", "etag", FAULT(ETAG), DOCTOR_PUBLIC, "HTTP/1.1 200 OK\r\n" ASK TAG "ETag: \"x\"\r\n\r\n", 0, NULL},
    {"not to be read", "etag", SKIP, DOCTOR_PUBLIC, REFUSED, 0, NULL},
    {"storage away", "etag", FAULT(NOT_READY), DOCTOR_PUBLIC, "HTTP/1.1 503 No\r\n" PROBLEM "\r\n{}", 0,
     NULL},
    {"If-None-Match lost", "not-modified", FAULT(CONDITION_LOST), DOCTOR_PUBLIC_TAG, GOOD, 0, NULL},
    {"a 304 without a tag", "not-modified", FAULT(ETAG), DOCTOR_PUBLIC_TAG, "HTTP/1.1 304 No\r\n" ASK "\r\n",
     0, NULL},
    {"a 304 without Cache-Control", "not-modified", FAULT(CACHE_CONTROL), DOCTOR_PUBLIC_TAG,
     "HTTP/1.1 304 No\r\n" TAG "\r\n", 0, NULL},
    {"a 304 with its own Vary", "not-modified", FAULT(VARY), DOCTOR_PUBLIC_TAG,
     "HTTP/1.1 304 No\r\n" ASK TAG "Vary: Cookie\r\n\r\n", 0, NULL},
    {"If-Modified-Since lost", "modified-since", FAULT(CONDITION_LOST), DOCTOR_PUBLIC_DATE, GOOD, 0, NULL},
    {"lighttpd's gzip", "gzip", FINE, DOCTOR_GZIP,
     "HTTP/1.1 200 OK\r\n" ASK
     "ETag: \"0e11e940a4-1p1-gzip\"\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n\r\nx",
     0, NULL},
    {"nginx's gzip", "gzip", FINE, DOCTOR_GZIP,
     "HTTP/1.1 200 OK\r\n" ASK
     "ETag: W/\"0e11e940a4-1p1\"\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n\r\nx",
     0, NULL},
    {"a gzip that takes the tag", "gzip", FAULT(COMPRESSED), DOCTOR_GZIP,
     "HTTP/1.1 200 OK\r\n" ASK "Content-Encoding: gzip\r\n\r\nx", 0, NULL},
    {"nginx's gzip, and an edit", "gzip", FAULT(WEAK_MATCH), DOCTOR_GZIP_MATCH, LOST, 0, NULL},
    {"a tag that never comes back", "gzip", FAULT(COMPRESSED), DOCTOR_GZIP_TAG, GOOD, 0, NULL},
    {"no Vary", "gzip", FAULT(VARY), DOCTOR_GZIP,
     "HTTP/1.1 200 OK\r\n" ASK "ETag: \"0e11e940a4-1p1-gzip\"\r\nContent-Encoding: gzip\r\n\r\nx", 0, NULL},
    {"br likewise", "br", FAULT(COMPRESSED), DOCTOR_BR_TAG, GOOD, 0, NULL},
    {"HEAD forbidden", "head", FAULT(METHOD), DOCTOR_PUBLIC_HEAD, PAGE("405 No"), 0, NULL},
    {"HEAD without its tag", "head", FAULT(NONE), DOCTOR_PUBLIC_HEAD, "HTTP/1.1 200 OK\r\n" ASK "\r\n", 0,
     NULL},
    {"HEAD of another length", "head", FAULT(NONE), DOCTOR_PUBLIC_HEAD,
     "HTTP/1.1 200 OK\r\n" PUBLIC "Content-Length: 13\r\n\r\n", 0, NULL},
    {"If-Match lost", "precondition", FAULT(IF_MATCH_LOST), DOCTOR_PUBLIC_LOST, GOOD, 0, NULL},
    {"If-Match lost by HEAD", "precondition", FAULT(IF_MATCH_LOST), DOCTOR_HEAD_LOST, GOOD, 0, NULL},
    {"If-Match lost by PATCH", "write-precondition", FAULT(IF_MATCH_LOST), DOCTOR_PATCH_LOST,
     "HTTP/1.1 428 No\r\n" PROBLEM "\r\n{}", 0, NULL},
    {"carried out", "write-precondition", FAULT(IF_MATCH_LOST), DOCTOR_PATCH_LOST, ME, 0, NULL},
    {"may not write", "write-precondition", SKIP, DOCTOR_PATCH_LOST, "HTTP/1.1 403 No\r\n" PROBLEM "\r\n{}",
     0, NULL},
    {"a front's 403", "write-precondition", FAULT(METHOD), DOCTOR_PATCH_LOST, PAGE("403 Forbidden"), 0, NULL},

    {"PATCH forbidden", "methods", FAULT(METHOD), DOCTOR_PATCH_BARE, PAGE("403 Forbidden"), 0, NULL},
    {"PUT unknown", "methods", FAULT(METHOD), DOCTOR_PUT_BARE, PAGE("501 Not Implemented"), 0, NULL},
    {"DELETE taken for GET", "methods", FAULT(METHOD), DOCTOR_DELETE_BARE, GOOD, 0, NULL},
    {"DELETE's 401 by a front", "methods", FAULT(METHOD), DOCTOR_DELETE_BARE, PAGE("401 Unauthorized"), 0,
     NULL},
    {"OPTIONS by a front", "methods", FAULT(METHOD), DOCTOR_OPTIONS,
     "HTTP/1.1 200 OK\r\nAllow: OPTIONS, GET, HEAD, POST\r\n\r\n", 0, NULL},
    {"431", "large-header", FAULT(LARGE), DOCTOR_LARGE_HEADER, PAGE("431 Too Large"), 0, NULL},
    {"hung up", "large-header", FAULT(LARGE), DOCTOR_LARGE_HEADER, "", 0, NULL},
    {"414", "long-address", FAULT(LARGE), DOCTOR_LONG_ADDRESS, PAGE("414 Too Long"), 0, NULL},
    {"profiled's own 405", "long-address", FINE, DOCTOR_LONG_ADDRESS, "HTTP/1.1 405 No\r\n" PROBLEM "\r\n{}",
     0, NULL},
    {"decoded", "encoded-slash", FAULT(SLASH), DOCTOR_SLASH, MISSING, 0, NULL},
    {"Apache's 404", "encoded-slash", FAULT(SLASH), DOCTOR_SLASH, PAGE("404 Not Found"), 0, NULL},

    {"fine", "cors", FINE, DOCTOR_CORS, "HTTP/1.1 200 OK\r\n" CORS "\r\n", DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\nVary: Origin\r\n\r\n"},
    {"any origin", "cors", FINE, DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: etag\r\n\r\n", 0,
     NULL},
    {"none allowed", "cors", FAULT(CORS), DOCTOR_CORS, "HTTP/1.1 200 OK\r\nVary: Origin\r\n\r\n", 0, NULL},
    {"twice", "cors", FAULT(CORS_LOST), DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\n" CORS "Access-Control-Allow-Origin: *\r\n\r\n", 0, NULL},
    {"another's", "cors", FAULT(VARY), DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://b.example\r\n\r\n", 0, NULL},
    {"Vary lost", "cors", FAULT(VARY), DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://app.example\r\nAccess-Control-Expose-Headers: "
     "ETag\r\n\r\n",
     0, NULL},
    {"ETag not exposed", "cors", FAULT(CORS_LOST), DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\n", 0, NULL},
    {"nor by the 304", "cors", FAULT(CORS), DOCTOR_CORS, "HTTP/1.1 200 OK\r\n" CORS "\r\n", DOCTOR_CORS_TAG,
     "HTTP/1.1 304 No\r\n\r\n"},
    {"no Vary without Origin", "cors", FAULT(VARY), DOCTOR_CORS, "HTTP/1.1 200 OK\r\n" CORS "\r\n", 0, NULL},
    {"a preflight by a front", "cors", FAULT(CORS_LOST), DOCTOR_PREFLIGHT, PAGE("405 No"), DOCTOR_CORS,
     "HTTP/1.1 200 OK\r\n" CORS "\r\n"},
    {"a preflight without If-Match", "cors", FAULT(CORS_LOST), DOCTOR_PREFLIGHT,
     "HTTP/1.1 204 No\r\n" CORS
     "Access-Control-Allow-Methods: PATCH\r\nAccess-Control-Allow-Headers: Authorization\r\n\r\n",
     DOCTOR_CORS, "HTTP/1.1 200 OK\r\n" CORS "\r\n"},
    {"CDN-Cache-Control", "edge", FAULT(LEAK), DOCTOR_PUBLIC,
     "HTTP/1.1 200 OK\r\n" PUBLIC "CDN-Cache-Control: max-age=300\r\n\r\n", 0, NULL},
    {"Surrogate-Key on a 304", "edge", FAULT(LEAK), DOCTOR_PUBLIC_TAG,
     "HTTP/1.1 304 No\r\nSurrogate-Key: profile/ann\r\n\r\n", 0, NULL},
    {"an old copy", "origin", FAULT(PURGE), DOCTOR_ORIGIN,
     "HTTP/1.1 200 OK\r\nETag: \"0e11e940a4-1p2\"\r\n\r\n" BODY, 0, NULL},
    {"gone there", "origin", FAULT(NONE), DOCTOR_ORIGIN, MISSING, 0, NULL},
};

static void put(struct doctor_evidence *e, enum doctor_probe probe, const char *raw)
{
    struct doctor_answer *a = &e->answers[probe];
    doctor_answer_fini(a);
    if (raw == NULL)
        return;
    if (raw[0] == '\0')
        a->outcome = DOCTOR_FAILED;
    else
        assert_int_equal(doctor_answer_read(a, span_str(raw)), OK);
    a->sent_ms = 1795653180LL * 1000; /* Thu, 26 Nov 2026 00:33:00 GMT */
    a->received_ms = a->sent_ms + 40;
}

static struct doctor_evidence *fill(void)
{
    struct doctor_evidence *e = calloc(1, sizeof *e);
    assert_non_null(e);
    for (size_t i = 0; i < DOCTOR_PROBE_COUNT; i++)
        put(e, (enum doctor_probe)i, healthy[i]);
    e->now_s = 1795653180LL;
    e->has_token = e->has_other = true;
    e->leeway_s = 30;
    snprintf(e->id, sizeof e->id, "ann");
    return e;
}

static void discard(struct doctor_evidence *e)
{
    for (size_t i = 0; i < DOCTOR_PROBE_COUNT; i++)
        doctor_answer_fini(&e->answers[i]);
    free(e);
}

static const struct doctor_finding *find(const struct doctor_finding *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    fail_msg("there is no check %s", name);
    return NULL;
}

static void the_healthy_one_is_well(void **state)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    struct doctor_evidence *e = fill();
    (void)state;
    size_t count = doctor_judge(e, found);
    for (size_t i = 0; i < count; i++) {
        if (found[i].verdict == DOCTOR_FAULTY)
            fail_msg("%s: %s", found[i].name, found[i].detail);
        assert_true(found[i].detail[0] != '\0');
    }
    assert_int_equal(doctor_judge_parts(e), 1U << DOCTOR_PART_LIGHTTPD);
    discard(e);
}

static void each_fault_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct doctor_finding found[DOCTOR_FINDINGS_MAX];
        struct doctor_evidence *e = fill();
        bool cors = strcmp(r->check, "cors") == 0;
        e->cors_origin = cors ? "https://app.example" : NULL;
        if (cors)
            put(e, DOCTOR_PREFLIGHT, PREFLIGHT);
        put(e, r->probe, r->raw);
        if (r->raw2 != NULL)
            put(e, r->probe2, r->raw2);
        size_t count = doctor_judge(e, found);
        const struct doctor_finding *f = find(found, count, r->check);
        if (f->verdict != r->verdict || f->fault != r->fault)
            fail_msg("%s, %s: verdict %d fault %d: %s", r->check, r->what, (int)f->verdict, (int)f->fault,
                     f->detail);
        discard(e);
    }
}

static void what_is_known_of_the_configuration_counts(void **state)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    struct doctor_evidence *e = fill();
    (void)state;
    e->shared_cache = "edge";
    e->purge = "";
    assert_int_equal(find(found, doctor_judge(e, found), "edge")->fault, DOCTOR_FAULT_PURGE);
    e->purge = "http://127.0.0.1:6081";
    assert_int_equal(find(found, doctor_judge(e, found), "edge")->verdict, DOCTOR_OK);
    e->shared_cache = "private";
    assert_int_equal(find(found, doctor_judge(e, found), "policy")->fault, DOCTOR_FAULT_CACHE_CONTROL);
    e->https = true;
    e->certificate_expires_s = e->now_s + 3 * 86400;
    assert_int_equal(find(found, doctor_judge(e, found), "tls")->fault, DOCTOR_FAULT_CERTIFICATE);
    e->certificate_expires_s = e->now_s + 90 * 86400;
    assert_int_equal(find(found, doctor_judge(e, found), "tls")->verdict, DOCTOR_OK);
    e->tls_failed = true;
    assert_int_equal(find(found, doctor_judge(e, found), "tls")->fault, DOCTOR_FAULT_CERTIFICATE);
    discard(e);
}

static void a_trial_is_judged(void **state)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    struct doctor_evidence *e = fill();
    (void)state;
    e->trial = (struct doctor_trial){.tried = true, .created_ms = 1, .changed_ms = 2, .deleted_ms = 3};
    assert_int_equal(find(found, doctor_judge(e, found), "purge")->verdict, DOCTOR_OK);
    e->trial.changed_ms = -1;
    assert_int_equal(find(found, doctor_judge(e, found), "purge")->fault, DOCTOR_FAULT_PURGE);
    e->trial.changed_ms = DOCTOR_FRESH_MS + 1;
    assert_int_equal(find(found, doctor_judge(e, found), "purge")->fault, DOCTOR_FAULT_PURGE);
    snprintf(e->trial.failure, sizeof e->trial.failure, "making it gets 403");
    assert_int_equal(find(found, doctor_judge(e, found), "purge")->verdict, DOCTOR_FAULTY);
    discard(e);
}

static void fronts_are_known_by_their_headers(void **state)
{
    static const struct {
        const char *head;
        unsigned parts;
    } fronts[] = {
        {"Server: Apache/2.4.62 (Debian)\r\n", 1U << DOCTOR_PART_APACHE},
        {"Server: nginx\r\nVia: 1.1 cache (Varnish/7.1)\r\n",
         1U << DOCTOR_PART_NGINX | 1U << DOCTOR_PART_VARNISH},
        {"X-Varnish: 32770\r\n", 1U << DOCTOR_PART_VARNISH},
        {"Server: something\r\n", DOCTOR_FRONTS},
        {"", DOCTOR_FRONTS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        struct doctor_evidence *e = calloc(1, sizeof *e);
        char raw[200];
        assert_non_null(e);
        snprintf(raw, sizeof raw, "HTTP/1.1 200 OK\r\n%s\r\n", fronts[i].head);
        put(e, DOCTOR_HEALTHZ, raw);
        assert_int_equal(doctor_judge_parts(e), fronts[i].parts);
        discard(e);
    }
}

static void answers_are_read_as_they_stand(void **state)
{
    static const char *const bad[] = {
        "", "HTTP", "HTTP/1.1", "HTTP/1.1 ok", "HTTP/x 200", "FTP/1.1 200 OK\r\n\r\n"};
    struct doctor_answer a = {0};
    char text[16];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(doctor_answer_read(&a, span_str(bad[i])), ERR_INVALID);
        assert_int_equal(a.outcome, DOCTOR_NOT_ASKED);
        doctor_answer_fini(&a);
    }
    assert_int_equal(
        doctor_answer_read(&a, SPAN("HTTP/1.0 204 x\nvary: a ,B;q=1\nVARY: c=2\nX:y\n\n{\"id\":\"ann\"}")),
        OK);
    assert_int_equal(a.version, 10);
    assert_true(doctor_answer_lists(&a, "Vary", "A") && doctor_answer_lists(&a, "Vary", "b") &&
                doctor_answer_lists(&a, "Vary", "c"));
    assert_false(doctor_answer_lists(&a, "Vary", "d") || doctor_answer_lists(&a, "Vary", ""));
    assert_true(span_eq(doctor_answer_header(&a, "vary", 1), SPAN("c=2")));
    assert_null(doctor_answer_header(&a, "vary", 2).ptr);
    doctor_answer_member(&a, "id", text, sizeof text);
    assert_string_equal(text, "ann");
    doctor_answer_member(&a, "id", text, 3); /* no room */
    assert_string_equal(text, "");
    doctor_answer_fini(&a);
}

static void what_a_server_sends_is_shown_harmless(void **state)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    struct doctor_evidence *e = fill();
    (void)state;
    put(e, DOCTOR_PUBLIC, "HTTP/1.1 200 OK\r\n" ASK "ETag: \"\x1b[31m\xc3\xa4\"\r\n\r\n");
    const struct doctor_finding *f = find(found, doctor_judge(e, found), "etag");
    assert_int_equal(f->fault, DOCTOR_FAULT_ETAG);
    for (const char *c = f->detail; *c != '\0'; c++)
        assert_true(*c >= 0x20 && *c < 0x7f);
    discard(e);
}

static void every_fault_has_its_remedies(void **state)
{
    (void)state;
    for (int fault = DOCTOR_FAULT_NONE + 1; fault < DOCTOR_FAULT_COUNT; fault++) {
        const struct doctor_remedy *r;
        size_t at = 0, count = 0;
        while ((r = doctor_remedy_next((enum doctor_fault)fault, DOCTOR_FRONTS, &at)) != NULL) {
            size_t columns = 0;
            for (const char *c = r->line; *c != '\0'; c++)
                columns += ((unsigned char)*c & 0xc0) != 0x80;
            assert_true(columns <= 69);
            count++;
        }
        assert_true(count > 0);
    }
    size_t at = 0;
    assert_string_equal(doctor_remedy_next(DOCTOR_FAULT_TOKEN_LOST, 1U << DOCTOR_PART_APACHE, &at)->line,
                        "CGIPassAuth On");
    assert_null(doctor_remedy_next(DOCTOR_FAULT_TOKEN_LOST, 1U << DOCTOR_PART_APACHE, &at));
}

static void a_report_fits_the_terminal(void **state)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    struct doctor_evidence *e = fill();
    struct buf text = {0}, json = {0};
    (void)state;
    for (size_t i = 0; i < DOCTOR_PROBE_COUNT; i++)
        put(e, (enum doctor_probe)i, PAGE("403 Forbidden"));
    put(e, DOCTOR_PUBLIC, "HTTP/1.1 200 OK\r\n\r\n");
    struct doctor_report r = {"http://x.example", "", DOCTOR_FRONTS, found, doctor_judge(e, found)};
    assert_true(doctor_report_count(&r, DOCTOR_FAULTY) > 15);
    doctor_report_text(&r, &text);
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        column = text.ptr[i] == '\n' ? 0 : column + (((unsigned char)text.ptr[i] & 0xc0) != 0x80);
        assert_true(column <= 80);
    }
    doctor_report_json(&r, &json);
    assert_int_equal(json.ptr[json.len - 1], '\n');
    assert_non_null(strstr(json.ptr, "\"well\":false"));
    buf_fini(&text);
    buf_fini(&json);
    discard(e);
}

static void the_database_is_judged(void **state)
{
    struct store_facts well = {
        .journal_mode = "wal", .integrity = "ok", .epoch = "ab", .sqlite_version = "3.40.1", .mode = 0640};
    struct store_facts facts;
    struct doctor_finding f[DOCTOR_LOCAL_MAX];
    (void)state;
    assert_int_equal(doctor_local_judge_store(&well, "/x.db", f), 3);
    assert_true(f[0].verdict == DOCTOR_OK && f[1].verdict == DOCTOR_OK && f[2].verdict == DOCTOR_OK);
    facts = well;
    facts.network_file_system = true;
    doctor_local_judge_store(&facts, "/x.db", f);
    assert_int_equal(f[0].fault, DOCTOR_FAULT_DATABASE_PLACE);
    facts = well;
    snprintf(facts.journal_mode, sizeof facts.journal_mode, "delete");
    doctor_local_judge_store(&facts, "/x.db", f);
    assert_int_equal(f[1].fault, DOCTOR_FAULT_DATABASE);
    facts = well;
    snprintf(facts.integrity, sizeof facts.integrity, "row 1 missing from index");
    doctor_local_judge_store(&facts, "/x.db", f);
    assert_int_equal(f[1].fault, DOCTOR_FAULT_DATABASE);
    facts = well;
    facts.others_may_read = true;
    doctor_local_judge_store(&facts, "/x.db", f);
    assert_int_equal(f[2].fault, DOCTOR_FAULT_DATABASE_MODE);
}

static void tokens_are_taken_whole_or_not(void **state)
{
    static const char *const bad[] = {"", "a b", "a\r\nX: y", "a\x7f", "@/nonexistent/token"};
    struct err_detail detail = {0};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(doctor_token_take(bad[i], "NONE_SUCH", &out, &detail), OK);
        assert_int_equal(out.len, 0);
    }
    assert_int_equal(doctor_token_take(NULL, "NONE_SUCH", &out, &detail), OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(doctor_token_take(" a.b.c\n", "NONE_SUCH", &out, &detail), OK);
    assert_string_equal(buf_text(&out), "a.b.c");
    buf_clear(&out);
    doctor_token_subject(SPAN("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJkb2N0b3IifQ.AAAA"), &out);
    assert_string_equal(buf_text(&out), "doctor");
    buf_clear(&out);
    doctor_token_subject(SPAN("x"), &out);
    doctor_token_subject(SPAN("x.y"), &out);
    doctor_token_subject(SPAN("v4.public.AAAA"), &out);
    doctor_token_subject(SPAN(""), &out);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_healthy_one_is_well),
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(what_is_known_of_the_configuration_counts),
        cmocka_unit_test(a_trial_is_judged),
        cmocka_unit_test(fronts_are_known_by_their_headers),
        cmocka_unit_test(answers_are_read_as_they_stand),
        cmocka_unit_test(what_a_server_sends_is_shown_harmless),
        cmocka_unit_test(every_fault_has_its_remedies),
        cmocka_unit_test(a_report_fits_the_terminal),
        cmocka_unit_test(the_database_is_judged),
        cmocka_unit_test(tokens_are_taken_whole_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
