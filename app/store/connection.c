#include "store/group.h"
#include "store/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *store_path_of_url(const char *url)
{
    return strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0' ? url + 7 : NULL;
}

enum err store_code_err(sqlite3 *db, int code, const char *path, struct err_detail *detail)
{
    enum err e = ERR_IO;
    switch (code & 0xff) {
    case SQLITE_FULL:
        e = ERR_FULL;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        e = ERR_BUSY;
        break;
    case SQLITE_NOMEM:
        e = ERR_NOMEM;
        break;
    case SQLITE_CONSTRAINT:
        e = ERR_INVALID;
        break;
    default: /* READONLY, IOERR, CANTOPEN, CORRUPT, NOTADB and what else there may be: the storage failed */
        break;
    }
    return err_set(detail, e, "%s: %s (%s)", path, db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db),
                   sqlite3_errstr(code));
}

enum err store_failed(struct store *s, int code, struct err_detail *detail)
{
    enum err e = store_code_err(s->db, code, s->path, detail);
    /* inside a transaction the end of it gives the connection up; a full disk is a write's trouble alone */
    if (e == ERR_IO && !s->in_batch && !s->lock.held)
        store_disconnect(s);
    return e;
}

static enum err execute(sqlite3 *db, const char *sql, const char *path, struct err_detail *detail)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : store_code_err(db, code, path, detail);
}

enum err store_configure(sqlite3 *db, const struct store_options *options, const char *path,
                         struct err_detail *detail)
{
    enum err e = OK;
    sqlite3_extended_result_codes(db, 1);
    /* for what stands outside the writers' lock: the sqlite3 shell, and recovery after a crash */
    sqlite3_busy_timeout(db, options->busy_ms);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* not cell_size_check: it goes through all cells of a page each time it is read, which another's commit
     * makes happen with every page of every request; `db check` finds the same */
    if ((e = execute(db,
                     "PRAGMA trusted_schema=OFF; PRAGMA wal_autocheckpoint=0;"
                     "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
                     "PRAGMA recursive_triggers=OFF; PRAGMA foreign_keys=ON",
                     path, detail)) != OK)
        return e;
    if ((e = execute(db, options->synchronous_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                     path, detail)) != OK)
        return e;
    char cache[48];
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d",
             options->cache_kib == 0 ? STORE_CACHE_KIB : options->cache_kib);
    if ((e = execute(db, cache, path, detail)) != OK)
        return e;
    if (options->read_only && (e = execute(db, "PRAGMA query_only=ON", path, detail)) != OK)
        return e;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return OK;
}

/* SQLite tells how long the write-ahead log is after each commit; nothing else is done here. */
static int on_commit(void *data, sqlite3 *db, const char *name, int pages)
{
    struct store *s = data;
    (void)db;
    (void)name;
    store_wal_note(s, (uint32_t)pages);
    return SQLITE_OK;
}

/* The triggers note there which rows the search index is behind on. */
static void on_change(void *data, int what, const char *database, const char *table, sqlite3_int64 rowid)
{
    struct store *s = data;
    (void)database;
    (void)rowid;
    if (what == SQLITE_INSERT && strcmp(table, "search_pending") == 0)
        s->search_due = true;
}

static enum err prepare(struct store *s, struct err_detail *detail)
{
    for (enum store_statement i = 0; i < STORE_FTS; i++) {
        int code = sqlite3_prepare_v3(s->db, store_statement_text(i), -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[i], NULL);
        if (code != SQLITE_OK)
            return store_code_err(s->db, code, s->path, detail);
    }
    return OK;
}

sqlite3_stmt *store_statement(struct store *s, enum store_statement statement, enum err *e,
                              struct err_detail *detail)
{
    sqlite3_stmt **at = &s->statements[statement];
    *e = OK;
    if (*at != NULL)
        return *at;
    int code = sqlite3_prepare_v3(s->db, store_statement_text(statement), -1, SQLITE_PREPARE_PERSISTENT, at,
                                  NULL);
    if (code != SQLITE_OK)
        *e = store_failed(s, code, detail);
    return code == SQLITE_OK ? *at : NULL;
}

/* A database that was restored has no epoch yet: the first that may write draws one. */
static enum err draw_epoch(struct store *s, struct err_detail *detail)
{
    sqlite3_stmt *get = s->statements[STORE_EPOCH_GET];
    int code = sqlite3_step(get);
    bool drawn = code == SQLITE_ROW && sqlite3_column_type(get, 0) != SQLITE_NULL;
    sqlite3_reset(get);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_code_err(s->db, code, s->path, detail);
    /* where nothing can be written, store_write_begin would connect anew, and come here again */
    if (drawn || s->options.read_only || sqlite3_db_readonly(s->db, "main") == 1)
        return OK;
    enum err e = store_write_begin(s, detail);
    if (e != OK)
        return e;
    e = store_step(s, STORE_EPOCH_DRAW, detail);
    enum err end = store_write_end(s, e == OK, detail);
    return e == OK ? end : e;
}

enum err store_connect(struct store *s, struct err_detail *detail)
{
    struct stat st;
    enum err e = OK;
    if (stat(s->path, &st) != 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                       "no database at %s: %s (profiled db migrate makes one)", s->path, strerror(errno));
    /* SQLite throws away the log that lies beside an empty file, and with it what was committed */
    if (st.st_size == 0)
        return err_set(detail, ERR_IO, "%s is empty", s->path);
    /* read-only opens fail where the -shm file is missing: open for writing, and ask only */
    int code = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        e = store_code_err(s->db, code, s->path, detail);
        goto out;
    }
    if ((e = store_configure(s->db, &s->options, s->path, detail)) != OK)
        goto out;
    if ((e = store_migrations_current(s->db, s->path, detail)) != OK || (e = prepare(s, detail)) != OK)
        goto out;
    sqlite3_wal_hook(s->db, on_commit, s);
    sqlite3_update_hook(s->db, on_change, s);
    s->device = st.st_dev;
    s->inode = st.st_ino;
    if ((e = store_lock_open(&s->lock, s->path, detail)) != OK)
        goto out;
    if (s->options.group != NULL && !s->options.read_only && sqlite3_db_readonly(s->db, "main") == 0)
        s->slot = store_group_claim(s->options.group);
    e = draw_epoch(s, detail);
    if (s->db == NULL) /* given up, with the commit that failed */
        goto out;
    store_map_wal_index(s);
    /* a database that cannot be written to can still be read */
    if (e != OK && sqlite3_db_readonly(s->db, "main") == 1)
        e = OK;
out:
    if (e != OK)
        store_disconnect(s);
    return e;
}

void store_disconnect(struct store *s)
{
    for (size_t i = 0; i < STORE_STATEMENT_COUNT; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    store_tokenizer_free(&s->tokenizer);
    sqlite3_close(s->pin);
    s->pin = NULL;
    sqlite3_close(s->db);
    s->db = NULL;
    s->wal_index = NULL;
    store_lock_close(&s->lock);
    if (s->slot != NULL)
        store_group_give_back(s->options.group, s->slot);
    s->slot = NULL;
    s->in_batch = s->search_due = s->search_bulk = false;
    s->erase = (struct store_erase){0};
    atomic_store(&s->wal.pages, 0);
    atomic_store(&s->wal.copied, 0);
}

enum err store_ensure(struct store *s, struct err_detail *detail)
{
    struct stat st;
    if (s->in_batch)
        return s->db != NULL ? OK : err_set(detail, ERR_IO, "%s was lost in the middle of a batch", s->path);
    if (s->db != NULL) {
        if (stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
            return OK;
        store_disconnect(s); /* gone, or another file lies in its place */
    }
    enum err e = store_connect(s, detail);
    /* it was there once: that it is not there now is the storage's fault, and no answer to a question */
    return e == ERR_NOT_FOUND || e == ERR_INVALID ? ERR_IO : e;
}

/* One thread of a process uses the room: SQLite need lock nothing and count nothing. Refused once SQLite
 * runs, and then needless. */
static void use_one_thread(void)
{
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err store_open(const char *url, const struct store_options *options, struct store **out,
                    struct err_detail *detail)
{
    const char *path = store_path_of_url(url);
    enum err e = OK;
    *out = NULL;
    if (path == NULL)
        return err_set(detail, ERR_INVALID, "'%s' is no address of a database: sqlite:PATH is", url);
    use_one_thread();
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->lock.fd = -1;
    s->options = *options;
    if (s->options.checkpoint_pages == 0)
        s->options.checkpoint_pages = 4096;
    s->path = strdup(path);
    e = s->path == NULL ? ERR_NOMEM : store_connect(s, detail);
    if (e != OK)
        store_close(&s);
    *out = s;
    return e;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    if (s == NULL)
        return;
    store_disconnect(s);
    free(s->path);
    free(s);
    *store = NULL;
}
