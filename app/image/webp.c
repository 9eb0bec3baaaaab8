#include "image/webp.h"

#include "image/bytes.h"

enum {
    RIFF_HEAD = 12,
    CHUNK_HEAD = 8,
    VP8X_LEN = 10,
    ANMF_HEAD = 16,
    FLAG_ANIMATION = 0x02,
    FLAG_ALPHA = 0x10
};

bool image_webp_chunk(struct span *rest, struct span *code, struct span *data)
{
    if (!image_has(*rest, 0, CHUNK_HEAD) || !image_has(*rest, CHUNK_HEAD, image_le32(*rest, 4)))
        return false;
    size_t len = image_le32(*rest, 4);
    *code = span_of(rest->ptr, 4);
    *data = span_of(rest->ptr + CHUNK_HEAD, len);
    *rest = span_from(*rest, CHUNK_HEAD + len + (len & 1));
    return true;
}

/* RFC 6386 section 9.1: a key frame's tag, start code, then 14 bits each of width and height. */
static enum err read_lossy(struct span s, struct image_facts *out, struct err_detail *detail)
{
    if (s.len < 10 || (image_u8(s, 0) & 1) != 0 || memcmp(s.ptr + 3, "\x9d\x01\x2a", 3) != 0)
        return err_set(detail, ERR_INVALID, "the WebP's VP8 chunk is no key frame");
    out->width = image_le16(s, 6) & 0x3fff;
    out->height = image_le16(s, 8) & 0x3fff;
    return OK;
}

/* RFC 9649 section 3.4: a signature, then 14 bits each of width and height less one, alpha, version 0. */
static enum err read_lossless(struct span s, struct image_facts *out, struct err_detail *detail)
{
    if (s.len < 5 || image_u8(s, 0) != 0x2f || image_u8(s, 4) >> 5 != 0)
        return err_set(detail, ERR_INVALID, "the WebP's VP8L chunk is malformed");
    uint32_t bits = image_le32(s, 1);
    out->width = (bits & 0x3fff) + 1;
    out->height = (bits >> 14 & 0x3fff) + 1;
    return OK;
}

/* The extended header tells the canvas; what is drawn on it has to follow, and be no larger. */
static enum err read_extended(struct span s, struct span rest, struct image_facts *out,
                              struct err_detail *detail)
{
    struct span code, data;
    if (s.len < VP8X_LEN)
        return err_set(detail, ERR_INVALID, "the WebP's VP8X chunk is malformed");
    out->animated = (image_u8(s, 0) & FLAG_ANIMATION) != 0;
    out->width = image_le24(s, 4) + 1;
    out->height = image_le24(s, 7) + 1;
    while (image_webp_chunk(&rest, &code, &data)) {
        struct image_facts drawn = {0};
        enum err e;
        if (out->animated && image_is(code, 0, "ANMF"))
            return OK;
        if (out->animated || (!image_is(code, 0, "VP8 ") && !image_is(code, 0, "VP8L")))
            continue;
        e = image_is(code, 0, "VP8 ") ? read_lossy(data, &drawn, detail)
                                      : read_lossless(data, &drawn, detail);
        if (e == OK && (drawn.width != out->width || drawn.height != out->height))
            e = err_set(detail, ERR_INVALID, "the WebP's canvas is of another size than its image");
        return e;
    }
    return err_set(detail, ERR_INVALID, "the WebP has no image data");
}

enum err image_probe_webp(struct span s, struct image_facts *out, struct err_detail *detail)
{
    struct span code, data;
    size_t told = image_le32(s, 4);
    /* what stands behind the end that the file tells of itself is none of it */
    struct span rest = told < s.len - 8 ? span_of(s.ptr, told + 8) : s;
    if (told < 4 || told > s.len - 8)
        return err_set(detail, ERR_INVALID, "the WebP is shorter than it says");
    rest = span_from(rest, RIFF_HEAD);
    if (!image_webp_chunk(&rest, &code, &data))
        return err_set(detail, ERR_INVALID, "the WebP ends within its header");
    if (image_is(code, 0, "VP8 "))
        return read_lossy(data, out, detail);
    if (image_is(code, 0, "VP8L"))
        return read_lossless(data, out, detail);
    if (image_is(code, 0, "VP8X"))
        return read_extended(data, rest, out, detail);
    return err_set(detail, ERR_INVALID, "the WebP begins with a chunk that is none of WebP's");
}

static void put_le(struct buf *out, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_char(out, (char)(value >> (8 * i)));
}

static void put_chunk(struct buf *out, const char *code, struct span data)
{
    buf_append(out, span_of(code, 4));
    put_le(out, (uint32_t)data.len, 4);
    buf_append(out, data);
    if ((data.len & 1) != 0)
        buf_char(out, '\0');
}

/* A frame: its place and size (less one), and then the chunks of an image. */
static enum err write_frame(struct span frame, struct buf *out)
{
    struct span rest = span_from(frame, ANMF_HEAD), code, data;
    struct span alpha = {NULL, 0};
    struct buf body = {0};
    enum err e = ERR_INVALID;
    while (e == ERR_INVALID && image_webp_chunk(&rest, &code, &data)) {
        if (image_is(code, 0, "ALPH"))
            alpha = data;
        if (!image_is(code, 0, "VP8 ") && !image_is(code, 0, "VP8L"))
            continue;
        if (alpha.ptr != NULL && image_is(code, 0, "VP8 ")) {
            buf_lit(&body, "VP8X");
            put_le(&body, VP8X_LEN, 4);
            put_le(&body, FLAG_ALPHA, 4);
            buf_append(&body, span_of(frame.ptr + 6, 6));
            put_chunk(&body, "ALPH", alpha);
        }
        put_chunk(&body, code.ptr, data);
        e = OK;
    }
    if (e == OK) {
        buf_lit(out, "RIFF");
        put_le(out, (uint32_t)body.len + 4, 4);
        buf_lit(out, "WEBP");
        buf_append(out, buf_span(&body));
        e = body.failed ? ERR_NOMEM : buf_status(out);
    }
    buf_fini(&body);
    return e;
}

enum err image_webp_first_frame(struct span bytes, struct buf *out)
{
    struct span rest = span_from(bytes, RIFF_HEAD), code, data;
    while (image_webp_chunk(&rest, &code, &data))
        if (image_is(code, 0, "ANMF"))
            return data.len < ANMF_HEAD ? ERR_INVALID : write_frame(data, out);
    return ERR_INVALID;
}
