/*
 * What is done to the database beside its use: the change log is kept short, and what was deleted is taken
 * out of the write-ahead log's file as well. Each call is a short step, under the writers' lock; one process
 * of the machine doing it is enough, and several do no harm.
 */
#pragma once
#include "store/store.h"

/* Entries that one step of tidying takes out at most: each may touch a page of an index. */
enum { STORE_TIDY_MOST = 200 };

/*
 * Takes out the oldest entries of the change log, those made before before_ms (Unix time), up to the first
 * one that is younger; never the newest. *more: another step would find some more. A revocation's entry,
 * whose time is another one, goes with its neighbours. Followers that have not come so far find out, and
 * begin anew.
 */
MUST_USE enum err store_changes_tidy(struct store *store, int64_t before_ms, bool *more,
                                     struct err_detail *detail);
/* The number of the oldest entry there is; 0: there is none. */
MUST_USE enum err store_changes_first(struct store *store, int64_t *out, struct err_detail *detail);
/*
 * Takes what was deleted out of the files: the next step of going through the database from page *next on (1:
 * from its beginning), 16 MB of it at most. *next is moved on; 0: the end was reached. sweep.c says what is
 * done. ERR_BUSY: not now, since a reader or a writer stood in the way: to be tried again. ERR_INVALID: it
 * cannot be done with this database (auto_vacuum, or larger than any that was thought of).
 */
MUST_USE enum err store_sweep(struct store *store, uint32_t *next, struct err_detail *detail);
