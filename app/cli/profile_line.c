#include "cli/profile_line.h"

#include "crypto/random.h"
#include "json/load.h"

static void list_faults(const struct profile_faults *faults, struct buf *reason)
{
    for (size_t i = 0; i < faults->count; i++) {
        if (i > 0)
            buf_lit(reason, "; ");
        if (faults->list[i].pointer.len > 0) {
            buf_append(reason, faults->list[i].pointer);
            buf_lit(reason, ": ");
        }
        buf_append(reason, faults->list[i].detail);
    }
}

static enum err choose_id(const json_t *document, int64_t now_ms, struct arena *arena, struct span *id)
{
    char uuid[CRYPTO_UUID_LEN + 1];
    *id = (struct span){NULL, 0};
    if (json_object_get(document, "id") != NULL)
        return OK;
    crypto_uuid7(now_ms, uuid);
    *id = arena_copy(arena, span_of(uuid, CRYPTO_UUID_LEN));
    return id->ptr == NULL ? ERR_NOMEM : OK;
}

enum err cli_profile_read(struct span line, int64_t now_ms, size_t attributes_max, struct span base_url,
                          struct arena *arena, struct profile *out, struct buf *reason)
{
    struct profile_faults faults = {.count = 0};
    struct err_detail detail = {0};
    struct span id;
    json_t *document = NULL;
    enum err e = json_load_strict(line, JSON_MAX_DEPTH, &document, &detail);
    if (e != OK) {
        buf_append(reason, span_str(e == ERR_INVALID ? detail.text : err_name(e)));
        return e;
    }
    if ((e = choose_id(document, now_ms, arena, &id)) == OK) {
        const struct profile_rules rules = {
            .id = id,
            .replace = PROFILE_REPLACE_ALL,
            .view = PROFILE_VIEW_OWNER,
            .admin = true,
            .attributes_max = attributes_max,
            .base_url = base_url,
            .foreign_stamps = true,
        };
        e = profile_parse(document, &rules, arena, out, &faults);
    }
    json_decref(document);
    if (e == ERR_INVALID)
        list_faults(&faults, reason);
    else if (e != OK)
        buf_append(reason, span_str(err_name(e)));
    return e;
}
