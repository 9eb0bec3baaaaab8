/*
 * PUT and DELETE of a profile's avatar. The body is the image itself; of which type it is, its bytes say, and
 * Content-Type only that it is meant as one. The profile's `picture` becomes the image's address in the same
 * transaction. Neither needs a precondition; one that is sent counts, against the entity tag that the image
 * bears at its address. Of an avatar that is not there, DELETE is a 404. data is a struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

enum { HANDLERS_AVATAR_MAX = 1024 * 1024 }; /* bytes */

/* PUT: 201 with Location where there was none, else 200; {"picture": …}, or nothing with Prefer:
 * return=minimal. DELETE: 204. 400, 403, 404, 412, 413, 415, 422, 503, 507. */
enum err handlers_avatar_write_me(void *data, struct http_exchange *x);
enum err handlers_avatar_write_by_id(void *data, struct http_exchange *x);
