#include "handlers/avatar_upload.h"

#include "crypto/hash.h"
#include "crypto/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, HASH_BYTES = STORE_IMAGE_HASH_LEN / 2 };

static enum err write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_NOMEM; /* what the descriptor stands for is memory */
        bytes = span_from(bytes, (size_t)n);
    }
    return OK;
}

static enum err refuse_body(struct http_exchange *x, enum err e)
{
    if (e == ERR_TOO_LARGE)
        return handlers_problem(x, HTTP_PROBLEM_TOO_LARGE, e, "an avatar may have 1 MiB");
    if (e == ERR_NOMEM)
        return handlers_fault(x, e);
    return handlers_problem(x, HTTP_PROBLEM_INCOMPLETE_REQUEST, e,
                            "the body is shorter than it was said to be");
}

static enum err receive(struct http_exchange *x, struct span key, struct handlers_upload *out)
{
    const struct http_stream *body = &x->request->stream;
    struct crypto_hasher hasher;
    unsigned char hash[HASH_BYTES];
    struct buf hex = {0};
    char piece[PIECE];
    size_t len = 0;
    enum err e = OK;
    crypto_hasher_begin(&hasher, key, sizeof hash);
    do {
        if ((e = body->read(body->data, piece, sizeof piece, &len)) == OK)
            e = write_all(out->fd, span_of(piece, len));
        if (e == OK)
            crypto_hasher_add(&hasher, span_of(piece, len));
        out->len += len;
    } while (e == OK && len > 0);
    if (e != OK)
        return refuse_body(x, e);
    crypto_hasher_end(&hasher, hash, sizeof hash);
    crypto_hex_write(&hex, span_of((const char *)hash, sizeof hash));
    if ((e = buf_status(&hex)) == OK)
        memcpy(out->hash, hex.ptr, sizeof out->hash);
    buf_fini(&hex);
    return e == OK ? OK : handlers_fault(x, e);
}

/* Mapped for as long as that takes: the size of a JPEG may stand behind a great deal of other things. */
static enum err look(struct http_exchange *x, struct handlers_upload *u)
{
    struct err_detail why = {0};
    void *at = NULL;
    if (u->len > 0 && (at = mmap(NULL, u->len, PROT_READ, MAP_SHARED, u->fd, 0)) == MAP_FAILED)
        return handlers_fault(x, ERR_NOMEM);
    enum err e = image_probe(span_of(at == NULL ? "" : at, u->len), &u->facts, &why);
    if (at != NULL)
        munmap(at, u->len);
    if (e == OK)
        e = image_size_check(&u->facts, &why);
    return e == OK ? OK : handlers_problem(x, HTTP_PROBLEM_INVALID_IMAGE, ERR_INVALID, why.text);
}

static enum err decode(const struct handlers_context *context, struct http_exchange *x,
                       struct handlers_upload *u)
{
    struct err_detail why = {0};
    enum err e = thumbnail_make(u->fd, &u->facts, &context->thumbnails, &u->made, u->thumbnails, &why);
    if (e == OK)
        return OK;
    if (e == ERR_INVALID)
        return handlers_problem(x, HTTP_PROBLEM_INVALID_IMAGE, e, why.text);
    x->reason = why;
    return handlers_problem(x, HTTP_PROBLEM_OVERLOADED, e,
                            e == ERR_BUSY ? "other images are being looked at; try again" : NULL);
}

enum err handlers_upload_receive(struct handlers_context *context, struct http_exchange *x,
                                 struct handlers_upload *out)
{
    unsigned char key[STORE_AVATAR_KEY_LEN];
    struct store *store;
    *out = (struct handlers_upload){.fd = -1};
    enum err e = handlers_store(context, &store, &x->reason);
    if (e == OK)
        e = store_avatar_key(store, key, &x->reason);
    if (e == OK && (out->fd = memfd_create("avatar", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
        e = err_set(&x->reason, ERR_NOMEM, "no memory for an image: %s", strerror(errno));
    if (e != OK)
        return handlers_fault(x, e);
    if ((e = receive(x, span_of((const char *)key, sizeof key), out)) != OK)
        return e;
    if (fcntl(out->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return handlers_fault(x, ERR_NOMEM);
    e = look(x, out);
    return e == OK ? decode(context, x, out) : e;
}

void handlers_upload_fini(struct handlers_upload *u)
{
    if (u->fd >= 0)
        close(u->fd);
    buf_fini(&u->made);
    *u = (struct handlers_upload){.fd = -1};
}

enum err handlers_upload_read(void *data, uint64_t offset, char *to, size_t len)
{
    const struct handlers_upload *u = data;
    while (len > 0) {
        ssize_t n = pread(u->fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        to += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return OK;
}
