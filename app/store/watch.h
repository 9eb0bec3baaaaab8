/*
 * Whether anybody has written since: the cache in front of the store asks this on every hit, and what has
 * changed when somebody has.
 *
 * SQLite in WAL publishes each commit by a new header of the WAL index, the first 96 bytes of the -shm file:
 * two copies of 48 bytes, the second one written first (sqlite.org/walformat.html section 2.1). COMMIT
 * returns after both are written, whoever writes (the pool, import, the sqlite3 shell), and frame checksums
 * and salts in it never repeat. So: a header that equals the one seen before means that nothing was committed
 * in between. Recovery after a crash writes a new header as well; a checkpoint need not. Only the header of a
 * WAL that is empty (none was there when the first one connected) is the same for any content, and so is no
 * marker.
 *
 * The bytes are read in SQLite's own mapping of -shm (sqlite3_io_methods.xShmMap): no descriptor of ours is
 * ever opened on the file, since closing one would let go of SQLite's locks.
 */
#pragma once
#include "store/store.h"

enum {
    STORE_MARKER_WORDS = 14
}; /* both copies of the header, and which file it is: where the log is empty, the
      headers of two databases may be alike */

/*
 * Whether the database is still in the state that the marker was taken in: the same file at its path, nothing
 * committed. One stat(2), no lock, no SQL. false also when it cannot be told.
 */
bool store_is_unchanged(const struct store *store, const uint64_t marker[STORE_MARKER_WORDS]);
/*
 * Takes the marker of the state that the next read transaction will see, or a later one will. Where the WAL
 * is empty, a commit that changes nothing is written first, without waiting for anybody. ERR_BUSY: that
 * cannot be now; or a writer is publishing, or died while it did: read something (which mends it) and try
 * again. ERR_IO and the like: the database cannot be reached, or it is one that cannot be watched (read-only
 * without its -shm).
 */
MUST_USE enum err store_marker_take(struct store *store, uint64_t out[STORE_MARKER_WORDS],
                                    struct err_detail *detail);

/* What happened, by its word in the log. */
enum store_change_kind {
    STORE_CHANGE_CREATE,
    STORE_CHANGE_UPDATE,  /* seen by everybody */
    STORE_CHANGE_PRIVATE, /* seen by the owner alone */
    STORE_CHANGE_SUSPEND,
    STORE_CHANGE_RESUME,
    STORE_CHANGE_DELETE,
    STORE_CHANGE_REVOKE, /* profile_id is the subject whose tokens it is about */
    STORE_CHANGE_AVATAR, /* profile_id is the hash of an image that went, or is shown otherwise */
    STORE_CHANGE_KIND_COUNT
};
/* The word; static. */
struct span store_change_name(enum store_change_kind kind);

struct store_change {
    int64_t seq;
    enum store_change_kind kind;
    struct span profile_id;
    struct span handle;     /* taken by this change; absent: none */
    struct span old_handle; /* set free by it; absent: none. Of a profile that is gone both are, everywhere */
    int64_t at_ms;          /* Unix time; of a subject's revocation the second that it reaches up to */
    struct span token; /* the revocation is of this one token, by its name; absent: of all of the subject's */
    int64_t token_until_s; /* its end, Unix time */
};

/*
 * Hands the entries of the change log behind `after`, in order, to take; *snapshot is the state that they
 * lead up to, of the same read transaction. When there are more than `most`, none is handed over and the
 * outcome is ERR_TOO_LARGE, as it is when some are not there any more (the log was tidied), after those that
 * are; when the log is shorter than `after` (the database was set back) it is ERR_CONFLICT: *snapshot is
 * filled in both cases. Spans live for the call of take.
 *
 * Whether it is the log that was read before, the caller finds out: snapshot->after_entry is what
 * snapshot->entry was when that one ended at `after`.
 */
MUST_USE enum err store_changes_read(struct store *store, int64_t after, int64_t most,
                                     void (*take)(void *data, const struct store_change *change), void *data,
                                     struct store_snapshot *snapshot, struct err_detail *detail);

/* How far a page of the log goes. */
struct store_page {
    struct store_snapshot snapshot; /* the state that it was read in: seq is the newest entry there is */
    int64_t upto;                   /* the last entry that was taken; what it was read on from: none was */
    uint64_t upto_entry;            /* one number for what that one says, as snapshot.entry */
};
/*
 * The same a piece at a time, for who is slower than the writers: hands the entries behind `after`, in order,
 * to take until that returns false (it did not take this one) or there are no more. ERR_TOO_LARGE: some are
 * not there any more; ERR_CONFLICT: the log is shorter; page->snapshot is filled with both, and what was
 * taken is to be forgotten. Other failures as store_changes_read.
 */
MUST_USE enum err store_changes_page(struct store *store, int64_t after,
                                     bool (*take)(void *data, const struct store_change *change), void *data,
                                     struct store_page *page, struct err_detail *detail);
/*
 * Hands the revocations that reach beyond the second over_s, those behind `after` (the last one's subject;
 * absent: all), to take, until that returns false: subjects in their order, and then single tokens in that of
 * their names. A token stands there as a subject that nobody can be: "@" and its name, up to its end.
 * *snapshot is the state that they were read in (epoch, seq, lineage, entry). Spans live for the call of
 * take.
 */
MUST_USE enum err store_revocations_read(struct store *store, struct span after, int64_t over_s,
                                         bool (*take)(void *data, struct span subject, int64_t until_s),
                                         void *data, struct store_snapshot *snapshot,
                                         struct err_detail *detail);

/* Draws a new epoch, so that no ETag given out before stands for anything any more: for a database that was
 * set back while it was in use. A write like the others. */
MUST_USE enum err store_epoch_renew(struct store *store, struct err_detail *detail);
