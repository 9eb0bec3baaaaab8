#include "guard/revoked.h"

#include "base/arena.h"
#include "base/ident.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "http/percent.h"
#include "token/verify.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

struct row {
    int64_t until_s;
    unsigned char len; /* a subject has 128 bytes at most */
    char subject[];
};
static_assert(IDENT_MAX_LEN <= UCHAR_MAX, "a length is one byte");

struct guard_revoked {
    pthread_rwlock_t lock;
    unsigned char key[CRYPTO_SIPHASH_KEY_LEN];
    struct row **rows; /* open addressing, at most half full; size is a power of two */
    size_t size;
    size_t count;
    size_t most;
    int64_t reach_s;   /* -1: for ever */
    int64_t newest_s;  /* the latest second that was put in */
    int64_t cleared_s; /* when those that are over were last looked for */
};

enum err guard_revoked_new(size_t most, int64_t reach_s, struct guard_revoked **out)
{
    struct guard_revoked *table = calloc(1, sizeof *table);
    *out = NULL;
    if (table == NULL)
        return ERR_NOMEM;
    table->size = FIRST_SIZE;
    table->most = most;
    table->reach_s = reach_s;
    table->newest_s = table->cleared_s = INT64_MIN;
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

/* The last second whose revocations matter no more. By the pool's clock as well as by ours, which makes none
 * forget too much when it goes ahead. */
static int64_t over_s(const struct guard_revoked *table, int64_t now_s)
{
    int64_t last_s = table->newest_s < now_s ? table->newest_s : now_s;
    return table->reach_s < 0 || last_s < INT64_MIN + table->reach_s ? INT64_MIN : last_s - table->reach_s;
}

/* Drops what is over, and sees to it that one more finds room. ERR_NOMEM: all is as it was. */
static enum err make_room(struct guard_revoked *table, int64_t now_s)
{
    int64_t over = over_s(table, now_s);
    size_t living = 0, old_size = table->size, size = FIRST_SIZE;
    for (size_t i = 0; i < old_size; i++)
        living += table->rows[i] != NULL && table->rows[i]->until_s > over ? 1 : 0;
    /* a quarter full, lest the next comes soon */
    while (living + 1 > size / 4)
        size *= 2;
    struct row **old = table->rows, **rows = calloc(size, sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    table->rows = rows;
    table->size = size;
    table->count = living;
    table->cleared_s = now_s;
    for (size_t i = 0; i < old_size; i++) {
        struct row *row = old[i];
        if (row == NULL)
            continue;
        if (row->until_s > over)
            rows[place(table, span_of(row->subject, row->len))] = row;
        else
            free(row);
    }
    free(old);
    return OK;
}

static enum err put_locked(struct guard_revoked *table, struct span subject, int64_t until_s, int64_t now_s)
{
    size_t at = place(table, subject);
    /* a token's end lies ahead, and says nothing of the pool's clock */
    if (subject.ptr[0] != '@' && table->newest_s < until_s)
        table->newest_s = until_s;
    if (table->rows[at] != NULL) {
        if (table->rows[at]->until_s < until_s)
            table->rows[at]->until_s = until_s;
        return OK;
    }
    /* a full table is not gone through for each that does not fit */
    if (table->count + 1 > table->size / 2 || (table->count >= table->most && table->cleared_s != now_s)) {
        if (make_room(table, now_s) != OK)
            return ERR_NOMEM;
        at = place(table, subject);
    }
    if (table->count >= table->most)
        return ERR_FULL;
    struct row *row = malloc(sizeof *row + subject.len);
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

enum err guard_revoked_put(struct guard_revoked *table, struct span subject, int64_t until_s, int64_t now_s)
{
    if (!ident_valid(subject) && !is_token(subject))
        return ERR_INVALID;
    (void)pthread_rwlock_wrlock(&table->lock);
    enum err e = put_locked(table, subject, until_s, now_s);
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
static enum err put_pair(struct guard_revoked *table, struct span pair, int64_t now_s, struct arena *arena)
{
    struct span subject;
    uint64_t until_s;
    size_t cut = pair.len;
    while (cut > 0 && pair.ptr[cut - 1] != '=')
        cut--;
    if (cut == 0 || !span_to_u64(span_from(pair, cut), INT64_MAX, &until_s))
        return ERR_INVALID;
    enum err e = http_percent_decode(span_of(pair.ptr, cut - 1), arena, &subject);
    return e != OK ? e : guard_revoked_put(table, subject, (int64_t)until_s, now_s);
}

enum err guard_revoked_put_header(struct guard_revoked *table, struct span header, int64_t now_s)
{
    enum err result = OK;
    struct arena arena = {0};
    struct span rest = header;
    while (rest.ptr != NULL) {
        struct span pair = span_trim(span_cut(&rest, ' '));
        enum err e = pair.len == 0 ? OK : put_pair(table, pair, now_s, &arena);
        if (e != OK && (result == OK || result == ERR_INVALID))
            result = e;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return result;
}
