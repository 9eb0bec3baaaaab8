#include "store/search.h"

#include "crypto/random.h"
#include "store/handle.h"
#include "store/tokenizer.h"

enum { BEHIND_WAIT_MS = 20 }; /* for the writers' lock, where somebody else's rows are to be put in first */

static enum err need_tokenizer(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    return e != OK || s->tokenizer != NULL ? e : store_tokenizer_new(s->db, &s->tokenizer, detail);
}

enum err store_words_read(struct store *s, struct span text, struct arena *arena, struct store_words *out,
                          struct err_detail *detail)
{
    enum err e = need_tokenizer(s, detail);
    *out = (struct store_words){.count = 0};
    return e == OK ? store_tokenizer_words(s->tokenizer, text, arena, out) : e;
}

/* "word"* AND "word"*: nothing of it is syntax but what stands here. No word holds a quote, which is no
 * letter; but that is the tokenizer's affair, and this is not to depend on it. */
static struct span write_match(const struct store_words *words, struct arena *arena)
{
    struct buf match = {0};
    for (size_t i = 0; i < words->count; i++) {
        buf_append(&match, i == 0 ? SPAN("\"") : SPAN(" AND \""));
        for (size_t k = 0; k < words->list[i].len; k++) {
            if (words->list[i].ptr[k] == '"')
                buf_char(&match, '"');
            buf_char(&match, words->list[i].ptr[k]);
        }
        buf_lit(&match, "\"*");
    }
    struct span copy = match.failed ? (struct span){NULL, 0} : arena_copy(arena, buf_span(&match));
    buf_fini(&match);
    return copy;
}

enum err store_end_read(struct store *s, enum err e)
{
    if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        struct err_detail ignored = {0};
        enum err ended = store_step(s, STORE_ROLLBACK, &ignored);
        e = e == OK ? ended : e;
    }
    return e;
}

static enum err read_snapshot(struct store *s, struct store_snapshot *out, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_SNAPSHOT];
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        store_snapshot_read(s, stmt, 0, out);
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

/* Where to begin a page, and how long it is: bound to the statement. */
struct page {
    enum store_statement statement;
    struct span match; /* absent: of the list */
    struct span after_handle;
    int64_t after_place;
    size_t limit;
};

static sqlite3_stmt *bind_page(struct store *s, const struct page *page, enum err *e,
                               struct err_detail *detail)
{
    sqlite3_stmt *stmt = store_statement(s, page->statement, e, detail);
    if (stmt == NULL)
        return NULL;
    if (page->statement == STORE_LIST) {
        store_bind(stmt, 1, page->after_handle);
        sqlite3_bind_int64(stmt, 2, (sqlite3_int64)page->limit);
    } else {
        store_bind(stmt, 1, page->match);
        sqlite3_bind_int64(stmt, 2, page->after_place);
        sqlite3_bind_int64(stmt, 3, (sqlite3_int64)page->limit);
    }
    return stmt;
}

static enum err read_once(struct store *s, const struct page *page, struct arena *arena, struct profile *out,
                          size_t *count, struct store_snapshot *snapshot, struct err_detail *detail)
{
    enum err e = store_step(s, STORE_BEGIN_READ, detail);
    if (e != OK)
        return e;
    if ((e = read_snapshot(s, snapshot, detail)) == OK && snapshot->epoch[0] != '\0') {
        sqlite3_stmt *stmt = bind_page(s, page, &e, detail);
        if (stmt != NULL)
            e = store_rows_read(s, stmt, page->limit, arena, out, count, detail);
    }
    return store_end_read(s, e);
}

static enum err read_page(struct store *s, const struct page *page, struct arena *arena, struct profile *out,
                          size_t *count, struct store_snapshot *snapshot, struct err_detail *detail)
{
    enum err e;
    *count = 0;
    /* a second time when the epoch was missing, as with a single profile */
    for (int i = 0; i < 2; i++) {
        if ((e = store_ensure(s, detail)) != OK ||
            (e = read_once(s, page, arena, out, count, snapshot, detail)) != OK || snapshot->epoch[0] != '\0')
            return e;
        store_disconnect(s);
    }
    return err_set(detail, ERR_IO, "%s has no epoch, and none can be drawn", s->path);
}

enum err store_list_page(struct store *s, struct span after, size_t limit, struct arena *arena,
                         struct profile *out, size_t *count, struct store_snapshot *snapshot,
                         struct err_detail *detail)
{
    const struct page page = {
        .statement = STORE_LIST, .after_handle = after.ptr == NULL ? SPAN("") : after, .limit = limit};
    return read_page(s, &page, arena, out, count, snapshot, detail);
}

/* Rows that the sqlite3 shell wrote, or a program that died before it came to it. That it cannot be done now
 * is no matter: what stands there is not found, that is all. */
static void catch_up(struct store *s)
{
    struct err_detail ignored = {0};
    sqlite3_stmt *stmt = s->statements[STORE_SEARCH_BEHIND];
    bool behind = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_reset(stmt);
    if (!behind || s->in_batch || s->options.read_only || sqlite3_db_readonly(s->db, "main") == 1)
        return;
    if (store_lock_take(&s->lock, BEHIND_WAIT_MS, &ignored) != OK || store_begin_locked(s, &ignored) != OK)
        return;
    s->search_due = true;
    enum err e = store_end_locked(s, true, &ignored);
    store_unlock(s, e);
}

enum err store_search_page(struct store *s, const struct store_words *words, int64_t after, size_t limit,
                           struct arena *arena, struct profile *out, size_t *count,
                           struct store_snapshot *snapshot, struct err_detail *detail)
{
    const struct page page = {
        .statement = STORE_SEARCH, .match = write_match(words, arena), .after_place = after, .limit = limit};
    enum err e = store_ensure(s, detail);
    *count = 0;
    if (page.match.ptr == NULL)
        return ERR_NOMEM;
    if (e != OK)
        return e;
    catch_up(s);
    return read_page(s, &page, arena, out, count, snapshot, detail);
}

/* Damage of the index: the rows stay noted, and so are not found. */
static bool is_damage(sqlite3 *db)
{
    return (sqlite3_extended_errcode(db) & 0xff) == SQLITE_CORRUPT;
}

static enum err fill(struct store *s, enum store_statement statement, bool *damaged,
                     struct err_detail *detail)
{
    enum err e;
    sqlite3_stmt *stmt = store_statement(s, statement, &e, detail);
    if (stmt == NULL)
        return e;
    int code = sqlite3_step(stmt);
    *damaged = code != SQLITE_DONE && is_damage(s->db);
    if (code != SQLITE_DONE && !*damaged)
        e = store_failed(s, code, detail);
    if (s->db != NULL)
        sqlite3_reset(stmt);
    return e;
}

enum err store_search_fill(struct store *s, struct err_detail *detail)
{
    bool damaged = false, bulk_damaged = false;
    enum err e = OK;
    if (s->search_due)
        e = fill(s, STORE_SEARCH_FILL, &damaged, detail);
    if (e == OK && s->search_bulk)
        e = fill(s, STORE_SEARCH_FILL_BULK, &bulk_damaged, detail);
    if (e == OK && bulk_damaged)
        e = store_step(s, STORE_SEARCH_BULK_NOTE, detail);
    if (e == OK && s->search_bulk)
        e = store_step(s, STORE_SEARCH_BULK_END, detail);
    if (e != OK || !s->search_due || damaged)
        return e;
    if ((e = store_step(s, STORE_ERASURE_WANT, detail)) != OK || bulk_damaged)
        return e;
    return store_step(s, STORE_SEARCH_UP_TO_DATE, detail);
}

enum err store_search_rebuild(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    if (store_statement(s, STORE_SEARCH_REBUILD, &e, detail) != NULL &&
        (e = store_step(s, STORE_SEARCH_REBUILD, detail)) == OK)
        e = store_step(s, STORE_SEARCH_UP_TO_DATE, detail);
    enum err ended = store_write_end(s, e == OK, detail);
    return e == OK ? ended : e;
}

static enum err secret_get(struct store *s, struct span name, unsigned char out[STORE_SECRET_LEN],
                           struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_SECRET_GET];
    enum err e = ERR_NOT_FOUND;
    store_bind(stmt, 1, name);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == STORE_SECRET_LEN) {
        memcpy(out, sqlite3_column_blob(stmt, 0), STORE_SECRET_LEN);
        e = OK;
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? e : store_failed(s, code, detail);
}

static enum err secret_draw(struct store *s, struct span name, struct err_detail *detail)
{
    unsigned char drawn[STORE_SECRET_LEN];
    enum err e = store_write_begin(s, detail);
    if (e != OK)
        return e;
    crypto_random(drawn, sizeof drawn);
    sqlite3_stmt *stmt = s->statements[STORE_SECRET_PUT];
    store_bind(stmt, 1, name);
    sqlite3_bind_blob(stmt, 2, drawn, sizeof drawn, SQLITE_TRANSIENT);
    e = store_step(s, STORE_SECRET_PUT, detail);
    crypto_wipe(drawn, sizeof drawn);
    enum err ended = store_write_end(s, e == OK, detail);
    return e == OK ? ended : e;
}

enum err store_secret(struct store *s, const char *name, unsigned char out[STORE_SECRET_LEN],
                      struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = secret_get(s, span_str(name), out, detail)) != ERR_NOT_FOUND)
        return e;
    if ((e = secret_draw(s, span_str(name), detail)) == OK)
        e = secret_get(s, span_str(name), out, detail);
    return e == ERR_NOT_FOUND ? err_set(detail, ERR_IO, "%s does not keep the key '%s'", s->path, name) : e;
}
