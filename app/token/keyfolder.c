#include "token/keyfolder.h"

#include "base/file.h"
#include "crypto/random.h"
#include "token/time.h"
#include "json/get.h"
#include "json/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum err check_file(const char *path, struct err_detail *detail)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(detail, ERR_IO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(detail, ERR_INVALID, "%s is not a regular file", path);
    if ((st.st_mode & 0027) != 0)
        return err_set(detail, ERR_DENIED, "%s has mode %04o: a key file must be 0600 or 0640", path,
                       (unsigned)st.st_mode & 07777);
    return OK;
}

enum err token_keyfolder_check(const char *folder, struct err_detail *detail)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                       "cannot look at the key folder %s: %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(detail, ERR_INVALID, "%s is not a folder", folder);
    if ((st.st_mode & 0022) != 0)
        return err_set(detail, ERR_DENIED,
                       "%s has mode %04o: nobody but its owner may write into a key folder", folder,
                       (unsigned)st.st_mode & 07777);
    return OK;
}

/* A member that is an RFC 3339 text: true and *out_ms set, or left alone when there is no such member. */
static bool read_time(const json_t *jwk, const char *name, int64_t *out_ms)
{
    const json_t *value = json_object_get(jwk, name);
    struct token_time t;
    if (value == NULL)
        return true;
    if (!token_time_rfc3339(json_text(value), &t))
        return false;
    *out_ms = t.s * 1000 + t.ns / 1000000;
    return true;
}

/* What the JSON says, apart from the secret half. */
static enum err read_members(const json_t *jwk, struct token_keyfile *out, struct err_detail *detail)
{
    struct token_jwk key;
    enum err e = token_jwk_read(jwk, &key, detail);
    if (e != OK)
        return e == ERR_NOT_FOUND ? err_set(detail, ERR_INVALID, "not an Ed25519 key for signing") : e;
    memcpy(out->public_key, key.public_key, sizeof out->public_key);
    if (key.kid.ptr != NULL)
        memcpy(out->kid, key.kid.ptr, key.kid.len);
    else
        token_jwk_thumbprint(key.public_key, out->kid);
    out->retired = json_object_get(jwk, "retired_at") != NULL;
    if (!read_time(jwk, "created_at", &out->created_ms) || !read_time(jwk, "retired_at", &out->retired_ms))
        return err_set(detail, ERR_INVALID, "created_at or retired_at is not an RFC 3339 time");
    return OK;
}

/* The seed must be the one whose public half stands in x (RFC 8037 section 2). */
static bool seed_fits(const unsigned char seed[CRYPTO_ED25519_SEED_LEN], const struct token_keyfile *key)
{
    struct crypto_ed25519_pair pair;
    crypto_ed25519_from_seed(seed, &pair);
    bool fits = memcmp(pair.public_key, key->public_key, sizeof pair.public_key) == 0;
    crypto_wipe(&pair, sizeof pair);
    return fits;
}

/* Parses a key file's text, which loses its secret; seed is zeroed when it has none. */
static enum err parse_file(struct buf *text, struct token_keyfile *out,
                           unsigned char seed[CRYPTO_ED25519_SEED_LEN], struct err_detail *detail)
{
    json_t *jwk = NULL;
    out->has_secret = token_jwk_take_seed(text->ptr, text->len, seed);
    enum err e = json_load_strict(buf_span(text), JSON_MAX_DEPTH, &jwk, detail);
    if (e == OK)
        e = read_members(jwk, out, detail);
    if (e == OK && !out->has_secret && json_object_get(jwk, "d") != NULL)
        e = err_set(detail, ERR_INVALID, "d is not 32 bytes in base64url without padding");
    if (e == OK && out->has_secret && !seed_fits(seed, out))
        e = err_set(detail, ERR_INVALID, "x is not the public half of d");
    json_decref(jwk);
    return e;
}

/* Reads one file; the secret half goes to seed and nowhere else. */
static enum err read_file(const char *path, struct token_keyfile *out,
                          unsigned char seed[CRYPTO_ED25519_SEED_LEN], struct err_detail *detail)
{
    struct err_detail why = {0};
    struct buf text = {0};
    enum err e = OK;
    *out = (struct token_keyfile){0};
    if ((e = check_file(path, detail)) != OK)
        return e;
    /* room for the longest at once, so that no copy of a secret is left behind by growing */
    if (buf_reserve(&text, 2 * TOKEN_KEYFILE_MAX_LEN) == NULL)
        return err_set(detail, ERR_NOMEM, "no memory to read %s", path);
    if ((e = file_read(path, TOKEN_KEYFILE_MAX_LEN, &text, detail)) == OK &&
        (e = parse_file(&text, out, seed, &why)) != OK)
        err_set(detail, e, "%s: %s", path, why.text);
    if (e == OK && (out->path = strdup(path)) == NULL)
        e = err_set(detail, ERR_NOMEM, "no memory to read %s", path);
    if (e != OK)
        crypto_wipe(seed, CRYPTO_ED25519_SEED_LEN);
    crypto_wipe(text.ptr, text.size);
    buf_fini(&text);
    return e;
}

static int by_age(const void *a, const void *b)
{
    const struct token_keyfile *x = a, *y = b;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return strcmp(x->kid, y->kid);
}

static enum err add_file(struct token_keyfolder *f, const char *folder, const char *name,
                         struct err_detail *detail)
{
    unsigned char seed[CRYPTO_ED25519_SEED_LEN] = {0};
    struct token_keyfile key = {0};
    char *path = NULL;
    enum err e = OK;
    struct token_keyfile *grown = realloc(f->keys, (f->count + 1) * sizeof *grown);
    if (grown == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for the keys");
    f->keys = grown;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return err_set(detail, ERR_NOMEM, "no memory for the keys");
    if ((e = read_file(path, &key, seed, detail)) != OK)
        goto out;
    const struct token_keyfile *twin = token_keyfolder_find(f, span_str(key.kid));
    if (twin != NULL) {
        e = err_set(detail, ERR_INVALID, "%s and %s have the same kid", twin->path, path);
        free(key.path);
        goto out;
    }
    f->keys[f->count++] = key;
out:
    crypto_wipe(seed, sizeof seed);
    free(path);
    return e;
}

static bool is_key_name(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 4 && strcmp(name + len - 4, ".jwk") == 0;
}

enum err token_keyfolder_load(const char *folder, struct token_keyfolder *out, struct err_detail *detail)
{
    enum err e = OK;
    *out = (struct token_keyfolder){0};
    if ((e = token_keyfolder_check(folder, detail)) != OK)
        return e;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return err_set(detail, ERR_IO, "cannot open the key folder %s: %s", folder, strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0)
                e = err_set(detail, ERR_IO, "cannot read the key folder %s: %s", folder, strerror(errno));
            break;
        }
        if (is_key_name(entry->d_name) && (e = add_file(out, folder, entry->d_name, detail)) != OK)
            break;
    }
    closedir(dir);
    if (e != OK)
        token_keyfolder_fini(out);
    else if (out->count > 1)
        qsort(out->keys, out->count, sizeof *out->keys, by_age);
    return e;
}

void token_keyfolder_fini(struct token_keyfolder *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->keys[i].path);
    free(f->keys);
    *f = (struct token_keyfolder){0};
}

const struct token_keyfile *token_keyfolder_find(const struct token_keyfolder *f, struct span kid)
{
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(span_str(f->keys[i].kid), kid))
            return &f->keys[i];
    return NULL;
}

static bool any(void *data, struct span kid)
{
    (void)data;
    (void)kid;
    return true;
}

static const struct token_keyfile *find_signing(const struct token_keyfolder *f,
                                                bool (*known)(void *data, struct span kid), void *data)
{
    for (size_t i = f->count; i > 0; i--) {
        const struct token_keyfile *key = &f->keys[i - 1];
        if (key->has_secret && !key->retired && known(data, span_str(key->kid)))
            return key;
    }
    return NULL;
}

const struct token_keyfile *token_keyfolder_signing(const struct token_keyfolder *f)
{
    return find_signing(f, any, NULL);
}

enum err token_signer_load(const char *folder, struct token_signer *out, struct err_detail *detail)
{
    return token_signer_load_known(folder, any, NULL, out, detail);
}

enum err token_signer_load_known(const char *folder, bool (*known)(void *data, struct span kid), void *data,
                                 struct token_signer *out, struct err_detail *detail)
{
    unsigned char seed[CRYPTO_ED25519_SEED_LEN] = {0};
    struct token_keyfolder keys = {0};
    struct token_keyfile again = {0};
    struct crypto_ed25519_pair pair;
    enum err e = OK;
    *out = (struct token_signer){0};
    if ((e = token_keyfolder_load(folder, &keys, detail)) != OK)
        return e;
    const struct token_keyfile *signing = find_signing(&keys, known, data);
    if (signing == NULL) {
        e = err_set(detail, ERR_NOT_FOUND, "no key in %s signs", folder);
        goto out;
    }
    if ((e = read_file(signing->path, &again, seed, detail)) != OK)
        goto out;
    if (!again.has_secret || strcmp(again.kid, signing->kid) != 0) {
        e = err_set(detail, ERR_CONFLICT, "%s changed while it was read", signing->path);
        goto out;
    }
    crypto_ed25519_from_seed(seed, &pair);
    memcpy(out->secret_key, pair.secret_key, sizeof out->secret_key);
    memcpy(out->kid, again.kid, sizeof out->kid);
    crypto_wipe(&pair, sizeof pair);
out:
    crypto_wipe(seed, sizeof seed);
    free(again.path);
    token_keyfolder_fini(&keys);
    return e;
}

void token_signer_wipe(struct token_signer *s)
{
    crypto_wipe(s, sizeof *s);
}
