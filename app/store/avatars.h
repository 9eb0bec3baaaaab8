/*
 * Images of the database: each content once, under a keyed hash of it, with its thumbnails; and which profile
 * holds which. They are written and read in pieces (SQLite's incremental blob I/O), so that no process holds
 * one whole; no transaction lasts longer than a piece when reading, and none is begun before all of the image
 * is there when writing. Triggers drop an image with the last profile that holds it (schema/0005).
 */
#pragma once
#include "store/store.h"

enum {
    STORE_AVATAR_KEY_LEN = 32,
    STORE_IMAGE_HASH_LEN = 64, /* hex digits */
    STORE_IMAGE_TYPE_MAX = 31,
    STORE_THUMBNAILS_MAX = 4,
};

/* The key that contents are hashed with: drawn with the database. ERR_IO: it has none; and the store's. */
MUST_USE enum err store_avatar_key(struct store *store, unsigned char out[STORE_AVATAR_KEY_LEN],
                                   struct err_detail *detail);

/* An image that is to be a profile's. */
struct store_avatar {
    struct span id;      /* of the profile */
    struct span hash;    /* of the content */
    struct span type;    /* its media type */
    struct span picture; /* what the profile's picture becomes: the address */
    uint64_t len;
    /* Puts len bytes from offset on at to; ERR_IO. Called under the writers' lock. */
    enum err (*read)(void *data, uint64_t offset, char *to, size_t len);
    void *data;
    struct {
        unsigned size;
        struct span bytes;
    } thumbnails[STORE_THUMBNAILS_MAX];
    size_t thumbnail_count;
    const char *expected; /* the hash that must be there now, "" for none; NULL: whatever is there */
};

/*
 * One transaction: the image where it is not here yet, that the profile holds it, and its picture. *had: the
 * profile held an image before. ERR_NOT_FOUND: there is no such profile. ERR_CONFLICT: what is there is not
 * what was expected. ERR_IO of read, and the store's (ERR_FULL among them): nothing was changed.
 */
MUST_USE enum err store_avatar_put(struct store *store, const struct store_avatar *avatar, bool *had,
                                   struct err_detail *detail);
/* The profile holds none any more, and has no picture. ERR_NOT_FOUND: it held none. expected as above. */
MUST_USE enum err store_avatar_delete(struct store *store, struct span id, const char *expected,
                                      struct err_detail *detail);
/* The hash of the image that the profile holds, NUL-terminated; "" for none. ERR_NOT_FOUND: there is no such
 * profile. */
MUST_USE enum err store_avatar_get(struct store *store, struct span id, char hash[STORE_IMAGE_HASH_LEN + 1],
                                   struct err_detail *detail);

struct store_image {
    char type[STORE_IMAGE_TYPE_MAX + 1]; /* media type, NUL-terminated */
    uint64_t len;
};
/*
 * An image that may be seen: one that an active profile holds. size 0: itself; else its thumbnail of that
 * size. ERR_NOT_FOUND.
 */
MUST_USE enum err store_image_find(struct store *store, struct span hash, unsigned size,
                                   struct store_image *out, struct err_detail *detail);
/* len bytes of it from offset on, all of them. ERR_NOT_FOUND: it has gone meanwhile. Under the same hash and
 * size there are never other bytes. */
MUST_USE enum err store_image_read(struct store *store, struct span hash, unsigned size, uint64_t offset,
                                   char *to, size_t len, struct err_detail *detail);
