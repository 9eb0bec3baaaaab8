/*
 * A cache in front as the follower sees it: how far it has confirmed the change log, whether it is being
 * spoken to, when it is to be tried again, whether everything has to be purged there. Decides and remembers;
 * does no I/O and reads no clock. One request at a time is under way to a peer, so that what is confirmed is
 * always everything up to a place of the log.
 *
 *                 SENT          CONFIRMED     FAILED
 *     IDLE        -> SENDING    -             -
 *     SENDING     -             -> IDLE       -> PAUSED
 *     PAUSED      -> SENDING    -             -              once due_us has come
 *
 * Whatever fails is made anew from the place that was confirmed, so that nothing is forgotten and at most
 * what was under way is said twice.
 */
#pragma once
#include "store/watch.h"

enum {
    EDGE_BEHIND_MOST =
        20000, /* changes: who is further behind is told to forget everything, which is quicker */
    EDGE_HEARTBEAT_MS = 2000, /* without anything to say: a word all the same */
    EDGE_PAUSE_FIRST_MS = 50, /* before the second attempt, doubled with each failure */
    EDGE_PAUSE_MOST_MS = 1000,
    EDGE_PAUSE_REFUSED_MS = 5000, /* at most, where it was understood and refused: a wrong key, say */
};

/* A place in a change log: which log, and after which entry. lineage 0: none. */
struct edge_place {
    uint64_t lineage; /* of the database's epoch */
    int64_t seq;
    uint64_t entry; /* one number for what that entry says */
};

/* Why everything is purged. */
enum edge_reason {
    EDGE_REASON_NONE,
    EDGE_REASON_NEW,      /* no place is known: a new address, or the file of places is gone */
    EDGE_REASON_DATABASE, /* another database, or an older state of it */
    EDGE_REASON_TIDIED,   /* entries that were not sent yet are gone */
    EDGE_REASON_BEHIND,   /* more than EDGE_BEHIND_MOST */
    EDGE_REASON_COUNT
};
/* In words; static. */
const char *edge_reason_text(enum edge_reason reason);

enum edge_peer_state { EDGE_PEER_IDLE, EDGE_PEER_SENDING, EDGE_PEER_PAUSED, EDGE_PEER_STATE_COUNT };

struct edge_peer {
    enum edge_peer_state state;
    struct edge_place at;    /* confirmed */
    struct edge_place to;    /* SENDING: what at becomes when this is confirmed */
    enum edge_reason all;    /* everything has to be purged; NONE: not */
    bool behind;             /* the log may hold more than what is confirmed */
    int64_t behind_since_ms; /* Unix time; 0: nothing is known to wait */
    int64_t due_us;          /* PAUSED: when to try again */
    int64_t word_us;         /* when it last confirmed anything; 0: never */
    unsigned failures;       /* in a row */
};

/* One that begins at this place, which may be none. */
void edge_peer_init(struct edge_peer *peer, const struct edge_place *place);
/* Somebody has written: there may be more. */
void edge_peer_notice(struct edge_peer *peer);

/* What to do for it now. */
enum edge_want {
    EDGE_WANT_NOTHING,
    EDGE_WANT_ALL,       /* begin, or begin anew, to purge everything */
    EDGE_WANT_READ,      /* read the log behind at.seq, and judge the page */
    EDGE_WANT_HEARTBEAT, /* a word, so that it knows that there is none to be had */
};
enum edge_want edge_peer_wants(const struct edge_peer *peer, int64_t now_us);
/* When it wants something by itself; INT64_MAX: never. */
int64_t edge_peer_due_us(const struct edge_peer *peer);

/* What came of reading. */
enum edge_verdict {
    EDGE_VERDICT_FAULT,   /* the database could not be read: try again later */
    EDGE_VERDICT_ALL,     /* everything has to be purged; peer->all says why */
    EDGE_VERDICT_NOTHING, /* nothing that concerns a cache; the peer's place is moved on */
    EDGE_VERDICT_SEND,    /* send what the page gave; page->upto is where that leads */
};
/* e and page: what store_changes_page gave; empty: the page says nothing to a cache; first_ms: when the first
 * change of it was made (0: not known). */
enum edge_verdict edge_peer_judge(struct edge_peer *peer, enum err e, const struct store_page *page,
                                  bool empty, int64_t first_ms, int64_t now_ms);

/* A request is under way that leads to this place (at: a heartbeat, or a part of something longer). */
void edge_peer_sent(struct edge_peer *peer, const struct edge_place *to);
/* It was confirmed. whole: nothing of a purge of everything is left to send. */
void edge_peer_confirmed(struct edge_peer *peer, bool whole, int64_t now_us);
/* It was not. refused: it was understood, and the answer says that it will not be done (a 4xx). */
void edge_peer_failed(struct edge_peer *peer, bool refused, int64_t now_us, int64_t now_ms);
/* The pause behind so many failures in a row. */
int64_t edge_pause_ms(unsigned failures, bool refused);
