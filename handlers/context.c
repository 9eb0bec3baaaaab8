#include "handlers/context.h"

#include "handlers/source.h"
#include "store/answers.h"
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

void handlers_idle(struct handlers_context *context, const struct log *log)
{
    struct err_detail detail = {0};
    if (context->store == NULL)
        return;
    if (context->cache->now_ms >= context->prune_ms)
        prune(context, log);
    if (context->store == NULL || !store_checkpoint_due(context->store))
        return;
    if (store_checkpoint(context->store, false, &detail) != OK)
        LOG(log, LOG_WARN, "checkpoint-failed", LOG_STR("reason", detail.text));
}

void handlers_context_fini(struct handlers_context *context)
{
    store_close(&context->store);
}
