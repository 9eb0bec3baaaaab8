#include "image/bytes.h"

static const struct span media_types[IMAGE_TYPE_COUNT] = {
    [IMAGE_PNG] = SPAN_INIT("image/png"),
    [IMAGE_JPEG] = SPAN_INIT("image/jpeg"),
    [IMAGE_WEBP] = SPAN_INIT("image/webp"),
    [IMAGE_AVIF] = SPAN_INIT("image/avif"),
};

struct span image_media_type(enum image_type type)
{
    return media_types[type];
}

enum image_type image_type_of(struct span media_type)
{
    for (enum image_type type = 0; type < IMAGE_TYPE_COUNT; type++)
        if (span_eq(media_types[type], media_type))
            return type;
    return IMAGE_TYPE_COUNT;
}

/* IMAGE_TYPE_COUNT: none. */
static enum image_type recognise(struct span s)
{
    if (span_starts(s, SPAN("\x89PNG\r\n\x1a\n")))
        return IMAGE_PNG;
    if (span_starts(s, SPAN("\xff\xd8\xff")))
        return IMAGE_JPEG;
    if (image_has(s, 0, 12) && image_is(s, 0, "RIFF") && image_is(s, 8, "WEBP"))
        return IMAGE_WEBP;
    if (image_has(s, 0, 12) && image_is(s, 4, "ftyp"))
        return IMAGE_AVIF;
    return IMAGE_TYPE_COUNT;
}

enum err image_probe(struct span bytes, struct image_facts *out, struct err_detail *detail)
{
    enum err e = ERR_NOT_FOUND;
    enum image_type type = recognise(bytes);
    *out = (struct image_facts){.type = type, .orientation = 1};
    switch (type) {
    case IMAGE_PNG:
        e = image_probe_png(bytes, out, detail);
        break;
    case IMAGE_JPEG:
        e = image_probe_jpeg(bytes, out, detail);
        break;
    case IMAGE_WEBP:
        e = image_probe_webp(bytes, out, detail);
        break;
    case IMAGE_AVIF:
        e = image_probe_avif(bytes, out, detail);
        break;
    case IMAGE_TYPE_COUNT:
        err_set(detail, e, "the bytes are those of no PNG, JPEG, WebP or AVIF image");
        break;
    }
    if (e == OK && (out->width == 0 || out->height == 0))
        e = err_set(detail, ERR_INVALID, "the image says that it has no pixels");
    if (e != OK)
        *out = (struct image_facts){0};
    return e;
}

enum err image_size_check(const struct image_facts *f, struct err_detail *detail)
{
    if (f->width <= IMAGE_SIDE_MAX && f->height <= IMAGE_SIDE_MAX &&
        (uint64_t)f->width * f->height <= IMAGE_PIXELS_MAX)
        return OK;
    return err_set(detail, ERR_TOO_LARGE, "the image is %u by %u pixels; at most %d by %d will do", f->width,
                   f->height, IMAGE_SIDE_MAX, IMAGE_SIDE_MAX);
}
