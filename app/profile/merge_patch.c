#include "profile/merge_patch.h"

#include "profile/iterable.h"

/* Sets the member unless value is NULL (memory ran out). */
static bool set(json_t *object, const char *key, size_t len, json_t *value)
{
    return json_object_setn_new_nocheck(object, key, len, value) == 0;
}

/* RFC 7396 section 2, made anew instead of in place; NULL when memory is out. As deep as patch and target
 * are. */
static json_t *merge(const json_t *target, const json_t *patch)
{
    if (!json_is_object(patch))
        return json_deep_copy(patch);
    json_t *members = profile_json_iterable(json_is_object(target) ? target : NULL);
    json_t *changes = profile_json_iterable(patch), *value;
    json_t *result = json_object();
    bool ok = result != NULL;
    const char *key;
    size_t len;
    json_object_keylen_foreach(members, key, len, value)
    {
        const json_t *change = json_object_getn(patch, key, len);
        if (ok && !json_is_null(change))
            ok = set(result, key, len, change == NULL ? json_deep_copy(value) : merge(value, change));
    }
    json_object_keylen_foreach(changes, key, len, value)
    {
        if (ok && !json_is_null(value) && json_object_getn(members, key, len) == NULL)
            ok = set(result, key, len, merge(NULL, value));
    }
    if (!ok) {
        json_decref(result);
        return NULL;
    }
    return result;
}

enum err profile_merge_patch(const json_t *target, const json_t *patch, json_t **out)
{
    *out = merge(target, patch);
    return *out == NULL ? ERR_NOMEM : OK;
}
