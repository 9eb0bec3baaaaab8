#include "token/keyedit.h"

#include "base/file.h"
#include "crypto/base64url.h"
#include "crypto/random.h"
#include "token/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Hands over what was just made at path. Through a descriptor, so that a link put in its place is not
 * followed. */
static enum err give(const char *path, const struct token_key_owner *owner, struct err_detail *detail)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool given = fd >= 0 && fstat(fd, &st) == 0 &&
                 (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)) &&
                 fchown(fd, owner->uid, owner->gid) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return given ? OK : err_set(detail, ERR_IO, "cannot change the owner of %s: %s", path, strerror(why));
}

/* The folder and the parents it lacks. Only the folder itself holds secrets. */
static enum err make_folder(const char *folder, const struct token_key_owner *owner,
                            struct err_detail *detail)
{
    enum err e = OK;
    char *path = strdup(folder);
    if (path == NULL)
        return err_set(detail, ERR_NOMEM, "no memory");
    for (char *slash = strchr(path + (path[0] == '/'), '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0755);
        *slash = '/';
        if (made != 0 && errno != EEXIST) {
            e = err_set(detail, ERR_IO, "cannot make a folder above %s: %s", folder, strerror(errno));
            goto out;
        }
    }
    if (mkdir(folder, 0700) == 0) {
        if (owner != NULL)
            e = give(folder, owner, detail);
    } else if (errno != EEXIST) {
        e = err_set(detail, ERR_IO, "cannot make the key folder %s: %s", folder, strerror(errno));
    }
out:
    free(path);
    return e;
}

/* kid does not begin with '-': it is handed to commands, which would take it for an option. */
static void draw_key(struct crypto_ed25519_pair *pair, char kid[TOKEN_THUMBPRINT_LEN + 1])
{
    do {
        crypto_ed25519_generate(pair);
        token_jwk_thumbprint(pair->public_key, kid);
    } while (kid[0] == '-');
}

/* Wipes the buffer before it lets go of it. */
static void fini_secret(struct buf *b)
{
    if (b->ptr != NULL)
        crypto_wipe(b->ptr, b->size);
    buf_fini(b);
}

enum err token_key_new(const char *folder, int64_t now_ms, const struct token_key_owner *owner,
                       char kid[TOKEN_THUMBPRINT_LEN + 1], struct err_detail *detail)
{
    struct crypto_ed25519_pair pair;
    struct buf text = {0}, path = {0};
    enum err e = OK;
    if ((e = make_folder(folder, owner, detail)) != OK || (e = token_keyfolder_check(folder, detail)) != OK)
        return e;
    draw_key(&pair, kid);
    buf_printf(&path, "%s/%s.jwk", folder, kid);
    buf_reserve(&text, 1024); /* at once: growing would leave copies of the secret behind */
    token_jwk_write_open(&text, span_str(kid), pair.public_key);
    buf_lit(&text, ",\"created_at\":\"");
    token_time_write_ms(&text, now_ms);
    buf_lit(&text, "\",\"d\":\"");
    /* RFC 8037 section 2: d is the seed, which a secret key begins with */
    crypto_base64url_write_secret(&text, span_of((const char *)pair.secret_key, CRYPTO_ED25519_SEED_LEN));
    buf_lit(&text, "\"}\n");
    if ((e = buf_status(&path)) != OK || (e = buf_status(&text)) != OK) {
        err_set(detail, e, "no memory for a key");
        goto out;
    }
    if ((e = file_write(path.ptr, buf_span(&text), 0600, detail)) != OK)
        goto out;
    if (owner != NULL && (e = give(path.ptr, owner, detail)) != OK)
        unlink(path.ptr);
out:
    crypto_wipe(&pair, sizeof pair);
    fini_secret(&text);
    buf_fini(&path);
    return e;
}

enum err token_key_retire(const struct token_keyfile *key, int64_t now_ms, struct err_detail *detail)
{
    struct buf text = {0};
    struct stat st;
    enum err e = OK;
    if (key->retired)
        return err_set(detail, ERR_CONFLICT, "key %s is retired already", key->kid);
    if (stat(key->path, &st) != 0)
        return err_set(detail, ERR_IO, "cannot look at %s: %s", key->path, strerror(errno));
    buf_reserve(&text, 2 * TOKEN_KEYFILE_MAX_LEN);
    if ((e = file_read(key->path, TOKEN_KEYFILE_MAX_LEN, &text, detail)) != OK)
        goto out;
    /* the file was parsed before: it is one object with members, so a further one goes before its last brace
     */
    size_t end = text.len;
    while (end > 0 && text.ptr[end - 1] != '}')
        end--;
    if (end == 0) {
        e = err_set(detail, ERR_INVALID, "%s is not a JSON object", key->path);
        goto out;
    }
    buf_truncate(&text, end - 1);
    buf_lit(&text, ",\"retired_at\":\"");
    token_time_write_ms(&text, now_ms);
    buf_lit(&text, "\"}\n");
    if ((e = buf_status(&text)) != OK) {
        err_set(detail, e, "no memory for a key");
        goto out;
    }
    struct token_key_owner owner = {st.st_uid, st.st_gid};
    if ((e = file_write(key->path, buf_span(&text), st.st_mode & 0777, detail)) == OK && geteuid() == 0)
        e = give(key->path, &owner, detail);
out:
    fini_secret(&text);
    return e;
}
