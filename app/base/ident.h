/*
 * The syntax of a profile's id, which is also what a token's subject must be: 1 to 128 of A-Z a-z 0-9 and
 * ". _ ~ : | @ + -", not beginning with "@" (that is a handle's mark in an address), and none of ".", ".."
 * (an address's dot segments, RFC 3986 section 5.2.4) and "query". Pure.
 */
#pragma once
#include "base/span.h"

enum { IDENT_MAX_LEN = 128 };

/* Whether the bytes are an id. Absent and empty are not. */
bool ident_valid(struct span id);
