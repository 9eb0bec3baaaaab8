/* Equality of JSON values as JSON Patch has it (RFC 6902 section 4.6). Pure. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* Objects without regard to the order of members; numbers by their value, so that 1 equals 1.0, exactly. */
bool profile_json_equal(const json_t *a, const json_t *b);
