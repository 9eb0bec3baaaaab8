#include "store/watch.h"

#include "crypto/hash.h"
#include "store/handle.h"

#include <stdatomic.h>
#include <sys/stat.h>

enum {
    WAL_INDEX_REGION = 32768, /* what SQLite maps -shm by (walformat.html section 2) */
    HEADER_WORDS = 6,         /* 48 bytes */
    BOTH_HEADERS = 2 * HEADER_WORDS,
    SALTS = 4,            /* the word that they are in: drawn when a WAL is begun, 0 while there is none */
    TAKE_ATTEMPTS = 1000, /* a writer publishes within some tens of nanoseconds */
};

void store_map_wal_index(struct store *s)
{
    sqlite3_file *file = NULL;
    void volatile *at = NULL;
    s->wal_index = NULL;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == NULL ||
        file->pMethods == NULL || file->pMethods->iVersion < 2 || file->pMethods->xShmMap == NULL)
        return;
    /* the region is there already: a statement has read through it. READONLY: mapped so, and kept up by who
     * may write. Anything else is no memory that others share. */
    int code = file->pMethods->xShmMap(file, 0, WAL_INDEX_REGION, 0, &at);
    if (code == SQLITE_OK || code == SQLITE_READONLY)
        s->wal_index = at;
}

static bool same_file(const struct store *s)
{
    struct stat st;
    return stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode;
}

bool store_is_unchanged(const struct store *s, const uint64_t marker[STORE_MARKER_WORDS])
{
    uint64_t different = (marker[BOTH_HEADERS] ^ s->device) | (marker[BOTH_HEADERS + 1] ^ s->inode);
    if (s->db == NULL || s->wal_index == NULL || !same_file(s))
        return false;
    for (size_t i = 0; i < BOTH_HEADERS; i++)
        different |= s->wal_index[i] ^ marker[i];
    /* what is read next, is read after this */
    atomic_thread_fence(memory_order_acquire);
    return different == 0;
}

/* The copies in the order in which a reader of SQLite takes them; equal, they are one header and whole. */
static bool copy_header(const struct store *s, uint64_t out[STORE_MARKER_WORDS])
{
    for (size_t i = 0; i < HEADER_WORDS; i++)
        out[i] = s->wal_index[i];
    atomic_thread_fence(memory_order_acquire);
    for (size_t i = HEADER_WORDS; i < BOTH_HEADERS; i++)
        out[i] = s->wal_index[i];
    out[BOTH_HEADERS] = s->device;
    out[BOTH_HEADERS + 1] = s->inode;
    return memcmp(out, out + HEADER_WORDS, HEADER_WORDS * sizeof out[0]) == 0;
}

/* A commit that changes nothing, so that there is a WAL, with salts. Not waited for: whoever writes just now
 * begins one too. */
static enum err begin_wal(struct store *s, struct err_detail *detail)
{
    enum err e;
    if (s->options.read_only || s->in_batch || sqlite3_db_readonly(s->db, "main") == 1)
        return ERR_BUSY;
    if ((e = store_lock_take(&s->lock, 0, detail)) != OK)
        return e;
    sqlite3_busy_timeout(s->db, 0);
    e = store_step(s, STORE_BEGIN, detail);
    if (e == OK) {
        if ((e = store_step(s, STORE_TOUCH, detail)) == OK)
            e = store_step(s, STORE_UNTOUCH, detail);
        enum err end = store_write_end(s, e == OK, detail);
        e = e == OK ? end : e;
    }
    store_lock_release(&s->lock);
    if (s->db != NULL)
        sqlite3_busy_timeout(s->db, s->options.busy_ms);
    return e;
}

enum err store_marker_take(struct store *s, uint64_t out[STORE_MARKER_WORDS], struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK)
        return e;
    if (s->wal_index == NULL)
        return err_set(detail, ERR_IO, "%s cannot be watched: its -shm file is not shared", s->path);
    for (int i = 0; i < TAKE_ATTEMPTS; i++)
        if (copy_header(s, out)) {
            if (out[SALTS] != 0)
                return OK;
            if (begin_wal(s, detail) != OK || s->wal_index == NULL)
                return err_set(detail, ERR_BUSY, "the write-ahead log of %s is empty", s->path);
        }
    return err_set(detail, ERR_BUSY, "a writer of %s is publishing", s->path);
}

static const struct span names[STORE_CHANGE_KIND_COUNT] = {
    [STORE_CHANGE_CREATE] = SPAN_INIT("create"),   [STORE_CHANGE_UPDATE] = SPAN_INIT("update"),
    [STORE_CHANGE_PRIVATE] = SPAN_INIT("private"), [STORE_CHANGE_SUSPEND] = SPAN_INIT("suspend"),
    [STORE_CHANGE_RESUME] = SPAN_INIT("resume"),   [STORE_CHANGE_DELETE] = SPAN_INIT("delete"),
    [STORE_CHANGE_REVOKE] = SPAN_INIT("revoke"),   [STORE_CHANGE_AVATAR] = SPAN_INIT("avatar"),
};

struct span store_change_name(enum store_change_kind kind)
{
    return names[kind];
}

static enum store_change_kind kind_of(struct span what)
{
    for (enum store_change_kind kind = 0; kind < STORE_CHANGE_KIND_COUNT; kind++)
        if (span_eq(names[kind], what))
            return kind;
    return STORE_CHANGE_UPDATE; /* the table's CHECK lets no other word in */
}

void store_change_read(sqlite3_stmt *stmt, struct store_change *out)
{
    *out = (struct store_change){
        .seq = sqlite3_column_int64(stmt, 0),
        .profile_id = store_column(stmt, 1),
        .kind = kind_of(store_column(stmt, 2)),
        .handle = store_column(stmt, 3),
        .old_handle = store_column(stmt, 4),
        .at_ms = sqlite3_column_int64(stmt, 5),
        .token = store_column(stmt, 6),
        .token_until_s = sqlite3_column_int64(stmt, 7),
    };
}

/* *upto is moved on to the last that was taken. Numbers follow one another: where one is missing, or fewer
 * than newest come, the log was tidied. */
static enum err hand_over(struct store *s, int64_t *upto, int64_t newest,
                          bool (*take)(void *, const struct store_change *), void *data,
                          struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_CHANGES_AFTER];
    struct store_change change;
    bool full = false, missing = false;
    int code = SQLITE_DONE;
    sqlite3_bind_int64(stmt, 1, *upto);
    while (!full && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        store_change_read(stmt, &change);
        missing = missing || change.seq != *upto + 1;
        full = !take(data, &change);
        if (!full)
            *upto = change.seq;
    }
    sqlite3_reset(stmt);
    if (!full && code != SQLITE_DONE)
        return store_failed(s, code, detail);
    return missing || (!full && *upto != newest) ? ERR_TOO_LARGE : OK;
}

/* Nobody chooses what is hashed: a number of it, never 0. */
static uint64_t number_of(struct span text)
{
    static const unsigned char no_key[CRYPTO_SIPHASH_KEY_LEN] = {0};
    return crypto_siphash(no_key, text) | 1;
}

/* *out is 0 where there is no such entry. */
static enum err read_entry(struct store *s, int64_t seq, uint64_t *out, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_CHANGES_ENTRY];
    sqlite3_bind_int64(stmt, 1, seq);
    int code = sqlite3_step(stmt);
    *out = code == SQLITE_ROW ? number_of(store_column(stmt, 0)) : 0;
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

enum err store_snapshot_get(struct store *s, int64_t after, struct store_snapshot *out,
                            struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_SNAPSHOT];
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        store_snapshot_read(s, stmt, 0, out);
    sqlite3_reset(stmt);
    if (code != SQLITE_ROW)
        return store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
    if (out->epoch[0] == '\0')
        /* a backup was restored into it; connecting anew draws one */
        return err_set(detail, ERR_BUSY, "%s has no epoch", s->path);
    out->lineage = number_of(span_str(out->epoch));
    enum err e = read_entry(s, out->seq, &out->entry, detail);
    return e == OK ? read_entry(s, after, &out->after_entry, detail) : e;
}

enum err store_read_end(struct store *s, enum err e, const struct store_snapshot *snapshot)
{
    if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        struct err_detail ignored = {0};
        enum err ended = store_step(s, STORE_ROLLBACK, &ignored);
        e = e == OK ? ended : e;
    }
    if (e == ERR_BUSY && snapshot->epoch[0] == '\0')
        store_disconnect(s);
    return e;
}

/* What store_changes_read and _page have in common. most: of entries that there may be; below 0: any number.
 */
static enum err read_page(struct store *s, int64_t after, int64_t most,
                          bool (*take)(void *, const struct store_change *), void *data,
                          struct store_page *page, struct err_detail *detail)
{
    struct store_snapshot *snapshot = &page->snapshot;
    enum err e = store_ensure(s, detail);
    *page = (struct store_page){.upto = after};
    if (e != OK || (e = store_step(s, STORE_BEGIN_READ, detail)) != OK)
        return e;
    e = store_snapshot_get(s, after, snapshot, detail);
    if (e == OK && snapshot->seq < after)
        e = ERR_CONFLICT;
    else if (e == OK && most >= 0 && snapshot->seq - after > most)
        e = ERR_TOO_LARGE;
    else if (e == OK && snapshot->seq > after)
        e = hand_over(s, &page->upto, snapshot->seq, take, data, detail);
    page->upto_entry = page->upto == after ? snapshot->after_entry : snapshot->entry;
    if (e == OK && page->upto != after && page->upto != snapshot->seq)
        e = read_entry(s, page->upto, &page->upto_entry, detail);
    return store_read_end(s, e, snapshot);
}

struct all {
    void (*take)(void *data, const struct store_change *change);
    void *data;
};

static bool take_all(void *data, const struct store_change *change)
{
    const struct all *all = data;
    all->take(all->data, change);
    return true;
}

enum err store_changes_read(struct store *s, int64_t after, int64_t most,
                            void (*take)(void *data, const struct store_change *change), void *data,
                            struct store_snapshot *snapshot, struct err_detail *detail)
{
    struct all all = {take, data};
    struct store_page page;
    enum err e = read_page(s, after, most, take_all, &all, &page, detail);
    *snapshot = page.snapshot;
    return e;
}

enum err store_changes_page(struct store *s, int64_t after,
                            bool (*take)(void *data, const struct store_change *change), void *data,
                            struct store_page *page, struct err_detail *detail)
{
    return read_page(s, after, -1, take, data, page, detail);
}

/* *going: take wants more. */
static enum err hand_out(struct store *s, enum store_statement statement, struct span after, int64_t over_s,
                         bool (*take)(void *data, struct span subject, int64_t until_s), void *data,
                         bool *going, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[statement];
    int code = SQLITE_DONE;
    store_bind(stmt, 1, after);
    sqlite3_bind_int64(stmt, 2, over_s);
    while (*going && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        *going = take(data, store_column(stmt, 0), sqlite3_column_int64(stmt, 1));
    sqlite3_reset(stmt);
    return *going && code != SQLITE_DONE ? store_failed(s, code, detail) : OK;
}

enum err store_revocations_read(struct store *s, struct span after, int64_t over_s,
                                bool (*take)(void *data, struct span subject, int64_t until_s), void *data,
                                struct store_snapshot *snapshot, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    bool in_tokens = span_starts(after, SPAN("@")), going = true;
    *snapshot = (struct store_snapshot){0};
    if (e != OK || (e = store_step(s, STORE_BEGIN_READ, detail)) != OK)
        return e;
    e = store_snapshot_get(s, 0, snapshot, detail);
    if (e == OK && !in_tokens)
        e = hand_out(s, STORE_REVOCATIONS, after.ptr == NULL ? SPAN("") : after, over_s, take, data, &going,
                     detail);
    if (e == OK && going)
        e = hand_out(s, STORE_REVOKED_TOKENS, in_tokens ? span_from(after, 1) : SPAN(""), over_s, take, data,
                     &going, detail);
    return store_read_end(s, e, snapshot);
}

enum err store_epoch_renew(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    e = store_step(s, STORE_EPOCH_RENEW, detail);
    enum err end = store_write_end(s, e == OK, detail);
    return e == OK ? end : e;
}
