#include "store/inspect.h"

#include "store/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* Magic numbers of statfs(2). */
enum {
    MAGIC_NFS = 0x6969,
    MAGIC_SMB = 0x517B,
    MAGIC_FUSE = 0x65735546,
    MAGIC_9P = 0x01021997,
    MAGIC_AFS = 0x5346414F
};
static const unsigned long network_magics[] = {
    MAGIC_NFS,   MAGIC_SMB, MAGIC_FUSE, MAGIC_9P, MAGIC_AFS, 0xFF534D42UL /* CIFS */, 0xFE534D42UL /* SMB2 */,
    0x00C36400UL /* Ceph */};

/* sqlite.org/wal.html, "the WAL-reset bug": mended in 3.51.3, 3.50.7 and 3.44.6. */
static bool wal_reset_is_fixed(int version)
{
    return version >= 3051003 || (version >= 3050007 && version < 3051000) ||
           (version >= 3044006 && version < 3045000);
}

static enum err one_text(struct store *s, const char *sql, char *out, size_t size, struct err_detail *detail)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        snprintf(out, size, "%s", text == NULL ? "" : text);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code, detail);
}

static void look_at_files(const struct store *s, struct store_facts *out)
{
    struct stat st;
    struct statfs fs;
    struct buf wal = {0};
    if (stat(s->path, &st) == 0) {
        out->mode = st.st_mode & 07777;
        out->others_may_read = (st.st_mode & 07) != 0;
    }
    if (statfs(s->path, &fs) == 0) {
        out->free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_bsize;
        for (size_t i = 0; i < sizeof network_magics / sizeof network_magics[0]; i++)
            if (((unsigned long)fs.f_type & 0xffffffffUL) == network_magics[i])
                out->network_file_system = true;
    }
    buf_printf(&wal, "%s-wal", s->path);
    if (!wal.failed && stat(wal.ptr, &st) == 0)
        out->wal_bytes = st.st_size;
    buf_fini(&wal);
}

enum err store_inspect(struct store *s, struct store_facts *out, struct err_detail *detail)
{
    enum err e;
    *out = (struct store_facts){
        .sqlite_version = sqlite3_libversion(),
        .wal_reset_fixed = wal_reset_is_fixed(sqlite3_libversion_number()),
    };
    if ((e = store_ensure(s, detail)) != OK)
        return e;
    if ((e = one_text(s, "PRAGMA journal_mode", out->journal_mode, sizeof out->journal_mode, detail)) != OK ||
        (e = one_text(s, store_statement_text(STORE_EPOCH_GET), out->epoch, sizeof out->epoch, detail)) !=
            OK ||
        (e = one_text(s, "PRAGMA integrity_check(1)", out->integrity, sizeof out->integrity, detail)) != OK ||
        (e = store_search_check(s, out->search, sizeof out->search, detail)) != OK)
        return e;
    sqlite3_stmt *counts = s->statements[STORE_COUNTS];
    int code = sqlite3_step(counts);
    if (code == SQLITE_ROW) {
        out->profiles = sqlite3_column_int64(counts, 0);
        out->last_seq = sqlite3_column_int64(counts, 1);
        out->images = sqlite3_column_int64(counts, 2);
        out->orphans = sqlite3_column_int64(counts, 3);
    }
    sqlite3_reset(counts);
    look_at_files(s, out);
    return code == SQLITE_ROW ? OK : store_failed(s, code, detail);
}
