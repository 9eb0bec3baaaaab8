/*
 * POST /v1/profiles/query: a batch that leaves out what the caller has already. The body names up to 100 ids,
 * each with the entity tag of the public view that the caller holds, or null:
 *
 *     {"ids":{"a":"\"4cb37ca57d-1p1\"","b":null}}
 *
 * and the answer has, in that order, what is new, with its tags, and names the rest:
 *
 *     {"profiles":[{"id":"b",…}],"etags":{"b":"\"4cb37ca57d-1p2\""},"not_modified":["a"],"missing":[]}
 *
 * A tag is compared as If-None-Match compares it: weakly, and as a front server's compression has marked it;
 * one that is not known asks for the profile. With `fields` in the query profiles and tags are those of the
 * part. It is a read in all but its method: it changes nothing, needs no If-Match, may be repeated, and its
 * answer, which depends on the body, is for no cache.
 *
 * Answers 200, 400, 413, 415, 422 with the faults' JSON pointers, or 503 when the storage cannot be read.
 * data is a struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

enum err handlers_query(void *data, struct http_exchange *x);
