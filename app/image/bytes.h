/* Numbers out of an image's bytes, for the files of this room. Whoever reads has made sure that they are
 * there. */
#pragma once
#include "image/probe.h"

static inline uint32_t image_u8(struct span s, size_t at)
{
    return (unsigned char)s.ptr[at];
}
static inline uint32_t image_be16(struct span s, size_t at)
{
    return image_u8(s, at) << 8 | image_u8(s, at + 1);
}
static inline uint32_t image_be32(struct span s, size_t at)
{
    return image_be16(s, at) << 16 | image_be16(s, at + 2);
}
static inline uint32_t image_le16(struct span s, size_t at)
{
    return image_u8(s, at) | image_u8(s, at + 1) << 8;
}
static inline uint32_t image_le24(struct span s, size_t at)
{
    return image_le16(s, at) | image_u8(s, at + 2) << 16;
}
static inline uint32_t image_le32(struct span s, size_t at)
{
    return image_le16(s, at) | image_le16(s, at + 2) << 16;
}
/* Whether so many bytes lie at that place. */
static inline bool image_has(struct span s, size_t at, size_t len)
{
    return at <= s.len && len <= s.len - at;
}
/* A four-character code there? */
static inline bool image_is(struct span s, size_t at, const char code[4])
{
    return memcmp(s.ptr + at, code, 4) == 0;
}

/* Each for bytes that begin like its type. OK, or ERR_INVALID with why. */
MUST_USE enum err image_probe_png(struct span s, struct image_facts *out, struct err_detail *detail);
MUST_USE enum err image_probe_jpeg(struct span s, struct image_facts *out, struct err_detail *detail);
MUST_USE enum err image_probe_webp(struct span s, struct image_facts *out, struct err_detail *detail);
MUST_USE enum err image_probe_avif(struct span s, struct image_facts *out, struct err_detail *detail);
/* The orientation that the payload of an APP1 segment tells; 1 where it tells none. */
uint8_t image_exif_orientation(struct span app1);
