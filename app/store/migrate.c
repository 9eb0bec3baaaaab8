#include "store/handle.h"

#include "crypto/hex.h"
#include "crypto/random.h"
#include "store/avatars.h"
#include "store_migration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char migrations_table[] =
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "applied_at INTEGER NOT NULL) STRICT";

/* How many migrations the database has; a database without the table has none. */
static enum err count_applied(sqlite3 *db, const char *path, int *count, struct err_detail *detail)
{
    sqlite3_stmt *stmt = NULL;
    *count = 0;
    int code = sqlite3_prepare_v2(
        db, "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='migrations'", -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        bool there = sqlite3_column_int(stmt, 0) != 0;
        sqlite3_finalize(stmt);
        stmt = NULL;
        if (!there)
            return OK;
        code = sqlite3_prepare_v2(db, store_statement_text(STORE_MIGRATIONS), -1, &stmt, NULL);
        if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
            *count = sqlite3_column_int(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW ? OK : store_code_err(db, code, path, detail);
}

enum err store_migrations_current(sqlite3 *db, const char *path, struct err_detail *detail)
{
    int count;
    enum err e = count_applied(db, path, &count, detail);
    if (e != OK)
        return e;
    if (count < (int)store_migration_files_count)
        return err_set(detail, ERR_INVALID, "%s lacks %d of %d migrations: run profiled db migrate", path,
                       (int)store_migration_files_count - count, (int)store_migration_files_count);
    if (count > (int)store_migration_files_count)
        return err_set(detail, ERR_INVALID,
                       "%s was made by a newer profiled (migration %d, this one knows %d)", path, count,
                       (int)store_migration_files_count);
    return OK;
}

static enum err apply(sqlite3 *db, const char *path, int number, const struct store_migration_file *file,
                      struct err_detail *detail)
{
    char *record = sqlite3_mprintf(
        "INSERT INTO migrations (number, name, applied_at) VALUES (%d, %Q, unixepoch())", number, file->name);
    int code = record == NULL ? SQLITE_NOMEM : sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK && (code = sqlite3_exec(db, file->text, NULL, NULL, NULL)) == SQLITE_OK &&
        (code = sqlite3_exec(db, record, NULL, NULL, NULL)) == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    enum err e = code == SQLITE_OK ? OK : store_code_err(db, code, path, detail);
    if (e != OK && sqlite3_get_autocommit(db) == 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_free(record);
    return e;
}

/* The key of the images' addresses, where there is none yet. */
static enum err draw_avatar_key(sqlite3 *db, const char *path, struct err_detail *detail)
{
    unsigned char key[STORE_AVATAR_KEY_LEN];
    struct buf sql = {0};
    crypto_random(key, sizeof key);
    buf_lit(&sql, "INSERT OR IGNORE INTO avatar_key (one,key) VALUES (1,x'");
    crypto_hex_write(&sql, span_of((const char *)key, sizeof key));
    buf_lit(&sql, "')");
    int code = buf_status(&sql) == OK ? sqlite3_exec(db, sql.ptr, NULL, NULL, NULL) : SQLITE_NOMEM;
    buf_fini(&sql);
    return code == SQLITE_OK ? OK : store_code_err(db, code, path, detail);
}

static enum err apply_missing(sqlite3 *db, const char *path, int *applied, struct err_detail *detail)
{
    int count;
    enum err e = count_applied(db, path, &count, detail);
    if (e != OK)
        return e;
    if (count > (int)store_migration_files_count)
        return store_migrations_current(db, path, detail);
    int code = sqlite3_exec(db, migrations_table, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return store_code_err(db, code, path, detail);
    for (int i = count; e == OK && i < (int)store_migration_files_count; i++) {
        e = apply(db, path, i + 1, &store_migration_files[i], detail);
        *applied += e == OK;
    }
    if (e != OK)
        return e;
    code = sqlite3_exec(db, store_statement_text(STORE_EPOCH_DRAW), NULL, NULL, NULL);
    return code == SQLITE_OK ? draw_avatar_key(db, path, detail) : store_code_err(db, code, path, detail);
}

/* Makes the file with its mode before SQLite sees it: -wal and -shm take after it. */
static enum err make_file(const char *path, struct err_detail *detail)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot make %s: %s", path, strerror(errno));
    close(fd);
    return OK;
}

enum err store_migrate(const char *url, const struct store_options *options, int *applied,
                       struct err_detail *detail)
{
    const char *path = store_path_of_url(url);
    struct store_lock lock = {.fd = -1};
    sqlite3 *db = NULL;
    enum err e = OK;
    *applied = 0;
    if (path == NULL)
        return err_set(detail, ERR_INVALID, "'%s' is no address of a database: sqlite:PATH is", url);
    if (access(path, F_OK) != 0 && (e = make_file(path, detail)) != OK)
        return e;
    if ((e = store_lock_open(&lock, path, detail)) != OK ||
        (e = store_lock_take(&lock, options->busy_ms, detail)) != OK)
        goto out;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK ||
        (code = sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL)) != SQLITE_OK) {
        e = store_code_err(db, code, path, detail);
        goto out;
    }
    if ((e = store_configure(db, options, path, detail)) == OK)
        e = apply_missing(db, path, applied, detail);
out:
    sqlite3_close(db);
    store_lock_release(&lock);
    store_lock_close(&lock);
    return e;
}
