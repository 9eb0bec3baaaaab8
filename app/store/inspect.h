/* What `profiled db check` and `profiled db backup` need of the database. */
#pragma once
#include "base/err.h"
#include "store/store.h"

struct store_facts {
    int64_t profiles;
    int64_t last_seq;
    int64_t images;
    int64_t orphans; /* images that no profile holds */
    char epoch[STORE_EPOCH_MAX + 1];
    char journal_mode[16];
    char integrity[200];        /* "ok", or the first thing that is wrong */
    char search[48];            /* "ok", or what is wrong with the search index */
    const char *sqlite_version; /* static */
    bool wal_reset_fixed; /* this SQLite no longer loses pages when a checkpoint meets a writer of another
                             process */
    unsigned mode;        /* of the database file */
    bool others_may_read;
    bool network_file_system; /* WAL needs memory that all processes share: it does not work there */
    int64_t free_bytes;       /* on its file system */
    int64_t wal_bytes;
};
/* Looks at everything; may take long on a large database (it reads all of it). ERR_IO and the like: it could
 * not even be looked at. */
MUST_USE enum err store_inspect(struct store *store, struct store_facts *out, struct err_detail *detail);

/* The part of it that is about the search index: out, of size bytes, as store_facts.search. Makes a copy of
 * the index in a temporary file. */
MUST_USE enum err store_search_check(struct store *store, char *out, size_t size, struct err_detail *detail);

/*
 * Writes a copy of the database, as of one moment, to path, which appears when it is whole and on disk.
 * Readers and writers go on meanwhile. The copy has no epoch: whoever opens it first draws a new one, so that
 * a restored database gives out no tag that it gave out before. ERR_CONFLICT: path is there already and force
 * is false. progress may be NULL; it is called with pages.
 */
MUST_USE enum err store_backup(struct store *store, const char *path, bool force,
                               void (*progress)(void *data, uint64_t done, uint64_t total), void *data,
                               struct err_detail *detail);
