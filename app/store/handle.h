/*
 * What the files of this room share: the handle, the table of statements, the mapping of SQLite's outcomes.
 * Not for other rooms.
 */
#pragma once
#include "store/lock.h"
#include "store/store.h"
#include "store/wal.h"

#include <sqlite3.h>
#include <sys/types.h>

/* Every statement of the program: nobody else writes SQL. X(enum, text) */
enum store_statement {
    STORE_BEGIN,
    STORE_BEGIN_READ,
    STORE_COMMIT,
    STORE_ROLLBACK,
    STORE_GET,
    STORE_GET_BY_HANDLE,
    STORE_GET_AFTER,
    STORE_GET_MANY,
    STORE_STAMPS,
    STORE_INSERT,
    STORE_UPDATE,
    STORE_UPDATE_WITH_HANDLE,
    STORE_DELETE,
    STORE_TOMBSTONE,
    STORE_REVOKED_UNTIL,
    STORE_SNAPSHOT,
    STORE_CHANGES_AFTER,
    STORE_CHANGES_ENTRY,
    STORE_REVOCATIONS,
    STORE_MIGRATIONS,
    STORE_TOUCH,
    STORE_UNTOUCH,
    STORE_EPOCH_GET,
    STORE_EPOCH_DRAW,
    STORE_EPOCH_RENEW,
    STORE_COUNTS,
    STORE_STATEMENT_COUNT
};
/* The text; static. */
const char *store_statement_text(enum store_statement s);

struct store {
    char *path;
    struct store_options options;
    sqlite3 *db;  /* NULL after a failure of the storage: opened anew by the next call */
    sqlite3 *pin; /* another connection, for checkpoints; NULL until the first */
    sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
    struct store_lock lock;
    struct store_slot *slot; /* of options.group; NULL: none */
    bool in_batch;
    struct store_wal wal; /* where there is no group, whose own is used then */
    dev_t device;         /* of the file that db is open on */
    ino_t inode;
    const volatile uint64_t
        *wal_index; /* SQLite's mapping of -shm, while db is open; NULL: nothing to watch */
};

/* Opens s->db with its settings and prepares the statements; s->db stays NULL on failure. */
MUST_USE enum err store_connect(struct store *s, struct err_detail *detail);
void store_disconnect(struct store *s);
/* To be called first by every operation: connects if need be, and anew when another file lies at the path. */
MUST_USE enum err store_ensure(struct store *s, struct err_detail *detail);

/* The err for an SQLite result code of s->db, with its message in detail. After one that says that the
 * storage failed, the connection is given up. */
enum err store_failed(struct store *s, int code, struct err_detail *detail);
/* The same, for a connection that is no store's yet. */
enum err store_code_err(sqlite3 *db, int code, const char *path, struct err_detail *detail);

/* Steps a statement without rows to its end and resets it. */
MUST_USE enum err store_step(struct store *s, enum store_statement statement, struct err_detail *detail);
/* BEGIN IMMEDIATE under the writers' lock, COMMIT or ROLLBACK and unlock. Inside a batch they do nothing. */
MUST_USE enum err store_write_begin(struct store *s, struct err_detail *detail);
MUST_USE enum err store_write_end(struct store *s, bool commit, struct err_detail *detail);

/* The parts of these, under the lock: what begins, ends by COMMIT or ROLLBACK, and lets go of the lock (and
 * of the connection, when e says that the storage failed). begin lets go of both when it fails. */
MUST_USE enum err store_begin_locked(struct store *s, struct err_detail *detail);
MUST_USE enum err store_end_locked(struct store *s, bool commit, struct err_detail *detail);
void store_unlock(struct store *s, enum err e);

/* store_profile_update inside a transaction, and one row by its key as the statement gives it. */
MUST_USE enum err store_update_row(struct store *s, struct profile *p, bool handle_changed,
                                   struct store_snapshot *snapshot, enum store_taken *taken,
                                   struct err_detail *detail);
MUST_USE enum err store_row_get(struct store *s, enum store_statement statement, struct span key,
                                struct arena *arena, struct profile *out, struct store_snapshot *snapshot,
                                struct err_detail *detail);
/* store_profile_update of a store that has a slot, the handle unchanged (group_write.c). */
MUST_USE enum err store_group_update(struct store *s, struct profile *p, struct store_snapshot *snapshot,
                                     enum store_taken *taken, struct err_detail *detail);

/* A commit left the write-ahead log this long. */
void store_wal_note(struct store *s, uint32_t pages);

/* Binds text, NULL for an absent span. The bytes must live until the statement is reset. */
void store_bind(sqlite3_stmt *statement, int index, struct span s);

/* A column's text, borrowed from the statement until its next step. Absent for NULL. */
struct span store_column(sqlite3_stmt *statement, int index);
/* The rows of STORE_GET, STORE_GET_BY_HANDLE, STORE_GET_AFTER and STORE_GET_MANY. Copies into the arena;
 * ERR_NOMEM. ERR_NOT_FOUND: the row stands for no profile. */
MUST_USE enum err store_row_read(sqlite3_stmt *statement, struct arena *arena, struct profile *out);
/* The columns epoch and seq of a row, at index and behind it. An epoch that is NULL leaves out->epoch empty.
 */
void store_snapshot_read(const struct store *s, sqlite3_stmt *statement, int index,
                         struct store_snapshot *out);
enum { STORE_ROW_SNAPSHOT = 0 }; /* where they are in the rows above */
/* Finds SQLite's mapping of -shm, once something has been read through the connection. */
void store_map_wal_index(struct store *s);
/* n of a row of STORE_GET_AFTER. */
int64_t store_row_n(sqlite3_stmt *statement);
/* Which of those asked for a row of STORE_GET_MANY is about. */
int64_t store_row_asked(sqlite3_stmt *statement);

/* "sqlite:PATH": the path, or NULL. Borrowed from url. */
const char *store_path_of_url(const char *url);
/* OK when the migrations that the database has are just the program's. ERR_INVALID, with what to do in
 * detail. */
MUST_USE enum err store_migrations_current(sqlite3 *db, const char *path, struct err_detail *detail);
/* Settings that every connection gets. */
MUST_USE enum err store_configure(sqlite3 *db, const struct store_options *options, const char *path,
                                  struct err_detail *detail);
