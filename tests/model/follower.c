/* The follower's half of a worker: catch_up_locked and what it calls, with the lock held. */
#include "reader.h"

#include <string.h>

static bool taken_is_whole(const struct reader *r)
{
    return is_whole(r->taken) && (r->taken[0] != 0 || mutation == EMPTY_WAL_IS_MARKER);
}

/* Which of the ways of apply: the log one by one, the floor, or everything anew. */
void follower_plan(const struct shared *c, struct reader *r)
{
    r->step = 0;
    if (c->identity != r->now.identity)
        r->pc = DROP;
    else if (r->now.stamp > c->applied + scenario->most)
        r->pc = DROP, r->step = 10;
    else
        r->pc = RAISE;
}

static void applied(struct reader *r)
{
    r->step = 0;
    r->pc = mutation == NOT_CONFIRMED ? REMEMBER : CONFIRM;
    if (mutation == WORDS_AFTER_MARKER)
        r->pc = UNLOCK;
    if (mutation == MARKER_AFTER_LOG)
        r->pc = TAKE;
}

void follower_raise(struct state *n, struct reader *r)
{
    struct shared *c = &n->shared;
    uint8_t commit = (uint8_t)(c->applied + 1 + r->step);
    if (commit > r->now.stamp) {
        c->applied = r->now.stamp;
        applied(r);
        return;
    }
    uint8_t *word = &c->words[n->files[r->now.identity - 1].by >> commit & 1];
    if (*word < commit)
        *word = commit;
    r->step++;
}

void follower_drop(struct shared *c, struct reader *r)
{
    const uint8_t floor = mutation == FLOOR_FROM_ZERO ? 0 : r->now.stamp;
    switch (r->step++) {
    case 0:
        c->era++;
        c->identity = 0;
        break;
    case 1:
        c->words[0] = 0;
        break;
    case 2:
        c->words[1] = 0;
        break;
    case 3:
        c->floor = floor;
        c->applied = r->now.stamp;
        break;
    case 4:
        c->identity = r->now.identity;
        applied(r);
        break;
    default: /* the same database, and too many changes */
        c->floor = r->now.stamp;
        c->applied = r->now.stamp;
        applied(r);
    }
}

/* What is not the marker of what was read is not remembered. */
void follower_confirm(const struct state *n, struct reader *r)
{
    const uint8_t *header = n->files[r->file].header;
    bool same = r->step > 0 || r->file == n->path;
    for (int i = 0; i < (scenario->torn ? 1 : 2); i++, r->step++)
        same = same && header[r->step] == r->taken[r->step];
    if (!same)
        r->taken[0] ^= 0xff; /* not whole */
    else if (r->step < HALVES)
        return;
    r->step = 0;
    r->pc = REMEMBER;
}

void follower_remember(struct shared *c, struct reader *r)
{
    switch (r->step++) {
    case 0:
        memcpy(c->marker, r->taken, 2);
        return;
    case 1:
        memcpy(c->marker + 2, r->taken + 2, 2);
        return;
    }
    c->known = taken_is_whole(r);
    r->step = 0;
    r->pc = mutation == WORDS_AFTER_MARKER ? SNAPSHOT : UNLOCK;
}

/* What the process keeps for itself, with the lock held. */
void follower_follow(const struct shared *c, struct reader *r)
{
    r->marked = taken_is_whole(r);
    memset(r->marker, 0, sizeof r->marker);
    if (r->marked != 0)
        memcpy(r->marker, r->taken, sizeof r->marker);
    r->identity = c->identity;
    r->era = c->era;
}

void follower_decide(struct shared *c, struct reader *r)
{
    if (mutation == MARKER_AFTER_LOG) {
        r->pc = REMEMBER;
    } else if (taken_is_whole(r) && c->known != 0 && memcmp(c->marker, r->taken, sizeof c->marker) == 0) {
        r->pc = UNLOCK;
    } else {
        if (mutation != KNOWN_LEFT_STANDING)
            c->known = 0;
        r->pc = mutation == WORDS_AFTER_MARKER ? REMEMBER : SNAPSHOT;
    }
}
