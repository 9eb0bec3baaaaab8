/* What a write answers: what GET of that same URL now gives, or nothing when the client prefers so (RFC 7240
 * section 4.2). */
#pragma once
#include "handlers/resource.h"

enum handlers_written { HANDLERS_CREATED, HANDLERS_CHANGED };

/*
 * Makes the answer to a PUT, PATCH or POST that was stored: 201, 200 or 204. A PUT gets no validators: what
 * was sent is not, byte for byte, what is now there (RFC 9110 section 9.3.4). A view that nobody may GET (the
 * public one of a suspended profile) is not answered with: 204.
 */
enum err handlers_write_reply(const struct handlers_context *context, struct http_exchange *x,
                              const struct handlers_target *t, const struct handlers_resource *r,
                              enum handlers_written written);
