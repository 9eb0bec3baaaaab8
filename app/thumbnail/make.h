/*
 * Thumbnails of an image, made in a process of their own: the decoders of libgd are a great deal of code that
 * strangers' bytes go through, so they run where there is nothing to be had. The child is this program, begun
 * anew (no memory, no key, no descriptor but the image and a pipe), with limits on memory and time, and a
 * filter that lets it read, write, allocate and end, and nothing else (sandbox.h); a worker never maps libgd.
 * What comes back is believed only as far as image_probe says so.
 *
 * It is also how an image is found to be one: what cannot be decoded makes no thumbnails. All sizes are made
 * at once, when the image comes in, so that reading one later is reading and no more.
 *
 * Runs in a worker, which waits meanwhile; no lock may be held. At most `slots` children at once on the
 * machine: each holds a lock of fcntl(2) on a byte of a file, which ends with its holder.
 */
#pragma once
#include "base/buf.h"
#include "image/probe.h"

enum { THUMBNAIL_COUNT = 3 };
extern const unsigned thumbnail_sizes[THUMBNAIL_COUNT]; /* 48, 96, 256: the side of the square, in pixels */

struct thumbnail {
    unsigned size;     /* one of thumbnail_sizes; the image itself is smaller where the original is */
    struct span bytes; /* of the original's type, without any of its metadata */
};

struct thumbnail_options {
    const char *slots_path; /* the file whose bytes are the slots; made if need be */
    int slots;
};

/*
 * Makes them of the image in image_fd (read from its beginning; nobody may be able to change it meanwhile),
 * which image_probe and image_size_check have found to be facts. The middle square of the image, turned as
 * its Exif says, made smaller and never larger. out holds the bytes that list points into.
 *
 * ERR_INVALID: it cannot be decoded within the limits. ERR_BUSY: all slots are taken, or the child was given
 * too little of the machine: try again. ERR_IO: no child can be had, or libgd is not there; detail says why.
 * ERR_NOMEM.
 */
MUST_USE enum err thumbnail_make(int image_fd, const struct image_facts *facts,
                                 const struct thumbnail_options *options, struct buf *out,
                                 struct thumbnail list[THUMBNAIL_COUNT], struct err_detail *detail);

/* The argument that the program is started with as such a child, and its life then; its exit status. */
#define THUMBNAIL_CHILD "thumbnail-child"
int thumbnail_child(void);
