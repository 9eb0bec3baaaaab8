/* Iterating over jansson's objects. */
#pragma once
#include <jansson.h>
#include <stdint.h>

/* jansson iterates through a plain pointer, although it changes nothing. */
static inline json_t *profile_json_iterable(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}
