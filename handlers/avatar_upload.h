/*
 * An image on its way in: from the request's body, piece by piece, into memory of the kernel's that no
 * process has mapped for longer than a look at its header; hashed as it comes; then sealed, so that nobody
 * can change it any more, looked at, and decoded elsewhere. Until then nothing is known of it and nothing
 * stored, so that a slow client holds no lock.
 */
#pragma once
#include "handlers/avatar_write.h"
#include "handlers/resource.h"
#include "image/probe.h"
#include "store/avatars.h"

struct handlers_upload {
    int fd; /* -1: none */
    uint64_t len;
    char hash[STORE_IMAGE_HASH_LEN + 1]; /* keyed, of the content */
    struct image_facts facts;
    struct buf made; /* what thumbnails point into */
    struct thumbnail thumbnails[THUMBNAIL_COUNT];
};

/*
 * Receives it: OK, or the answer is made: 400 for a body cut short, 413, 422 for what is no image that will
 * do, 503 when too many are being decoded. *out is to be given to _fini in either case.
 */
MUST_USE enum err handlers_upload_receive(struct handlers_context *context, struct http_exchange *x,
                                          struct handlers_upload *out);
void handlers_upload_fini(struct handlers_upload *upload);
/* For struct store_avatar: bytes of it; data is the upload. */
enum err handlers_upload_read(void *data, uint64_t offset, char *to, size_t len);
