/*
 * GET and HEAD of /v1/changes: what changed, in order, behind a place in the change log.
 *
 *     ?after=SEQ    the place: `last` of the answer before. Without it: from the oldest entry that is kept.
 *     &limit=N      entries at most: 1 to 1000, 100 unless said
 *     &epoch=TEXT   that of the answer before: where it is another one now, the place means nothing any more
 *     &wait=S       where there is nothing behind it, the answer may wait for so many seconds until there is;
 *                   or Prefer: wait=S (RFC 7240 section 4.3). It never waits longer than
 *                   HANDLERS_CHANGES_WAIT_MOST_S, and not at all where whoever serves cannot keep a request.
 *
 *     {"changes":[{"seq":12,"id":"ann","what":"update","at":"2026-…Z","handle":"ann","old_handle":"anna"},…],
 *      "last":12,"newest":12,"epoch":"4cb37ca57d","more":false}
 *
 * A profile that is gone is a `delete` and nothing else: no entry tells its handles. `at` of a `revoke` is
 * the second that it reaches up to. 410 when the log does not go on from the place: the document says where
 * it is now (`newest`, `epoch`), so that a client can note that, read everything anew, and follow from there.
 *
 * The entity tag is made of the epoch, the newest entry and what was asked for: an entry changes only when a
 * profile goes, which is an entry.
 */
#pragma once
#include "handlers/context.h"

enum {
    HANDLERS_CHANGES_LIMIT = 100,
    HANDLERS_CHANGES_MOST = 1000,
    HANDLERS_CHANGES_WAIT_MOST_S = 50, /* front servers give up after 60 */
};

/* data is a struct handlers_context. */
enum err handlers_changes(void *data, struct http_exchange *x);

/* One number for where the log stands, as in http_hold.place; never 0. snapshot: of store_changes_page. */
uint64_t handlers_changes_place(const struct store_snapshot *snapshot);
