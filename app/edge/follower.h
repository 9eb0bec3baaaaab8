/*
 * The process of the pool that follows the change log and tells caches in front what became old: looks
 * whether anybody has written (store/watch.h, no SQL), reads on, and brings each address to the same place by
 * its own pace: peer.h decides, batch.h says what, purge.h sends, places.h keeps.
 *
 * One such process at a time works on a database, whichever pool it belongs to: DATABASE.edge.lock is held
 * meanwhile (flock(2), gone with the process). Another one waits, and takes over: over a reload the new one
 * for the old one, and a second pool's when the first is gone.
 *
 * A heartbeat goes out only when the database was looked at just now: who hears one knows that nothing was
 * kept from it.
 */
#pragma once
#include "base/log.h"
#include "base/metrics.h"
#include "base/span.h"
#include "store/store.h"

#include <signal.h>

struct edge_options {
    const char *store_url;
    const struct store_options *store_options;
    const char *addresses; /* as in edge.purge, checked when it was loaded */
    const char *key;       /* as in edge.key */
    int64_t reach_s;       /* how long behind its second a revocation can matter; -1: for ever */
    const struct log *log;
    struct metrics *metrics;                   /* where it counts */
    struct metrics_edges *board;               /* where it says how it stands with each address */
    const sigset_t *wait_mask;                 /* lets in what is to wake it */
    bool (*stopping)(void *data);              /* asked at least every 20 ms */
    void (*alive)(void *data, int64_t now_us); /* told as often, unless the disk or the database is slow */
    void *data;
};

/* Runs until stopping says so; what is known by then is told to who listens, within half a second. All
 * borrowed. OK, or why it could not go on, with detail: the key, memory. A database that cannot be read is
 * tried again. */
MUST_USE enum err edge_follow(const struct edge_options *options, struct err_detail *detail);
