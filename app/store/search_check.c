/*
 * Whether the search index says what the rows say. FTS5's own check is a statement that writes, as SQLite
 * sees it, and would hold writers up for seconds; so it is run on a copy of the index, in a temporary
 * database of a connection of its own, against the rows as they are in the same snapshot.
 */
#include "store/handle.h"
#include "store/inspect.h"

#include <stdio.h>

/* What the index ought to hold: for rows that it is behind on, what it held. */
static const char view[] =
    "CREATE TEMP VIEW search_rows AS "
    "SELECT n,handle,name FROM main.search_rows WHERE n NOT IN (SELECT n FROM main.search_pending) UNION ALL "
    "SELECT n,handle,name FROM main.search_pending WHERE handle IS NOT NULL";

static const char copy[] =
    "DELETE FROM temp.search_data; INSERT INTO temp.search_data SELECT * FROM main.search_data;"
    "DELETE FROM temp.search_idx; INSERT INTO temp.search_idx SELECT * FROM main.search_idx;"
    "DELETE FROM temp.search_config;"
    "INSERT INTO temp.search_config SELECT * FROM main.search_config;";

/* The index of the same kind, empty, under the temporary schema. */
static int make_index(sqlite3 *db)
{
    static const char begin[] = "CREATE VIRTUAL TABLE search ";
    sqlite3_stmt *stmt = NULL;
    struct buf sql = {0};
    int code =
        sqlite3_prepare_v2(db, "SELECT sql FROM main.sqlite_schema WHERE name='search'", -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct span text = store_column(stmt, 0);
        code = SQLITE_CORRUPT;
        if (span_starts(text, span_str(begin))) {
            buf_lit(&sql, "CREATE VIRTUAL TABLE temp.search ");
            buf_append(&sql, span_from(text, sizeof begin - 1));
            code = buf_status(&sql) == OK ? sqlite3_exec(db, buf_text(&sql), NULL, NULL, NULL) : SQLITE_NOMEM;
        }
    }
    sqlite3_finalize(stmt);
    buf_fini(&sql);
    return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int check(sqlite3 *db)
{
    int code;
    if ((code = sqlite3_exec(db, "PRAGMA temp_store=FILE; PRAGMA query_only=OFF", NULL, NULL, NULL)) !=
            SQLITE_OK ||
        (code = sqlite3_exec(db, view, NULL, NULL, NULL)) != SQLITE_OK ||
        (code = make_index(db)) != SQLITE_OK ||
        (code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL)) != SQLITE_OK ||
        (code = sqlite3_exec(db, copy, NULL, NULL, NULL)) != SQLITE_OK ||
        (code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL)) != SQLITE_OK ||
        /* or FTS5 would go by what it remembers of the empty one */
        (code = sqlite3_exec(db, "PRAGMA writable_schema=RESET", NULL, NULL, NULL)) != SQLITE_OK)
        return code;
    return sqlite3_exec(db, "INSERT INTO temp.search(search,rank) VALUES ('integrity-check',1)", NULL, NULL,
                        NULL);
}

enum err store_search_check(struct store *s, char *out, size_t size, struct err_detail *detail)
{
    sqlite3 *db = NULL;
    enum err e = store_ensure(s, detail);
    if (e != OK)
        return e;
    int code = sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = check(db);
    if (code == SQLITE_OK)
        snprintf(out, size, "ok");
    else if ((code & 0xff) == SQLITE_CORRUPT)
        snprintf(out, size, "does not say what the profiles say");
    else
        e = store_code_err(db, code, s->path, detail);
    sqlite3_close(db);
    return e;
}
