#include "changes.h"

#include "base/clock.h"
#include "fcgi/hold.h"
#include "handlers/changes.h"
#include "store/erase.h"
#include "store/notice.h"
#include "store/tidy.h"
#include "store/watch.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LOOK_BUSY_MS = 1,  /* somebody waits, and somebody wrote a moment ago */
    LOOK_HELD_MS = 20, /* somebody waits */
    LOOK_IDLE_MS = 500,
    LOOK_BUSY_US = 100000,
    STORE_PAUSE_US = 250000, /* before a database that failed is tried again */
    PAGE_MOST = 4096,        /* entries gone through at once */
    TIDY_STEP_US = 50000,    /* between two steps of tidying */
    TIDY_PAUSE_US = 60000000,
    ERASE_PAUSE_US = 1000000, /* deletions that come together are done together */
    ERASE_AGAIN_US = 250000,
    PASS_REST = 10, /* times as long as a pass took, nothing is done behind it */
};

struct changes {
    struct service *service;
    struct pool_worker *self;
    int notice_fd;
    uint64_t marker[STORE_MARKER_WORDS];
    bool marked; /* place and seen are of that state */
    bool more;   /* the log was not gone through to its end */
    uint64_t place;
    uint64_t lineage;
    int64_t seen; /* the log was gone through up to here; -1: nothing was */
    int64_t busy_until_us, store_due_us, tidy_due_us;
    int64_t erase_due_us;  /* 0: nothing was deleted */
    int64_t erase_rest_us; /* not before */
    bool erase_again;      /* something was deleted since the pass began */
    bool merging;          /* words are being taken out of the search index */
    uint32_t sweep_page;   /* where it is; 0: none is under way */
    int64_t sweep_begun_us;
    bool told; /* that the database cannot be read was logged */
};

/* ---- the hooks that are the pool's */

static bool stopping(void *data)
{
    const struct changes *c = data;
    return pool_worker_stopping(c->self);
}

static void request_begin(void *data, int64_t now_us)
{
    const struct changes *c = data;
    pool_worker_request_begin(c->self, now_us);
}

static void request_end(void *data)
{
    const struct changes *c = data;
    pool_worker_request_end(c->self);
}

/* ---- following the log */

static void fault(struct changes *c, enum err e, const struct err_detail *why, int64_t now_us)
{
    c->marked = false;
    c->place = 0;
    c->store_due_us = now_us + STORE_PAUSE_US;
    if (c->told || e == ERR_BUSY)
        return;
    c->told = true;
    LOG(&c->service->log, LOG_ERROR, "changes-store-unavailable",
        LOG_STR("reason", why->text[0] != '\0' ? why->text : err_name(e)));
}

struct passage {
    size_t count;
    bool deletion;
};

static bool pass(void *data, const struct store_change *change)
{
    struct passage *p = data;
    if (p->count == PAGE_MOST)
        return false;
    p->count++;
    p->deletion = p->deletion || change->kind == STORE_CHANGE_DELETE;
    return true;
}

static void erase_soon(struct changes *c, int64_t now_us)
{
    if (!c->erase_again || c->erase_due_us != 0)
        return;
    c->erase_due_us = now_us + ERASE_PAUSE_US;
    if (c->erase_due_us < c->erase_rest_us)
        c->erase_due_us = c->erase_rest_us;
}

/* Goes through what is new in the log. Where that cannot be told, there may have been a deletion. */
static enum err follow(struct changes *c, struct store *store, int64_t now_us, struct err_detail *why)
{
    struct passage passage = {0};
    struct store_page page = {0};
    enum err e = store_changes_page(store, c->seen < 0 ? INT64_MAX : c->seen, pass, &passage, &page, why);
    bool lost = e == ERR_CONFLICT || e == ERR_TOO_LARGE || page.snapshot.lineage != c->lineage;
    if (e != OK && e != ERR_CONFLICT && e != ERR_TOO_LARGE)
        return e;
    c->seen = lost ? page.snapshot.seq : page.upto;
    c->lineage = page.snapshot.lineage;
    c->place = handlers_changes_place(&page.snapshot);
    c->more = c->seen != page.snapshot.seq;
    c->marked = !c->more;
    c->erase_again = c->erase_again || lost || passage.deletion;
    erase_soon(c, now_us);
    return OK;
}

/* ---- looking after the database */

static void tidy(struct changes *c, struct store *store, int64_t now_us)
{
    int64_t kept_s = config_number(c->service->settings, CONFIG_store_changes_kept);
    struct err_detail why = {0};
    bool more = false;
    if (kept_s == 0 || now_us < c->tidy_due_us)
        return;
    enum err e = store_changes_tidy(store, clock_now_ms(&clock_system) - kept_s * 1000, &more, &why);
    c->tidy_due_us = now_us + (more ? TIDY_STEP_US : TIDY_PAUSE_US);
    if (e != OK && e != ERR_BUSY)
        LOG(&c->service->log, LOG_WARN, "changes-not-tidied", LOG_STR("reason", why.text));
}

/* A step of it. Where the database is large there are many: they are spread, and so are whole passes. */
static void erase(struct changes *c, struct store *store, int64_t now_us)
{
    struct err_detail why = {0};
    if (c->erase_due_us == 0 || now_us < c->erase_due_us)
        return;
    if (c->sweep_page == 0) {
        c->sweep_page = 1;
        c->sweep_begun_us = now_us;
        c->erase_again = false;
    }
    enum err e = store_sweep(store, &c->sweep_page, &why);
    int64_t after_us = clock_monotonic_us();
    if (e == ERR_INVALID) {
        c->sweep_page = 0; /* what can be done is done: the log is empty */
        c->erase_due_us = 0;
    } else if (e == OK && c->sweep_page == 0) {
        c->erase_rest_us = after_us + PASS_REST * (after_us - c->sweep_begun_us);
        c->erase_due_us = c->erase_again ? c->erase_rest_us : 0;
    } else {
        c->erase_due_us = after_us + (e == OK         ? TIDY_STEP_US
                                      : e == ERR_BUSY ? ERASE_AGAIN_US
                                                      : TIDY_PAUSE_US);
    }
    if (e != OK && e != ERR_BUSY)
        LOG(&c->service->log, LOG_WARN, "deletion-not-finished", LOG_STR("reason", why.text),
            LOG_STR("effect", "what was deleted may still lie in the database's files"));
}

static enum err look_at_store(struct changes *c, int64_t now_us, struct err_detail *why)
{
    struct store *store;
    enum err e = handlers_store(&c->service->handlers, &store, why);
    if (e != OK)
        return e;
    if (!c->marked || !store_is_unchanged(store, c->marker)) {
        c->marked = false;
        /* before the log is read: what is committed in between shows again */
        if ((e = store_marker_take(store, c->marker, why)) != OK && e != ERR_BUSY)
            return e;
        bool whole = e == OK;
        if ((e = follow(c, store, now_us, why)) != OK)
            return e;
        c->marked = c->marked && whole;
    }
    c->told = false;
    /* merges of the index move rows as well: once more when the last of them is done */
    bool merging = store_erase_due(store) >= 0;
    c->erase_again = c->erase_again || (c->merging && !merging);
    c->merging = merging;
    erase_soon(c, now_us);
    tidy(c, store, now_us);
    erase(c, store, now_us);
    return OK;
}

static int64_t look(void *data, int64_t now_us, size_t held, uint64_t *place)
{
    struct changes *c = data;
    struct err_detail why = {0};
    enum err e;
    if (store_notice_take(c->notice_fd, c->service->handlers.store_url))
        c->busy_until_us = now_us + LOOK_BUSY_US;
    if (now_us >= c->store_due_us && (e = look_at_store(c, now_us, &why)) != OK)
        fault(c, e, &why, now_us);
    *place = c->place;
    if (c->more && now_us >= c->store_due_us)
        return 0;
    if (held == 0)
        return LOOK_IDLE_MS;
    return now_us < c->busy_until_us ? LOOK_BUSY_MS : LOOK_HELD_MS;
}

/* ---- the process */

/* The one route that is answered here: whoever sends anything else to this socket gets a 404. */
static struct router only_changes(const struct service *s, size_t *row)
{
    struct router router = s->router;
    for (*row = 0; *row < s->router.count && s->routes[*row].handle != handlers_changes; ++*row)
        continue;
    router.routes = &s->routes[*row];
    router.count = *row < s->router.count ? 1 : 0;
    return router;
}

int changes_run(void *data, int listen_fd, struct pool_worker *self)
{
    struct service *s = data;
    struct changes c = {.service = s, .self = self, .seen = -1, .tidy_due_us = clock_monotonic_us()};
    struct err_detail detail = {0};
    size_t row;
    service_count_in(s, self, listen_fd);
    if (service_use_cache(s) != OK)
        LOG(&s->log, LOG_WARN, "cache-off", LOG_STR("reason", "out of memory"));
    const struct router router = only_changes(s, &row);
    c.notice_fd = store_notice_open(s->handlers.store_url);
    const struct fcgi_hold_hooks hooks = {
        .stopping = stopping,
        .request_begin = request_begin,
        .request_end = request_end,
        .look = look,
        .wake_fd = c.notice_fd,
        .data = &c,
    };
    pool_worker_started(self);
    enum err e =
        fcgi_hold_serve(listen_fd, pool_worker_wait_mask(self), &router, row, &s->fcgi, &hooks, &detail);
    if (e != OK)
        LOG(&s->log, LOG_ERROR, "changes-failed", LOG_STR("reason", detail.text));
    /* nobody may come after us */
    if (c.erase_due_us != 0 && s->handlers.store != NULL)
        erase(&c, s->handlers.store, c.erase_due_us = clock_monotonic_us());
    if (c.notice_fd >= 0)
        close(c.notice_fd);
    handlers_context_fini(&s->handlers);
    return e == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
