#include "store/handle.h"
#include "json/write.h"

/* The ids as an array, which json_each takes apart again: one statement, whatever their number. */
static enum err write_ids(const struct span *ids, size_t count, struct buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_string(out, ids[i]);
    }
    buf_char(out, ']');
    return buf_status(out);
}

static enum err read_rows(struct store *s, struct span ids, size_t count, struct arena *arena,
                          struct profile *out, bool *found, struct store_snapshot *snapshot,
                          struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_GET_MANY];
    enum err e = OK;
    size_t rows = 0;
    int code;
    store_bind(stmt, 1, ids);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const int64_t at = store_row_asked(stmt);
        if (at < 0 || (uint64_t)at >= count) {
            code = SQLITE_CORRUPT;
            break;
        }
        if (rows++ == 0)
            store_snapshot_read(s, stmt, STORE_ROW_SNAPSHOT, snapshot);
        e = store_row_read(stmt, arena, &out[at]);
        found[at] = e == OK;
        if (e != OK && e != ERR_NOT_FOUND)
            break;
        e = OK;
    }
    sqlite3_reset(stmt);
    if (e != OK)
        return e;
    if (code == SQLITE_DONE && rows != count)
        code = SQLITE_CORRUPT;
    return code == SQLITE_DONE ? OK : store_failed(s, code, detail);
}

enum err store_profiles_get_many(struct store *s, const struct span *ids, size_t count, struct arena *arena,
                                 struct profile *out, bool *found, struct store_snapshot *snapshot,
                                 struct err_detail *detail)
{
    struct buf array = {0};
    enum err e = write_ids(ids, count, &array);
    *snapshot = (struct store_snapshot){0};
    /* a second time when the epoch was missing, as with one */
    for (int i = 0; e == OK && i < 2; i++) {
        if ((e = store_ensure(s, detail)) != OK ||
            (e = read_rows(s, buf_span(&array), count, arena, out, found, snapshot, detail)) != OK ||
            snapshot->epoch[0] != '\0')
            goto out;
        if (!s->in_batch)
            store_disconnect(s);
    }
    if (e == OK)
        e = err_set(detail, ERR_IO, "%s has no epoch, and none can be drawn", s->path);
out:
    buf_fini(&array);
    return e;
}
