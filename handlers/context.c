#include "handlers/context.h"

#include "handlers/source.h"
#include "store/erase.h"

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

enum err handlers_revoked_until(void *data, struct span subject, int64_t *until_s, struct cache_state *state,
                                struct err_detail *detail)
{
    struct store_snapshot snapshot = {0};
    struct store *store;
    enum err e = handlers_store(data, &store, detail);
    if (e == OK)
        e = store_revoked_until(store, subject, until_s, &snapshot, detail);
    *state = handlers_cache_state(&snapshot);
    return e;
}

int handlers_idle(struct handlers_context *context, const struct log *log)
{
    struct err_detail detail = {0};
    struct store *store = context->store;
    if (store == NULL)
        return -1;
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
