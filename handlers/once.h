/*
 * A request that is made once, however often it is sent: with an Idempotency-Key
 * (draft-ietf-httpapi-idempotency-key-header) the first answer is kept for a day, and a repeat by the same
 * subject to the same address gets that one and changes nothing. For POST; other methods are such by
 * themselves.
 *
 * The change and its answer are stored in one transaction, and the writers' lock is held from the look for an
 * answer on: a repeat that comes while the first is made waits for it, and after a crash both are there or
 * neither is. What failed is not kept: it may be sent again.
 */
#pragma once
#include "handlers/context.h"

/* Changes something and makes the answer; *about: the profile that the answer is about, if any. It may be
 * called inside store_batch_begin…end, and need not undo what it did where it fails. */
typedef enum err (*handlers_action)(void *data, struct http_exchange *x, struct span *about);

/* What act said, or OK with the answer that was kept. Its own answers: 400 for what is no key, 422 for a key
 * that came with another body, 503 and 507. Without the header act is called, and no more. */
MUST_USE enum err handlers_once(struct handlers_context *context, struct http_exchange *x,
                                handlers_action act, void *data);
