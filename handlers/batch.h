/*
 * GET and HEAD of /v1/profiles?id=a&id=b…: the public views of up to 100 profiles, in the order asked, and
 * the ids that have none to show: of no profile, of a suspended one, or no valid ids at all.
 *
 *     {"profiles":[{"id":"a",…},…],"missing":["b",…]}
 *
 * An id that is repeated counts as often as it stands there, and is answered once, at its first place. With
 * `fields` each profile is that part of its view. The entity tag is a hash of the ids asked and the tags of
 * their views, in order, so that it is known without a look at the bodies; it changes when any of them does,
 * comes or goes. Nothing in it tells of what is private, or why an id is missing.
 *
 * Answers 200, 304, 400, 412, or 503 when the storage cannot be read. data is a struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

enum err handlers_batch(void *data, struct http_exchange *x);
