#include "handlers/context.h"

#include "handlers/source.h"
#include "store/answers.h"
#include "store/erase.h"
#include "token/name.h"

enum { PRUNE_PAUSE_MS = 60000, PRUNE_MORE_MS = 100 };

enum err handlers_store(struct handlers_context *context, struct store **out, struct err_detail *detail)
{
    enum err e = OK;
    *out = NULL;
    if (context->store == NULL) {
        e = store_open(context->store_url, &context->store_options, &context->store, detail);
        /* a database that is not there or not migrated is the operator's fault, never a "not found" to a
         * client */
        if (e == ERR_NOT_FOUND || e == ERR_INVALID)
            e = ERR_IO;
    }
    *out = context->store;
    return e;
}

/* A token that was issued in the very second of the revocation is dead as well, and so is one that does not
 * say when. */
static bool falls_under(const struct token_identity *who, const struct store_revocation *r)
{
    return r->token ||
           (r->until_s != INT64_MIN && (who->issued_s == TOKEN_NO_TIME || who->issued_s <= r->until_s));
}

enum err handlers_is_revoked(void *data, const struct token_identity *who, struct span token, bool *revoked,
                             struct cache_state *state, struct err_detail *detail)
{
    char name[TOKEN_NAME_LEN];
    struct store_revocation revocation = {.until_s = INT64_MIN};
    struct store_snapshot snapshot = {0};
    struct store *store;
    enum err e = handlers_store(data, &store, detail);
    token_name(who, token, name);
    if (e == OK)
        e = store_revocation_get(store, who->subject, span_of(name, sizeof name), &revocation, &snapshot,
                                 detail);
    *revoked = falls_under(who, &revocation);
    *state = handlers_cache_state(&snapshot);
    return e;
}

static void prune(struct handlers_context *context, const struct log *log)
{
    struct err_detail detail = {0};
    bool more = false;
    enum err e = store_prune(context->store, context->cache->now_ms, &more, &detail);
    context->prune_ms = context->cache->now_ms + (more ? PRUNE_MORE_MS : PRUNE_PAUSE_MS);
    if (e != OK)
        LOG(log, LOG_WARN, "prune-failed", LOG_STR("reason", detail.text));
}

int handlers_idle(struct handlers_context *context, const struct log *log)
{
    struct err_detail detail = {0};
    struct store *store = context->store;
    if (store == NULL)
        return -1;
    if (context->cache->now_ms >= context->prune_ms)
        prune(context, log);
    if (store_checkpoint_due(store) && store_checkpoint(store, false, &detail) != OK)
        LOG(log, LOG_WARN, "checkpoint-failed", LOG_STR("reason", detail.text));
    int due_ms = store_erase_due(store);
    if (due_ms != 0)
        return due_ms;
    if (store_erase_step(store, &detail) != OK)
        LOG(log, LOG_WARN, "erasure-failed", LOG_STR("reason", detail.text));
    return store_erase_due(store);
}

void handlers_context_fini(struct handlers_context *context)
{
    store_close(&context->store);
}
