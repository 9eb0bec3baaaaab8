#include "profile/field.h"

const struct profile_field_row profile_field_table[PROFILE_FIELD_COUNT] = {
#define X(field, kind, max, hidden) {SPAN_INIT(#field), PROFILE_##kind, (max), (hidden) != 0},
    PROFILE_FIELDS(X)
#undef X
};

/* Hardly two fields share a length and a first letter, so that this costs one memcmp at most times. */
enum profile_field profile_field_by_name(struct span name)
{
    if (name.len == 0)
        return PROFILE_FIELD_COUNT;
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        const struct span known = profile_field_table[i].name;
        if (known.len == name.len && known.ptr[0] == name.ptr[0] &&
            memcmp(known.ptr, name.ptr, name.len) == 0)
            return (enum profile_field)i;
    }
    return PROFILE_FIELD_COUNT;
}
