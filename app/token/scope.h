/* Scopes (RFC 6749 section 3.3) as bits of one word. */
#pragma once
#include "base/buf.h"
#include "base/span.h"

enum token_scope {
    TOKEN_SCOPE_READ = 1 << 0,    /* profile:read */
    TOKEN_SCOPE_LIST = 1 << 1,    /* profile:list */
    TOKEN_SCOPE_WRITE = 1 << 2,   /* profile:write */
    TOKEN_SCOPE_ADMIN = 1 << 3,   /* profile:admin, implies the three */
    TOKEN_SCOPE_METRICS = 1 << 4, /* metrics:read */
};
enum { TOKEN_SCOPE_ALL = 31 };

/* A space-separated list; names we do not know are passed over (RFC 6749), unless unknown is given: then it
 * is set to the first of them (absent if none). */
unsigned token_scope_parse(struct span list, struct span *unknown);
/* With what admin implies added. */
unsigned token_scope_expand(unsigned scopes);
/* Appends the names, separated by spaces. */
void token_scope_write(struct buf *out, unsigned scopes);
