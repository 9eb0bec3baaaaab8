/* Images' headers: the four types as an encoder makes them (the corpus of the fuzz target), and what is wrong
 * with them in every way that a byte, a length or an end can be. */
#include "image/probe.h"
#include "image/webp.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static struct buf load(const char *name)
{
    struct buf path = {0}, bytes = {0};
    struct err_detail detail = {0};
    buf_printf(&path, "%s/tests/fuzz/corpus/image/%s", SOURCE_DIR, name);
    if (file_read(buf_text(&path), 1 << 20, &bytes, &detail) != OK)
        fail_msg("%s", detail.text);
    buf_fini(&path);
    return bytes;
}

static enum err probe(struct span s, struct image_facts *out)
{
    struct err_detail detail = {0};
    /* of just this length, so that the sanitizer sees one byte too far */
    char *copy = malloc(s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    char *exact = realloc(copy, s.len == 0 ? 1 : s.len);
    enum err e = image_probe(span_of(exact, s.len), out, &detail);
    free(exact);
    assert_int_equal(e == OK, detail.text[0] == '\0');
    if (e != OK)
        assert_int_equal(out->width, 0);
    return e;
}

static void test_real_ones(void **state)
{
    static const struct {
        const char *name;
        struct image_facts facts;
    } rows[] = {
        {"png", {IMAGE_PNG, 64, 48, false, 1}},
        {"jpeg", {IMAGE_JPEG, 64, 48, false, 1}},
        {"jpeg-exif", {IMAGE_JPEG, 64, 48, false, 6}},
        {"webp", {IMAGE_WEBP, 64, 48, false, 1}},
        {"webp-lossless", {IMAGE_WEBP, 64, 48, false, 1}},
        {"webp-animated", {IMAGE_WEBP, 64, 48, true, 1}},
        {"avif", {IMAGE_AVIF, 64, 48, false, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf bytes = load(rows[i].name);
        struct image_facts facts;
        if (probe(buf_span(&bytes), &facts) != OK)
            fail_msg("%s", rows[i].name);
        assert_int_equal(facts.type, rows[i].facts.type);
        assert_int_equal(facts.width, rows[i].facts.width);
        assert_int_equal(facts.height, rows[i].facts.height);
        assert_int_equal(facts.animated, rows[i].facts.animated);
        assert_int_equal(facts.orientation, rows[i].facts.orientation);
        buf_fini(&bytes);
    }
}

/* Cut after each byte, and each byte of the header made another: never a crash, and what comes out is an
 * image that is wholly within what numbers can be, or none. */
static void test_cut_and_changed(void **state)
{
    static const char *const names[] = {"png",           "jpeg",          "jpeg-exif", "webp",
                                        "webp-lossless", "webp-animated", "avif"};
    static const size_t least[] = {33, 300, 350, 30, 25, 60, 200};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct buf bytes = load(names[n]);
        struct image_facts facts;
        for (size_t len = 0; len < least[n] && len < bytes.len; len++)
            if (probe(span_of(bytes.ptr, len), &facts) == OK)
                fail_msg("%s, cut to %zu bytes", names[n], len);
        for (size_t at = 0; at < bytes.len && at < 400; at++)
            for (int change = 1; change < 256; change = change * 2 + 1) {
                bytes.ptr[at] = (char)(bytes.ptr[at] ^ change);
                if (probe(buf_span(&bytes), &facts) == OK)
                    assert_true(facts.width > 0 && facts.height > 0 && facts.orientation >= 1 &&
                                facts.orientation <= 8);
                bytes.ptr[at] = (char)(bytes.ptr[at] ^ change);
            }
        buf_fini(&bytes);
    }
}

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define PNG_DATA "\0\0\0\0IDAT"
#define FTYP                                                                                                 \
    "\0\0\0\x14"                                                                                             \
    "ftypavif\0\0\0\0mif1"
#define SIZE_BOX "\0\0\0\x14ispe\0\0\0\0\0\0\0\x40\0\0\0\x30"

struct row {
    const char *what;
    struct span bytes;
    enum err e;
};
#define ROW(what, bytes, e)                                                                                  \
    {                                                                                                        \
        what, SPAN_INIT(bytes), e                                                                            \
    }

static const struct row rows[] = {
    ROW("nothing", "", ERR_NOT_FOUND),
    ROW("text", "hello, world: this is no image", ERR_NOT_FOUND),
    ROW("SVG", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", ERR_NOT_FOUND),
    ROW("GIF", "GIF89a\x01\0\x01\0\0\0\0;", ERR_NOT_FOUND),
    ROW("BMP", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0", ERR_NOT_FOUND),
    ROW("a PNG behind a space", " " PNG_HEAD, ERR_NOT_FOUND),
    ROW("a PNG that went through a text transfer", "\x89PNG\n\x1a\n\0\0\0\rIHDR", ERR_NOT_FOUND),
    ROW("a signature alone", "\x89PNG\r\n\x1a\n", ERR_INVALID),
    ROW("PNG: one grey pixel", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\0\0\0crc!" PNG_DATA, OK),
    ROW("PNG: no data", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\0\0\0crc!", ERR_INVALID),
    ROW("PNG: data beyond the end", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\0\0\0crc!\xff\xff\xff\xfftEXt",
        ERR_INVALID),
    ROW("PNG: no width", PNG_HEAD "\0\0\0\0\0\0\0\x01\x08\0\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: no height", PNG_HEAD "\0\0\0\x01\0\0\0\0\x08\0\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: a width that no PNG has", PNG_HEAD "\x80\0\0\0\0\0\0\x01\x08\0\0\0\0crc!" PNG_DATA,
        ERR_INVALID),
    ROW("PNG: 3 bits", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x03\0\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: 4 bits of RGB", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x04\x02\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: 16 bits of palette", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x10\x03\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: colour type 5", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\x05\0\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: compression 1", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\x01\0\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: filter 1", PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\0\x01\0crc!" PNG_DATA, ERR_INVALID),
    ROW("PNG: interlace 2",
        PNG_HEAD "\0\0\0\x01\0\0\0\x01\x08\0\0\0\x02"
                 "crc!" PNG_DATA,
        ERR_INVALID),
    ROW("PNG: another chunk first", "\x89PNG\r\n\x1a\n\0\0\0\rtEXt\0\0\0\x01\0\0\0\x01\x08\0\0\0\0crc!",
        ERR_INVALID),
    ROW("PNG: a longer IHDR", "\x89PNG\r\n\x1a\n\0\0\0\x0eIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\0crc!",
        ERR_INVALID),

    ROW("JPEG: SOI alone", "\xff\xd8\xff", ERR_INVALID),
    ROW("JPEG: a frame", "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xd9", OK),
    ROW("JPEG: fill bytes before it", "\xff\xd8\xff\xff\xff\xc2\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xd9",
        OK),
    ROW("JPEG: a segment before it",
        "\xff\xd8\xff\xe0\0\x04xy\xff\xc1\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xd9", OK),
    ROW("JPEG: no end", "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0", ERR_INVALID),
    ROW("JPEG: no width", "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\0\x01\x01\x11\0\xff\xd9", ERR_INVALID),
    ROW("JPEG: a height that comes later (DNL)", "\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x02\x01\x01\x11\0\xff\xd9",
        ERR_INVALID),
    ROW("JPEG: no components", "\xff\xd8\xff\xc0\0\x08\x08\0\x01\0\x02\0\xff\xd9", ERR_INVALID),
    ROW("JPEG: five components",
        "\xff\xd8\xff\xc0\0\x17\x08\0\x01\0\x02\x05"
        "123456789012345\xff\xd9",
        ERR_INVALID),
    ROW("JPEG: components that are not there", "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x02\x03\x01\x11\0\xff\xd9",
        ERR_INVALID),
    ROW("JPEG: a segment of length 1",
        "\xff\xd8\xff\xe0\0\x01\xff\xc0\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xd9", ERR_INVALID),
    ROW("JPEG: a segment beyond the end", "\xff\xd8\xff\xe0\xff\xff", ERR_INVALID),
    ROW("JPEG: a scan before a frame", "\xff\xd8\xff\xda\0\x02\xff\xd9", ERR_INVALID),
    ROW("JPEG: tables are no frame", "\xff\xd8\xff\xc4\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xd9",
        ERR_INVALID),
    ROW("JPEG: no marker where one should be",
        "\xff\xd8\xff\xe0\0\x02"
        "abcdef\xff\xd9",
        ERR_INVALID),

    ROW("RIFF of another kind", "RIFF\x0c\0\0\0WAVEfmt \0\0\0\0", ERR_NOT_FOUND),
    ROW("WebP: nothing in it", "RIFF\x04\0\0\0WEBP", ERR_INVALID),
    ROW("WebP: shorter than it says", "RIFF\xff\0\0\0WEBPVP8L\x05\0\0\0\x2f\0\0\0\0\0", ERR_INVALID),
    ROW("WebP: lossless", "RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2f\x3f\xc0\x0b\0\0", OK),
    ROW("WebP: without its signature", "RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2e\x3f\xc0\x0b\0\0", ERR_INVALID),
    ROW("WebP: of a later version", "RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2f\x3f\xc0\x0b\x20\0", ERR_INVALID),
    ROW("WebP: lossy", "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\x40\0\x30\0", OK),
    ROW("WebP: not a key frame", "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x11\0\0\x9d\x01\x2a\x40\0\x30\0",
        ERR_INVALID),
    ROW("WebP: no start code", "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2b\x40\0\x30\0",
        ERR_INVALID),
    ROW("WebP: no width", "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\0\0\x30\0", ERR_INVALID),
    ROW("WebP: a chunk beyond the end", "RIFF\x16\0\0\0WEBPVP8 \x0b\0\0\0\x10\0\0\x9d\x01\x2a\x40\0\x30\0",
        ERR_INVALID),
    ROW("WebP: another chunk first", "RIFF\x16\0\0\0WEBPEXIF\x0a\0\0\0\x10\0\0\x9d\x01\x2a\x40\0\x30\0",
        ERR_INVALID),
    ROW("WebP: a canvas and nothing on it", "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x2f\0\0",
        ERR_INVALID),
    ROW("WebP: an image on it",
        "RIFF\x28\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x2f\0\0VP8 "
        "\x0a\0\0\0\x10\0\0\x9d\x01\x2a\x40\0\x30\0",
        OK),
    ROW("WebP: a larger one than the canvas",
        "RIFF\x28\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x01\0\0\x01\0\0VP8 "
        "\x0a\0\0\0\x10\0\0\x9d\x01\x2a\x40\0\x30\0",
        ERR_INVALID),
    ROW("WebP: an animation without a frame", "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\0\0\x2f\0\0",
        ERR_INVALID),

    ROW("MP4",
        "\0\0\0\x14"
        "ftypisom\0\0\0\0mp42",
        ERR_INVALID),
    ROW("HEIC",
        "\0\0\0\x14"
        "ftypheic\0\0\0\0mif1",
        ERR_INVALID),
    ROW("AVIF: the brand alone", FTYP, ERR_INVALID),
    ROW("AVIF: ftyp beyond the end",
        "\0\0\xff\x14"
        "ftypavif\0\0\0\0mif1",
        ERR_INVALID),
    ROW("AVIF: ftyp shorter than a box",
        "\0\0\0\x04"
        "ftypavif\0\0\0\0mif1",
        ERR_INVALID),
    ROW("AVIF: an empty meta", FTYP "\0\0\0\x0cmeta\0\0\0\0", ERR_INVALID),
    ROW("AVIF: all of it",
        FTYP "\0\0\0\x5fmeta\0\0\0\0\0\0\0\x0epitm\0\0\0\0\0\x01\0\0\0\x45iprp\0\0\0\x28ipco" SIZE_BOX
             "\0\0\0\x0cpixi\0\0\0\0\0\0\0\x15ipma\0\0\0\0\0\0\0\x01\0\x01\x02\x02\x01",
        OK),
    ROW("AVIF: of another item",
        FTYP "\0\0\0\x5fmeta\0\0\0\0\0\0\0\x0epitm\0\0\0\0\0\x02\0\0\0\x45iprp\0\0\0\x28ipco" SIZE_BOX
             "\0\0\0\x0cpixi\0\0\0\0\0\0\0\x15ipma\0\0\0\0\0\0\0\x01\0\x01\x02\x02\x01",
        ERR_INVALID),
    ROW("AVIF: without a size among its properties",
        FTYP "\0\0\0\x5fmeta\0\0\0\0\0\0\0\x0epitm\0\0\0\0\0\x01\0\0\0\x45iprp\0\0\0\x28ipco" SIZE_BOX
             "\0\0\0\x0cpixi\0\0\0\0\0\0\0\x15ipma\0\0\0\0\0\0\0\x01\0\x01\x02\x02\x7f",
        ERR_INVALID),
    ROW("AVIF: more properties than there are",
        FTYP "\0\0\0\x5fmeta\0\0\0\0\0\0\0\x0epitm\0\0\0\0\0\x01\0\0\0\x45iprp\0\0\0\x28ipco" SIZE_BOX
             "\0\0\0\x0cpixi\0\0\0\0\0\0\0\x15ipma\0\0\0\0\0\0\0\x01\0\x01\xff\x02\x01",
        ERR_INVALID),
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct image_facts facts;
        enum err e = probe(rows[i].bytes, &facts);
        if (e != rows[i].e)
            fail_msg("%s: %s", rows[i].what, err_name(e));
    }
}

static void test_sizes(void **state)
{
    static const struct {
        uint32_t width, height;
        enum err e;
    } sizes[] = {{1, 1, OK},
                 {4096, 4096, OK},
                 {4097, 1, ERR_TOO_LARGE},
                 {1, 4097, ERR_TOO_LARGE},
                 {UINT32_MAX, UINT32_MAX, ERR_TOO_LARGE},
                 {65536, 65536, ERR_TOO_LARGE}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct image_facts facts = {.width = sizes[i].width, .height = sizes[i].height};
        struct err_detail detail = {0};
        assert_int_equal(image_size_check(&facts, &detail), sizes[i].e);
        assert_int_equal(sizes[i].e == OK, detail.text[0] == '\0');
    }
}

static void test_media_types(void **state)
{
    (void)state;
    for (enum image_type type = 0; type < IMAGE_TYPE_COUNT; type++)
        assert_int_equal(image_type_of(image_media_type(type)), type);
    assert_int_equal(image_type_of(SPAN("image/gif")), IMAGE_TYPE_COUNT);
    assert_int_equal(image_type_of(SPAN("image/PNG")), IMAGE_TYPE_COUNT);
    assert_int_equal(image_type_of(SPAN("")), IMAGE_TYPE_COUNT);
}

static void test_first_frame(void **state)
{
    struct buf bytes = load("webp-animated"), still = load("webp"), frame = {0};
    struct image_facts facts;
    (void)state;
    assert_int_equal(image_webp_first_frame(buf_span(&bytes), &frame), OK);
    assert_true(span_eq(buf_span(&frame), buf_span(&still)));
    assert_int_equal(probe(buf_span(&frame), &facts), OK);
    assert_false(facts.animated);
    assert_int_equal(image_webp_first_frame(buf_span(&still), &frame), ERR_INVALID);
    for (size_t len = 0; len < 190; len++)
        assert_int_equal(image_webp_first_frame(span_of(bytes.ptr, len), &frame), ERR_INVALID);
    buf_fini(&bytes);
    buf_fini(&still);
    buf_fini(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_ones),   cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_media_types), cmocka_unit_test(test_first_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
