/*
 * PUT, PATCH, DELETE and POST of profiles. Decided on what was read, applied only if that is still there: the
 * UPDATE itself checks the change-log sequence that the decision was made on, so that If-Match cannot race;
 * when another writer was quicker the whole is decided anew. data is a struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

/* PUT, PATCH and DELETE, by the request's method: 200, 201, 204; 400, 403, 404, 409, 412, 413, 415, 422, 428;
 * 503, 507. */
enum err handlers_write_by_id(void *data, struct http_exchange *x);
enum err handlers_write_full(void *data, struct http_exchange *x);
enum err handlers_write_me(void *data, struct http_exchange *x);
/* POST: 201 with Location; the id is a UUIDv7 unless the body gives one. */
enum err handlers_create(void *data, struct http_exchange *x);
