/*
 * The tokenizer of the search index, for what is searched: so the words of a query and those of the index
 * cannot differ. It is SQLite's own (sqlite.org/fts5.html section 4.3), asked for through the connection. Not
 * for other rooms.
 */
#pragma once
#include "store/search.h"

struct sqlite3;
struct store_tokenizer;

/* ERR_IO: this SQLite has no FTS5. ERR_NOMEM. Good until the connection is closed. */
MUST_USE enum err store_tokenizer_new(struct sqlite3 *db, struct store_tokenizer **out,
                                      struct err_detail *detail);
void store_tokenizer_free(struct store_tokenizer **tokenizer);
/* As store_words_read. */
MUST_USE enum err store_tokenizer_words(const struct store_tokenizer *tokenizer, struct span text,
                                        struct arena *arena, struct store_words *out);
