/*
 * What anybody may ask without a token: the JWKS (RFC 7517), whether the process lives, whether it can work.
 * data is a struct handlers_context.
 */
#pragma once
#include "http/exchange.h"

enum err handlers_jwks(void *data, struct http_exchange *x);
/* Alive: 200 as long as a worker answers at all; looks at nothing. */
enum err handlers_healthz(void *data, struct http_exchange *x);
/* Ready: 200 when the database can be read and its migrations are current, else 503. */
enum err handlers_readyz(void *data, struct http_exchange *x);
