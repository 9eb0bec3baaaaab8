#include "guard/revoked.h"

#include "base/arena.h"
#include "base/ident.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "http/percent.h"
#include "token/verify.h"

#include <pthread.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

struct row {
    int64_t until_s;
    unsigned char len; /* 0: free; a subject has 128 bytes at most */
    char subject[IDENT_MAX_LEN];
};

struct guard_revoked {
    pthread_rwlock_t lock;
    unsigned char key[CRYPTO_SIPHASH_KEY_LEN];
    struct row **rows; /* open addressing, at most half full; size is a power of two */
    size_t size;
    size_t count;
    size_t most;
};

enum err guard_revoked_new(size_t most, struct guard_revoked **out)
{
    struct guard_revoked *table = calloc(1, sizeof *table);
    *out = NULL;
    if (table == NULL)
        return ERR_NOMEM;
    table->size = FIRST_SIZE;
    table->most = most;
    if ((table->rows = calloc(table->size, sizeof *table->rows)) == NULL) {
        free(table);
        return ERR_NOMEM;
    }
    (void)pthread_rwlock_init(&table->lock, NULL); /* cannot fail with default attributes */
    crypto_random(table->key, sizeof table->key);
    *out = table;
    return OK;
}

void guard_revoked_free(struct guard_revoked **table)
{
    if (*table == NULL)
        return;
    for (size_t i = 0; i < (*table)->size; i++)
        free((*table)->rows[i]);
    free((*table)->rows);
    (void)pthread_rwlock_destroy(&(*table)->lock);
    free(*table);
    *table = NULL;
}

/* Where the subject stands, or would. */
static size_t place(const struct guard_revoked *table, struct span subject)
{
    size_t at = (size_t)crypto_siphash(table->key, subject) & (table->size - 1);
    while (table->rows[at] != NULL &&
           !span_eq(span_of(table->rows[at]->subject, table->rows[at]->len), subject))
        at = (at + 1) & (table->size - 1);
    return at;
}

static enum err grow(struct guard_revoked *table)
{
    size_t old_size = table->size;
    struct row **old = table->rows, **rows = calloc(old_size * 2, sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    table->rows = rows;
    table->size = old_size * 2;
    for (size_t i = 0; i < old_size; i++)
        if (old[i] != NULL)
            rows[place(table, span_of(old[i]->subject, old[i]->len))] = old[i];
    free(old);
    return OK;
}

static enum err put_locked(struct guard_revoked *table, struct span subject, int64_t until_s)
{
    size_t at = place(table, subject);
    if (table->rows[at] != NULL) {
        if (table->rows[at]->until_s < until_s)
            table->rows[at]->until_s = until_s;
        return OK;
    }
    if (table->count >= table->most)
        return ERR_FULL;
    if (table->count + 1 > table->size / 2) {
        if (grow(table) != OK)
            return ERR_NOMEM;
        at = place(table, subject);
    }
    struct row *row = malloc(sizeof *row);
    if (row == NULL)
        return ERR_NOMEM;
    row->until_s = until_s;
    row->len = (unsigned char)subject.len;
    memcpy(row->subject, subject.ptr, subject.len);
    table->rows[at] = row;
    table->count++;
    return OK;
}

/* "@" and a name. */
static bool is_token(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s.ptr[i], 64) == NULL)
            return false;
    return s.len == 1 + TOKEN_NAME_LEN && s.ptr[0] == '@';
}

enum err guard_revoked_put(struct guard_revoked *table, struct span subject, int64_t until_s)
{
    if (!ident_valid(subject) && !is_token(subject))
        return ERR_INVALID;
    (void)pthread_rwlock_wrlock(&table->lock);
    enum err e = put_locked(table, subject, until_s);
    (void)pthread_rwlock_unlock(&table->lock);
    return e;
}

bool guard_revoked_has(struct guard_revoked *table, struct span subject, int64_t issued_s)
{
    (void)pthread_rwlock_rdlock(&table->lock);
    const struct row *row = table->rows[place(table, subject)];
    bool dead = row != NULL && (issued_s == TOKEN_NO_TIME || issued_s <= row->until_s);
    (void)pthread_rwlock_unlock(&table->lock);
    return dead;
}

bool guard_revoked_has_token(struct guard_revoked *table, const char name[TOKEN_NAME_LEN])
{
    char key[1 + TOKEN_NAME_LEN] = "@";
    memcpy(key + 1, name, TOKEN_NAME_LEN);
    return guard_revoked_has(table, span_of(key, sizeof key), TOKEN_NO_TIME);
}

size_t guard_revoked_count(struct guard_revoked *table)
{
    (void)pthread_rwlock_rdlock(&table->lock);
    size_t count = table->count;
    (void)pthread_rwlock_unlock(&table->lock);
    return count;
}

/* One "subject=until_s". The last "=" counts: a subject holds none, but who knows what an encoder leaves. */
static enum err put_pair(struct guard_revoked *table, struct span pair, struct arena *arena)
{
    struct span subject;
    uint64_t until_s;
    size_t cut = pair.len;
    while (cut > 0 && pair.ptr[cut - 1] != '=')
        cut--;
    if (cut == 0 || !span_to_u64(span_from(pair, cut), INT64_MAX, &until_s))
        return ERR_INVALID;
    enum err e = http_percent_decode(span_of(pair.ptr, cut - 1), arena, &subject);
    return e != OK ? e : guard_revoked_put(table, subject, (int64_t)until_s);
}

enum err guard_revoked_put_header(struct guard_revoked *table, struct span header)
{
    enum err result = OK;
    struct arena arena = {0};
    struct span rest = header;
    while (rest.ptr != NULL) {
        struct span pair = span_trim(span_cut(&rest, ' '));
        enum err e = pair.len == 0 ? OK : put_pair(table, pair, &arena);
        if (e != OK && (result == OK || result == ERR_INVALID))
            result = e;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return result;
}
