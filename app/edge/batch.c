#include "edge/batch.h"

#include "http/percent.h"

void edge_batch_clear(struct edge_batch *batch)
{
    buf_clear(&batch->keys);
    buf_clear(&batch->revoked);
    batch->changes = 0;
    batch->first_ms = 0;
}

void edge_batch_fini(struct edge_batch *batch)
{
    buf_fini(&batch->keys);
    buf_fini(&batch->revoked);
}

bool edge_batch_is_empty(const struct edge_batch *batch)
{
    return batch->keys.len == 0 && batch->revoked.len == 0;
}

enum err edge_batch_status(const struct edge_batch *batch)
{
    enum err e = buf_status(&batch->keys);
    return e == OK ? buf_status(&batch->revoked) : e;
}

/* An id or handle that a key can be made of. No other is ever answered with, and what a hand at the sqlite3
 * shell put there must not end a header's line. */
static bool is_plain(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ',')
            return false;
    return name.len > 0;
}

/* Whether it stands there already, as a word. */
static bool holds(struct span list, struct span kind, struct span name)
{
    while (list.len > 0) {
        struct span word = span_cut(&list, ' ');
        if (span_starts(word, kind) && span_eq(span_from(word, kind.len), name))
            return true;
    }
    return false;
}

static void add_key(struct buf *keys, struct span kind, struct span name)
{
    if (!is_plain(name) || holds(buf_span(keys), kind, name))
        return;
    if (keys->len > 0)
        buf_char(keys, ' ');
    buf_append(keys, kind);
    buf_append(keys, name);
}

bool edge_batch_revoke(void *data, struct span subject, int64_t until_s)
{
    struct edge_batch *batch = data;
    size_t before = batch->revoked.len;
    if (before > 0)
        buf_char(&batch->revoked, ' ');
    http_percent_encode(&batch->revoked, subject);
    buf_char(&batch->revoked, '=');
    buf_i64(&batch->revoked, until_s);
    /* no subject is so long that it would not fit alone */
    if (batch->revoked.len <= EDGE_VALUE_MAX || before == 0)
        return true;
    buf_truncate(&batch->revoked, before);
    return false;
}

/* A single token stands there as a subject that nobody can be. */
static bool take_revocation(struct edge_batch *batch, const struct store_change *change)
{
    char name[64] = "@";
    if (change->token.ptr == NULL)
        return edge_batch_revoke(batch, change->profile_id, change->at_ms / 1000);
    if (change->token.len >= sizeof name)
        return true; /* no name: by a hand at the sqlite3 shell */
    memcpy(name + 1, change->token.ptr, change->token.len);
    return edge_batch_revoke(batch, span_of(name, 1 + change->token.len), change->token_until_s);
}

bool edge_batch_take(void *data, const struct store_change *change)
{
    struct edge_batch *batch = data;
    size_t before = batch->keys.len;
    bool was_empty = edge_batch_is_empty(batch);
    if (batch->changes == EDGE_CHANGES_MAX)
        return false;
    if (change->kind == STORE_CHANGE_REVOKE) {
        if (!take_revocation(batch, change))
            return false;
    } else if (change->kind != STORE_CHANGE_PRIVATE) {
        if (change->kind == STORE_CHANGE_AVATAR)
            add_key(&batch->keys, SPAN("avatar/"), change->profile_id);
        else
            add_key(&batch->keys, SPAN("profile/"), change->profile_id);
        add_key(&batch->keys, SPAN("handle/"), change->handle);
        add_key(&batch->keys, SPAN("handle/"), change->old_handle);
        if (batch->keys.len > EDGE_VALUE_MAX && before > 0) {
            buf_truncate(&batch->keys, before);
            return false;
        }
    }
    batch->changes++;
    /* of a revocation it is a second that tokens are compared with, of an image the time of the change that
     * took it along */
    if (was_empty && change->kind != STORE_CHANGE_REVOKE && change->kind != STORE_CHANGE_AVATAR &&
        !edge_batch_is_empty(batch))
        batch->first_ms = change->at_ms;
    return true;
}
