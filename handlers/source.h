/*
 * The store as the cache's source (cache/coherence.h): whether anybody has written, and what each change
 * makes old: the views of the profile that it is visible in, what its handles led to, verdicts on its
 * subject's tokens.
 */
#pragma once
#include "handlers/context.h"

/* Callbacks on the context, which must have its cache by the time they are called. */
struct cache_source handlers_cache_source(struct handlers_context *context);

/* A snapshot of the store as the cache's stamps have it. */
static inline struct cache_state handlers_cache_state(const struct store_snapshot *snapshot)
{
    return (struct cache_state){.identity = snapshot->identity,
                                .seq = snapshot->seq,
                                .lineage = snapshot->lineage,
                                .entry = snapshot->entry,
                                .after_entry = snapshot->after_entry};
}
