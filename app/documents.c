#include "documents.h"

#include "api_document.h"
#include "crypto/hash.h"
#include "crypto/hex.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Where the description names its server: the mount stands behind the opening quote, and the slash only
 * without one. */
#define SERVER "\"servers\": [{\"url\": \"/\""

/* When a key was last added or retired: the newest change to a file of the key folder, so that it is the same
 * in every process. */
static int64_t keys_changed_s(const char *folder)
{
    int64_t newest = 0;
    struct stat st;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strstr(entry->d_name, ".jwk") != NULL && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            st.st_mtime > newest)
            newest = st.st_mtime;
    closedir(dir);
    return newest;
}

/* A quoted tag out of what makes the document what it is. */
static enum err make_etag(struct span identity, struct arena *arena, struct span *out)
{
    unsigned char hash[16];
    struct buf etag = {0};
    crypto_blake2b(identity, (struct span){NULL, 0}, hash, sizeof hash);
    buf_char(&etag, '"');
    crypto_hex_write(&etag, span_of((const char *)hash, sizeof hash));
    buf_char(&etag, '"');
    *out = etag.failed ? (struct span){NULL, 0} : arena_copy(arena, buf_span(&etag));
    buf_fini(&etag);
    return out->ptr == NULL ? ERR_NOMEM : OK;
}

/* The document itself is hashed: keys have no change log. */
static enum err fill_jwks(struct documents *d, const struct token_keyring *keyring, const char *key_folder,
                          struct arena *arena)
{
    token_keyring_write_jwks(keyring, &d->keys);
    if (buf_status(&d->keys) != OK)
        return buf_status(&d->keys);
    d->jwks = (struct handlers_document){
        .type = SPAN("application/jwk-set+json"), /* RFC 7517 section 8.5.1 */
        .text = {buf_span(&d->keys)},
        .modified_s = keys_changed_s(key_folder),
    };
    return make_etag(d->jwks.text[0], arena, &d->jwks.etag);
}

/* It was hashed when it was built in: a CGI process, which makes all this for one request, only hashes the
 * hash. */
static enum err fill_openapi(struct documents *d, struct span mount, struct arena *arena)
{
    const struct api_document_file *file = &api_document_files[0];
    const struct span text = span_of(file->text, file->len);
    struct buf identity = {0};
    while (mount.len > 0 && mount.ptr[mount.len - 1] == '/')
        mount.len--;
    const char *server = memmem(text.ptr, text.len, SERVER, strlen(SERVER));
    assert(server != NULL);
    const size_t at = (size_t)(server - text.ptr) + strlen(SERVER) - strlen("/\"");
    d->openapi = (struct handlers_document){
        .type = SPAN("application/json"),
        .text = {span_of(text.ptr, at), mount, span_from(text, mount.len == 0 ? at : at + 1)},
        .modified_s = file->modified_s,
    };
    buf_printf(&identity, "%s %.*s", file->sha256, SPAN_ARG(mount));
    enum err e = buf_status(&identity);
    if (e == OK)
        e = make_etag(buf_span(&identity), arena, &d->openapi.etag);
    buf_fini(&identity);
    return e;
}

enum err documents_init(struct documents *d, const struct token_keyring *keyring, const char *key_folder,
                        struct span mount, struct arena *arena)
{
    *d = (struct documents){0};
    enum err e = fill_jwks(d, keyring, key_folder, arena);
    return e == OK ? fill_openapi(d, mount, arena) : e;
}

void documents_fini(struct documents *d)
{
    buf_fini(&d->keys);
}
