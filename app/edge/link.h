/*
 * What is done for one address: reading what it wants (peer.h), sending it, taking in what came of it, and
 * saying so in the log and the scoreboard. In the edge process.
 */
#pragma once
#include "edge/batch.h"
#include "edge/follower.h"
#include "edge/peer.h"
#include "edge/purge.h"

struct edge_link {
    const struct edge_options *o;
    struct edge_purges *purges;
    size_t which; /* among the purges */
    struct metrics_edge *shown;
    struct span address;
    struct edge_peer peer;
    struct edge_batch batch;
    bool heartbeat;        /* what is under way says nothing */
    bool begun;            /* of a purge of everything the first part was confirmed */
    bool more;             /* what is under way is not the last part of it */
    struct edge_place all; /* where it leads */
    struct buf subject;    /* the last whose revocation was taken */
    char trouble[sizeof((struct edge_answer *)0)->trouble]; /* as it was logged last */
    int64_t trouble_us;                                     /* since when; 0: there is none */
    int64_t told_us;
    bool moved; /* its place is another than the file says; the caller takes it back */
};

/* Sends what it wants now, if anything. An error is the database's, with why. Reads; does not wait. */
MUST_USE enum err edge_link_serve(struct edge_link *link, struct store *store, int64_t now_us,
                                  struct err_detail *why);
/* What was under way is over. */
void edge_link_answered(struct edge_link *link, const struct edge_answer *answer, int64_t now_us);
/* Says how it stands in the scoreboard. */
void edge_link_show(struct edge_link *link);
void edge_link_fini(struct edge_link *link);
