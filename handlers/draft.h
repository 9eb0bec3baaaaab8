/*
 * From a request's body to the profile that is to be stored: media type, strict JSON, patches, the rules of a
 * profile. Each step that fails makes the answer: 413, 415, 400, 409, 422. Nothing is written here.
 */
#pragma once
#include "handlers/resource.h"
#include "profile/parse.h"

/* A body as it came: parsed, not yet applied to anything, so that it can be applied again when another writer
 * was quicker. */
struct handlers_body {
    unsigned media_type; /* http_media_type; 0: no body is asked for */
    json_t *json;
};

/* The body's media type, which must be one of these (http_media_type bits), and its size: OK, or the answer
 * is made: 415, 413. */
MUST_USE enum err handlers_body_check(struct http_exchange *x, unsigned media_types, unsigned *media_type);
/* Reads the body, which must be of one of these media types (http_media_type bits). OK, or the answer is
 * made. *out is to be given to _fini in either case. */
MUST_USE enum err handlers_body_read(struct http_exchange *x, unsigned media_types,
                                     struct handlers_body *out);
void handlers_body_fini(struct handlers_body *body);

/*
 * What the profile would become: a whole one from application/json, the current one changed from a patch
 * (current is then not NULL). OK: *out is checked and complete. ERR_INVALID, ERR_CONFLICT (a patch that does
 * not fit), ERR_NOMEM: the answer is made.
 */
MUST_USE enum err handlers_draft(const struct handlers_context *context, struct http_exchange *x,
                                 const struct handlers_target *t, const struct profile *current,
                                 const struct handlers_body *body, struct profile *out);
