#include "store/tokenizer.h"

#include <sqlite3.h>
#include <stdlib.h>

struct store_tokenizer {
    fts5_tokenizer methods;
    Fts5Tokenizer *instance;
};

/* What the index is made with (schema/0004_search.sql); a test keeps the two alike. */
static const char *const arguments[] = {"remove_diacritics", "2"};

static fts5_api *find_api(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(stmt, 1, (void *)&api, "fts5_api_ptr", NULL);
        (void)sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    return api;
}

enum err store_tokenizer_new(sqlite3 *db, struct store_tokenizer **out, struct err_detail *detail)
{
    fts5_api *api = find_api(db);
    void *context = NULL;
    struct store_tokenizer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (t == NULL)
        return ERR_NOMEM;
    if (api == NULL || api->xFindTokenizer(api, "unicode61", &context, &t->methods) != SQLITE_OK ||
        t->methods.xCreate(context, (const char **)(uintptr_t)arguments,
                           sizeof arguments / sizeof arguments[0], &t->instance) != SQLITE_OK) {
        free(t);
        return err_set(detail, ERR_IO, "this SQLite has no full-text search (FTS5)");
    }
    *out = t;
    return OK;
}

void store_tokenizer_free(struct store_tokenizer **tokenizer)
{
    if (*tokenizer == NULL)
        return;
    (*tokenizer)->methods.xDelete((*tokenizer)->instance);
    free(*tokenizer);
    *tokenizer = NULL;
}

struct reading {
    struct arena *arena;
    struct store_words *words;
    enum err err;
};

static size_t count_letters(struct span word)
{
    size_t letters = 0;
    for (size_t i = 0; i < word.len; i++)
        letters += ((unsigned char)word.ptr[i] & 0xc0) != 0x80;
    return letters;
}

static int take(void *data, int flags, const char *token, int len, int begin, int end)
{
    struct reading *r = data;
    struct span word = span_of(token, (size_t)len);
    size_t kept = 0;
    (void)flags, (void)begin, (void)end;
    for (size_t i = 0; i < r->words->count; i++)
        if (span_starts(r->words->list[i], word))
            return SQLITE_OK;
    /* those that this one begins with say no more than it does */
    for (size_t i = 0; i < r->words->count; i++)
        if (!span_starts(word, r->words->list[i]))
            r->words->list[kept++] = r->words->list[i];
    r->words->count = kept;
    if (kept == STORE_SEARCH_WORDS)
        r->err = ERR_TOO_LARGE;
    else if ((word = arena_copy(r->arena, word)).ptr == NULL)
        r->err = ERR_NOMEM;
    if (r->err != OK)
        return SQLITE_ABORT;
    r->words->list[r->words->count++] = word;
    return SQLITE_OK;
}

enum err store_tokenizer_words(const struct store_tokenizer *t, struct span text, struct arena *arena,
                               struct store_words *out)
{
    struct reading reading = {.arena = arena, .words = out};
    *out = (struct store_words){.count = 0};
    if (text.len > INT32_MAX)
        return ERR_TOO_LARGE;
    int code = t->methods.xTokenize(t->instance, &reading, FTS5_TOKENIZE_QUERY | FTS5_TOKENIZE_PREFIX,
                                    text.ptr, (int)text.len, take);
    if (reading.err != OK)
        return reading.err;
    if (code != SQLITE_OK)
        return ERR_NOMEM;
    for (size_t i = 0; i < out->count; i++) {
        size_t letters = count_letters(out->list[i]);
        out->letters = letters > out->letters ? letters : out->letters;
    }
    return OK;
}
