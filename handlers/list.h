/*
 * GET and HEAD of /v1/profiles?limit=&after=&q=: a page of the public views of active profiles, by handle;
 * with q those that have words which begin so in their handle or public name, in the order of the index.
 *
 *     {"profiles":[…],"next":"…"}
 *     Link: </v1/profiles?limit=20&after=…>; rel="next", </v1/profiles?limit=20>; rel="first"   (RFC 8288)
 *
 * "next" and its link are there while there is more. The entity tag is made of the members' own and of the
 * cursor, so that a page that stayed the same costs a 304. 400: a parameter that is not allowed, a cursor
 * that is none of this list's.
 */
#pragma once
#include "http/exchange.h"

/* data is a struct handlers_context. */
enum err handlers_list(void *data, struct http_exchange *x);
