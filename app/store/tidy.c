#include "store/tidy.h"

#include "store/handle.h"

/* *upto: the last of the oldest entries that may go; 0: none may. */
static enum err find(struct store *s, int64_t before_ms, int64_t *upto, bool *more, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_CHANGES_OLDEST];
    bool old = true;
    int code = SQLITE_DONE, count = 0;
    *upto = 0;
    sqlite3_bind_int(stmt, 1, STORE_TIDY_MOST + 1);
    while (old && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        bool is_revocation = sqlite3_column_int(stmt, 2) != 0;
        bool passed = sqlite3_column_int64(stmt, 1) < before_ms;
        old = passed || is_revocation;
        /* a revocation that reaches into the future goes with the next entry behind it */
        if (passed && count < STORE_TIDY_MOST)
            *upto = sqlite3_column_int64(stmt, 0);
        count++;
    }
    sqlite3_reset(stmt);
    *more = old && count > STORE_TIDY_MOST && *upto > 0;
    return !old || code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

enum err store_changes_tidy(struct store *s, int64_t before_ms, bool *more, struct err_detail *detail)
{
    int64_t upto;
    enum err e = store_ensure(s, detail);
    *more = false;
    /* looked at before the lock is asked for: mostly there is nothing to do */
    if (e != OK || (e = find(s, before_ms, &upto, more, detail)) != OK || upto == 0)
        return e;
    if ((e = store_write_begin(s, detail)) != OK)
        return e;
    sqlite3_bind_int64(s->statements[STORE_CHANGES_TIDY], 1, upto);
    e = store_step(s, STORE_CHANGES_TIDY, detail);
    enum err end = store_write_end(s, e == OK, detail);
    return e == OK ? end : e;
}

enum err store_changes_first(struct store *s, int64_t *out, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *out = 0;
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_CHANGES_FIRST];
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}
