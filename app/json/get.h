/* Looking into a parsed JSON value. Pure; what comes back is borrowed from the value. */
#pragma once
#include "base/span.h"

#include <jansson.h>

/* A string's bytes, which may hold NUL; absent when value is NULL or of another type. */
static inline struct span json_text(const json_t *value)
{
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : (struct span){NULL, 0};
}
/* The bytes of the object's member of that name; absent when there is none or it is not a string. */
static inline struct span json_get_text(const json_t *object, const char *name)
{
    return json_text(json_object_get(object, name));
}
