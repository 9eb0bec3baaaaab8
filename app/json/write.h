/*
 * Writing JSON into a buf: compact, UTF-8 as it stands, and only what RFC 8259 asks to be escaped is escaped.
 * Reals are written with 15 digits, or with 16 or 17 where it takes them to read back as the same number, and
 * stay reals, so that a value that goes in and out is not changed. Errors stick in the buf.
 */
#pragma once
#include "base/buf.h"

#include <jansson.h>

/* A quoted and escaped string. s must be UTF-8. */
void json_write_string(struct buf *out, struct span s);
/* Any value, member names in their own order. */
void json_write_value(struct buf *out, const json_t *value);
