/*
 * The composer of views. It runs for every read that misses the cache, so it writes straight into the buffer:
 * member names come quoted from tables, and what is JSON text already (flags, objects) is copied as it
 * stands.
 */
#include "profile/profile.h"
#include "json/write.h"

static const struct span member_names[PROFILE_FIELD_COUNT] = {
#define X(field, kind, max, hidden) SPAN_INIT(",\"" #field "\":"),
    PROFILE_FIELDS(X)
#undef X
};

/* By field, and by whether it is private. */
static const struct span visibilities[PROFILE_FIELD_COUNT][2] = {
#define X(field, kind, max, hidden)                                                                          \
    {SPAN_INIT(",\"" #field "\":\"public\""), SPAN_INIT(",\"" #field "\":\"private\"")},
    PROFILE_FIELDS(X)
#undef X
};

static void write_value(enum profile_kind kind, struct span value, struct buf *out)
{
    switch (kind) {
    case PROFILE_TEXT:
    case PROFILE_PROSE:
    case PROFILE_URL:
    case PROFILE_LOCALE:
    case PROFILE_ZONE:
    case PROFILE_EMAIL:
    case PROFILE_PHONE:
    case PROFILE_DATE:
        json_write_string(out, value);
        return;
    case PROFILE_FLAG:
    case PROFILE_STRINGS:
    case PROFILE_FREE:
        buf_append(out, value);
        return;
    }
}

static void write_fields(const struct profile *p, uint32_t hidden, struct buf *out)
{
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        if (p->values[i].ptr == NULL || (hidden & UINT32_C(1) << i) != 0)
            continue;
        buf_append(out, member_names[i]);
        write_value(profile_field_table[i].kind, p->values[i], out);
    }
}

static void write_visibility(const struct profile *p, struct buf *out)
{
    buf_lit(out, ",\"visibility\":{");
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        struct span text = visibilities[i][p->private_fields >> i & 1];
        buf_append(out, i == 0 ? span_from(text, 1) : text);
    }
    buf_char(out, '}');
}

/* Room for it all at once, where no character needs an escape: growing step by step would copy it several
 * times. */
static void reserve(const struct profile *p, struct buf *out)
{
    size_t estimate = 1024 + p->id.len + p->handle.len;
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++)
        estimate += p->values[i].len;
    if (out->limit == 0)
        buf_reserve(out, estimate);
}

void profile_view_write(const struct profile *p, enum profile_view view, struct buf *out)
{
    const bool owner = view == PROFILE_VIEW_OWNER;
    reserve(p, out);
    buf_lit(out, "{\"id\":");
    json_write_string(out, p->id);
    buf_lit(out, ",\"handle\":");
    json_write_string(out, p->handle);
    write_fields(p, owner ? 0 : p->private_fields, out);
    if (owner) {
        write_visibility(p, out);
        buf_append(out, p->state == PROFILE_SUSPENDED ? SPAN(",\"state\":\"suspended\"")
                                                      : SPAN(",\"state\":\"active\""));
    }
    buf_lit(out, ",\"version\":");
    buf_i64(out, p->stamps[view].seq);
    buf_lit(out, ",\"created_at\":\"");
    profile_time_write(p->created_ms, out);
    buf_lit(out, "\",\"updated_at\":\"");
    profile_time_write(p->stamps[view].at_ms, out);
    buf_lit(out, "\"}");
}
