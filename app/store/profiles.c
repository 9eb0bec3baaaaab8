#include "store/handle.h"

#include "base/clock.h"

enum err store_row_get(struct store *s, enum store_statement statement, struct span key, struct arena *arena,
                       struct profile *out, struct store_snapshot *snapshot, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[statement];
    enum err e = OK;
    store_bind(stmt, 1, key);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        store_snapshot_read(s, stmt, STORE_ROW_SNAPSHOT, snapshot);
        e = store_row_read(stmt, arena, out);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? e : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

static enum err get(struct store *s, enum store_statement statement, struct span key, struct arena *arena,
                    struct profile *out, struct store_snapshot *snapshot, struct err_detail *detail)
{
    enum err e;
    /* a second time when the epoch was missing: the database was restored under us, connecting anew draws one
     */
    for (int i = 0; i < 2; i++) {
        if ((e = store_ensure(s, detail)) != OK)
            return e;
        e = store_row_get(s, statement, key, arena, out, snapshot, detail);
        if ((e != OK && e != ERR_NOT_FOUND) || snapshot->epoch[0] != '\0')
            return e;
        if (!s->in_batch)
            store_disconnect(s);
    }
    return err_set(detail, ERR_IO, "%s has no epoch, and none can be drawn", s->path);
}

enum err store_profile_get(struct store *s, struct span id, struct arena *arena, struct profile *out,
                           struct store_snapshot *snapshot, struct err_detail *detail)
{
    return get(s, STORE_GET, id, arena, out, snapshot, detail);
}

enum err store_profile_get_by_handle(struct store *s, struct span handle, struct arena *arena,
                                     struct profile *out, struct store_snapshot *snapshot,
                                     struct err_detail *detail)
{
    return get(s, STORE_GET_BY_HANDLE, handle, arena, out, snapshot, detail);
}

enum err store_rows_read(struct store *s, sqlite3_stmt *stmt, size_t limit, struct arena *arena,
                         struct profile *out, size_t *count, struct err_detail *detail)
{
    enum err e = OK;
    int code = SQLITE_DONE;
    *count = 0;
    while (e == OK && *count < limit && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        if ((e = store_row_read(stmt, arena, &out[*count])) == OK)
            (*count)++;
    if (e == ERR_NOT_FOUND) /* the row that says that there are no more */
        e = OK;
    sqlite3_reset(stmt);
    if (e == OK && code != SQLITE_ROW && code != SQLITE_DONE)
        e = store_failed(s, code, detail);
    return e;
}

enum err store_profiles_after(struct store *s, int64_t *after, size_t limit, struct arena *arena,
                              struct profile *out, size_t *count, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *count = 0;
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_GET_AFTER];
    sqlite3_bind_int64(stmt, 1, *after);
    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)limit);
    e = store_rows_read(s, stmt, limit, arena, out, count, detail);
    if (*count > 0)
        *after = out[*count - 1].place;
    return e;
}

/* Parameters 1 to 20 of INSERT and UPDATE. */
static void bind_profile(sqlite3_stmt *stmt, const struct profile *p)
{
    store_bind(stmt, 1, p->id);
    store_bind(stmt, 2, p->handle);
    store_bind(stmt, 3, p->state == PROFILE_SUSPENDED ? SPAN("suspended") : SPAN("active"));
    sqlite3_bind_int64(stmt, 4, p->private_fields);
    for (int i = 0; i < PROFILE_FIELD_COUNT; i++) {
        if (i != PROFILE_FIELD_email_verified)
            store_bind(stmt, 5 + i, p->values[i]);
        else if (p->values[i].ptr == NULL)
            sqlite3_bind_null(stmt, 5 + i);
        else
            sqlite3_bind_int(stmt, 5 + i, span_eq(p->values[i], SPAN("true")));
    }
}

static enum err read_stamps_once(struct store *s, struct profile *p, struct store_snapshot *snapshot,
                                 struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_STAMPS];
    store_bind(stmt, 1, p->id);
    sqlite3_bind_int64(stmt, 2, p->place);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        store_snapshot_read(s, stmt, 0, snapshot);
        p->created_ms = sqlite3_column_int64(stmt, 2);
        p->stamps[PROFILE_VIEW_OWNER] =
            (struct profile_stamp){sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4)};
        p->stamps[PROFILE_VIEW_PUBLIC] =
            (struct profile_stamp){sqlite3_column_int64(stmt, 5), sqlite3_column_int64(stmt, 6)};
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

/* What the triggers gave the row, read back within the same transaction. Where a backup was restored under us
 * there is no epoch yet: this transaction draws it, or the tag of its answer would come back. */
static enum err read_stamps(struct store *s, struct profile *p, struct store_snapshot *snapshot,
                            struct err_detail *detail)
{
    enum err e = read_stamps_once(s, p, snapshot, detail);
    if (e != OK || snapshot->epoch[0] != '\0')
        return e;
    e = store_step(s, STORE_EPOCH_DRAW, detail);
    return e == OK ? read_stamps_once(s, p, snapshot, detail) : e;
}

/* The uniqueness that a write broke; its message names the column. */
static enum err taken_of(struct store *s, int code, enum store_taken *taken, struct err_detail *detail)
{
    if (code != SQLITE_CONSTRAINT_UNIQUE && code != SQLITE_CONSTRAINT_PRIMARYKEY)
        return store_failed(s, code, detail);
    *taken = strstr(sqlite3_errmsg(s->db), "profiles.handle") != NULL ? STORE_TAKEN_HANDLE : STORE_TAKEN_ID;
    return err_set(detail, ERR_CONFLICT, "%s",
                   *taken == STORE_TAKEN_HANDLE ? "the handle is taken" : "the id is taken");
}

static enum err is_deleted(struct store *s, struct span id, bool *deleted, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_TOMBSTONE];
    store_bind(stmt, 1, id);
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    *deleted = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

static bool id_exists(struct store *s, struct span id)
{
    sqlite3_stmt *stmt = s->statements[STORE_STAMPS];
    store_bind(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, 0);
    bool there = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_reset(stmt);
    return there;
}

static enum err insert(struct store *s, struct profile *p, bool allow_deleted,
                       struct store_snapshot *snapshot, enum store_taken *taken, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_INSERT];
    bool deleted = false;
    enum err e = OK;
    if (!allow_deleted && (e = is_deleted(s, p->id, &deleted, detail)) != OK)
        return e;
    if (deleted)
        return err_set(detail, ERR_DENIED, "the profile was deleted");
    p->place = 0;
    bind_profile(stmt, p);
    sqlite3_bind_int64(stmt, 21, clock_now_ms(&clock_system));
    int code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        e = taken_of(s, code, taken, detail);
    sqlite3_reset(stmt);
    /* where both are taken, SQLite may name either: the id says more */
    if (*taken == STORE_TAKEN_HANDLE && id_exists(s, p->id))
        *taken = STORE_TAKEN_ID;
    return e == OK && snapshot != NULL ? read_stamps(s, p, snapshot, detail) : e;
}

enum err store_update_row(struct store *s, struct profile *p, bool handle_changed, struct store_snapshot *snapshot,
                          enum store_taken *taken, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[handle_changed ? STORE_UPDATE_WITH_HANDLE : STORE_UPDATE];
    enum err e = OK;
    bind_profile(stmt, p);
    if (!handle_changed)
        sqlite3_bind_null(stmt, 2);
    sqlite3_bind_int64(stmt, 21, p->stamps[PROFILE_VIEW_OWNER].seq);
    sqlite3_bind_int64(stmt, 22, p->place);
    int code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        e = taken_of(s, code, taken, detail);
    else if (sqlite3_changes(s->db) == 0)
        e = ERR_CONFLICT;
    sqlite3_reset(stmt);
    return e == OK ? read_stamps(s, p, snapshot, detail) : e;
}

/* Ends the transaction and joins both outcomes: the first thing that failed counts. */
static enum err end(struct store *s, enum err e, struct err_detail *detail)
{
    enum err ended = store_write_end(s, e == OK, detail);
    return e == OK ? ended : e;
}

enum err store_profile_insert(struct store *s, struct profile *p, bool allow_deleted,
                              struct store_snapshot *snapshot, enum store_taken *taken,
                              struct err_detail *detail)
{
    enum err e;
    *taken = STORE_TAKEN_NONE;
    if ((e = store_ensure(s, detail)) != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    return end(s, insert(s, p, allow_deleted, snapshot, taken, detail), detail);
}

enum err store_profile_update(struct store *s, struct profile *p, bool handle_changed,
                              struct store_snapshot *snapshot, enum store_taken *taken,
                              struct err_detail *detail)
{
    enum err e;
    *taken = STORE_TAKEN_NONE;
    if ((e = store_ensure(s, detail)) != OK)
        return e;
    if (!handle_changed && !s->in_batch && s->slot != NULL)
        return store_group_update(s, p, snapshot, taken, detail);
    if ((e = store_write_begin(s, detail)) != OK)
        return e;
    return end(s, store_update_row(s, p, handle_changed, snapshot, taken, detail), detail);
}

enum err store_profile_delete(struct store *s, struct span id, int64_t owner_seq, struct err_detail *detail)
{
    enum err e;
    if ((e = store_ensure(s, detail)) != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_DELETE];
    store_bind(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, owner_seq);
    int code = sqlite3_step(stmt);
    e = code == SQLITE_DONE ? OK : store_failed(s, code, detail);
    if (e == OK && sqlite3_changes(s->db) == 0)
        e = ERR_CONFLICT;
    if (s->db != NULL)
        sqlite3_reset(stmt);
    return end(s, e, detail);
}

enum err store_ready(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    return e == OK ? store_migrations_current(s->db, s->path, detail) : e;
}
