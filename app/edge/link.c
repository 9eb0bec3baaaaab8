#include "edge/link.h"

#include "base/clock.h"

#include <stdio.h>

enum { TROUBLE_TOLD_US = 60000000 }; /* from time to time it is said that there is still trouble */

void edge_link_show(struct edge_link *l)
{
    struct metrics_edge *edge = l->shown;
    uint64_t state = METRICS_EDGE_FOLLOWING;
    if (l->peer.failures > 0)
        state = METRICS_EDGE_FAILING;
    else if (l->peer.all != EDGE_REASON_NONE)
        state = METRICS_EDGE_PURGING_ALL;
    atomic_store_explicit(&edge->state, state, memory_order_relaxed);
    atomic_store_explicit(&edge->position, (uint64_t)l->peer.at.seq, memory_order_relaxed);
    atomic_store_explicit(&edge->behind_since_ms, (uint64_t)l->peer.behind_since_ms, memory_order_relaxed);
    atomic_store_explicit(&edge->failures, l->peer.failures, memory_order_relaxed);
}

/* ---- sending */

static void failed(struct edge_link *l, const struct edge_answer *answer, int64_t now_us)
{
    struct metrics_edge *edge = l->shown;
    metrics_add(l->o->metrics, METRIC_EDGE_PURGES_FAILED, 1);
    edge_peer_failed(&l->peer, answer->refused, now_us, clock_now_ms(&clock_system));
    l->begun = false;
    snprintf(edge->trouble, sizeof edge->trouble, "%s", answer->trouble);
    if (l->trouble_us == 0)
        l->trouble_us = now_us;
    if (strcmp(l->trouble, answer->trouble) == 0 && now_us - l->told_us < TROUBLE_TOLD_US)
        return;
    snprintf(l->trouble, sizeof l->trouble, "%s", answer->trouble);
    l->told_us = now_us;
    LOG(l->o->log, LOG_ERROR, "edge-purge-failed", LOG_SPAN("address", l->address),
        LOG_INT("status", answer->status), LOG_STR("reason", answer->trouble),
        LOG_INT("failures", (int64_t)l->peer.failures),
        LOG_STR("effect", "it is tried again; nothing is forgotten"));
}

static void confirmed(struct edge_link *l, int64_t now_us)
{
    struct metrics_edge *edge = l->shown;
    bool moved = l->peer.to.seq != l->peer.at.seq || l->peer.to.lineage != l->peer.at.lineage;
    bool was_all = l->peer.all != EDGE_REASON_NONE;
    metrics_add(l->o->metrics, l->heartbeat ? METRIC_EDGE_HEARTBEATS : METRIC_EDGE_PURGES_SENT, 1);
    if (was_all && !l->begun)
        metrics_add(l->o->metrics, METRIC_EDGE_PURGE_ALLS, 1);
    if (l->peer.failures > 0)
        LOG(l->o->log, LOG_INFO, "edge-recovered", LOG_SPAN("address", l->address),
            LOG_INT("failures", (int64_t)l->peer.failures),
            LOG_INT("after_ms", (now_us - l->trouble_us) / 1000));
    edge_peer_confirmed(&l->peer, !l->more, now_us);
    l->begun = was_all && l->more;
    l->trouble[0] = '\0';
    l->trouble_us = 0;
    edge->trouble[0] = '\0';
    atomic_store_explicit(&edge->word_ms, (uint64_t)clock_now_ms(&clock_system), memory_order_relaxed);
    l->moved = l->moved || moved;
}

static void send(struct edge_link *l, const struct edge_message *message, const struct edge_place *to,
                 int64_t now_us)
{
    if (l->peer.failures > 0)
        metrics_add(l->o->metrics, METRIC_EDGE_PURGES_RETRIED, 1);
    edge_peer_sent(&l->peer, to);
    enum err e = edge_purges_send(l->purges, l->which, message);
    if (e == OK)
        return;
    struct edge_answer answer = {0};
    snprintf(answer.trouble, sizeof answer.trouble, "it could not be sent: %s", err_name(e));
    failed(l, &answer, now_us);
}

struct revocations {
    struct edge_link *link;
    bool full;
};

static bool take_revocation(void *data, struct span subject, int64_t until_s)
{
    struct revocations *r = data;
    r->full = !edge_batch_revoke(&r->link->batch, subject, until_s);
    if (!r->full) {
        buf_clear(&r->link->subject);
        buf_append(&r->link->subject, subject);
    }
    return !r->full;
}

/* The next part of purging everything: the word itself first of all, and then what revocations can matter,
 * which the log is not gone through for. Only the last part moves the peer's place. */
static enum err send_all(struct edge_link *l, struct store *store, int64_t now_us, struct err_detail *why)
{
    struct revocations r = {.link = l};
    struct store_snapshot snapshot;
    int64_t over_s = l->o->reach_s < 0 ? INT64_MIN : clock_now_s(&clock_system) - l->o->reach_s;
    enum err e;
    edge_batch_clear(&l->batch);
    if (!l->begun) {
        buf_clear(&l->subject);
        LOG(l->o->log, l->peer.failures > 0 ? LOG_DEBUG : LOG_INFO, "edge-purge-all",
            LOG_SPAN("address", l->address), LOG_STR("reason", edge_reason_text(l->peer.all)));
    }
    struct span after = l->begun ? buf_span(&l->subject) : (struct span){NULL, 0};
    if ((e = store_revocations_read(store, after, over_s, take_revocation, &r, &snapshot, why)) != OK ||
        (e = edge_batch_status(&l->batch)) != OK || (e = buf_status(&l->subject)) != OK) {
        l->begun = false; /* subject went ahead of what was sent */
        return e;
    }
    if (!l->begun)
        l->all = (struct edge_place){snapshot.lineage, snapshot.seq, snapshot.entry};
    l->more = r.full;
    l->heartbeat = false;
    send(l,
         &(struct edge_message){
             .revoked = buf_span(&l->batch.revoked), .all = !l->begun, .position = l->more ? 0 : l->all.seq},
         l->more ? &l->peer.at : &l->all, now_us);
    return OK;
}

static enum err send_changes(struct edge_link *l, struct store *store, int64_t now_us, struct err_detail *why)
{
    struct store_page page;
    int64_t before = l->peer.at.seq;
    edge_batch_clear(&l->batch);
    enum err e = store_changes_page(store, l->peer.at.seq, edge_batch_take, &l->batch, &page, why);
    if (e == OK && (e = edge_batch_status(&l->batch)) != OK)
        return e;
    switch (edge_peer_judge(&l->peer, e, &page, edge_batch_is_empty(&l->batch), l->batch.first_ms,
                            clock_now_ms(&clock_system))) {
    case EDGE_VERDICT_FAULT:
        return e;
    case EDGE_VERDICT_ALL:
        return OK; /* the next turn sees to it */
    case EDGE_VERDICT_NOTHING:
        l->moved = l->moved || l->peer.at.seq != before;
        return OK;
    case EDGE_VERDICT_SEND:
        break;
    }
    l->heartbeat = l->more = false;
    send(l,
         &(struct edge_message){
             .keys = buf_span(&l->batch.keys), .revoked = buf_span(&l->batch.revoked), .position = page.upto},
         &(struct edge_place){page.snapshot.lineage, page.upto, page.upto_entry}, now_us);
    return OK;
}

static void send_heartbeat(struct edge_link *l, int64_t now_us)
{
    l->heartbeat = true;
    l->more = false;
    send(l, &(struct edge_message){.position = l->peer.at.seq}, &l->peer.at, now_us);
}

enum err edge_link_serve(struct edge_link *l, struct store *store, int64_t now_us, struct err_detail *why)
{
    enum edge_want want;
    enum err e = OK;
    /* a page that says nothing to a cache, or that leads to a purge of everything, is followed by another
     * turn */
    do {
        want = edge_peer_wants(&l->peer, now_us);
        if (want == EDGE_WANT_ALL)
            e = send_all(l, store, now_us, why);
        else if (want == EDGE_WANT_READ)
            e = send_changes(l, store, now_us, why);
        else if (want == EDGE_WANT_HEARTBEAT)
            send_heartbeat(l, now_us);
    } while (e == OK && want == EDGE_WANT_READ);
    edge_link_show(l);
    return e;
}

void edge_link_answered(struct edge_link *l, const struct edge_answer *answer, int64_t now_us)
{
    if (answer->confirmed)
        confirmed(l, now_us);
    else
        failed(l, answer, now_us);
    edge_link_show(l);
}

void edge_link_fini(struct edge_link *l)
{
    edge_batch_fini(&l->batch);
    buf_fini(&l->subject);
}
