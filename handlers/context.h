/*
 * What the handlers are wired to: the store of this process and the policies of the configuration. One for
 * each worker, made by the composition root; a handler gets it as its data.
 */
#pragma once
#include "base/err.h"
#include "base/log.h"
#include "cache/cache.h"
#include "http/cache_control.h"
#include "http/exchange.h"
#include "store/store.h"

struct handlers_context {
    const char *store_url;
    struct store_options store_options;
    struct store *store; /* NULL until the first request that needs it, and while it cannot be opened */
    struct cache *cache; /* borrowed; one without memory when it is off */
    struct http_cache_policy cache_policy;
    int64_t ttl_s;         /* how long a ready answer is kept; 0: without limit */
    size_t attributes_max; /* bytes */
};

/* The store, opened if it is not open. Its errors, with the cause in detail. Not owned by the caller. */
MUST_USE enum err handlers_store(struct handlers_context *context, struct store **out,
                                 struct err_detail *detail);
/* For the route room's guard: data is the context. */
enum err handlers_revoked_until(void *data, struct span subject, int64_t *until_s, struct cache_state *state,
                                struct err_detail *detail);
/* Behind an answer: copies the write-ahead log back when it has grown long. */
void handlers_idle(struct handlers_context *context, const struct log *log);
void handlers_context_fini(struct handlers_context *context);
