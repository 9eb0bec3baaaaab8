#include "guard/memo.h"

#include "crypto/hash.h"
#include "crypto/random.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 4, LOCKS = 64, KEY_LEN = 32 };

struct entry {
    unsigned char hash[GUARD_MEMO_HASH_LEN];
    bool used;
    struct guard_verdict verdict;
};

/* On cache lines of its own, lest two locks share one. */
struct lock {
    _Alignas(64) pthread_mutex_t mutex;
};

struct guard_memo {
    unsigned char key[KEY_LEN];
    size_t sets; /* a power of two */
    struct entry *entries;
    struct lock *locks;
};

enum err guard_memo_new(size_t tokens, struct guard_memo **out)
{
    struct guard_memo *memo = calloc(1, sizeof *memo);
    *out = NULL;
    if (memo == NULL)
        return ERR_NOMEM;
    memo->sets = 1;
    while (memo->sets * WAYS < tokens && memo->sets < SIZE_MAX / (2 * WAYS * sizeof *memo->entries))
        memo->sets *= 2;
    memo->entries = calloc(memo->sets * WAYS, sizeof *memo->entries);
    memo->locks = aligned_alloc(_Alignof(struct lock), LOCKS * sizeof *memo->locks);
    if (memo->entries == NULL || memo->locks == NULL) {
        free(memo->entries);
        free(memo->locks);
        free(memo);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_init(&memo->locks[i].mutex, NULL); /* cannot fail with default attributes */
    crypto_random(memo->key, sizeof memo->key);
    *out = memo;
    return OK;
}

void guard_memo_free(struct guard_memo **memo)
{
    if (*memo == NULL)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_destroy(&(*memo)->locks[i].mutex);
    crypto_wipe((*memo)->key, KEY_LEN);
    free((*memo)->locks);
    free((*memo)->entries);
    free(*memo);
    *memo = NULL;
}

void guard_memo_hash(const struct guard_memo *memo, struct span token,
                     unsigned char hash[GUARD_MEMO_HASH_LEN])
{
    crypto_blake2b(token, span_of((const char *)memo->key, KEY_LEN), hash, GUARD_MEMO_HASH_LEN);
}

/* The hash is as good as random: its first bytes choose the set, the set its lock. */
static struct entry *lock_set(struct guard_memo *memo, const unsigned char *hash, pthread_mutex_t **mutex)
{
    uint64_t number;
    memcpy(&number, hash, sizeof number);
    size_t set = (size_t)number & (memo->sets - 1);
    *mutex = &memo->locks[set % LOCKS].mutex;
    (void)pthread_mutex_lock(*mutex);
    return &memo->entries[set * WAYS];
}

enum err guard_memo_find(struct guard_memo *memo, const unsigned char hash[GUARD_MEMO_HASH_LEN],
                         struct guard_verdict *out)
{
    enum err e = ERR_NOT_FOUND;
    pthread_mutex_t *mutex;
    const struct entry *set = lock_set(memo, hash, &mutex);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].used && memcmp(set[i].hash, hash, GUARD_MEMO_HASH_LEN) == 0) {
            *out = set[i].verdict;
            e = OK;
            break;
        }
    (void)pthread_mutex_unlock(mutex);
    return e;
}

/* The entry of this token, else a free one, else the one that ends soonest. */
static struct entry *choose(struct entry *set, const unsigned char *hash)
{
    struct entry *best = set;
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *e = &set[i];
        if (e->used && memcmp(e->hash, hash, GUARD_MEMO_HASH_LEN) == 0)
            return e;
        if (best->used && (!e->used || e->verdict.expires_s < best->verdict.expires_s))
            best = e;
    }
    return best;
}

void guard_memo_put(struct guard_memo *memo, const unsigned char hash[GUARD_MEMO_HASH_LEN],
                    const struct guard_verdict *verdict)
{
    pthread_mutex_t *mutex;
    struct entry *entry = choose(lock_set(memo, hash, &mutex), hash);
    memcpy(entry->hash, hash, GUARD_MEMO_HASH_LEN);
    entry->verdict = *verdict;
    entry->used = true;
    (void)pthread_mutex_unlock(mutex);
}

size_t guard_memo_count(struct guard_memo *memo)
{
    size_t count = 0;
    for (size_t set = 0; set < memo->sets; set++) {
        pthread_mutex_t *mutex = &memo->locks[set % LOCKS].mutex;
        (void)pthread_mutex_lock(mutex);
        for (size_t i = 0; i < WAYS; i++)
            count += memo->entries[set * WAYS + i].used;
        (void)pthread_mutex_unlock(mutex);
    }
    return count;
}

size_t guard_memo_size(const struct guard_memo *memo)
{
    return memo->sets * WAYS;
}
