/*
 * When the write-ahead log is copied back into the database, and how. Always under the writers' lock, so that
 * no writer of any process meets it (store.h says why); so it holds up those who write, for some 20 us a
 * page, and for the sync of the database, which takes tens of milliseconds. So it is done in steps, and the
 * sync outside:
 *
 *     every 1/32 of checkpoint_pages:
 *         a reader of our own pins the log where it now ends       no lock
 *         what stands before that place is copied                  under the lock: some milliseconds
 *     and at checkpoint_pages, besides:
 *         the database is synced                                   no lock: writers go on
 *         the rest is copied, the database synced, the log begun anew   under the lock: little is left to do
 *
 * A step is not whole, since others have written behind the pin, and so SQLite neither syncs it nor lets the
 * log begin anew: whoever is killed in between leaves what the log still holds. Only the last one, which is
 * whole, is followed by a sync and counts (sqlite.org/wal.html, "checkpointing"). Where nobody writes
 * meanwhile, a step is whole at once, and holds up nobody.
 *
 * Readers go on. One that is in the middle of an old state keeps the log from being copied whole, and from
 * being begun anew; readers are short, so they are waited for a little (RESTART), and a stopped one is not.
 */
#include "store/group.h"
#include "store/handle.h"

enum {
    READERS_WAIT_MS = 10,
    LOCK_WAIT_MS = 50, /* a worker has other things to do */
    STEPS = 32,
    STEP_LEAST = 16, /* pages */
};

static struct store_wal *wal_of(struct store *s)
{
    return s->options.group == NULL ? &s->wal : &s->options.group->memory->wal;
}

void store_wal_note(struct store *s, uint32_t pages)
{
    struct store_wal *wal = wal_of(s);
    atomic_store(&wal->pages, pages);
    /* shorter than what was copied: begun anew */
    if (pages < atomic_load(&wal->copied))
        atomic_store(&wal->copied, 0);
}

/* Pages that are in the log alone. */
static uint32_t pages_due(const struct store *s)
{
    const struct store_wal *wal = s->options.group == NULL ? &s->wal : &s->options.group->memory->wal;
    uint32_t pages = atomic_load(&wal->pages), copied = atomic_load(&wal->copied);
    return pages >= copied ? pages - copied : pages;
}

static uint32_t step_pages(const struct store *s)
{
    uint32_t most = (uint32_t)s->options.checkpoint_pages;
    uint32_t step = most / STEPS < STEP_LEAST ? STEP_LEAST : most / STEPS;
    return step < most ? step : most;
}

bool store_checkpoint_due(const struct store *s)
{
    return pages_due(s) >= step_pages(s);
}

/* Copies what can be copied now. ERR_BUSY is no failure: a reader, or a pin, stood in the way of some. */
static enum err copy_back(struct store *s, int mode, struct err_detail *detail)
{
    struct store_wal *wal = wal_of(s);
    int log_pages = -1, copied = -1;
    sqlite3_busy_timeout(s->db, READERS_WAIT_MS);
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, &log_pages, &copied);
    sqlite3_busy_timeout(s->db, s->options.busy_ms);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return store_failed(s, code, detail);
    if (log_pages >= 0 && copied >= 0) {
        atomic_store(&wal->copied, (uint32_t)copied);
        atomic_store(&wal->pages, (uint32_t)log_pages);
    }
    return OK;
}

/* A read transaction of a connection of its own (one that has a transaction open cannot checkpoint). What
 * goes wrong here is no matter: then the copy is whole at once. */
static void pin(struct store *s)
{
    if (s->pin == NULL &&
        sqlite3_open_v2(s->path, &s->pin, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
        sqlite3_db_config(s->pin, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_exec(s->pin, "PRAGMA query_only=ON; PRAGMA cache_size=-16", NULL, NULL, NULL);
    }
    if (s->pin != NULL)
        sqlite3_exec(s->pin, "BEGIN; SELECT one FROM meta", NULL, NULL, NULL);
}

static void unpin(struct store *s)
{
    if (s->pin != NULL)
        sqlite3_exec(s->pin, "COMMIT", NULL, NULL, NULL);
}

/* By SQLite's own descriptor: to open another and close it would let go of its locks. */
void store_sync(struct store *s)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file != NULL &&
        file->pMethods != NULL)
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

static void unlock(struct store *s)
{
    store_unlock(s, OK);
    if (s->options.group != NULL)
        store_group_nudge(s->options.group);
}

/* All that is left, under the lock. */
static enum err finish(struct store *s, int wait_ms, struct err_detail *detail)
{
    enum err e = store_lock_take(&s->lock, wait_ms, detail);
    if (e != OK)
        return e;
    e = copy_back(s, SQLITE_CHECKPOINT_RESTART, detail);
    unlock(s);
    return e;
}

/* What stands before the pin. OK too when another has done it, or is about to. */
static enum err step(struct store *s, struct err_detail *detail)
{
    /* where writers never pause, the lock is never found free: past half as much again, wait for it */
    bool overdue = pages_due(s) / 3 >= step_pages(s) / 2;
    enum err e = store_lock_take(&s->lock, overdue ? LOCK_WAIT_MS : 0, detail);
    if (e != OK)
        return e;
    if (store_checkpoint_due(s))
        e = copy_back(s, SQLITE_CHECKPOINT_PASSIVE, detail);
    unlock(s);
    return e;
}

static enum err in_steps(struct store *s, struct err_detail *detail)
{
    const struct store_wal *wal = wal_of(s);
    pin(s);
    enum err e = step(s, detail);
    unpin(s);
    if (e != OK || s->db == NULL || atomic_load(&wal->pages) < (uint32_t)s->options.checkpoint_pages)
        return e;
    store_sync(s);
    return finish(s, LOCK_WAIT_MS, detail);
}

enum err store_checkpoint(struct store *s, bool wait, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || s->in_batch)
        return e;
    if (wait)
        return finish(s, s->options.busy_ms, detail);
    e = in_steps(s, detail);
    if (e == ERR_BUSY) /* the next one who writes will try */
        detail->text[0] = '\0';
    return e == ERR_BUSY ? OK : e;
}

enum err store_wal_empty(struct store *s, struct err_detail *detail)
{
    enum err e = copy_back(s, SQLITE_CHECKPOINT_TRUNCATE, detail);
    if (e == OK && atomic_load(&wal_of(s)->pages) != 0)
        e = err_set(detail, ERR_BUSY, "a reader of %s stood in the way", s->path);
    return e;
}

void store_wal_shorten(struct store *s)
{
    struct err_detail ignored = {0};
    pin(s);
    enum err e = step(s, &ignored);
    unpin(s);
    if (e == OK && s->db != NULL)
        store_sync(s);
}
