#include "store/handle.h"

enum err store_revocation_get(struct store *s, struct span subject, struct span token,
                              struct store_revocation *out, struct store_snapshot *snapshot,
                              struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *out = (struct store_revocation){.until_s = INT64_MIN};
    *snapshot = (struct store_snapshot){0};
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_REVOCATION];
    store_bind(stmt, 1, subject);
    store_bind(stmt, 2, token);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        store_snapshot_read(s, stmt, 0, snapshot);
        if (sqlite3_column_type(stmt, 2) != SQLITE_NULL)
            out->until_s = sqlite3_column_int64(stmt, 2);
        out->token = sqlite3_column_int(stmt, 3) != 0;
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

/* Runs a statement that is bound already, in a transaction of its own. */
static enum err write_one(struct store *s, enum store_statement statement, struct err_detail *detail)
{
    enum err e = store_step(s, statement, detail);
    enum err ended = store_write_end(s, e == OK, detail);
    return e == OK ? ended : e;
}

enum err store_revoke_subject(struct store *s, struct span subject, int64_t until_s,
                              struct err_detail *detail)
{
    enum err e;
    if ((e = store_ensure(s, detail)) != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    store_bind(s->statements[STORE_REVOKE_SUBJECT], 1, subject);
    sqlite3_bind_int64(s->statements[STORE_REVOKE_SUBJECT], 2, until_s);
    return write_one(s, STORE_REVOKE_SUBJECT, detail);
}

enum err store_revoke_token(struct store *s, struct span subject, struct span token, int64_t expires_s,
                            struct err_detail *detail)
{
    enum err e;
    if ((e = store_ensure(s, detail)) != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    store_bind(s->statements[STORE_REVOKE_TOKEN], 1, token);
    store_bind(s->statements[STORE_REVOKE_TOKEN], 2, subject);
    sqlite3_bind_int64(s->statements[STORE_REVOKE_TOKEN], 3, expires_s);
    return write_one(s, STORE_REVOKE_TOKEN, detail);
}
