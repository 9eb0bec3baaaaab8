#include "edge/follower.h"

#include "base/clock.h"
#include "base/file.h"
#include "config/edge.h"
#include "edge/batch.h"
#include "edge/key.h"
#include "edge/places.h"
#include "edge/purge.h"
#include "store/notice.h"
#include "store/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    LOOK_BUSY_MS = 1,  /* somebody wrote a moment ago */
    LOOK_IDLE_MS = 20, /* the same for LOOK_BUSY_US without */
    LOOK_BUSY_US = 100000,
    STORE_PAUSE_US = 250000,  /* before a database that failed is tried again */
    SAVE_PAUSE_US = 1000000,  /* between two writings of the places */
    SAVE_LATEST_US = 5000000, /* the same where there is never nothing to do */
    DRAIN_US = 500000,
    LOCK_PAUSE_MS = 10,
    LOCK_TOLD_US = 5000000,     /* it is said that another one has the lock */
    TROUBLE_TOLD_US = 60000000, /* and, from time to time, that there is still trouble */
    PLACES_MAX = 16384,
};

/* One address. */
struct link {
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
};

struct follower {
    const struct edge_options *o;
    struct store *store;
    struct edge_purges *purges;
    struct buf places_path, places_text;
    int notice_fd, lock_fd;
    uint64_t marker[STORE_MARKER_WORDS];
    bool marked;           /* marker is of a state that every peer was told of */
    int64_t busy_until_us; /* look often */
    int64_t store_due_us;  /* after a failure: when to try again */
    bool store_told;       /* that was logged */
    bool unsaved;          /* a place moved on since the file was written */
    int64_t saved_us;
    size_t count;
    struct link links[CONFIG_EDGE_MOST];
};

static void store_fault(struct follower *f, enum err e, const struct err_detail *why, int64_t now_us)
{
    f->marked = false;
    f->store_due_us = now_us + STORE_PAUSE_US;
    if (f->store_told || e == ERR_BUSY)
        return;
    f->store_told = true;
    LOG(f->o->log, LOG_ERROR, "edge-store-unavailable",
        LOG_STR("reason", why->text[0] != '\0' ? why->text : err_name(e)),
        LOG_STR("effect", "caches in front are told nothing until it can be read"));
}

/* ---- how it stands, for who looks on */

static void show(struct follower *f, size_t i)
{
    const struct link *l = &f->links[i];
    struct metrics_edge *edge = &f->o->board->edges[i];
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

static void show_begin(struct follower *f)
{
    struct metrics_edges *board = f->o->board;
    atomic_store(&board->count, 0);
    memset(board->edges, 0, sizeof board->edges);
    for (size_t i = 0; i < f->count; i++) {
        memcpy(board->edges[i].address, f->links[i].address.ptr, f->links[i].address.len);
        show(f, i);
    }
    atomic_store(&board->count, f->count);
}

/* ---- the places */

static void save(struct follower *f, int64_t now_us)
{
    struct err_detail why = {0};
    buf_clear(&f->places_text);
    edge_places_begin(&f->places_text);
    for (size_t i = 0; i < f->count; i++)
        edge_places_add(&f->places_text, f->links[i].address, &f->links[i].peer.at);
    enum err e = buf_status(&f->places_text);
    if (e == OK)
        e = file_write(buf_text(&f->places_path), buf_span(&f->places_text), 0640, &why);
    f->saved_us = now_us;
    f->unsaved = e != OK;
    if (e != OK)
        LOG(f->o->log, LOG_WARN, "edge-places-not-kept",
            LOG_STR("reason", why.text[0] != '\0' ? why.text : err_name(e)));
}

static bool all_rest(const struct follower *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->links[i].peer.state == EDGE_PEER_SENDING || f->links[i].peer.behind)
            return false;
    return true;
}

static void save_when_due(struct follower *f, int64_t now_us)
{
    if (f->unsaved && now_us - f->saved_us >= (all_rest(f) ? SAVE_PAUSE_US : SAVE_LATEST_US))
        save(f, now_us);
}

/* ---- looking */

/* Whether the database can be read just now; every peer is told when somebody has written. */
static bool look(struct follower *f, int64_t now_us)
{
    struct err_detail why = {0};
    enum err e = OK;
    /* taken in any case: what is readable ends the wait */
    if (store_notice_take(f->notice_fd, f->o->store_url))
        f->busy_until_us = now_us + LOOK_BUSY_US;
    if (now_us < f->store_due_us)
        return false;
    if (f->store == NULL && (e = store_open(f->o->store_url, f->o->store_options, &f->store, &why)) != OK) {
        store_fault(f, e, &why, now_us);
        return false;
    }
    if (f->marked && store_is_unchanged(f->store, f->marker))
        return true;
    /* before the log is read: what is committed after this changes it again */
    if ((e = store_marker_take(f->store, f->marker, &why)) != OK) {
        store_fault(f, e, &why, now_us);
        if (e == ERR_BUSY)
            f->store_due_us = now_us + LOOK_BUSY_MS * 1000;
        return false;
    }
    f->marked = true;
    f->store_told = false;
    f->busy_until_us = now_us + LOOK_BUSY_US;
    for (size_t i = 0; i < f->count; i++)
        edge_peer_notice(&f->links[i].peer);
    return true;
}

/* ---- sending */

static void failed(struct follower *f, size_t i, const struct edge_answer *answer, int64_t now_us)
{
    struct link *l = &f->links[i];
    struct metrics_edge *edge = &f->o->board->edges[i];
    metrics_add(f->o->metrics, METRIC_EDGE_PURGES_FAILED, 1);
    edge_peer_failed(&l->peer, answer->refused, now_us, clock_now_ms(&clock_system));
    l->begun = false;
    snprintf(edge->trouble, sizeof edge->trouble, "%s", answer->trouble);
    if (l->trouble_us == 0)
        l->trouble_us = now_us;
    if (strcmp(l->trouble, answer->trouble) == 0 && now_us - l->told_us < TROUBLE_TOLD_US)
        return;
    snprintf(l->trouble, sizeof l->trouble, "%s", answer->trouble);
    l->told_us = now_us;
    LOG(f->o->log, LOG_ERROR, "edge-purge-failed", LOG_SPAN("address", l->address),
        LOG_INT("status", answer->status), LOG_STR("reason", answer->trouble),
        LOG_INT("failures", (int64_t)l->peer.failures),
        LOG_STR("effect", "it is tried again; nothing is forgotten"));
}

static void confirmed(struct follower *f, size_t i, int64_t now_us)
{
    struct link *l = &f->links[i];
    struct metrics_edge *edge = &f->o->board->edges[i];
    bool moved = l->peer.to.seq != l->peer.at.seq || l->peer.to.lineage != l->peer.at.lineage;
    bool was_all = l->peer.all != EDGE_REASON_NONE;
    metrics_add(f->o->metrics, l->heartbeat ? METRIC_EDGE_HEARTBEATS : METRIC_EDGE_PURGES_SENT, 1);
    if (was_all && !l->begun)
        metrics_add(f->o->metrics, METRIC_EDGE_PURGE_ALLS, 1);
    if (l->peer.failures > 0)
        LOG(f->o->log, LOG_INFO, "edge-recovered", LOG_SPAN("address", l->address),
            LOG_INT("failures", (int64_t)l->peer.failures),
            LOG_INT("after_ms", (now_us - l->trouble_us) / 1000));
    edge_peer_confirmed(&l->peer, !l->more, now_us);
    l->begun = was_all && l->more;
    l->trouble[0] = '\0';
    l->trouble_us = 0;
    edge->trouble[0] = '\0';
    atomic_store_explicit(&edge->word_ms, (uint64_t)clock_now_ms(&clock_system), memory_order_relaxed);
    f->unsaved = f->unsaved || moved;
}

static void send(struct follower *f, size_t i, const struct edge_message *message,
                 const struct edge_place *to, int64_t now_us)
{
    struct link *l = &f->links[i];
    if (l->peer.failures > 0)
        metrics_add(f->o->metrics, METRIC_EDGE_PURGES_RETRIED, 1);
    edge_peer_sent(&l->peer, to);
    enum err e = edge_purges_send(f->purges, i, message);
    if (e == OK)
        return;
    struct edge_answer answer = {0};
    snprintf(answer.trouble, sizeof answer.trouble, "it could not be sent: %s", err_name(e));
    failed(f, i, &answer, now_us);
}

struct revocations {
    struct link *link;
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
static enum err send_all(struct follower *f, size_t i, int64_t now_us, struct err_detail *why)
{
    struct link *l = &f->links[i];
    struct revocations r = {.link = l};
    struct store_snapshot snapshot;
    int64_t over_s = f->o->reach_s < 0 ? INT64_MIN : clock_now_s(&clock_system) - f->o->reach_s;
    enum err e;
    edge_batch_clear(&l->batch);
    if (!l->begun) {
        buf_clear(&l->subject);
        LOG(f->o->log, l->peer.failures > 0 ? LOG_DEBUG : LOG_INFO, "edge-purge-all",
            LOG_SPAN("address", l->address), LOG_STR("reason", edge_reason_text(l->peer.all)));
    }
    struct span after = l->begun ? buf_span(&l->subject) : (struct span){NULL, 0};
    if ((e = store_revocations_read(f->store, after, over_s, take_revocation, &r, &snapshot, why)) != OK)
        return e;
    if ((e = edge_batch_status(&l->batch)) != OK || (e = buf_status(&l->subject)) != OK)
        return e;
    if (!l->begun)
        l->all = (struct edge_place){snapshot.lineage, snapshot.seq, snapshot.entry};
    l->more = r.full;
    l->heartbeat = false;
    send(f, i,
         &(struct edge_message){
             .revoked = buf_span(&l->batch.revoked), .all = !l->begun, .position = l->more ? 0 : l->all.seq},
         l->more ? &l->peer.at : &l->all, now_us);
    return OK;
}

static enum err send_changes(struct follower *f, size_t i, int64_t now_us, struct err_detail *why)
{
    struct link *l = &f->links[i];
    struct store_page page;
    int64_t before = l->peer.at.seq;
    edge_batch_clear(&l->batch);
    enum err e = store_changes_page(f->store, l->peer.at.seq, edge_batch_take, &l->batch, &page, why);
    if (e == OK && (e = edge_batch_status(&l->batch)) != OK)
        return e;
    switch (edge_peer_judge(&l->peer, e, &page, edge_batch_is_empty(&l->batch), l->batch.first_ms,
                            clock_now_ms(&clock_system))) {
    case EDGE_VERDICT_FAULT:
        return e;
    case EDGE_VERDICT_ALL:
        return OK; /* the next turn sees to it */
    case EDGE_VERDICT_NOTHING:
        f->unsaved = f->unsaved || l->peer.at.seq != before;
        return OK;
    case EDGE_VERDICT_SEND:
        break;
    }
    l->heartbeat = l->more = false;
    send(f, i,
         &(struct edge_message){
             .keys = buf_span(&l->batch.keys), .revoked = buf_span(&l->batch.revoked), .position = page.upto},
         &(struct edge_place){page.snapshot.lineage, page.upto, page.upto_entry}, now_us);
    return OK;
}

static void send_heartbeat(struct follower *f, size_t i, int64_t now_us)
{
    struct link *l = &f->links[i];
    l->heartbeat = true;
    l->more = false;
    send(f, i, &(struct edge_message){.position = l->peer.at.seq}, &l->peer.at, now_us);
}

/* What one address wants, if anything. false: the database failed. */
static bool serve_link(struct follower *f, size_t i, int64_t now_us)
{
    struct err_detail why = {0};
    enum err e = OK;
    /* a page that says nothing to a cache, or that leads to a purge of everything, is followed by another
     * turn */
    enum edge_want want;
    do {
        want = edge_peer_wants(&f->links[i].peer, now_us);
        if (want == EDGE_WANT_ALL)
            e = send_all(f, i, now_us, &why);
        else if (want == EDGE_WANT_READ)
            e = send_changes(f, i, now_us, &why);
        else if (want == EDGE_WANT_HEARTBEAT)
            send_heartbeat(f, i, now_us);
    } while (e == OK && want == EDGE_WANT_READ);
    show(f, i);
    if (e != OK)
        store_fault(f, e, &why, now_us);
    return e == OK;
}

static void take_answers(struct follower *f, int64_t now_us)
{
    struct edge_answer answer;
    size_t i;
    while (edge_purges_next(f->purges, &i, &answer)) {
        if (answer.confirmed)
            confirmed(f, i, now_us);
        else
            failed(f, i, &answer, now_us);
        show(f, i);
    }
}

/* One round; gives for how long there is nothing to do, in milliseconds. */
static int64_t turn(struct follower *f)
{
    int64_t now_us = clock_monotonic_us();
    take_answers(f, now_us);
    if (look(f, now_us))
        for (size_t i = 0; i < f->count && serve_link(f, i, now_us); i++)
            continue;
    /* sends what was handed over, at once */
    take_answers(f, now_us);
    save_when_due(f, now_us);
    return now_us < f->busy_until_us ? LOOK_BUSY_MS : LOOK_IDLE_MS;
}

/* ---- beginning and end */

/* OK: this is the one. ERR_BUSY: told to stop before another one let go. */
static enum err take_lock(struct follower *f, const char *database, struct err_detail *detail)
{
    struct buf path = {0};
    int64_t begun_us = clock_monotonic_us();
    bool told = false;
    enum err e = OK;
    buf_printf(&path, "%s.edge.lock", database);
    if (buf_status(&path) == OK)
        f->lock_fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (f->lock_fd < 0)
        e = err_set(detail, ERR_IO, "cannot open %s: %s", buf_text(&path), strerror(errno));
    while (e == OK && flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (f->o->stopping(f->o->data))
            e = ERR_BUSY;
        if (!told && clock_monotonic_us() - begun_us > LOCK_TOLD_US) {
            LOG(f->o->log, LOG_WARN, "edge-waits",
                LOG_STR("reason", "another process tells the caches of this database"),
                LOG_STR("lock", buf_text(&path)));
            told = true;
        }
        ppoll(NULL, 0, &(struct timespec){.tv_nsec = LOCK_PAUSE_MS * 1000000L}, f->o->wait_mask);
    }
    buf_fini(&path);
    return e;
}

static enum err fill_links(struct follower *f, struct err_detail *detail)
{
    struct span word, rest = span_str(f->o->addresses);
    struct buf text = {0}, key = {0};
    struct err_detail why = {0};
    struct edge_place place;
    size_t count = 0;
    enum err e = edge_key_read(f->o->key, &key, detail);
    for (struct span list = rest; config_edge_address_next(&list).ptr != NULL;)
        count++;
    if (e == OK)
        e = edge_purges_new(count, buf_span(&key), &f->purges);
    if (e == OK) {
        enum err read = file_read(buf_text(&f->places_path), PLACES_MAX, &text, &why);
        if (read != OK && read != ERR_NOT_FOUND)
            LOG(f->o->log, LOG_WARN, "edge-places-lost", LOG_STR("reason", why.text));
    }
    while (e == OK && (word = config_edge_address_next(&rest)).ptr != NULL) {
        place = edge_places_find(buf_span(&text), word);
        f->links[f->count].address = word;
        edge_peer_init(&f->links[f->count].peer, &place);
        e = edge_purges_address(f->purges, f->count++, word);
    }
    buf_fini(&text);
    buf_fini(&key);
    return e == OK ? OK : err_set(detail, e, "out of memory");
}

static enum err begin(struct follower *f, struct err_detail *detail)
{
    struct span url = span_str(f->o->store_url);
    const char *database = url.ptr + (span_starts(url, SPAN("sqlite:")) ? strlen("sqlite:") : 0);
    enum err e = take_lock(f, database, detail);
    if (e != OK)
        return e;
    buf_printf(&f->places_path, "%s.edge", database);
    if ((e = buf_status(&f->places_path)) != OK || (e = fill_links(f, detail)) != OK)
        return err_set(detail, e, "out of memory");
    f->notice_fd = store_notice_open(f->o->store_url);
    show_begin(f);
    return OK;
}

/* Something is left to say to who answers. */
static bool has_work(const struct follower *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct edge_peer *p = &f->links[i].peer;
        if (p->state == EDGE_PEER_SENDING ||
            (p->state == EDGE_PEER_IDLE && (p->behind || p->all != EDGE_REASON_NONE)))
            return true;
    }
    return false;
}

static void drain(struct follower *f)
{
    int64_t until_us = clock_monotonic_us() + DRAIN_US;
    turn(f);
    while (has_work(f) && clock_monotonic_us() < until_us) {
        edge_purges_wait(f->purges, -1, LOOK_BUSY_MS, f->o->wait_mask);
        turn(f);
    }
    if (f->unsaved)
        save(f, clock_monotonic_us());
}

enum err edge_follow(const struct edge_options *options, struct err_detail *detail)
{
    struct follower *f = calloc(1, sizeof *f);
    enum err e = f == NULL ? err_set(detail, ERR_NOMEM, "out of memory") : OK;
    if (e != OK)
        return e;
    f->o = options;
    f->notice_fd = f->lock_fd = -1;
    if ((e = begin(f, detail)) == OK) {
        while (!options->stopping(options->data))
            edge_purges_wait(f->purges, f->notice_fd, turn(f), options->wait_mask);
        drain(f);
    }
    edge_purges_free(&f->purges);
    store_close(&f->store);
    for (size_t i = 0; i < f->count; i++) {
        edge_batch_fini(&f->links[i].batch);
        buf_fini(&f->links[i].subject);
    }
    buf_fini(&f->places_path);
    buf_fini(&f->places_text);
    if (f->notice_fd >= 0)
        close(f->notice_fd);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    free(f);
    return e == ERR_BUSY ? OK : e;
}
