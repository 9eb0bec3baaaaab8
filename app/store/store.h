/*
 * The database of profiles: SQLite in WAL. One connection a process, opened after the fork and never carried
 * over one. A process's calls come from one thread. All writers of the machine (pool, CGI, import) take one
 * lock file beside the database round each BEGIN…COMMIT and each checkpoint: SQLite before 3.51.3 can lose
 * committed pages when a checkpoint and a writer of two processes meet (sqlite.org/wal.html, "the WAL-reset
 * bug"). Reads take no lock.
 *
 * Failures of the storage itself: ERR_BUSY (somebody outside holds the lock too long), ERR_FULL (disk),
 * ERR_IO (anything else); after these the handle stays usable: the next call tries again, opening anew when
 * need be.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "profile/profile.h"

struct store; /* opaque */

/* What the processes of a pool share, so that changes that wait for the lock are made in one transaction
 * (store/group.h). Made before they are forked; each hands it to store_open in the options. ERR_NOMEM. */
struct store_group;
MUST_USE enum err store_group_new(struct store_group **out);
void store_group_free(struct store_group **group);

/* Room for the upper pages of the trees of some hundred thousand profiles: what others commit empties it
 * anyway. */
enum { STORE_CACHE_KIB = 384 };

struct store_options {
    bool synchronous_full;
    bool read_only;            /* opened for reading alone: export, check */
    int busy_ms;               /* how long a write waits for the lock before ERR_BUSY */
    int cache_kib;             /* page cache; 0: STORE_CACHE_KIB, which is plenty for single rows */
    int checkpoint_pages;      /* the WAL's length at which it is to begin anew; 0: 4096 */
    struct store_group *group; /* NULL: every write is a transaction of its own. Borrowed. */
};

/* url is "sqlite:PATH". ERR_INVALID: not such a url. ERR_NOT_FOUND: no database there (it is not made; see
 * store_migrate). ERR_INVALID too when its migrations are not current, with what to do in detail. *out is
 * NULL on failure. */
MUST_USE enum err store_open(const char *url, const struct store_options *options, struct store **out,
                             struct err_detail *detail);
void store_close(struct store **store);

/* Makes the database if need be and applies, each in a transaction of its own, the migrations it lacks.
 * *applied: how many. ERR_INVALID: it is from a newer program. */
MUST_USE enum err store_migrate(const char *url, const struct store_options *options, int *applied,
                                struct err_detail *detail);
/* Reachable, and its migrations current: what readyz asks. */
MUST_USE enum err store_ready(struct store *store, struct err_detail *detail);

/* The state of the database that something was read in. */
enum { STORE_EPOCH_MAX = 16 };
struct store_snapshot {
    char epoch[STORE_EPOCH_MAX +
               1];     /* drawn when it was made or restored, part of every ETag; NUL-terminated */
    int64_t seq;       /* of the last entry of the change log */
    uint64_t identity; /* one number for the epoch and the file it is in; never 0. Where it is the same, a
                          higher seq is a later state */
    /* of store_changes_read alone; 0 elsewhere: */
    uint64_t lineage;     /* one number for the epoch alone, which a copy of the file has as well; never 0 */
    uint64_t entry;       /* one number for what entry seq of the log says; 0: there is none */
    uint64_t after_entry; /* the same of the entry that was read on from */
};

/*
 * A profile by id, or by folded handle. OK: *out is filled, its spans live in the arena.
 * ERR_NOT_FOUND; suspended ones are found. *snapshot is filled with both: it is known in which state there
 * was no such profile.
 */
MUST_USE enum err store_profile_get(struct store *store, struct span id, struct arena *arena,
                                    struct profile *out, struct store_snapshot *snapshot,
                                    struct err_detail *detail);
MUST_USE enum err store_profile_get_by_handle(struct store *store, struct span handle, struct arena *arena,
                                              struct profile *out, struct store_snapshot *snapshot,
                                              struct err_detail *detail);
/*
 * Several by id, of one snapshot, by one statement. out[i] is the profile of ids[i] where found[i] says that
 * there is one; count is 1 at least. Spans live in the arena. On failure neither is filled.
 */
MUST_USE enum err store_profiles_get_many(struct store *store, const struct span *ids, size_t count,
                                          struct arena *arena, struct profile *out, bool *found,
                                          struct store_snapshot *snapshot, struct err_detail *detail);

/*
 * Writes: each is one transaction under the lock (unless inside store_batch_begin…end). On OK the profile's
 * stamps, created_ms and the snapshot's epoch (no more of it) are those of the committed row, and the write
 * is on disk (synchronous=full).
 *
 * insert: snapshot NULL: neither it nor stamps are wanted (import). ERR_CONFLICT: id or handle is taken;
 * *taken says which. ERR_DENIED: the id was deleted before and allow_deleted is false. update: replaces all
 * but id, and the handle only when handle_changed is true, where the owner's stamp is still
 * p->stamps[PROFILE_VIEW_OWNER].seq: that check and the raising are one statement. ERR_CONFLICT with *taken
 * STORE_TAKEN_NONE: it is not any more (changed or gone): read again. ERR_CONFLICT with STORE_TAKEN_HANDLE:
 * the handle is another's. An update that changes nothing succeeds and raises no stamp. ERR_BUSY: in a group,
 * when a writer was stopped in the middle of it, the change may yet be made. delete: likewise by stamp;
 * leaves a tombstone and revokes the subject's tokens.
 */
enum store_taken { STORE_TAKEN_NONE, STORE_TAKEN_ID, STORE_TAKEN_HANDLE };
MUST_USE enum err store_profile_insert(struct store *store, struct profile *p, bool allow_deleted,
                                       struct store_snapshot *snapshot, enum store_taken *taken,
                                       struct err_detail *detail);
MUST_USE enum err store_profile_update(struct store *store, struct profile *p, bool handle_changed,
                                       struct store_snapshot *snapshot, enum store_taken *taken,
                                       struct err_detail *detail);
MUST_USE enum err store_profile_delete(struct store *store, struct span id, int64_t owner_seq,
                                       struct err_detail *detail);

/*
 * Up to limit profiles in the order they were made, those behind the place *after (0: from the beginning);
 * *after is moved on to the last of them. Each call is a short read of its own, so that going through all of
 * them holds no snapshot and hinders no checkpoint. *count 0: there are no more.
 */
MUST_USE enum err store_profiles_after(struct store *store, int64_t *after, size_t limit, struct arena *arena,
                                       struct profile *out, size_t *count, struct err_detail *detail);

/* *until_s: tokens of subject issued up to and including this second are dead (as are those without iat);
 * Unix seconds; INT64_MIN: none was revoked. */
MUST_USE enum err store_revoked_until(struct store *store, struct span subject, int64_t *until_s,
                                      struct store_snapshot *snapshot, struct err_detail *detail);

/* Several writes in one transaction, for import. The lock is held from begin to end; end(commit=false) rolls
 * back. A failed write inside leaves the others as they are. */
MUST_USE enum err store_batch_begin(struct store *store, struct err_detail *detail);
MUST_USE enum err store_batch_end(struct store *store, bool commit, struct err_detail *detail);

/* Whether enough of the WAL is not yet in the database, by the last commit of this connection or of its
 * group; to be asked after the answer was sent. */
bool store_checkpoint_due(const struct store *store);
/* Copies the WAL back into the database under the writers' lock; readers go on. wait: all of it, now.
 * Otherwise a part of it, and nothing, which is OK, when the lock is not to be had within some milliseconds.
 */
MUST_USE enum err store_checkpoint(struct store *store, bool wait, struct err_detail *detail);
