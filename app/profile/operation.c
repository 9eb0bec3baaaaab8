#include "profile/operation.h"

#include "profile/pointer.h"
#include "json/get.h"

static const struct {
    struct span name;
    bool value, from;
} kinds[PROFILE_OPERATION_COUNT] = {
#define X(kind, name, value, from) {SPAN_INIT(name), value, from},
    PROFILE_OPERATIONS(X)
#undef X
};

const char *profile_operation_name(enum profile_operation_kind kind)
{
    return kinds[kind].name.ptr;
}

static enum profile_operation_kind kind_by_name(struct span name)
{
    for (size_t i = 0; i < PROFILE_OPERATION_COUNT; i++)
        if (span_eq(kinds[i].name, name))
            return (enum profile_operation_kind)i;
    return PROFILE_OPERATION_COUNT;
}

/* Section 4.4: a location may not move into one of its own children. Equal bytes are equal tokens: no other
 * spelling of a token is a valid pointer to the same place. */
static bool moves_into_itself(const struct profile_operation *o)
{
    return o->kind == PROFILE_OPERATION_MOVE && o->path.len > o->from.len && span_starts(o->path, o->from) &&
           o->path.ptr[o->from.len] == '/';
}

enum err profile_operation_read(const json_t *object, struct profile_operation *out, const char **reason)
{
    *out = (struct profile_operation){.kind = kind_by_name(json_get_text(object, "op")),
                                      .path = json_get_text(object, "path")};
    *reason = NULL;
    if (!json_is_object(object))
        *reason = "an operation must be an object";
    else if (out->kind == PROFILE_OPERATION_COUNT)
        *reason = "\"op\" must be one of add, remove, replace, move, copy, test";
    else if (!profile_pointer_valid(out->path))
        *reason = "\"path\" must be a JSON Pointer (RFC 6901): empty, or beginning with /";
    if (*reason != NULL)
        return ERR_INVALID;
    if (kinds[out->kind].value && (out->value = json_object_get(object, "value")) == NULL)
        *reason = "\"value\" is missing";
    if (kinds[out->kind].from && !profile_pointer_valid(out->from = json_get_text(object, "from")))
        *reason = "\"from\" must be a JSON Pointer (RFC 6901): empty, or beginning with /";
    else if (moves_into_itself(out))
        *reason = "a value cannot move into itself";
    return *reason == NULL ? OK : ERR_INVALID;
}
