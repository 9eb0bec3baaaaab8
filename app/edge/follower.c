#include "edge/follower.h"

#include "base/clock.h"
#include "base/file.h"
#include "config/edge.h"
#include "edge/key.h"
#include "edge/link.h"
#include "edge/places.h"
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
    BUSY_TOLD_US = 2000000,   /* it is said that the database has been held for so long */
    SAVE_PAUSE_US = 1000000,  /* between two writings of the places */
    SAVE_LATEST_US = 5000000, /* the same where there is never nothing to do */
    DRAIN_US = 500000,
    LOCK_PAUSE_MS = 10,
    LOCK_TOLD_US = 5000000, /* it is said that another one has the lock */
    PLACES_MAX = 16384,
};

struct follower {
    const struct edge_options *o;
    struct store *store;
    struct edge_purges *purges;
    struct buf places_path, places_text;
    int notice_fd, lock_fd;
    uint64_t marker[STORE_MARKER_WORDS];
    bool marked;            /* marker is of a state that every peer was told of */
    int64_t busy_until_us;  /* look often */
    int64_t store_due_us;   /* after a failure: when to try again */
    int64_t store_since_us; /* the first of these failures; 0: there is none */
    bool store_told;        /* that was logged */
    bool unsaved;           /* a place moved on since the file was written */
    int64_t saved_us;
    size_t count;
    struct edge_link links[CONFIG_EDGE_MOST];
};

static void store_fault(struct follower *f, enum err e, const struct err_detail *why, int64_t now_us)
{
    f->marked = false;
    f->store_due_us = now_us + STORE_PAUSE_US;
    if (f->store_since_us == 0)
        f->store_since_us = now_us;
    /* somebody holds it for a moment: that passes */
    if (f->store_told || (e == ERR_BUSY && now_us - f->store_since_us < BUSY_TOLD_US))
        return;
    f->store_told = true;
    LOG(f->o->log, LOG_ERROR, "edge-store-unavailable",
        LOG_STR("reason", why->text[0] != '\0' ? why->text : err_name(e)),
        LOG_STR("effect", "caches in front are told nothing until it can be read"));
}

/* ---- how it stands, for who looks on */

static void show_begin(struct follower *f)
{
    struct metrics_edges *board = f->o->board;
    atomic_store(&board->count, 0);
    memset(board->edges, 0, sizeof board->edges);
    for (size_t i = 0; i < f->count; i++) {
        memcpy(board->edges[i].address, f->links[i].address.ptr, f->links[i].address.len);
        edge_link_show(&f->links[i]);
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

/* Nothing is under way, and nobody has begun to write: the disk may take its time, which a purge has not. */
static bool all_rest(const struct follower *f, int64_t now_us)
{
    if (now_us < f->busy_until_us)
        return false;
    for (size_t i = 0; i < f->count; i++)
        if (f->links[i].peer.state == EDGE_PEER_SENDING || f->links[i].peer.behind)
            return false;
    return true;
}

static void save_when_due(struct follower *f, int64_t now_us)
{
    for (size_t i = 0; i < f->count; i++) {
        f->unsaved = f->unsaved || f->links[i].moved;
        f->links[i].moved = false;
    }
    if (f->unsaved && now_us - f->saved_us >= (all_rest(f, now_us) ? SAVE_PAUSE_US : SAVE_LATEST_US))
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
    f->store_since_us = 0;
    f->busy_until_us = now_us + LOOK_BUSY_US;
    for (size_t i = 0; i < f->count; i++)
        edge_peer_notice(&f->links[i].peer);
    return true;
}

static void take_answers(struct follower *f, int64_t now_us)
{
    struct edge_answer answer;
    size_t i;
    while (edge_purges_next(f->purges, &i, &answer))
        edge_link_answered(&f->links[i], &answer, now_us);
}

static void serve_links(struct follower *f, int64_t now_us)
{
    struct err_detail why = {0};
    enum err e = OK;
    for (size_t i = 0; i < f->count && e == OK; i++)
        e = edge_link_serve(&f->links[i], f->store, now_us, &why);
    if (e != OK)
        store_fault(f, e, &why, now_us);
}

/* One round; gives for how long there is nothing to do, in milliseconds. */
static int64_t turn(struct follower *f)
{
    int64_t now_us = clock_monotonic_us();
    f->o->alive(f->o->data, now_us);
    take_answers(f, now_us);
    if (look(f, now_us))
        serve_links(f, now_us);
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
        f->o->alive(f->o->data, clock_monotonic_us());
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
        struct edge_link *l = &f->links[f->count];
        *l = (struct edge_link){.o = f->o,
                                .purges = f->purges,
                                .which = f->count,
                                .shown = &f->o->board->edges[f->count],
                                .address = word};
        edge_peer_init(&l->peer, &place);
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
    for (size_t i = 0; i < f->count; i++)
        edge_link_fini(&f->links[i]);
    buf_fini(&f->places_path);
    buf_fini(&f->places_text);
    if (f->notice_fd >= 0)
        close(f->notice_fd);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    free(f);
    return e == ERR_BUSY ? OK : e;
}
