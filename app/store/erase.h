/*
 * Out of the index, and out of its file: words of who was deleted or suspended, of names that were changed or
 * made private. FTS5 is a pile of segments; what is taken out is noted in a new one, and both the word and
 * the note stay until the old and the new are merged (SQLite before 3.42 has no secure-delete of its own). So
 * after something was taken out, all segments that there are then are merged into one:
 *
 *     wanted ── a step begins the merge ── steps go on with it ── the log is copied back and emptied ── done
 *
 * Each step is a short transaction under the writers' lock, and each leaves in the table search_erasure how
 * far it is: whoever is killed, another goes on. What is taken out meanwhile waits for the next merge, and
 * never makes the one under way start over. A large index is given a tenth of the time; a small one is done
 * at once. Between two merges there is a pause as long as the former took, a second at least and ten minutes
 * at most: a storm of deletions does not keep the disk busy.
 *
 * secure_delete, which every connection has on, zeroes what SQLite itself sets free.
 */
#pragma once
#include "store/store.h"

/* In how many milliseconds a step is to be made, by what is in the database now: 0: at once; -1: there is
 * nothing to do. Cheap: while nobody has written, one comparison. */
int store_erase_due(struct store *store);
/* Makes a step, if it is due. OK too when the writers' lock is not to be had at once: then it is due later.
 */
MUST_USE enum err store_erase_step(struct store *store, struct err_detail *detail);
