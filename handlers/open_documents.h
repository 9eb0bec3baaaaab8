/*
 * What anybody may ask without a token: documents that were made at start (the JWKS, RFC 7517; the
 * description of the API), whether the process lives, whether it can work.
 */
#pragma once
#include "http/exchange.h"

/* A document, the same for everybody until the process ends. All borrowed. */
struct handlers_document {
    struct span type;    /* media type */
    struct span text[3]; /* one behind the other */
    struct span etag;    /* quoted */
    int64_t modified_s;  /* Unix time */
};
/* data is a struct handlers_document. */
enum err handlers_document(void *data, struct http_exchange *x);
/* Alive: 200 as long as a worker answers at all; looks at nothing. */
enum err handlers_healthz(void *data, struct http_exchange *x);
/* data is a struct handlers_context. Ready: 200 when the database can be read and its migrations are current,
 * else 503. */
enum err handlers_readyz(void *data, struct http_exchange *x);
