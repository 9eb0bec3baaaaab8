/*
 * JPEG (ITU-T T.81 annex B): markers, most of them with a length and a payload, up to the frame header that
 * tells the size. Behind that nothing is looked at but that there is an end.
 */
#include "image/bytes.h"

enum {
    SOF0 = 0xc0,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF15 = 0xcf,
    RST0 = 0xd0,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    APP1 = 0xe1,
    TEM = 0x01
};

static bool is_frame(uint32_t marker)
{
    return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

/* Markers without a payload. Of those only fill bytes and TEM may stand before a frame; the others mean that
 * something else than a header has begun. */
static bool ends_header(uint32_t marker)
{
    return marker == 0 || (marker >= RST0 && marker <= SOS);
}

static enum err read_frame(struct span s, struct image_facts *out, struct err_detail *detail)
{
    /* length, precision, lines, samples, components and three bytes for each of these */
    if (s.len < 8 || image_u8(s, 7) == 0 || image_u8(s, 7) > 4 || s.len < 8 + 3 * (size_t)image_u8(s, 7))
        return err_set(detail, ERR_INVALID, "the JPEG's frame header is malformed");
    out->height = image_be16(s, 3);
    out->width = image_be16(s, 5);
    return OK;
}

/* Whether the end of the image stands somewhere behind its header: data that was cut short is not made up. Within
 * the data no byte 0xff is followed by that one. */
static bool has_end(struct span rest)
{
    return memmem(rest.ptr, rest.len, "\xff\xd9", 2) != NULL;
}

enum err image_probe_jpeg(struct span s, struct image_facts *out, struct err_detail *detail)
{
    size_t at = 2;
    for (;;) {
        if (!image_has(s, at, 2) || image_u8(s, at) != 0xff)
            break;
        uint32_t marker = image_u8(s, at + 1);
        if (marker == 0xff || marker == TEM) {
            at += marker == TEM ? 2 : 1;
            continue;
        }
        if (ends_header(marker))
            break;
        at += 2;
        if (!image_has(s, at, 2))
            break;
        size_t len = image_be16(s, at);
        if (len < 2 || !image_has(s, at, len))
            break;
        if (is_frame(marker) && !has_end(span_from(s, at + len)))
            return err_set(detail, ERR_INVALID, "the JPEG is cut short");
        if (is_frame(marker))
            return read_frame(span_of(s.ptr + at, len), out, detail);
        if (marker == APP1 && out->orientation == 1)
            out->orientation = image_exif_orientation(span_of(s.ptr + at + 2, len - 2));
        at += len;
    }
    return err_set(detail, ERR_INVALID, "the JPEG has no frame header where one should be");
}
