#include "http/etag.h"

#include "http/syntax.h"

static void write_hex(struct buf *out, uint64_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];
    size_t at = sizeof text;
    do {
        text[--at] = digits[n & 15];
        n >>= 4;
    } while (n > 0);
    buf_append(out, span_of(text + at, sizeof text - at));
}

void http_etag_write(struct buf *out, struct span epoch, char view, int64_t sequence)
{
    buf_char(out, '"');
    buf_append(out, epoch);
    buf_char(out, '-');
    buf_u64(out, HTTP_ETAG_FORMAT);
    buf_char(out, view);
    write_hex(out, (uint64_t)sequence);
    buf_char(out, '"');
}

void http_etag_write_part(struct buf *out, struct span tag, uint32_t part)
{
    tag.len -= tag.len > 0; /* the quote at its end */
    buf_append(out, tag);
    buf_char(out, '.');
    write_hex(out, part);
    buf_char(out, '"');
}

struct tag {
    bool weak;
    struct span opaque; /* between the quotes */
};

/* Codings that front servers add to a tag when they compress. */
static const struct span codings[] = {SPAN_INIT("gzip"), SPAN_INIT("br"), SPAN_INIT("zstd"),
                                      SPAN_INIT("deflate")};
enum { CODING_COUNT = sizeof codings / sizeof codings[0] };

static bool is_coding(struct span s)
{
    for (size_t i = 0; i < CODING_COUNT; i++)
        if (span_eq(codings[i], s))
            return true;
    return false;
}

/* etagc of RFC 9110 section 8.8.3: visible characters but for the quote, and obs-text. A backslash is one
 * like the others. */
static bool is_etag_char(char c)
{
    unsigned char u = (unsigned char)c;
    return u == 0x21 || (u >= 0x23 && u <= 0x7e) || u >= 0x80;
}

/* Takes an entity tag off the front; false when none is there. */
static bool take_tag(struct span *rest, struct tag *tag)
{
    size_t n = 0;
    *tag = (struct tag){0};
    /* the prefix is case-sensitive: "w/" is none */
    if (span_starts(*rest, SPAN("W/"))) {
        tag->weak = true;
        *rest = span_from(*rest, 2);
    }
    if (!http_take_char(rest, '"'))
        return false;
    while (n < rest->len && is_etag_char(rest->ptr[n]))
        n++;
    tag->opaque = span_of(rest->ptr, n);
    *rest = span_from(*rest, n);
    if (!http_take_char(rest, '"'))
        return false;
    /* old Apaches' way: "x"-gzip */
    return !http_take_char(rest, '-') || is_coding(http_take_token(rest));
}

/* The opaque part is ours, or ours with the name of a coding behind it. */
static bool same_opaque(struct span asked, struct span ours)
{
    if (!span_starts(asked, ours))
        return false;
    struct span behind = span_from(asked, ours.len);
    return behind.len == 0 || (behind.ptr[0] == '-' && is_coding(span_from(behind, 1)));
}

static bool tag_matches(const struct tag *asked, const struct span *tags, size_t tag_count,
                        enum http_etag_comparison how)
{
    for (size_t i = 0; i < tag_count; i++) {
        struct span text = tags[i];
        struct tag ours;
        if (!take_tag(&text, &ours))
            continue;
        /* section 8.8.3.2 */
        if (how == HTTP_ETAG_STRONG && (asked->weak || ours.weak))
            continue;
        if (same_opaque(asked->opaque, ours.opaque))
            return true;
    }
    return false;
}

bool http_etag_list_matches(struct span list, const struct span *tags, size_t tag_count,
                            enum http_etag_comparison how)
{
    bool found = false;
    while (list.len > 0) {
        struct tag tag;
        http_take_space(&list);
        /* section 5.6.1.2: a recipient accepts a reasonable number of empty elements */
        if (list.len == 0 || http_take_char(&list, ','))
            continue;
        if (!take_tag(&list, &tag))
            return false;
        http_take_space(&list);
        if (list.len > 0 && !http_take_char(&list, ','))
            return false;
        found = found || tag_matches(&tag, tags, tag_count, how);
    }
    return found;
}

bool http_etag_valid(struct span value)
{
    struct tag tag;
    return take_tag(&value, &tag) && value.len == 0;
}

bool http_etag_is_any(struct span value)
{
    return span_eq(span_trim(value), SPAN("*"));
}
