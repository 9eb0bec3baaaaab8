/*
 * GET and HEAD of /v1/avatars/{hash}: the image, or with s=48, 96 or 256 its thumbnail, to anybody: an <img>
 * bears no token, and the address cannot be guessed. What lies at an address never changes, so that it may be
 * kept by all; it is gone when the last profile that holds it is (or is suspended), and the edge is told. A
 * 404 is never kept, for the image may come back. data is a struct handlers_context.
 *
 * The body comes out of the database in pieces, after the handler has returned.
 */
#pragma once
#include "http/exchange.h"

/* 200, 304; 400, 404, 412, 503. */
enum err handlers_avatar_read(void *data, struct http_exchange *x);
