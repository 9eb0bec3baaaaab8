/* PNG (ISO/IEC 15948): the signature, and chunks of length, type, data, CRC, the first of them IHDR. */
#include "image/bytes.h"

enum { SIGNATURE = 8, CHUNK_HEAD = 8, CRC = 4, IHDR_LEN = 13 };

/* Section 11.2.2: which bit depths a colour type has. */
static bool depth_sound(uint32_t colour, uint32_t depth)
{
    bool power = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    switch (colour) {
    case 0: /* grey */
        return power;
    case 3: /* palette */
        return power && depth <= 8;
    case 2: /* RGB, grey with alpha, RGB with alpha */
    case 4:
    case 6:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

/* Walks to the image data. A frame control of APNG stands before it. *has_data: there is some. */
static bool animated(struct span s, size_t at, bool *has_data)
{
    bool seen = false;
    *has_data = false;
    while (image_has(s, at, CHUNK_HEAD)) {
        uint32_t len = image_be32(s, at);
        if (image_is(s, at + 4, "IDAT")) {
            *has_data = true;
            break;
        }
        seen = seen || image_is(s, at + 4, "acTL");
        if (len > s.len)
            break;
        at += CHUNK_HEAD + (size_t)len + CRC;
    }
    return seen;
}

enum err image_probe_png(struct span s, struct image_facts *out, struct err_detail *detail)
{
    const size_t data = SIGNATURE + CHUNK_HEAD;
    bool has_data;
    if (!image_has(s, SIGNATURE, CHUNK_HEAD + IHDR_LEN + CRC))
        return err_set(detail, ERR_INVALID, "the PNG ends within its header");
    if (image_be32(s, SIGNATURE) != IHDR_LEN || !image_is(s, SIGNATURE + 4, "IHDR"))
        return err_set(detail, ERR_INVALID, "the PNG does not begin with IHDR");
    out->width = image_be32(s, data);
    out->height = image_be32(s, data + 4);
    if (out->width > INT32_MAX || out->height > INT32_MAX ||
        !depth_sound(image_u8(s, data + 9), image_u8(s, data + 8)) || image_u8(s, data + 10) != 0 ||
        image_u8(s, data + 11) != 0 || image_u8(s, data + 12) > 1)
        return err_set(detail, ERR_INVALID, "the PNG's IHDR says what no PNG can be");
    out->animated = animated(s, data + IHDR_LEN + CRC, &has_data);
    return has_data ? OK : err_set(detail, ERR_INVALID, "the PNG has no image data");
}
