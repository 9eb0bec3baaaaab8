/* One operation of a JSON Patch (RFC 6902 section 4), read from its object. Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"

#include <jansson.h>

/* X(enum, name, needs "value", needs "from") */
#define PROFILE_OPERATIONS(X)                                                                                \
    X(TEST, "test", true, false)                                                                             \
    X(REMOVE, "remove", false, false)                                                                        \
    X(ADD, "add", true, false)                                                                               \
    X(REPLACE, "replace", true, false)                                                                       \
    X(MOVE, "move", false, true)                                                                             \
    X(COPY, "copy", false, true)

enum profile_operation_kind {
#define X(kind, name, value, from) PROFILE_OPERATION_##kind,
    PROFILE_OPERATIONS(X)
#undef X
        PROFILE_OPERATION_COUNT
};

/* Borrowed from the object it was read from. */
struct profile_operation {
    enum profile_operation_kind kind;
    struct span path;    /* a valid pointer */
    struct span from;    /* likewise; absent unless the kind needs it */
    const json_t *value; /* NULL unless the kind needs it */
};

/* "test", "remove" and so on; static. */
const char *profile_operation_name(enum profile_operation_kind kind);

/*
 * Members that the kind does not need are not looked at (section 4). ERR_INVALID with *reason, static: it is
 * no operation; *out is then undefined.
 */
MUST_USE enum err profile_operation_read(const json_t *object, struct profile_operation *out,
                                         const char **reason);
