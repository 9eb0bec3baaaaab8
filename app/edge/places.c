#include "edge/places.h"

#include <inttypes.h>

#define TITLE "profiled-edge 1"

void edge_places_begin(struct buf *out)
{
    buf_lit(out, TITLE "\n");
}

void edge_places_add(struct buf *out, struct span address, const struct edge_place *place)
{
    if (place->lineage == 0)
        return;
    buf_append(out, address);
    buf_printf(out, " %016" PRIx64 " %" PRId64 " %016" PRIx64 "\n", place->lineage, place->seq, place->entry);
}

static bool read_hex(struct span text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return text.len == 16;
}

static bool read_line(struct span line, struct edge_place *out)
{
    uint64_t seq;
    struct span lineage = span_cut(&line, ' '), place = span_cut(&line, ' ');
    if (!read_hex(lineage, &out->lineage) || out->lineage == 0 || !span_to_u64(place, INT64_MAX, &seq) ||
        !read_hex(line, &out->entry))
        return false;
    out->seq = (int64_t)seq;
    return true;
}

struct edge_place edge_places_find(struct span text, struct span address)
{
    struct edge_place found = {0};
    if (!span_eq(span_cut(&text, '\n'), SPAN(TITLE)))
        return found;
    while (text.len > 0) {
        struct span line = span_cut(&text, '\n');
        if (!span_eq(span_cut(&line, ' '), address))
            continue;
        return read_line(line, &found) ? found : (struct edge_place){0};
    }
    return found;
}
