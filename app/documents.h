/*
 * The documents that anybody may ask for, made once at start: the public keys (RFC 7517), and the description
 * of the API (OpenAPI 3.1) that stands in schema/openapi.json and was built in. Both have the same entity tag
 * and the same date in every process of one build with one configuration.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "handlers/open_documents.h"
#include "token/keyring.h"

struct documents {
    struct buf keys; /* what jwks.text points into */
    struct handlers_document jwks;
    struct handlers_document openapi;
};

/*
 * Fills them. key_folder: where the keys are kept, for the date of the newest. mount: the prefix of every
 * address
 * ("" for none), which the description names as its server; borrowed for as long as the documents live, as
 * the arena is. ERR_NOMEM. To be released with documents_fini in any case.
 */
MUST_USE enum err documents_init(struct documents *d, const struct token_keyring *keyring,
                                 const char *key_folder, struct span mount, struct arena *arena);
void documents_fini(struct documents *d);
