#include "store/held.h"

#include "store/handle.h"

enum { COLUMN_PRIOR = 8 };

static enum err read_tombstone(struct store *s, struct span id, struct store_held *out,
                               struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_HELD_TOMBSTONE];
    store_bind(stmt, 1, id);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        out->has_tombstone = true;
        out->deleted_ms = sqlite3_column_int64(stmt, 0);
        out->deleted_seq = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

static enum err read_revocation(struct store *s, struct span subject, struct store_held *out,
                                struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_REVOCATION];
    store_bind(stmt, 1, subject);
    store_bind(stmt, 2, (struct span){NULL, 0}); /* of no single token */
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && sqlite3_column_type(stmt, 2) != SQLITE_NULL)
        out->revoked_until_s = sqlite3_column_int64(stmt, 2);
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

/* A column, in the arena; absent: NULL, or memory is out, and then *e says so. */
static struct span keep(sqlite3_stmt *stmt, int column, struct arena *arena, enum err *e)
{
    struct span text = store_column(stmt, column);
    struct span copy = text.ptr == NULL ? text : arena_copy(arena, text);
    if (text.ptr != NULL && copy.ptr == NULL)
        *e = ERR_NOMEM;
    return copy;
}

static enum err read_beside(struct store *s, struct span subject, struct arena *arena, struct store_held *out,
                            struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_HELD_BESIDE];
    enum err e = OK;
    store_bind(stmt, 1, subject);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        out->avatar = keep(stmt, 0, arena, &e);
        out->tokens = keep(stmt, 1, arena, &e);
        out->answers = keep(stmt, 2, arena, &e);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? e : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

/* From entry to entry. A number that does not go down would be a hand's doing, and no end. */
static enum err read_entries(struct store *s, struct span id, int64_t from,
                             void (*take)(void *data, const struct store_change *change), void *data,
                             struct store_held *out, int *count, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_HELD_ENTRY];
    struct store_change change;
    int code = SQLITE_ROW;
    for (*count = 0; code == SQLITE_ROW && from > 0; ++*count) {
        if (*count == STORE_HELD_ENTRIES) {
            out->before = from;
            return OK;
        }
        sqlite3_bind_int64(stmt, 1, from);
        store_bind(stmt, 2, id);
        if ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
            int64_t prior = sqlite3_column_int64(stmt, COLUMN_PRIOR);
            store_change_read(stmt, &change);
            take(data, &change);
            from = prior < from ? prior : 0;
        } else {
            --*count;
        }
        sqlite3_reset(stmt);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

static enum err read_all(struct store *s, struct span subject, int64_t from, struct arena *arena,
                         void (*take)(void *data, const struct store_change *change), void *data,
                         struct store_held *out, struct err_detail *detail)
{
    struct store_snapshot ignored;
    int count = 0;
    enum err e = store_snapshot_get(s, 0, &out->snapshot, detail);
    if (e != OK)
        return e;
    e = store_row_get(s, STORE_GET, subject, arena, &out->profile, &ignored, detail);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    out->has_profile = e == OK;
    if ((e = read_tombstone(s, subject, out, detail)) != OK ||
        (e = read_revocation(s, subject, out, detail)) != OK ||
        (e = read_beside(s, subject, arena, out, detail)) != OK)
        return e;
    int64_t last = out->has_profile     ? out->profile.stamps[PROFILE_VIEW_OWNER].seq
                   : out->has_tombstone ? out->deleted_seq
                                        : 0;
    if ((e = read_entries(s, subject, from == 0 ? last : from, take, data, out, &count, detail)) != OK)
        return e;
    bool nothing = !out->has_profile && !out->has_tombstone && out->revoked_until_s == INT64_MIN &&
                   out->tokens.ptr == NULL && out->answers.ptr == NULL;
    return nothing || (from != 0 && count == 0) ? ERR_NOT_FOUND : OK;
}

enum err store_held_read(struct store *s, struct span subject, int64_t from, struct arena *arena,
                         void (*take)(void *data, const struct store_change *change), void *data,
                         struct store_held *out, struct err_detail *detail)
{
    *out = (struct store_held){.revoked_until_s = INT64_MIN};
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_step(s, STORE_BEGIN_READ, detail)) != OK)
        return e;
    e = read_all(s, subject, from, arena, take, data, out, detail);
    return store_read_end(s, e, &out->snapshot);
}
