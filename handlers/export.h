/*
 * GET and HEAD of /v1/me/export: all that is held on the token's subject, in one document. A section for each
 * kind of thing; those with nothing in them are left out.
 *
 *     {"subject":"ann","exported_at":"2026-…Z","profile":{…the owner's view…},
 *      "changes":{"entries":[…newest first…],"older_from":SEQ},"revocation":{"until":"…"},
 *      "tombstone":{"deleted_at":"…","seq":SEQ}}
 *
 * Where the log holds more entries than one document does, `older_from` says where they go on: ?from=SEQ
 * gives a document that begins there. 404 when nothing at all is held.
 *
 * Whatever else comes to be kept of a person gets a row in the table of sections in export.c.
 */
#pragma once
#include "handlers/context.h"

/* data is a struct handlers_context. */
enum err handlers_export(void *data, struct http_exchange *x);
