/* Fields whose value is an object: strings by name (address), and anything at all (attributes). */
#include "profile/iterable.h"
#include "profile/parsing.h"
#include "profile/text.h"
#include "json/get.h"
#include "json/write.h"

enum { STRINGS_MAX = 20, STRING_NAME_MAX = 64 };

/* An object of strings while it is read. */
struct strings {
    const struct profile_field_row *row;
    struct buf json;
    struct span names[STRINGS_MAX]; /* as written, to find two that normalisation made one */
    size_t count;
    size_t chars; /* of all values */
};

/* Notes the flaw of a name or a value; false when there is none. */
static bool refuse(struct profile_parsing *p, struct strings *s, struct span name,
                   enum profile_text_flaw flaw, const char *what, size_t max)
{
    if (flaw == PROFILE_TEXT_SOUND)
        return false;
    if (flaw == PROFILE_TEXT_NOMEM)
        p->out_of_memory = true;
    else if (flaw == PROFILE_TEXT_LONG)
        profile_parsing_fault(p, s->row->name, name, "%s may have at most %zu characters", what, max);
    else
        profile_parsing_fault(p, s->row->name, name, "%s %s", what, profile_text_flaw_detail(flaw));
    return true;
}

static bool name_taken(const struct strings *s, struct span name)
{
    for (size_t i = 0; i < s->count; i++)
        if (span_eq(s->names[i], name))
            return true;
    return false;
}

/* The two lines-of-an-address members of OpenID Connect Core section 5.1.1. */
static bool may_hold_newlines(struct span name)
{
    return span_eq(name, SPAN("formatted")) || span_eq(name, SPAN("street_address"));
}

static void read_string(struct profile_parsing *p, struct strings *s, struct span name, const json_t *value)
{
    struct span clean, text;
    size_t chars;
    if (!json_is_string(value)) {
        profile_parsing_fault(p, s->row->name, name, "must be a string");
        return;
    }
    enum profile_text_flaw flaw = profile_text_clean(name, STRING_NAME_MAX, false, p->arena, &clean, NULL);
    if (refuse(p, s, name, flaw, "the name", STRING_NAME_MAX))
        return;
    flaw =
        profile_text_clean(json_text(value), s->row->max, may_hold_newlines(clean), p->arena, &text, &chars);
    if (refuse(p, s, name, flaw, "the value", s->row->max))
        return;
    if (clean.len == 0 || name_taken(s, clean)) {
        profile_parsing_fault(p, s->row->name, name,
                              clean.len == 0 ? "the name is empty" : "the name is there twice");
        return;
    }
    if (s->count > 0)
        buf_char(&s->json, ',');
    json_write_string(&s->json, clean);
    buf_char(&s->json, ':');
    json_write_string(&s->json, text);
    s->names[s->count++] = clean;
    s->chars += chars;
}

/* Hands over what was written, unless memory ran out. */
static void keep(struct profile_parsing *p, enum profile_field field, const struct buf *json)
{
    struct span copy = {NULL, 0};
    if (!json->failed)
        copy = arena_copy(p->arena, buf_span(json));
    if (copy.ptr == NULL)
        p->out_of_memory = true;
    p->out->values[field] = copy;
}

void profile_parsing_strings(struct profile_parsing *p, enum profile_field field, const json_t *value)
{
    struct strings s = {.row = &profile_field_table[field]};
    const char *key;
    size_t key_len;
    json_t *each, *object = profile_json_iterable(value);
    if (!json_is_object(value) || json_object_size(value) > STRINGS_MAX) {
        profile_parsing_fault(p, s.row->name, (struct span){NULL, 0},
                              "must be an object of at most %d strings", STRINGS_MAX);
        return;
    }
    size_t faults = p->faults->count;
    buf_char(&s.json, '{');
    json_object_keylen_foreach(object, key, key_len, each)
    {
        read_string(p, &s, span_of(key, key_len), each);
    }
    buf_char(&s.json, '}');
    if (s.chars > s.row->max)
        profile_parsing_fault(p, s.row->name, (struct span){NULL, 0},
                              "may have at most %zu characters in all", s.row->max);
    else if (faults == p->faults->count)
        keep(p, field, &s.json);
    buf_fini(&s.json);
}

void profile_parsing_free(struct profile_parsing *p, enum profile_field field, const json_t *value)
{
    const struct span name = profile_field_table[field].name;
    struct buf json = {.limit = p->rules->attributes_max};
    if (!json_is_object(value)) {
        profile_parsing_fault(p, name, (struct span){NULL, 0}, "must be an object");
        return;
    }
    json_write_value(&json, value);
    if (buf_status(&json) == ERR_TOO_LARGE)
        profile_parsing_fault(p, name, (struct span){NULL, 0}, "may have at most %zu bytes as compact JSON",
                              p->rules->attributes_max);
    else
        keep(p, field, &json);
    buf_fini(&json);
}
