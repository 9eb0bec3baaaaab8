/*
 * What one purge says: the surrogate keys that changes of the log make old, and revocations. Each of the two
 * header values stays under 4 KB, so that a batch is full at some point and the rest goes into the next one.
 * Pure.
 *
 *     create                  profile/{id} handle/{handle}     the 404s that are kept under both
 *     update                  profile/{id}, and on a rename both handles
 *     suspend resume delete   profile/{id}, and the handle that the change names
 *     private                 nothing
 *     avatar                  avatar/{hash}
 *     revoke                  subject=until_s, the subject percent-encoded (RFC 3986);
 *                             @name=until_s, where it is of one token, which ends then
 *
 * What is kept by handle bears the key of the id as well (http/cache_control.h). The order of revocations is
 * the log's; of two of one subject the later second counts.
 */
#pragma once
#include "base/buf.h"
#include "store/watch.h"

enum {
    EDGE_VALUE_MAX = 4000,   /* bytes of a header's value */
    EDGE_CHANGES_MAX = 4096, /* looked at for one batch: most of them may say nothing to a cache */
};

/* Zeroed is empty. */
struct edge_batch {
    struct buf keys;    /* of xkey-purge */
    struct buf revoked; /* of Profiled-Revoked */
    size_t changes;
    int64_t first_ms; /* when the first of them that says something was made, Unix time; 0: not known */
};

void edge_batch_clear(struct edge_batch *batch);
void edge_batch_fini(struct edge_batch *batch);
/* Whether it says anything. */
bool edge_batch_is_empty(const struct edge_batch *batch);
/* ERR_NOMEM: it is not whole. */
MUST_USE enum err edge_batch_status(const struct edge_batch *batch);

/* Takes a change of the log in; data is the batch. false: it is full, and was not changed. */
bool edge_batch_take(void *data, const struct store_change *change);
/* The same for a revocation, as store_revocations_read gives it. */
bool edge_batch_revoke(void *data, struct span subject, int64_t until_s);
