/*
 * Pages of profiles: the list, in the order of handles, and what a search finds, in the order of the index,
 * which is that of places. Active profiles alone. Each call is one short read; a page begins behind the key
 * of the last one's last row, so that it costs the same wherever it lies, and that rows which come and go
 * meanwhile make no other row appear twice or not at all.
 *
 * What is found is decided by the index (schema/0004_search.sql), which holds the words of handles and of
 * public names; what is given is read from the rows themselves in the same snapshot. A row that the index is
 * behind on is not found.
 */
#pragma once
#include "store/store.h"

enum {
    STORE_SEARCH_WORDS = 8,
    STORE_SEARCH_LETTERS = 2, /* that one of the words must have at least */
};

/* What is searched for: beginnings of words, all of which a profile must have. */
struct store_words {
    struct span list[STORE_SEARCH_WORDS];
    size_t count;
    size_t letters; /* of the longest */
};

/*
 * Takes a text apart as the index does, without case and accents, into the words it asks for; one that
 * another one begins with is left out. text is UTF-8 in NFC. The words lie in the arena. ERR_TOO_LARGE: they
 * are more than STORE_SEARCH_WORDS; none at all is OK. ERR_NOMEM, and the storage's failures.
 */
MUST_USE enum err store_words_read(struct store *store, struct span text, struct arena *arena,
                                   struct store_words *out, struct err_detail *detail);

/*
 * Up to limit profiles, the first of those behind the handle `after` (empty: from the beginning), or behind
 * the place `after` (0) and found by the words, of which there is one at least. *count of them are in out,
 * their spans in the arena.
 */
MUST_USE enum err store_list_page(struct store *store, struct span after, size_t limit, struct arena *arena,
                                  struct profile *out, size_t *count, struct store_snapshot *snapshot,
                                  struct err_detail *detail);
MUST_USE enum err store_search_page(struct store *store, const struct store_words *words, int64_t after,
                                    size_t limit, struct arena *arena, struct profile *out, size_t *count,
                                    struct store_snapshot *snapshot, struct err_detail *detail);

/* A key that all who serve this database have in common, drawn when it is first asked for. */
enum { STORE_SECRET_LEN = 32 };
MUST_USE enum err store_secret(struct store *store, const char *name, unsigned char out[STORE_SECRET_LEN],
                               struct err_detail *detail);

/* Makes the index anew from the rows, in one transaction. Holds writers up meanwhile, readers not. */
MUST_USE enum err store_search_rebuild(struct store *store, struct err_detail *detail);
