/*
 * What an image says of itself in its own header: which of the four types it is, how wide and how high. Found
 * from the bytes alone, without decoding a single pixel, so that neither a name, nor a Content-Type, nor a
 * tiny file that would unfold into gigabytes deceives anybody. Pure: no I/O, nothing allocated; every offset
 * is compared with the length before it is followed, and each step goes forward, so that any bytes end it.
 *
 *     PNG    ISO/IEC 15948: signature, IHDR; acTL before IDAT: animated
 *     JPEG   ITU-T T.81: markers up to the first SOF; APP1 Exif: the orientation
 *     WebP   RFC 9649: VP8, VP8L or VP8X
 *     AVIF   ISO/IEC 14496-12 and AV1-AVIF: ftyp, meta, the primary item's ispe
 *
 * That the rest can be decoded is not said here: see thumbnail/make.h.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum image_type { IMAGE_PNG, IMAGE_JPEG, IMAGE_WEBP, IMAGE_AVIF, IMAGE_TYPE_COUNT };

/* Its media type, such as "image/png"; static. */
struct span image_media_type(enum image_type type);
/* The type of that media type, compared exactly; IMAGE_TYPE_COUNT: none of them. */
enum image_type image_type_of(struct span media_type);

struct image_facts {
    enum image_type type;
    uint32_t width, height; /* at least 1 */
    bool animated;
    uint8_t orientation; /* of Exif, 1 to 8: how the pixels are to be turned; 1: not at all, or not said */
};

/* ERR_NOT_FOUND: it begins like none of the four. ERR_INVALID: it begins like one and goes on wrongly, or
 * ends before its size is known. *out is zeroed then, and detail says what is wrong. */
MUST_USE enum err image_probe(struct span bytes, struct image_facts *out, struct err_detail *detail);

/*
 * Most that an image may measure: what is drawn this small is not sent larger, and what unfolds must fit a
 * process's memory. ERR_TOO_LARGE, with what would do.
 */
enum { IMAGE_SIDE_MAX = 4096, IMAGE_PIXELS_MAX = 16 * 1024 * 1024 };
MUST_USE enum err image_size_check(const struct image_facts *facts, struct err_detail *detail);
