/*
 * GET and HEAD of /v1/authorize: for a cache in front that asks before it delivers what it holds (a
 * sub-request with the reader's Authorization). 204 when the token is good for public views; what else the
 * router answers, 401 with its challenge or 403, is what the cache hands on to the reader. Reads no profile.
 */
#pragma once
#include "http/exchange.h"

enum err handlers_authorize(void *data, struct http_exchange *x);
