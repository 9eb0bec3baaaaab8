/*
 * A ready answer to a read, as the cache keeps it: what a 200 and a 304 need, made once from the profile, so
 * that a hit builds no JSON and formats no date. It depends on the profile and the configuration alone, never
 * on who asks: lines that do are added to the response by the handler.
 *
 *     struct, then etag, head, body
 */
#pragma once
#include "handlers/resource.h"

struct handlers_representation {
    bool found;         /* false: there is no such profile, or none that may be seen; the rest is empty */
    int64_t modified_s; /* Last-Modified, Unix time */
    struct span etag;   /* quoted */
    struct span head;   /* lines that a 200 and a 304 both bear (RFC 9110 section 15.4.5) */
    struct span body;   /* JSON */
};

/* Appends the answer for a target, as made from its profile. ERR_NOMEM sticks in out. */
void handlers_representation_write(const struct handlers_context *context, struct http_exchange *x,
                                   const struct handlers_target *t, const struct handlers_resource *r,
                                   struct buf *out);
/* Appends that there is none. */
void handlers_representation_write_missing(struct buf *out);
/*
 * A loader's whole answer (cache/cache.h) for a target: value, state of the database, how long it may be
 * kept. exists: r has the profile; else its snapshot alone says in which state there was none. What the
 * target's view hides, a suspended profile, is missing too.
 */
void handlers_representation_fill(const struct handlers_context *context, struct http_exchange *x,
                                  const struct handlers_target *t, const struct handlers_resource *r,
                                  bool exists, struct cache_fill *fill);
/* Takes it apart again; spans are borrowed from value. ERR_INVALID: it is no such thing. */
MUST_USE enum err handlers_representation_read(struct span value, struct handlers_representation *out);
/* The same of its front alone: OK: *etag is absent where it says that there is none. ERR_INVALID: the front
 * ends before the tag does. */
MUST_USE enum err handlers_representation_read_tag(struct span front, struct span *etag);
