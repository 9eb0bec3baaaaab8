#include "guard/keys.h"

#include "guard/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOK_US = 1000000 };

struct issuer {
    struct issuer *next;
    struct token_issuer_options options;
    const char *jwks;
    struct guard_watch watch;
};

struct guard_keys {
    struct arena arena; /* the issuers */
    struct issuer *issuers, **end;
    pthread_rwlock_t lock; /* over ring, and the epoch's changes */
    struct token_keyring *ring;
    _Atomic uint64_t epoch;
    _Atomic int64_t next_look_us;
    atomic_flag looking; /* one at a time, and the others go on with what there is */
};

enum err guard_keys_new(struct guard_keys **out)
{
    struct guard_keys *keys = calloc(1, sizeof *keys);
    *out = keys;
    if (keys == NULL)
        return ERR_NOMEM;
    keys->end = &keys->issuers;
    atomic_flag_clear(&keys->looking);
    (void)pthread_rwlock_init(&keys->lock, NULL); /* cannot fail with default attributes */
    return OK;
}

void guard_keys_free(struct guard_keys **keys)
{
    if (*keys == NULL)
        return;
    token_keyring_free(&(*keys)->ring);
    arena_fini(&(*keys)->arena);
    (void)pthread_rwlock_destroy(&(*keys)->lock);
    free(*keys);
    *keys = NULL;
}

/* Puts a new ring of all issuers' files in force. */
static enum err load(struct guard_keys *keys, struct err_detail *detail)
{
    struct token_keyring *ring = NULL;
    uint64_t epoch = 0;
    enum err e = token_keyring_new(&ring);
    for (const struct issuer *i = keys->issuers; e == OK && i != NULL; i = i->next)
        e = token_keyring_add_jwks(ring, &i->options, i->jwks, detail);
    if (e == OK && (e = token_keyring_epoch(ring, &epoch)) == OK) {
        (void)pthread_rwlock_wrlock(&keys->lock);
        struct token_keyring *old = keys->ring;
        keys->ring = ring;
        atomic_store(&keys->epoch, epoch);
        (void)pthread_rwlock_unlock(&keys->lock);
        ring = old;
    }
    token_keyring_free(&ring);
    return e;
}

static bool copy(struct arena *arena, struct span *s)
{
    *s = arena_copy(arena, s->ptr == NULL ? SPAN("") : *s);
    return s->ptr != NULL;
}

enum err guard_keys_add(struct guard_keys *keys, const struct token_issuer_options *options, const char *jwks,
                        struct err_detail *detail)
{
    struct issuer *issuer = arena_zalloc(&keys->arena, sizeof *issuer), **at = keys->end;
    struct span path = span_str(jwks);
    if (issuer == NULL)
        return ERR_NOMEM;
    issuer->options = *options;
    struct token_issuer_options *o = &issuer->options;
    if (!copy(&keys->arena, &o->name) || !copy(&keys->arena, &o->iss) || !copy(&keys->arena, &o->audience) ||
        !copy(&keys->arena, &o->subject_prefix) || !copy(&keys->arena, &path))
        return ERR_NOMEM;
    issuer->jwks = path.ptr;
    (void)guard_watch_changed(&issuer->watch,
                              issuer->jwks); /* before the file is read: a change in between shows */
    *at = issuer;
    keys->end = &issuer->next;
    enum err e = load(keys, detail);
    if (e != OK) {
        *at = NULL;
        keys->end = at;
    }
    return e;
}

enum err guard_keys_refresh(struct guard_keys *keys, int64_t now_us, struct err_detail *detail)
{
    int64_t next = atomic_load_explicit(&keys->next_look_us, memory_order_relaxed);
    bool changed = false;
    if (now_us < next || atomic_flag_test_and_set(&keys->looking))
        return OK;
    atomic_store(&keys->next_look_us, now_us + LOOK_US);
    for (struct issuer *i = keys->issuers; i != NULL; i = i->next)
        changed |= guard_watch_changed(&i->watch, i->jwks);
    enum err e = changed ? load(keys, detail) : OK;
    atomic_flag_clear(&keys->looking);
    return e;
}

uint64_t guard_keys_epoch(const struct guard_keys *keys)
{
    return atomic_load(&keys->epoch);
}

enum err guard_keys_verify(struct guard_keys *keys, const struct token_policy *policy, struct span token,
                           int64_t now_s, struct arena *arena, struct token_identity *out, uint64_t *epoch,
                           struct err_detail *detail)
{
    (void)pthread_rwlock_rdlock(&keys->lock);
    *epoch = atomic_load(&keys->epoch);
    enum err e = token_verify(keys->ring, policy, token, now_s, arena, out, detail);
    (void)pthread_rwlock_unlock(&keys->lock);
    return e;
}

bool guard_keys_own(struct guard_keys *keys, struct span kid,
                    unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN])
{
    (void)pthread_rwlock_rdlock(&keys->lock);
    const struct token_issuer *own = token_keyring_issuer(keys->ring, guard_keys_own_iss(keys));
    const unsigned char *key = own == NULL ? NULL : token_issuer_key(own, kid);
    if (key != NULL)
        memcpy(public_key, key, CRYPTO_ED25519_PUBLIC_LEN);
    (void)pthread_rwlock_unlock(&keys->lock);
    return key != NULL;
}

struct span guard_keys_own_iss(const struct guard_keys *keys)
{
    return keys->issuers->options.iss;
}
