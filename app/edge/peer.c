#include "edge/peer.h"

const char *edge_reason_text(enum edge_reason reason)
{
    static const char *const texts[EDGE_REASON_COUNT] = {
        [EDGE_REASON_NONE] = "nothing",
        [EDGE_REASON_NEW] = "it is not known how far it was told",
        [EDGE_REASON_DATABASE] = "the database is another one, or an older state",
        [EDGE_REASON_TIDIED] = "entries of the change log that it was not told are gone",
        [EDGE_REASON_BEHIND] = "it is too far behind",
    };
    return reason < EDGE_REASON_COUNT ? texts[reason] : "unknown";
}

void edge_peer_init(struct edge_peer *peer, const struct edge_place *place)
{
    *peer = (struct edge_peer){
        .at = *place,
        .all = place->lineage == 0 ? EDGE_REASON_NEW : EDGE_REASON_NONE,
        .behind = true,
    };
}

void edge_peer_notice(struct edge_peer *peer)
{
    peer->behind = true;
}

enum edge_want edge_peer_wants(const struct edge_peer *peer, int64_t now_us)
{
    switch (peer->state) {
    case EDGE_PEER_SENDING:
    case EDGE_PEER_STATE_COUNT:
        return EDGE_WANT_NOTHING;
    case EDGE_PEER_PAUSED:
        if (now_us < peer->due_us)
            return EDGE_WANT_NOTHING;
        break;
    case EDGE_PEER_IDLE:
        break;
    }
    if (peer->all != EDGE_REASON_NONE)
        return EDGE_WANT_ALL;
    if (peer->behind)
        return EDGE_WANT_READ;
    return peer->state == EDGE_PEER_PAUSED || now_us >= edge_peer_due_us(peer) ? EDGE_WANT_HEARTBEAT
                                                                               : EDGE_WANT_NOTHING;
}

int64_t edge_peer_due_us(const struct edge_peer *peer)
{
    switch (peer->state) {
    case EDGE_PEER_IDLE:
        return peer->word_us == 0 ? 0 : peer->word_us + EDGE_HEARTBEAT_MS * INT64_C(1000);
    case EDGE_PEER_PAUSED:
        return peer->due_us;
    case EDGE_PEER_SENDING:
    case EDGE_PEER_STATE_COUNT:
        break;
    }
    return INT64_MAX;
}

/* OK, or why the place is none of this log. */
static enum edge_reason compare(const struct edge_peer *peer, enum err e, const struct store_page *page)
{
    const struct store_snapshot *s = &page->snapshot;
    /* before the rest: what another log lacks says nothing */
    if (s->lineage != peer->at.lineage || e == ERR_CONFLICT)
        return EDGE_REASON_DATABASE;
    if (e == ERR_TOO_LARGE)
        return EDGE_REASON_TIDIED;
    if (s->after_entry != peer->at.entry)
        return s->after_entry == 0 ? EDGE_REASON_TIDIED : EDGE_REASON_DATABASE;
    return s->seq - peer->at.seq > EDGE_BEHIND_MOST ? EDGE_REASON_BEHIND : EDGE_REASON_NONE;
}

static void begin_to_wait(struct edge_peer *peer, int64_t first_ms, int64_t now_ms)
{
    if (peer->behind_since_ms == 0)
        peer->behind_since_ms = first_ms > 0 && first_ms < now_ms ? first_ms : now_ms;
}

enum edge_verdict edge_peer_judge(struct edge_peer *peer, enum err e, const struct store_page *page,
                                  bool empty, int64_t first_ms, int64_t now_ms)
{
    if (e != OK && e != ERR_CONFLICT && e != ERR_TOO_LARGE)
        return EDGE_VERDICT_FAULT;
    peer->all = compare(peer, e, page);
    if (peer->all != EDGE_REASON_NONE) {
        begin_to_wait(peer, 0, now_ms);
        return EDGE_VERDICT_ALL;
    }
    peer->behind = page->upto < page->snapshot.seq;
    if (!empty) {
        begin_to_wait(peer, first_ms, now_ms);
        return EDGE_VERDICT_SEND;
    }
    peer->at.seq = page->upto;
    peer->at.entry = page->upto_entry;
    if (!peer->behind)
        peer->behind_since_ms = 0;
    return EDGE_VERDICT_NOTHING;
}

void edge_peer_sent(struct edge_peer *peer, const struct edge_place *to)
{
    peer->state = EDGE_PEER_SENDING;
    peer->to = *to;
}

void edge_peer_confirmed(struct edge_peer *peer, bool whole, int64_t now_us)
{
    peer->state = EDGE_PEER_IDLE;
    peer->at = peer->to;
    peer->word_us = now_us;
    peer->failures = 0;
    if (whole)
        peer->all = EDGE_REASON_NONE;
    /* what is behind it waits since another time, which the next page tells */
    if (peer->all == EDGE_REASON_NONE)
        peer->behind_since_ms = 0;
}

int64_t edge_pause_ms(unsigned failures, bool refused)
{
    int64_t most = refused ? EDGE_PAUSE_REFUSED_MS : EDGE_PAUSE_MOST_MS, pause = EDGE_PAUSE_FIRST_MS;
    for (unsigned i = 1; i < failures && pause < most; i++)
        pause *= 2;
    return pause < most ? pause : most;
}

void edge_peer_failed(struct edge_peer *peer, bool refused, int64_t now_us, int64_t now_ms)
{
    bool waits =
        peer->all != EDGE_REASON_NONE || peer->to.seq != peer->at.seq || peer->to.lineage != peer->at.lineage;
    peer->state = EDGE_PEER_PAUSED;
    peer->failures++;
    peer->due_us = now_us + edge_pause_ms(peer->failures, refused) * 1000;
    /* what was under way is read again */
    peer->behind = peer->behind || waits;
    if (waits)
        begin_to_wait(peer, 0, now_ms);
}
