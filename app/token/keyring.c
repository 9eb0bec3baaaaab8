#include "token/keyring.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/ident.h"
#include "crypto/hash.h"
#include "token/jwk.h"
#include "token/keyfolder.h"
#include "token/scope.h"
#include "json/get.h"
#include "json/load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { JWKS_MAX_LEN = 1024 * 1024 };

struct key {
    struct key *next; /* by kid, so that what is written has one order */
    struct span kid;
    unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN];
};

struct token_issuer {
    struct token_issuer *next;
    struct token_issuer_options options;
    struct key *keys;
    bool own;
};

struct token_keyring {
    struct arena arena; /* holds all below; never reset */
    struct token_issuer *issuers;
    size_t count;
};

enum err token_keyring_new(struct token_keyring **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? ERR_NOMEM : OK;
}

void token_keyring_free(struct token_keyring **ring)
{
    if (*ring == NULL)
        return;
    arena_fini(&(*ring)->arena);
    free(*ring);
    *ring = NULL;
}

static int compare(struct span a, struct span b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Puts a copy of the key where its kid belongs. ERR_INVALID: the issuer has that kid already. */
static enum err add_key(struct token_keyring *ring, struct token_issuer *issuer, struct span kid,
                        const unsigned char *public_key, struct err_detail *detail)
{
    struct key **at = &issuer->keys;
    while (*at != NULL && compare((*at)->kid, kid) < 0)
        at = &(*at)->next;
    if (*at != NULL && span_eq((*at)->kid, kid))
        return err_set(detail, ERR_INVALID, "the kid %.*s occurs twice", SPAN_ARG(kid));
    struct key *key = arena_zalloc(&ring->arena, sizeof *key);
    if (key == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for the keys");
    key->kid = arena_copy(&ring->arena, kid);
    if (key->kid.ptr == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for the keys");
    memcpy(key->public_key, public_key, sizeof key->public_key);
    key->next = *at;
    *at = key;
    return OK;
}

/* Whether the prefix with one character behind it is a profile's id; an empty one is fine. */
static bool prefix_valid(struct span prefix)
{
    char shortest[IDENT_MAX_LEN];
    if (prefix.len >= sizeof shortest)
        return false;
    if (prefix.len > 0)
        memcpy(shortest, prefix.ptr, prefix.len);
    shortest[prefix.len] = 'x';
    return ident_valid(span_of(shortest, prefix.len + 1));
}

/* What every issuer must hold to, whoever configured it. */
static enum err check_options(const struct token_keyring *ring, const struct token_issuer_options *o,
                              struct err_detail *detail)
{
    if (o->iss.len == 0)
        return err_set(detail, ERR_INVALID, "issuer %.*s has no iss", SPAN_ARG(o->name));
    const struct token_issuer *twin = token_keyring_issuer(ring, o->iss);
    if (twin != NULL) /* or the same kid could mean two keys */
        return err_set(detail, ERR_INVALID, "issuer %.*s has the same iss as %.*s", SPAN_ARG(o->name),
                       SPAN_ARG(twin->options.name));
    if (!prefix_valid(o->subject_prefix))
        return err_set(detail, ERR_INVALID,
                       "issuer %.*s has a subject_prefix that no profile id can begin with",
                       SPAN_ARG(o->name));
    return OK;
}

/* A copy of the options with no keys, not in the ring yet. */
static enum err make_issuer(struct token_keyring *ring, const struct token_issuer_options *o,
                            struct token_issuer **out, struct err_detail *detail)
{
    struct arena *a = &ring->arena;
    enum err e = check_options(ring, o, detail);
    if (e != OK)
        return e;
    struct token_issuer *issuer = arena_zalloc(a, sizeof *issuer);
    if (issuer == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for an issuer");
    issuer->options = (struct token_issuer_options){
        .name = arena_copy(a, o->name),
        .iss = arena_copy(a, o->iss),
        .audience = arena_copy(a, o->audience),
        .scopes = token_scope_expand(o->scopes),
        .subject_prefix = arena_copy(a, o->subject_prefix),
    };
    const struct token_issuer_options *copy = &issuer->options;
    if ((copy->name.ptr == NULL && o->name.ptr != NULL) || copy->iss.ptr == NULL ||
        (copy->audience.ptr == NULL && o->audience.ptr != NULL) ||
        (copy->subject_prefix.ptr == NULL && o->subject_prefix.ptr != NULL))
        return err_set(detail, ERR_NOMEM, "no memory for an issuer");
    *out = issuer;
    return OK;
}

/* From here on its keys count. */
static void link_issuer(struct token_keyring *ring, struct token_issuer *issuer)
{
    for (const struct key *k = issuer->keys; k != NULL; k = k->next)
        ring->count++;
    issuer->next = ring->issuers;
    ring->issuers = issuer;
}

enum err token_keyring_add_folder(struct token_keyring *ring, const struct token_issuer_options *options,
                                  const char *folder, struct err_detail *detail)
{
    struct token_keyfolder files = {0};
    struct token_issuer *issuer = NULL;
    enum err e = OK;
    if ((e = make_issuer(ring, options, &issuer, detail)) != OK ||
        (e = token_keyfolder_load(folder, &files, detail)) != OK)
        return e;
    issuer->own = true;
    for (size_t i = 0; e == OK && i < files.count; i++)
        if (!files.keys[i].retired)
            e = add_key(ring, issuer, span_str(files.keys[i].kid), files.keys[i].public_key, detail);
    if (e == OK)
        link_issuer(ring, issuer);
    token_keyfolder_fini(&files);
    return e;
}

/* One member of "keys". What is no Ed25519 key for signatures is passed over (RFC 7517 section 5). */
static enum err add_jwk(struct token_keyring *ring, struct token_issuer *issuer, const json_t *jwk,
                        struct err_detail *detail)
{
    struct token_jwk key;
    enum err e = token_jwk_read(jwk, &key, detail);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    if (key.kid.ptr == NULL)
        return err_set(detail, ERR_INVALID, "an Ed25519 key has no kid");
    return add_key(ring, issuer, key.kid, key.public_key, detail);
}

static enum err add_jwks_text(struct token_keyring *ring, struct token_issuer *issuer, struct span text,
                              struct err_detail *detail)
{
    json_t *set = NULL;
    enum err e = json_load_strict(text, JSON_MAX_DEPTH, &set, detail);
    if (e != OK)
        return e;
    const json_t *keys = json_object_get(set, "keys");
    if (!json_is_array(keys))
        e = err_set(detail, ERR_INVALID, "not a JWKS: there is no array named keys");
    for (size_t i = 0; e == OK && i < json_array_size(keys); i++)
        e = add_jwk(ring, issuer, json_array_get(keys, i), detail);
    json_decref(set);
    return e;
}

/* Whoever may write the file may mint the issuer's tokens. */
static enum err check_jwks_file(const char *path, struct err_detail *detail)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot look at %s: %s", path,
                       strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(detail, ERR_INVALID, "%s is not a regular file", path);
    if ((st.st_mode & 0002) != 0)
        return err_set(detail, ERR_DENIED, "%s has mode %04o: anybody could add keys to it", path,
                       (unsigned)st.st_mode & 07777);
    return OK;
}

enum err token_keyring_add_jwks(struct token_keyring *ring, const struct token_issuer_options *options,
                                const char *path, struct err_detail *detail)
{
    struct err_detail why = {0};
    struct token_issuer *issuer = NULL;
    struct buf text = {0};
    enum err e = OK;
    if (options->audience.len == 0)
        return err_set(detail, ERR_INVALID, "issuer %.*s has no audience", SPAN_ARG(options->name));
    if ((e = make_issuer(ring, options, &issuer, detail)) != OK ||
        (e = check_jwks_file(path, detail)) != OK || (e = file_read(path, JWKS_MAX_LEN, &text, detail)) != OK)
        goto out;
    if ((e = add_jwks_text(ring, issuer, buf_span(&text), &why)) != OK)
        err_set(detail, e, "%s: %s", path, why.text);
    else
        link_issuer(ring, issuer);
out:
    buf_fini(&text);
    return e;
}

size_t token_keyring_count(const struct token_keyring *ring)
{
    return ring->count;
}

const struct token_issuer *token_keyring_issuer(const struct token_keyring *ring, struct span iss)
{
    for (const struct token_issuer *i = ring->issuers; i != NULL; i = i->next)
        if (span_eq(i->options.iss, iss))
            return i;
    return NULL;
}

const struct token_issuer_options *token_issuer_options(const struct token_issuer *issuer)
{
    return &issuer->options;
}

const unsigned char *token_issuer_key(const struct token_issuer *issuer, struct span kid)
{
    for (const struct key *k = issuer->keys; k != NULL; k = k->next)
        if (span_eq(k->kid, kid))
            return k->public_key;
    return NULL;
}

/* Each text with its length before it, so that no two keyrings look alike. */
static void add_text(struct buf *out, struct span s)
{
    buf_u64(out, s.len);
    buf_char(out, ':');
    buf_append(out, s);
}

enum err token_keyring_epoch(const struct token_keyring *ring, uint64_t *out)
{
    unsigned char hash[CRYPTO_BLAKE2B_MIN_LEN];
    struct buf text = {0};
    for (const struct token_issuer *i = ring->issuers; i != NULL; i = i->next) {
        add_text(&text, i->options.iss);
        add_text(&text, i->options.audience);
        add_text(&text, i->options.subject_prefix);
        buf_u64(&text, i->options.scopes);
        for (const struct key *k = i->keys; k != NULL; k = k->next) {
            add_text(&text, k->kid);
            buf_append(&text, span_of((const char *)k->public_key, sizeof k->public_key));
        }
        buf_char(&text, ';');
    }
    enum err e = buf_status(&text);
    crypto_blake2b(buf_span(&text), (struct span){NULL, 0}, hash, sizeof hash);
    memcpy(out, hash, sizeof *out);
    buf_fini(&text);
    return e;
}

void token_keyring_write_jwks(const struct token_keyring *ring, struct buf *out)
{
    bool first = true;
    buf_lit(out, "{\"keys\":[");
    for (const struct token_issuer *i = ring->issuers; i != NULL; i = i->next)
        for (const struct key *k = i->own ? i->keys : NULL; k != NULL; k = k->next) {
            if (!first)
                buf_char(out, ',');
            first = false;
            token_jwk_write_open(out, k->kid, k->public_key);
            buf_char(out, '}');
        }
    buf_lit(out, "]}");
}
