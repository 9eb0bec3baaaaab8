/*
 * Percent-encoding (RFC 3986 section 2.1). A text is decoded exactly once, and after it was split: a path
 * into its segments, a query into its names and values. Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Decodes raw. *out borrows from raw where nothing was encoded, else it lies in the arena with a NUL behind
 * it; it is never absent. ERR_INVALID: "%" without two hex digits behind it, or a NUL, raw or encoded.
 * ERR_NOMEM. *out is then absent. Any other byte is let through: what it is to mean is the caller's to check.
 */
MUST_USE enum err http_percent_decode(struct span raw, struct arena *arena, struct span *out);
/* The same for a name or value of a query string, where "+" is a space (application/x-www-form-urlencoded).
 */
MUST_USE enum err http_percent_decode_form(struct span raw, struct arena *arena, struct span *out);

/* Whether "%XX" stands at the front of s; *octet is then what it means. */
bool http_percent_octet(struct span s, char *octet);

/*
 * Appends s as one path segment: the unreserved characters and ":", "@", "+" stand as they are, all others
 * are encoded, among them "|", which an id may hold and a URI may not. For an id in Location and
 * Content-Location.
 */
void http_percent_encode(struct buf *out, struct span s);
/* Appends s as a value in a query string: the unreserved characters stand as they are. */
void http_percent_encode_form(struct buf *out, struct span s);
