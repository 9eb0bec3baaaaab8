/* For the tests of tokens: keys from one byte, tokens from any text, files in a folder that is removed again.
 */
#pragma once
#include "base/buf.h"
#include "base/file.h"
#include "crypto/base64url.h"
#include "crypto/ed25519.h"
#include "token/jwk.h"
#include "token/paseto.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key whose seed is 32 times this byte. */
static inline struct crypto_ed25519_pair support_key(unsigned char byte)
{
    unsigned char seed[CRYPTO_ED25519_SEED_LEN];
    struct crypto_ed25519_pair pair;
    memset(seed, byte, sizeof seed);
    crypto_ed25519_from_seed(seed, &pair);
    return pair;
}

/* header.payload.signature in base64url, whatever the texts are. The caller frees the buffer. */
static inline struct buf support_jwt(struct span header, struct span payload,
                                     const struct crypto_ed25519_pair *key)
{
    struct buf token = {0};
    unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN];
    crypto_base64url_write(&token, header);
    buf_char(&token, '.');
    crypto_base64url_write(&token, payload);
    crypto_ed25519_sign(key->secret_key, buf_span(&token), signature);
    buf_char(&token, '.');
    crypto_base64url_write(&token, span_of((const char *)signature, sizeof signature));
    return token;
}

/* The same as PASETO v4.public. */
static inline struct buf support_paseto(struct span footer, struct span payload,
                                        const struct crypto_ed25519_pair *key)
{
    struct buf token = {0};
    token_paseto_write(&token, key->secret_key, payload, footer, (struct span){NULL, 0});
    return token;
}

/* A new folder, mode 0700, in memory that support_remove frees. */
static inline char *support_folder(void)
{
    char *path = strdup("/tmp/profiled-test-XXXXXX");
    return path == NULL || mkdtemp(path) == NULL ? NULL : path;
}

/* Writes folder/name. */
static inline enum err support_write(const char *folder, const char *name, struct span text, mode_t mode)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", folder, name);
    enum err e = file_write(buf_text(&path), text, mode, NULL);
    buf_fini(&path);
    return e;
}

/* Removes folder/name. */
static inline void support_unlink(const char *folder, const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", folder, name);
    unlink(buf_text(&path));
    buf_fini(&path);
}

/* The key as a JWK with that kid; public only, or with d. members is put before the closing brace: "" or
 * ",\"x\":1". */
static inline struct buf support_jwk(const struct crypto_ed25519_pair *key, const char *kid, bool secret,
                                     const char *members)
{
    struct buf text = {0};
    token_jwk_write_open(&text, span_str(kid), key->public_key);
    if (secret) {
        buf_lit(&text, ",\"d\":\"");
        crypto_base64url_write(&text, span_of((const char *)key->secret_key, CRYPTO_ED25519_SEED_LEN));
        buf_char(&text, '"');
    }
    buf_printf(&text, "%s}", members);
    return text;
}

/* Removes the folder and the files in it, and sets the pointer to NULL. */
static inline void support_remove(char **folder)
{
    DIR *dir = *folder == NULL ? NULL : opendir(*folder);
    for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    if (*folder != NULL)
        rmdir(*folder);
    free(*folder);
    *folder = NULL;
}
