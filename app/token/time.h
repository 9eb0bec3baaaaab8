/*
 * Moments as tokens and key files write them: NumericDate (RFC 7519 section 2) and RFC 3339 text (PASETO's
 * registered claims). Only 1970 to 9999 counts; all else is a mistake or an attack. Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#include <jansson.h>

struct token_time {
    int64_t s;  /* Unix time, rounded down */
    int32_t ns; /* 0 to 999999999; never 0 when anything was cut off */
};

/* A JSON integer or real. false: another type, not finite, negative, or past 9999; *out is zeroed. */
MUST_USE bool token_time_numeric(const json_t *value, struct token_time *out);
/* RFC 3339 section 5.6, nothing around it: any offset, any number of fraction digits, a leap second where one
 * can be (23:59:60 UTC). false: malformed, no such day, or out of range; *out is zeroed. */
MUST_USE bool token_time_rfc3339(struct span text, struct token_time *out);
/* Appends YYYY-MM-DDTHH:MM:SSZ. */
void token_time_write(struct buf *out, int64_t unix_s);
/* The same with milliseconds. */
void token_time_write_ms(struct buf *out, int64_t unix_ms);

/* The first whole second that is not before it: what "not before" means for a clock of whole seconds. */
static inline int64_t token_time_ceil(struct token_time t)
{
    return t.s + (t.ns > 0);
}
