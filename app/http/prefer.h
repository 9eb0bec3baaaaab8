/*
 * The Prefer header (RFC 7240). A server that does not understand a preference goes on without it, so nothing
 * here fails: an element that is malformed is passed over. Several headers come joined by commas. Pure.
 */
#pragma once
#include "base/span.h"

/*
 * Looks a preference up by its name (compared without case): false when it is not there. *value is its value,
 * without the quotes if it had any, backslashes included; empty when it has none (section 2: the same as an
 * empty one). Of several the first counts. *value is empty when false comes back.
 */
bool http_prefer_find(struct span prefer, struct span name, struct span *value);

enum http_prefer_return { HTTP_RETURN_UNSAID, HTTP_RETURN_MINIMAL, HTTP_RETURN_REPRESENTATION };
/* The `return` preference of section 4.2; UNSAID for a value that it does not know. */
enum http_prefer_return http_prefer_return(struct span prefer);
