/*
 * Problem documents (RFC 9457): every error that the server answers with, as one table: enum, slug, status,
 * Retry-After, title. The slug is the anchor in www/problems.html, which tells a person what happened and
 * what to do; a test keeps both alike. Composing is pure.
 */
#pragma once
#include "http/cache_control.h"
#include "http/response.h"

/* X(enum, slug, status, Retry-After in seconds or 0, title) */
#define HTTP_PROBLEMS(X)                                                                                     \
    X(BAD_TARGET, "bad-target", 400, 0, "The request's address is malformed")                                \
    X(UNKNOWN_PARAMETER, "unknown-parameter", 400, 0, "A query parameter is not known here")                 \
    X(INVALID_PARAMETER, "invalid-parameter", 400, 0, "A query parameter has a value that is not allowed")   \
    X(INCOMPLETE_REQUEST, "incomplete-request", 400, 0, "The request ended too early")                       \
    X(MALFORMED_JSON, "malformed-json", 400, 0, "The body is not well-formed JSON")                          \
    X(MALFORMED_PATCH, "malformed-patch", 400, 0, "The body is not a well-formed patch")                     \
    X(UNAUTHORIZED, "unauthorized", 401, 0, "A token is needed")                                             \
    X(INVALID_TOKEN, "invalid-token", 401, 0, "The token does not count")                                    \
    X(INSUFFICIENT_SCOPE, "insufficient-scope", 403, 0, "The token does not allow this")                     \
    X(NOT_FOUND, "not-found", 404, 0, "There is nothing at this address")                                    \
    X(NO_SUCH_PROFILE, "no-such-profile", 404, 0, "There is no such profile")                                \
    X(METHOD_NOT_ALLOWED, "method-not-allowed", 405, 0, "The method is not allowed here")                    \
    X(PROFILE_EXISTS, "profile-exists", 409, 0, "The profile exists already")                                \
    X(HANDLE_TAKEN, "handle-taken", 409, 0, "The handle is taken")                                           \
    X(PATCH_FAILED, "patch-failed", 409, 0, "The patch does not fit the profile")                            \
    X(PRECONDITION_FAILED, "precondition-failed", 412, 0, "A condition of the request does not hold")        \
    X(TOO_LARGE, "too-large", 413, 0, "The body is too large")                                               \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, 0,                                              \
      "The body's media type is not accepted here")                                                          \
    X(INVALID_PROFILE, "invalid-profile", 422, 0, "The profile breaks a rule")                               \
    X(INVALID_QUERY, "invalid-query", 422, 0, "The query breaks a rule")                                     \
    X(PRECONDITION_REQUIRED, "precondition-required", 428, 0, "If-Match is needed")                          \
    X(RATE_LIMITED, "rate-limited", 429, 0, "Too many requests")                                             \
    X(INTERNAL, "internal", 500, 0, "Something went wrong in the server")                                    \
    X(STORAGE_UNAVAILABLE, "storage-unavailable", 503, 5, "The storage cannot be reached")                   \
    X(OVERLOADED, "overloaded", 503, 1, "The server has too much to do")                                     \
    X(NO_SIGNING_KEY, "no-signing-key", 503, 30, "There is no key to sign with")                             \
    X(STORAGE_FULL, "storage-full", 507, 60, "The storage is full")

enum http_problem_type {
#define X(name, slug, status, retry_s, title) HTTP_PROBLEM_##name,
    HTTP_PROBLEMS(X)
#undef X
        HTTP_PROBLEM_COUNT
};

struct http_problem_row {
    struct span slug;
    int status;
    int retry_after_s;
    struct span title;
};
/* The table's row; static. */
const struct http_problem_row *http_problem_row(enum http_problem_type type);

/* One of several faults in a body. */
struct http_problem_fault {
    struct span pointer; /* JSON pointer, RFC 6901 */
    struct span detail;
};

struct http_problem {
    enum http_problem_type type;
    struct span detail; /* what happened this time, for a person; absent or empty: nothing beyond the title */
    const struct http_problem_fault *faults; /* with a fault or more the document gets `errors` */
    size_t fault_count;
    int64_t retry_after_s; /* in place of the table's; 0: the table's */
};

/*
 * Makes the response this problem: restarts it, sets the status, Content-Type, Cache-Control: no-store,
 * X-Request-Id, Retry-After where there is one, and the body. What else its status asks for is added by the
 * caller behind it: a 401 and 403 the challenge (bearer.h), a 405 Allow, a 415 Accept or Accept-Patch.
 * request_id: of the request, the document's instance. Texts are cut before the first byte that is no UTF-8.
 */
void http_problem_write(struct http_response *response, const char *request_id,
                        const struct http_problem *problem);

/*
 * The 404 of a missing or suspended profile, the one problem that a cache may keep: in edge mode it is made
 * without instance and X-Request-Id, which are one asker's, and bears its surrogate key. id or handle: what
 * it was asked by, the other absent.
 */
void http_problem_write_missing(struct http_response *response, const char *request_id,
                                const struct http_cache_policy *policy, struct span id, struct span handle);

/*
 * The problem that an err of the storage or of memory stands for: BUSY and IO 503, FULL 507, NOMEM 503. All
 * others are for the caller to translate, who knows what it asked for; one that ends up here is a bug of
 * ours: 500. Never a 401 or a 404.
 */
enum http_problem_type http_problem_of_fault(enum err e);
