/*
 * All that the database holds on one subject, of one moment: what an export of it is made from. It is found
 * by keys alone, without going through the change log: each entry about a profile names the one before it,
 * and the row, or the tombstone, names the last.
 */
#pragma once
#include "store/watch.h"

enum { STORE_HELD_ENTRIES = 10000 }; /* of the log that are handed over at once */

struct store_held {
    struct store_snapshot snapshot;
    bool has_profile;
    struct profile profile;
    bool has_tombstone; /* the profile was deleted, and not made anew */
    int64_t deleted_ms, deleted_seq;
    int64_t revoked_until_s; /* INT64_MIN: nothing was revoked */
    /* as JSON, absent where there is none: */
    struct span avatar;  /* {"hash","type","bytes"}: the image that the profile holds */
    struct span tokens;  /* [{"token","until"}]: single ones that were revoked, by their names */
    struct span answers; /* [{"target","status","at","key","body"}]: kept for repeats, asked by the subject
                            (with the key) or about it (with the body) */
    int64_t before;      /* the first entry that was not handed over; 0: all that are kept were */
};

/*
 * Reads it. The entries of the log about the profile go to take, the newest first, from `from` on (0: the
 * last one); their spans live for that call, those of *out in the arena. Revocations' entries say no more
 * than revoked_until_s, and are not among them.
 *
 * ERR_NOT_FOUND: nothing is held, or `from` is no entry about this subject. ERR_NOMEM, and failures of the
 * storage.
 */
MUST_USE enum err store_held_read(struct store *store, struct span subject, int64_t from, struct arena *arena,
                                  void (*take)(void *data, const struct store_change *change), void *data,
                                  struct store_held *out, struct err_detail *detail);
