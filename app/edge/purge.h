/*
 * Purges on their way: requests to several caches at once, one at a time to each, over kept connections. The
 * only user of libcurl in the server. What they say is decided elsewhere.
 *
 *     PURGE / HTTP/1.1
 *     Host: …
 *     Purge-Key: <edge.key>
 *     xkey-purge: profile/ann handle/ann      absent when there are none
 *     Profiled-Revoked: ann=1790000000 …      likewise; @name=…: a single token
 *     Profiled-Purge-All: 1                   everything, where it is not known what is held
 *     Profiled-Position: 4711                 where in the change log this brings the cache to; 0: not known
 * yet
 *
 * A 2xx means done. Without any of the three in the middle it is a heartbeat. Addresses are http://HOST:PORT;
 * no proxy is used, whatever the environment says, and no redirect followed.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct edge_purges; /* opaque */

struct edge_message {
    struct span keys, revoked; /* empty: none */
    bool all;
    int64_t position;
};

struct edge_answer {
    bool confirmed;
    bool refused;     /* it was understood, and will not be done: a 4xx */
    int status;       /* 0: there was no answer */
    char trouble[96]; /* why it is not confirmed, for a person; NUL-terminated */
};

/* For so many addresses; the key is copied. ERR_NOMEM, ERR_IO. *out is NULL on failure. */
MUST_USE enum err edge_purges_new(size_t count, struct span key, struct edge_purges **out);
/* Drops whatever is under way. */
void edge_purges_free(struct edge_purges **purges);
/* The address of the number `which`, below count. ERR_NOMEM. */
MUST_USE enum err edge_purges_address(struct edge_purges *purges, size_t which, struct span address);

/* Sends; nothing may be under way to this one. Does not wait. ERR_NOMEM, ERR_IO: it was not sent. */
MUST_USE enum err edge_purges_send(struct edge_purges *purges, size_t which,
                                   const struct edge_message *message);
/* The next that is over: *which and *out are filled. false: none is. Never blocks. */
bool edge_purges_next(struct edge_purges *purges, size_t *which, struct edge_answer *out);
/* Waits until something comes from a cache, the descriptor is readable (-1: none), a signal of those that
 * this mask lets in comes, or the time is over: most_ms, at least 1. */
void edge_purges_wait(struct edge_purges *purges, int fd, int64_t most_ms, const sigset_t *mask);
