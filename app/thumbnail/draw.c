#include "thumbnail/draw.h"

#include <dlfcn.h>
#include <gd.h>

/* By what is linked at run time: the library's own declarations say of which type each is. */
#define CALLS(X)                                                                                             \
    X(gdImageCreateFromPngPtr)                                                                               \
    X(gdImageCreateFromJpegPtr)                                                                              \
    X(gdImageCreateFromWebpPtr)                                                                              \
    X(gdImageCreateFromAvifPtr)                                                                              \
    X(gdImagePngPtrEx)                                                                                       \
    X(gdImageJpegPtr)                                                                                        \
    X(gdImageWebpPtrEx)                                                                                      \
    X(gdImageAvifPtrEx)                                                                                      \
    X(gdImageCreateTrueColor)                                                                                \
    X(gdImageAlphaBlending)                                                                                  \
    X(gdImageSaveAlpha)                                                                                      \
    X(gdImageCopyResampled)

struct calls {
#define X(name) __typeof__(&name) name;
    CALLS(X)
#undef X
};

/* Filled once, before there is anything to draw. */
static struct calls gd;

/* ISO C knows no way from an object's pointer to a function's: POSIX does. */
static bool find(void *library, const char *name, void *call, size_t size)
{
    void *at = dlsym(library, name);
    memcpy(call, &at, size);
    return at != NULL;
}

enum err thumbnail_draw_load(void)
{
    void *library = dlopen("libgd.so.3", RTLD_NOW | RTLD_LOCAL);
    bool found = library != NULL;
#define X(name) found = found && find(library, #name, &gd.name, sizeof gd.name);
    CALLS(X)
#undef X
    return found ? OK : ERR_NOT_FOUND;
}

static gdImagePtr decode(struct span bytes, enum image_type type)
{
    /* libgd takes what it does not change as what it might */
    void *data = (void *)(uintptr_t)bytes.ptr;
    int len = (int)bytes.len;
    switch (type) {
    case IMAGE_PNG:
        return gd.gdImageCreateFromPngPtr(len, data);
    case IMAGE_JPEG:
        return gd.gdImageCreateFromJpegPtr(len, data);
    case IMAGE_WEBP:
        return gd.gdImageCreateFromWebpPtr(len, data);
    case IMAGE_AVIF:
        return gd.gdImageCreateFromAvifPtr(len, data);
    case IMAGE_TYPE_COUNT:
        break;
    }
    return NULL;
}

static bool encode(gdImagePtr image, enum image_type type, struct thumbnail_drawn *out)
{
    enum { PNG_LEVEL = 6, JPEG_QUALITY = 85, WEBP_QUALITY = 82, AVIF_QUALITY = 75, AVIF_SPEED = 8 };
    switch (type) {
    case IMAGE_PNG:
        out->bytes = gd.gdImagePngPtrEx(image, &out->len, PNG_LEVEL);
        break;
    case IMAGE_JPEG:
        out->bytes = gd.gdImageJpegPtr(image, &out->len, JPEG_QUALITY);
        break;
    case IMAGE_WEBP:
        out->bytes = gd.gdImageWebpPtrEx(image, &out->len, WEBP_QUALITY);
        break;
    case IMAGE_AVIF:
        out->bytes = gd.gdImageAvifPtrEx(image, &out->len, AVIF_QUALITY, AVIF_SPEED);
        break;
    case IMAGE_TYPE_COUNT:
        break;
    }
    return out->bytes != NULL && out->len > 0;
}

/* The square in the middle of an image, made this small. */
static gdImagePtr shrink(gdImagePtr from, int side)
{
    int square = from->sx < from->sy ? from->sx : from->sy;
    gdImagePtr to = gd.gdImageCreateTrueColor(side, side);
    if (to == NULL)
        return NULL;
    gd.gdImageAlphaBlending(to, 0);
    gd.gdImageSaveAlpha(to, 1);
    gd.gdImageCopyResampled(to, from, 0, 0, (from->sx - square) / 2, (from->sy - square) / 2, side, side,
                            square, square);
    return to;
}

/* Exif's orientation: which pixel of the square belongs at x, y. */
static int pixel_at(gdImagePtr from, int x, int y, uint8_t orientation)
{
    int n = from->sx - 1;
    switch (orientation) {
    case 2:
        return from->tpixels[y][n - x];
    case 3:
        return from->tpixels[n - y][n - x];
    case 4:
        return from->tpixels[n - y][x];
    case 5:
        return from->tpixels[x][y];
    case 6:
        return from->tpixels[n - x][y];
    case 7:
        return from->tpixels[n - x][n - y];
    case 8:
        return from->tpixels[x][n - y];
    default:
        return from->tpixels[y][x];
    }
}

static gdImagePtr turn(gdImagePtr from, uint8_t orientation)
{
    gdImagePtr to = gd.gdImageCreateTrueColor(from->sx, from->sy);
    if (to == NULL)
        return NULL;
    gd.gdImageSaveAlpha(to, 1);
    for (int y = 0; y < to->sy; y++)
        for (int x = 0; x < to->sx; x++)
            to->tpixels[y][x] = pixel_at(from, x, y, orientation);
    return to;
}

/* Images are not given back: the process ends behind this. */
enum err thumbnail_draw(struct span bytes, const struct image_facts *facts, const unsigned *sizes, int count,
                        struct thumbnail_drawn *list)
{
    gdImagePtr image = decode(bytes, facts->type);
    if (image == NULL || image->sx != (int)facts->width || image->sy != (int)facts->height)
        return ERR_INVALID;
    int square = image->sx < image->sy ? image->sx : image->sy;
    /* the largest from the original, each other from the one above it: which is quicker, and no worse */
    for (int i = count - 1; i >= 0; i--) {
        image = shrink(image, (int)sizes[i] < square ? (int)sizes[i] : square);
        if (image != NULL && i == count - 1 && facts->orientation > 1)
            image = turn(image, facts->orientation);
        if (image == NULL || !encode(image, facts->type, &list[i]))
            return ERR_INVALID;
    }
    return OK;
}
