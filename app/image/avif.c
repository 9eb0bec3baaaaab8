/*
 * AVIF (AV1-AVIF on HEIF, ISO/IEC 23008-12, on ISO/IEC 14496-12): boxes of length, type, content. ftyp names
 * the brand; meta tells which item is the picture (pitm), which properties it has (iprp/ipma) and what these
 * say (iprp/ipco), the size among them (ispe).
 */
#include "image/bytes.h"

/* The next box: its type's four bytes and its content; rest is moved behind it. false: there is none, or it
 * is longer than what is left. */
static bool next_box(struct span *rest, struct span *type, struct span *content)
{
    size_t head = 8;
    if (!image_has(*rest, 0, head))
        return false;
    uint64_t len = image_be32(*rest, 0);
    if (len == 1) { /* a large box */
        head = 16;
        if (!image_has(*rest, 0, head))
            return false;
        len = (uint64_t)image_be32(*rest, 8) << 32 | image_be32(*rest, 12);
    } else if (len == 0) { /* up to the end */
        len = rest->len;
    }
    if (len < head || len > rest->len)
        return false;
    *type = span_of(rest->ptr + 4, 4);
    *content = span_of(rest->ptr + head, (size_t)len - head);
    *rest = span_from(*rest, (size_t)len);
    return true;
}

/* The first box of that type; false: there is none. */
static bool find_box(struct span within, const char type[4], struct span *content)
{
    struct span found;
    while (next_box(&within, &found, content))
        if (image_is(found, 0, type))
            return true;
    return false;
}

/* The content behind version and flags; *version. false: it is too short. */
static bool open_full(struct span *content, uint32_t *version, uint32_t *flags)
{
    if (content->len < 4)
        return false;
    *version = image_u8(*content, 0);
    *flags = image_be32(*content, 0) & 0xffffff;
    *content = span_from(*content, 4);
    return true;
}

static bool has_brand(struct span ftyp, const char brand[4])
{
    for (size_t at = 0; image_has(ftyp, at, 4); at += at == 0 ? 8 : 4) /* behind the first is its version */
        if (image_is(ftyp, at, brand))
            return true;
    return false;
}

static bool read_primary(struct span meta, uint32_t *item)
{
    struct span pitm;
    uint32_t version, flags;
    if (!find_box(meta, "pitm", &pitm) || !open_full(&pitm, &version, &flags) ||
        !image_has(pitm, 0, version == 0 ? 2 : 4))
        return false;
    *item = version == 0 ? image_be16(pitm, 0) : image_be32(pitm, 0);
    return true;
}

/* The number-th property, counted from 1, if it is a size. */
static bool read_size(struct span ipco, uint32_t number, struct image_facts *out)
{
    struct span type, content;
    uint32_t version, flags;
    for (uint32_t i = 1; i <= number && next_box(&ipco, &type, &content); i++) {
        if (i < number)
            continue;
        if (!image_is(type, 0, "ispe") || !open_full(&content, &version, &flags) || content.len < 8)
            return false;
        out->width = image_be32(content, 0);
        out->height = image_be32(content, 4);
        return true;
    }
    return false;
}

/* One item's associations, behind which *ipma is moved. false: they are not the wanted item's, or broken,
 * which leaves nothing. */
static bool read_item(struct span *ipma, uint32_t version, uint32_t item, size_t each, struct span *numbers)
{
    size_t id_len = version < 1 ? 2 : 4, head = id_len + 1;
    if (!image_has(*ipma, 0, head) || !image_has(*ipma, head, image_u8(*ipma, id_len) * each)) {
        *ipma = span_of(ipma->ptr, 0);
        return false;
    }
    uint32_t id = version < 1 ? image_be16(*ipma, 0) : image_be32(*ipma, 0);
    *numbers = span_of(ipma->ptr + head, image_u8(*ipma, id_len) * each);
    *ipma = span_from(*ipma, head + numbers->len);
    return id == item;
}

static bool read_associations(struct span iprp, uint32_t item, struct image_facts *out)
{
    struct span ipco, ipma, numbers;
    uint32_t version, flags;
    if (!find_box(iprp, "ipco", &ipco) || !find_box(iprp, "ipma", &ipma) ||
        !open_full(&ipma, &version, &flags) || ipma.len < 4)
        return false;
    size_t each = (flags & 1) != 0 ? 2 : 1;
    ipma = span_from(ipma, 4); /* behind the number of items */
    while (ipma.len > 0) {
        if (!read_item(&ipma, version, item, each, &numbers))
            continue;
        for (size_t at = 0; at < numbers.len; at += each) {
            /* the uppermost bit says that the property must be understood */
            uint32_t number = each == 2 ? image_be16(numbers, at) & 0x7fff : image_u8(numbers, at) & 0x7f;
            if (read_size(ipco, number, out))
                return true;
        }
        return false;
    }
    return false;
}

enum err image_probe_avif(struct span s, struct image_facts *out, struct err_detail *detail)
{
    struct span rest = s, type, ftyp, meta, iprp;
    uint32_t version, flags, item;
    if (!next_box(&rest, &type, &ftyp) || !image_is(type, 0, "ftyp"))
        return err_set(detail, ERR_INVALID, "the file type box is malformed");
    if (!has_brand(ftyp, "avif") && !has_brand(ftyp, "avis"))
        return err_set(detail, ERR_INVALID, "the file is of another brand than AVIF");
    out->animated = ftyp.len >= 4 && image_is(ftyp, 0, "avis");
    if (!find_box(rest, "meta", &meta) || !open_full(&meta, &version, &flags) || !read_primary(meta, &item) ||
        !find_box(meta, "iprp", &iprp) || !read_associations(iprp, item, out))
        return err_set(detail, ERR_INVALID, "the AVIF does not tell the size of its picture");
    return OK;
}
