/*
 * Transactions that write. Order of locks: the writers' lock first, SQLite's own second; both are let go in
 * the opposite order, and always together. Reads take neither.
 */
#include "store/group.h"
#include "store/handle.h"

enum err store_step(struct store *s, enum store_statement statement, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[statement];
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        continue;
    enum err e = code == SQLITE_DONE ? OK : store_failed(s, code, detail);
    if (s->db != NULL)
        sqlite3_reset(stmt);
    return e;
}

/* Opened while nothing could be written, it stays so: see whether that has passed. */
static enum err look_again(struct store *s, struct err_detail *detail)
{
    if (sqlite3_db_readonly(s->db, "main") != 1 || s->options.read_only)
        return OK;
    store_disconnect(s);
    return store_ensure(s, detail);
}

void store_unlock(struct store *s, enum err e)
{
    store_lock_release(&s->lock);
    if (e == ERR_IO)
        store_disconnect(s);
}

enum err store_begin_locked(struct store *s, struct err_detail *detail)
{
    enum err e = store_step(s, STORE_BEGIN, detail);
    if (e != OK)
        store_unlock(s, e);
    return e;
}

enum err store_end_locked(struct store *s, bool commit, struct err_detail *detail)
{
    enum err e = OK;
    if (commit && (s->search_due || s->search_bulk))
        e = store_search_fill(s, detail);
    s->search_due = s->search_bulk = false;
    if (commit && e == OK)
        e = store_step(s, STORE_COMMIT, detail);
    if ((!commit || e != OK) && s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        struct err_detail ignored = {0};
        if (store_step(s, STORE_ROLLBACK, &ignored) != OK && e == OK)
            e = ERR_IO;
    }
    return e;
}

enum err store_write_begin(struct store *s, struct err_detail *detail)
{
    enum err e;
    if (s->in_batch)
        return OK;
    if ((e = look_again(s, detail)) != OK)
        return e;
    if ((e = store_lock_take(&s->lock, s->options.busy_ms, detail)) != OK)
        return e;
    return store_begin_locked(s, detail);
}

enum err store_write_end(struct store *s, bool commit, struct err_detail *detail)
{
    if (s->in_batch)
        return OK;
    enum err e = store_end_locked(s, commit, detail);
    store_unlock(s, e);
    if (s->options.group != NULL)
        store_group_nudge(s->options.group);
    return e;
}

enum err store_batch_begin(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    s->in_batch = true;
    if ((e = store_step(s, STORE_SEARCH_BULK, detail)) == OK) {
        s->search_bulk = true;
        return OK;
    }
    struct err_detail ignored = {0};
    enum err ended = store_batch_end(s, false, &ignored);
    return e == OK ? ended : e;
}

enum err store_batch_end(struct store *s, bool commit, struct err_detail *detail)
{
    s->in_batch = false;
    return store_write_end(s, commit, detail);
}
