/*
 * GET and HEAD of a profile: the public view by id or by handle, the owner's view at /full and /v1/me.
 * Answers 200, 304 (RFC 9110 section 13), 403, 404, 412, or 503 when the storage cannot be read. data is a
 * struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

enum err handlers_read_by_id(void *data, struct http_exchange *x);
enum err handlers_read_by_handle(void *data, struct http_exchange *x);
enum err handlers_read_full(void *data, struct http_exchange *x);
enum err handlers_read_me(void *data, struct http_exchange *x);
