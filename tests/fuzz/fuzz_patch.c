/* A document and a patch, with a NUL between them: by RFC 7396 and by RFC 6902. */
#include "support_fuzz.h"

#include "profile/json_patch.h"
#include "profile/merge_patch.h"
#include "json/load.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of((const char *)data, size);
    struct span text = span_cut(&rest, '\0');
    struct err_detail detail = {0};
    json_t *target = NULL, *patch = NULL, *out = NULL;
    if (rest.ptr == NULL || json_load_strict(text, JSON_MAX_DEPTH, &target, NULL) != OK ||
        json_load_strict(rest, JSON_MAX_DEPTH, &patch, NULL) != OK)
        goto out;
    json_t *before = json_deep_copy(target);
    if (profile_merge_patch(target, patch, &out) == OK)
        json_decref(out);
    out = NULL;
    if (profile_json_patch(target, patch, &out, &detail) == OK)
        json_decref(out);
    if (!json_equal(before, target))
        __builtin_trap(); /* a patch changes nothing but its own result */
    json_decref(before);
out:
    json_decref(target);
    json_decref(patch);
    return 0;
}
