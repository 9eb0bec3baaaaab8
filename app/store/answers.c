#include "store/answers.h"

#include "store/group.h"
#include "store/handle.h"

enum {
    PRUNE_MOST = 256,
    PRUNE_WAIT_MS = 5,
    TOKEN_GRACE_S = 600, /* the longest leeway that can be set: such a token may count for so long yet */
};

static sqlite3_stmt *bind_key(struct store *s, enum store_statement statement, const struct store_answer_key *key)
{
    sqlite3_stmt *stmt = s->statements[statement];
    store_bind(stmt, 1, key->subject);
    store_bind(stmt, 2, key->target);
    store_bind(stmt, 3, key->key);
    return stmt;
}

static struct span blob(sqlite3_stmt *stmt, int index)
{
    const char *bytes = sqlite3_column_blob(stmt, index);
    return span_of(bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(stmt, index));
}

enum err store_answer_get(struct store *s, const struct store_answer_key *key, int64_t now_ms,
                          struct arena *arena, struct store_answer *out, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *out = (struct store_answer){0};
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = bind_key(s, STORE_ANSWER_GET, key);
    sqlite3_bind_int64(stmt, 4, now_ms - STORE_ANSWER_LIFE_MS);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        out->request = arena_copy(arena, blob(stmt, 0));
        out->status = sqlite3_column_int(stmt, 1);
        out->head = arena_copy(arena, blob(stmt, 2));
        out->body = arena_copy(arena, blob(stmt, 3));
        if (out->request.ptr == NULL || out->head.ptr == NULL || out->body.ptr == NULL)
            e = ERR_NOMEM;
    }
    sqlite3_reset(stmt);
    if (code == SQLITE_DONE)
        return ERR_NOT_FOUND;
    return code == SQLITE_ROW ? e : store_failed(s, code, detail);
}

enum err store_answer_put(struct store *s, const struct store_answer_key *key, const struct store_answer *answer,
                          struct span about, int64_t now_ms, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = bind_key(s, STORE_ANSWER_PUT, key);
    sqlite3_bind_int64(stmt, 4, now_ms);
    sqlite3_bind_blob(stmt, 5, answer->request.ptr, (int)answer->request.len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 6, answer->status);
    store_bind(stmt, 7, answer->head);
    store_bind(stmt, 8, answer->body);
    store_bind(stmt, 9, about);
    return store_step(s, STORE_ANSWER_PUT, detail);
}

static enum err is_due(struct store *s, int64_t now_ms, bool *due, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_PRUNE_DUE];
    sqlite3_bind_int64(stmt, 1, now_ms - STORE_ANSWER_LIFE_MS);
    sqlite3_bind_int64(stmt, 2, now_ms / 1000 - TOKEN_GRACE_S);
    int code = sqlite3_step(stmt);
    *due = code == SQLITE_ROW && sqlite3_column_int(stmt, 0) != 0;
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

static enum err prune_one(struct store *s, enum store_statement statement, int64_t upto, bool *more,
                          struct err_detail *detail)
{
    sqlite3_bind_int64(s->statements[statement], 1, upto);
    sqlite3_bind_int(s->statements[statement], 2, PRUNE_MOST);
    enum err e = store_step(s, statement, detail);
    *more = *more || (e == OK && sqlite3_changes(s->db) == PRUNE_MOST);
    return e;
}

enum err store_prune(struct store *s, int64_t now_ms, bool *more, struct err_detail *detail)
{
    bool due = false;
    enum err e = store_ensure(s, detail);
    *more = false;
    if (e != OK || (e = is_due(s, now_ms, &due, detail)) != OK || !due ||
        sqlite3_db_readonly(s->db, "main") == 1)
        return e;
    /* nobody is to wait for this */
    if ((e = store_lock_take(&s->lock, PRUNE_WAIT_MS, detail)) != OK) {
        *more = e == ERR_BUSY;
        return e == ERR_BUSY ? OK : e;
    }
    if ((e = store_begin_locked(s, detail)) != OK)
        return e;
    if ((e = prune_one(s, STORE_PRUNE_ANSWERS, now_ms - STORE_ANSWER_LIFE_MS, more, detail)) == OK)
        e = prune_one(s, STORE_PRUNE_TOKENS, now_ms / 1000 - TOKEN_GRACE_S, more, detail);
    enum err ended = store_end_locked(s, e == OK, detail);
    e = e == OK ? ended : e;
    store_unlock(s, e);
    if (s->options.group != NULL)
        store_group_nudge(s->options.group);
    return e;
}
