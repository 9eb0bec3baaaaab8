/*
 * What was deleted is still to be found in two places, and is taken out of both here.
 *
 * The write-ahead log holds older pages until it is begun anew and written over: it is copied back, and its
 * file made empty.
 *
 * And in the database itself: with secure_delete SQLite fills what it frees with zeros, but where it moves
 * rows to another page, as trees grow and shrink, it leaves their bytes behind in the room between the page's
 * pointers and its content (btree.c, rebuildPage). Deleted later, in their new place, they stay in the old
 * one. That room means nothing to anybody: it is filled with zeros, straight in the file
 * (sqlite.org/fileformat.html section 1.6):
 *
 *     take the writers' lock
 *     empty the write-ahead log                     now the file alone says what the database is
 *     BEGIN IMMEDIATE; is the log still empty?      who does not take our lock cannot write either
 *     fill the gaps, sync
 *     a commit that changes nothing                 everybody's copies of pages, with the old gaps, go
 *     give the lock
 *
 * Readers go on meanwhile: the gap is the one part of a page that they never look at. Should the process be
 * killed in between, some gaps are filled and others are not.
 *
 * That a page is a tree's is seen from its first byte: those of other kinds begin with the number of another
 * page, which is a small one in databases of less than 2^25 pages, and where there is auto_vacuum with a byte
 * that could be taken for a tree's; such databases are left alone.
 */
#include "store/handle.h"
#include "store/tidy.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
    SLICE = 16 * 1024 * 1024,
    LOCK_WAIT_MS = 50,
    PAGES_MOST = 0x01ffffff,
    PAGE_LARGEST = 65536,
    FILE_HEADER = 100,
    AT_PAGE_SIZE = 16,
    AT_RESERVED = 20,
    AT_LARGEST_ROOT = 52, /* 0: there is no auto_vacuum */
    LOCK_BYTE = 0x40000000,
};

struct file {
    sqlite3_file *at;
    uint32_t page_size, usable, pages;
};

static uint32_t number(const unsigned char *at, int len)
{
    uint32_t n = 0;
    for (int i = 0; i < len; i++)
        n = n << 8 | at[i];
    return n;
}

static enum err open_file(struct store *s, struct file *out, struct err_detail *detail)
{
    unsigned char head[FILE_HEADER];
    sqlite3_int64 size = 0;
    *out = (struct file){0};
    int code = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &out->at);
    if (code == SQLITE_OK && out->at != NULL && out->at->pMethods != NULL &&
        (code = out->at->pMethods->xRead(out->at, head, sizeof head, 0)) == SQLITE_OK)
        code = out->at->pMethods->xFileSize(out->at, &size);
    if (code != SQLITE_OK)
        return store_failed(s, code, detail);
    uint32_t page_size = number(head + AT_PAGE_SIZE, 2);
    out->page_size = page_size == 1 ? PAGE_LARGEST : page_size;
    if (out->page_size < 512 || number(head + AT_LARGEST_ROOT, 4) != 0 || size / out->page_size > PAGES_MOST)
        return err_set(detail, ERR_INVALID, "%s is of a kind that is not swept", s->path);
    out->usable = out->page_size - head[AT_RESERVED];
    out->pages = (uint32_t)(size / out->page_size);
    return OK;
}

/* The gap of a tree's page, [*from, *to); false: it is no such page, or has none. */
static bool find_gap(const struct file *f, uint32_t page, const unsigned char *bytes, uint32_t *from,
                     uint32_t *to)
{
    enum { INTERIOR_INDEX = 2, INTERIOR_TABLE = 5, LEAF_INDEX = 10, LEAF_TABLE = 13 };
    uint32_t at = page == 1 ? FILE_HEADER : 0;
    unsigned char kind = bytes[at];
    bool interior = kind == INTERIOR_INDEX || kind == INTERIOR_TABLE;
    if (!interior && kind != LEAF_INDEX && kind != LEAF_TABLE)
        return false;
    *from = at + (interior ? 12 : 8) + 2 * number(bytes + at + 3, 2);
    *to = number(bytes + at + 5, 2);
    if (*to == 0)
        *to = PAGE_LARGEST;
    return *from < *to && *to <= f->usable;
}

static bool is_zero(const unsigned char *bytes, uint32_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* From page *next on; *filled: some gap was. */
static int fill_gaps(const struct file *f, unsigned char *bytes, uint32_t *next, bool *filled)
{
    static const unsigned char zeros[PAGE_LARGEST];
    uint32_t last = *next + SLICE / f->page_size;
    int code = SQLITE_OK;
    for (; *next <= f->pages && *next < last; ++*next) {
        sqlite3_int64 offset = (sqlite3_int64)(*next - 1) * f->page_size;
        uint32_t from, to;
        if (offset <= LOCK_BYTE && LOCK_BYTE < offset + f->page_size)
            continue;
        if ((code = f->at->pMethods->xRead(f->at, bytes, (int)f->page_size, offset)) != SQLITE_OK)
            return code;
        if (!find_gap(f, *next, bytes, &from, &to) || is_zero(bytes + from, to - from))
            continue;
        if ((code = f->at->pMethods->xWrite(f->at, zeros, (int)(to - from), offset + from)) != SQLITE_OK)
            return code;
        *filled = true;
    }
    if (*next > f->pages)
        *next = 0;
    return SQLITE_OK;
}

static bool wal_is_empty(const struct store *s)
{
    struct buf path = {0};
    struct stat st;
    buf_printf(&path, "%s-wal", s->path);
    bool empty = buf_status(&path) == OK && stat(buf_text(&path), &st) == 0 && st.st_size == 0;
    buf_fini(&path);
    return empty;
}

/* Inside the transaction. */
static enum err sweep_slice(struct store *s, uint32_t *next, struct err_detail *detail)
{
    struct file f;
    bool filled = false;
    enum err e;
    if (!wal_is_empty(s))
        return err_set(detail, ERR_BUSY, "somebody has written to %s without its lock", s->path);
    if ((e = open_file(s, &f, detail)) != OK)
        return e;
    unsigned char *bytes = malloc(f.page_size);
    if (bytes == NULL)
        return ERR_NOMEM;
    int code = fill_gaps(&f, bytes, next, &filled);
    free(bytes);
    if (code != SQLITE_OK)
        return store_failed(s, code, detail);
    if (!filled)
        return OK;
    store_sync(s);
    e = store_step(s, STORE_TOUCH, detail);
    return e == OK ? store_step(s, STORE_UNTOUCH, detail) : e;
}

enum err store_sweep(struct store *s, uint32_t *next, struct err_detail *detail)
{
    uint32_t at = *next;
    enum err e = store_ensure(s, detail);
    if (e != OK || s->in_batch)
        return e;
    store_wal_shorten(s);
    if (s->db == NULL)
        return ERR_IO;
    if ((e = store_lock_take(&s->lock, LOCK_WAIT_MS, detail)) != OK)
        return e;
    if ((e = store_wal_empty(s, detail)) != OK) {
        store_unlock(s, e);
    } else if ((e = store_begin_locked(s, detail)) == OK) {
        e = sweep_slice(s, &at, detail);
        enum err end = store_write_end(s, e == OK, detail);
        e = e == OK ? end : e;
    }
    /* our own copies of pages go as well */
    if (s->db != NULL)
        sqlite3_db_release_memory(s->db);
    if (e == OK)
        *next = at;
    return e;
}
