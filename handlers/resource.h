/*
 * What the handlers of profiles share: which profile is meant, whether the caller may see or change it, and
 * the answers that several of them give.
 */
#pragma once
#include "handlers/context.h"
#include "http/problem.h"
#include "profile/profile.h"

/* Where the request came in, which decides who may and what is answered. */
enum handlers_address {
    HANDLERS_BY_ID,      /* /v1/profiles/{id}: the public view */
    HANDLERS_BY_HANDLE,  /* /v1/profiles/@{handle}: the public view, read only */
    HANDLERS_FULL,       /* /v1/profiles/{id}/full: the owner's view */
    HANDLERS_ME,         /* /v1/me: the owner's view of the caller's own */
    HANDLERS_COLLECTION, /* /v1/profiles: no profile is meant yet */
};

struct handlers_target {
    enum handlers_address address;
    enum profile_view view;
    struct span id;     /* absent by handle */
    struct span handle; /* folded; absent but by handle */
    bool admin;         /* the caller holds profile:admin */
    uint32_t members;   /* of a read: which the answer is to have; PROFILE_WHOLE: all (fields.h) */
};

/*
 * Reads the target out of the path, the caller and the query. OK, or the answer is made already: 400 for a
 * query parameter (GET and HEAD know `fields` at these addresses, the others none), 404 for what can be no id
 * or handle, and with owned 403 for another's profile without profile:admin. The 404 is the same as for a
 * profile that does not exist.
 */
MUST_USE enum err handlers_target_read(struct http_exchange *x, enum handlers_address address, bool owned,
                                       struct handlers_target *out);

/* A profile as it was read, with what its entity tags are made of. */
struct handlers_resource {
    struct profile profile;
    struct store_snapshot snapshot;
};
/* The store's profile for the target; its errors, with the cause in x->reason. A suspended profile's public
 * view is not hidden here. */
MUST_USE enum err handlers_resource_get(struct handlers_context *context, struct http_exchange *x,
                                        const struct handlers_target *t, struct handlers_resource *out);

/* A view's entity tag, quoted, in the arena; absent when memory is out. */
struct span handlers_etag(struct arena *arena, const struct handlers_resource *r, enum profile_view view);
/* Last-Modified of a view, Unix seconds. */
int64_t handlers_modified_s(const struct handlers_resource *r, enum profile_view view);
/* Adds Last-Modified. */
void handlers_write_modified(struct http_response *response, int64_t unix_s);
/* Adds a header line whose value is the address of a view: name: /v1/profiles/{id}, with /full behind it for
 * the owner's. */
void handlers_write_address(struct http_response *response, const char *name, struct span id,
                            enum profile_view view);

/* A problem document of that type, with a detail in words or NULL. Returns e, for the log. */
enum err handlers_problem(struct http_exchange *x, enum http_problem_type type, enum err e,
                          const char *detail);
/* A fault of ours, the storage's or memory's: 503 or 507 with Retry-After, whatever was asked. Returns e. */
enum err handlers_fault(struct http_exchange *x, enum err e);
/* No such profile (or none that may be seen): 404, with what the edge may keep of it. Returns ERR_NOT_FOUND.
 */
enum err handlers_no_profile(const struct handlers_context *context, struct http_exchange *x,
                             const struct handlers_target *t);
/* The profile is another's: 403 that names the scope which would do. Returns ERR_DENIED. */
enum err handlers_not_owned(struct http_exchange *x, const char *detail);
