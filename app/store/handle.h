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
    STORE_REVOCATION,
    STORE_REVOKE_SUBJECT,
    STORE_REVOKE_TOKEN,
    STORE_SNAPSHOT,
    STORE_CHANGES_AFTER,
    STORE_CHANGES_ENTRY,
    STORE_CHANGES_FIRST,
    STORE_CHANGES_OLDEST,
    STORE_CHANGES_TIDY,
    STORE_HELD_ENTRY,
    STORE_HELD_TOMBSTONE,
    STORE_HELD_BESIDE,
    STORE_REVOCATIONS,
    STORE_REVOKED_TOKENS,
    STORE_ANSWER_GET,
    STORE_ANSWER_PUT,
    STORE_PRUNE_DUE,
    STORE_PRUNE_ANSWERS,
    STORE_PRUNE_TOKENS,
    STORE_MIGRATIONS,
    STORE_TOUCH,
    STORE_UNTOUCH,
    STORE_EPOCH_GET,
    STORE_EPOCH_DRAW,
    STORE_EPOCH_RENEW,
    STORE_COUNTS,
    STORE_AVATAR_KEY,
    STORE_AVATAR_GET,
    STORE_AVATAR_PUT,
    STORE_AVATAR_PICTURE,
    STORE_IMAGE_N,
    STORE_IMAGE_FIND,
    STORE_IMAGE_INSERT,
    STORE_THUMBNAIL_N,
    STORE_THUMBNAIL_INSERT,
    STORE_LIST,
    STORE_SECRET_GET,
    STORE_SECRET_PUT,
    STORE_SEARCH_BEHIND,
    STORE_SEARCH_BULK,
    STORE_SEARCH_BULK_NOTE,
    STORE_SEARCH_BULK_END,
    STORE_SEARCH_UP_TO_DATE,
    STORE_ERASURE_WANT,
    STORE_ERASURE_GET,
    STORE_ERASURE_PUT,
    STORE_ERASURE_STRUCTURE,
    STORE_FTS, /* from here on: prepared when first used, since opening the index costs more than a CGI
                  program has to spare */
    STORE_SEARCH = STORE_FTS,
    STORE_SEARCH_FILL,
    STORE_SEARCH_FILL_BULK,
    STORE_SEARCH_MERGE,
    STORE_SEARCH_REBUILD,
    STORE_STATEMENT_COUNT
};
/* The text; static. */
const char *store_statement_text(enum store_statement s);

/* What was last seen of the table search_erasure, and in which state of the database: header of the WAL
 * index. */
enum { STORE_HEADER_WORDS = 6 };
struct store_erase {
    uint64_t header[STORE_HEADER_WORDS];
    bool wanted;
    int64_t due_ms;        /* Unix time */
    int64_t not_before_ms; /* where a step came to nothing */
};

struct store_tokenizer;

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
    bool search_bulk;                  /* the transaction is a batch whose new rows are indexed at its end */
    bool search_due;                   /* the transaction has made the search index differ from the rows */
    struct store_tokenizer *tokenizer; /* of the index; NULL until the first search */
    struct store_erase erase;
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

/* A statement of those that are not prepared from the start; NULL: it cannot be, and *e says why. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement statement, enum err *e,
                              struct err_detail *detail);
/* Inside a transaction that writes, before its COMMIT: brings the search index up to date. An index that is
 * damaged is none of the transaction's affair, and OK. */
MUST_USE enum err store_search_fill(struct store *s, struct err_detail *detail);
void store_tokenizer_free(struct store_tokenizer **tokenizer);
/* Lets go of the snapshot of a read transaction, and joins both outcomes. */
MUST_USE enum err store_end_read(struct store *s, enum err e);
/* The rows of a page, into out; reset afterwards. */
MUST_USE enum err store_rows_read(struct store *s, sqlite3_stmt *statement, size_t limit, struct arena *arena,
                                  struct profile *out, size_t *count, struct err_detail *detail);

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

/* Under the writers' lock: copies all of the write-ahead log back and empties its file. ERR_BUSY: a reader
 * stood in the way. */
MUST_USE enum err store_wal_empty(struct store *s, struct err_detail *detail);
/* Without the lock, before that: does most of it, so that nobody is held up for long. May do nothing. */
void store_wal_shorten(struct store *s);
/* Makes sure that what was written into the database is on disk. */
void store_sync(struct store *s);

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
/* Inside a read transaction: the state it sees, with the entries of the log's end and of `after` (watch.h).
 */
MUST_USE enum err store_snapshot_get(struct store *s, int64_t after, struct store_snapshot *out,
                                     struct err_detail *detail);
/* Ends a read transaction that came to e, and gives what came of both. */
MUST_USE enum err store_read_end(struct store *s, enum err e, const struct store_snapshot *snapshot);
struct store_change;
/* A row of STORE_CHANGES_AFTER or STORE_HELD_ENTRY; its spans are borrowed until the statement's next step.
 */
void store_change_read(sqlite3_stmt *stmt, struct store_change *out);
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
