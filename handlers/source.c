#include "handlers/source.h"

#include "store/watch.h"

static_assert((int)CACHE_MARKER_WORDS == (int)STORE_MARKER_WORDS, "the store's marker is the cache's");

static bool is_unchanged(void *data, const struct cache_marker *marker)
{
    const struct handlers_context *context = data;
    return context->store != NULL && store_is_unchanged(context->store, marker->words);
}

static enum err take_marker(void *data, struct cache_marker *out)
{
    struct err_detail ignored = {0};
    struct store *store;
    enum err e = handlers_store(data, &store, &ignored);
    return e == OK ? store_marker_take(store, out->words, &ignored) : e;
}

static enum metric cause_of(enum store_change_kind kind)
{
    switch (kind) {
    case STORE_CHANGE_CREATE:
        return METRIC_CACHE_INVALIDATIONS_CREATE;
    case STORE_CHANGE_UPDATE:
        return METRIC_CACHE_INVALIDATIONS_UPDATE;
    case STORE_CHANGE_PRIVATE:
        return METRIC_CACHE_INVALIDATIONS_PRIVATE;
    case STORE_CHANGE_SUSPEND:
        return METRIC_CACHE_INVALIDATIONS_SUSPEND;
    case STORE_CHANGE_RESUME:
        return METRIC_CACHE_INVALIDATIONS_RESUME;
    case STORE_CHANGE_DELETE:
        return METRIC_CACHE_INVALIDATIONS_DELETE;
    case STORE_CHANGE_REVOKE:
    case STORE_CHANGE_AVATAR:
    case STORE_CHANGE_KIND_COUNT:
        break;
    }
    return METRIC_CACHE_INVALIDATIONS_REVOKE;
}

struct sink {
    const struct cache *cache;
    void (*take)(void *sink, const struct cache_change *change);
    void *data;
};

static void add_word(const struct sink *s, struct cache_change *change, enum cache_kind kind,
                     struct span name)
{
    if (name.len > 0)
        change->words[change->word_count++] = cache_word(s->cache, kind, name);
}

static void translate(void *data, const struct store_change *from)
{
    const struct sink *s = data;
    if (from->kind == STORE_CHANGE_AVATAR) /* no image is kept there */
        return;
    struct cache_change change = {.seq = from->seq, .cause = cause_of(from->kind)};
    if (from->kind == STORE_CHANGE_REVOKE) {
        add_word(s, &change, CACHE_SUBJECT, from->profile_id);
    } else {
        add_word(s, &change, CACHE_OWNER_VIEW, from->profile_id);
        if (from->kind != STORE_CHANGE_PRIVATE)
            add_word(s, &change, CACHE_PUBLIC_VIEW, from->profile_id);
        add_word(s, &change, CACHE_HANDLE, from->handle);
        add_word(s, &change, CACHE_HANDLE, from->old_handle);
    }
    s->take(s->data, &change);
}

static enum err read_changes(void *data, int64_t after, int64_t most,
                             void (*take)(void *sink, const struct cache_change *change), void *sink,
                             struct cache_state *state)
{
    struct handlers_context *context = data;
    struct sink s = {context->cache, take, sink};
    struct err_detail ignored = {0};
    struct store_snapshot snapshot = {0};
    struct store *store;
    enum err e = handlers_store(context, &store, &ignored);
    if (e == OK)
        e = store_changes_read(store, after, most, translate, &s, &snapshot, &ignored);
    *state = handlers_cache_state(&snapshot);
    return e;
}

static enum err set_back(void *data)
{
    struct err_detail ignored = {0};
    struct store *store;
    enum err e = handlers_store(data, &store, &ignored);
    return e == OK ? store_epoch_renew(store, &ignored) : e;
}

struct cache_source handlers_cache_source(struct handlers_context *context)
{
    return (struct cache_source){is_unchanged, take_marker, read_changes, set_back, context};
}
