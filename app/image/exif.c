/* Exif (CIPA DC-008): a TIFF header behind "Exif\0\0", whose first directory may say how the camera was held.
 * That is all that is read: what cannot be followed tells nothing. */
#include "image/bytes.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_LEN = 12 };

uint8_t image_exif_orientation(struct span app1)
{
    if (!span_starts(app1, SPAN("Exif\0\0")))
        return 1;
    struct span tiff = span_from(app1, 6);
    bool big = span_starts(tiff, SPAN("MM\0\x2a"));
    if (!big && !span_starts(tiff, SPAN("II\x2a\0")))
        return 1;
    if (!image_has(tiff, 4, 4))
        return 1;
    size_t at = big ? image_be32(tiff, 4) : image_le32(tiff, 4);
    if (!image_has(tiff, at, 2))
        return 1;
    uint32_t count = big ? image_be16(tiff, at) : image_le16(tiff, at);
    for (at += 2; count > 0 && image_has(tiff, at, ENTRY_LEN); count--, at += ENTRY_LEN) {
        uint32_t tag = big ? image_be16(tiff, at) : image_le16(tiff, at);
        uint32_t type = big ? image_be16(tiff, at + 2) : image_le16(tiff, at + 2);
        uint32_t value = big ? image_be16(tiff, at + 8) : image_le16(tiff, at + 8);
        if (tag == TAG_ORIENTATION)
            return type == TYPE_SHORT && value >= 1 && value <= 8 ? (uint8_t)value : 1;
    }
    return 1;
}
