/*
 * The parameter `fields`: which members of a profile an answer is to have, by their names between commas, as
 * in ?fields=name,picture. `id` is always one of them. The order of the names, and how often each stands
 * there, is nothing: the answer has the view's own order, and its entity tag is the view's with the set
 * behind it (http/etag.h). So a part's tag changes whenever its view does, which may be for a member that is
 * not in it; in exchange a hit neither hashes nor cuts what a 304 leaves out.
 *
 * An address that has other parameters too puts this among them:
 *
 *     struct span fields;
 *     struct handlers_parameter known[] = {…, HANDLERS_FIELDS(&fields)};
 *     if ((e = handlers_parameters_read(x, known, …)) == OK)
 *         e = handlers_fields_of(x, &known[…], PROFILE_VIEW_PUBLIC, &members);
 */
#pragma once
#include "handlers/parameters.h"
#include "handlers/representation.h"
#include "profile/part.h"

#define HANDLERS_FIELDS(value)                                                                               \
    {                                                                                                        \
        .name = "fields", .values = (value), .most = 1                                                       \
    }

/* OK: *members is the set, or PROFILE_WHOLE where the parameter was not given. Or the answer is made already:
 * 400 that names what the view has not. */
MUST_USE enum err handlers_fields_of(struct http_exchange *x, const struct handlers_parameter *fields,
                                     enum profile_view view, uint32_t *members);
/* The whole query of an address that knows no other parameter. */
MUST_USE enum err handlers_fields_read(struct http_exchange *x, enum profile_view view, uint32_t *members);

/* The entity tag of that part of a view, in the arena; the view's own for PROFILE_WHOLE. Absent when memory
 * is out. */
struct span handlers_fields_etag(struct arena *arena, struct span etag, uint32_t members);
