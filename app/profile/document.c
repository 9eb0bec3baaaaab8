/* The owner's view as a tree, for patches. */
#include "profile/parse.h"
#include "profile/time.h"
#include "json/load.h"

static json_t *text_node(struct span s)
{
    return json_stringn_nocheck(s.ptr == NULL ? "" : s.ptr, s.len);
}

static json_t *time_node(int64_t ms)
{
    char text[PROFILE_TIME_LEN + 1];
    profile_time_format(ms, text);
    return text_node(span_of(text, PROFILE_TIME_LEN));
}

static json_t *object_node(struct span text)
{
    json_t *object;
    return json_load_strict(text, JSON_MAX_DEPTH, &object, NULL) == OK ? object : NULL;
}

static json_t *value_node(enum profile_kind kind, struct span value)
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
        return text_node(value);
    case PROFILE_FLAG:
        return json_boolean(span_eq(value, SPAN("true")));
    case PROFILE_STRINGS:
    case PROFILE_FREE:
        return object_node(value);
    }
    return NULL;
}

static json_t *visibility_node(const struct profile *p)
{
    json_t *object = json_object();
    bool failed = object == NULL;
    for (size_t i = 0; i < PROFILE_FIELD_COUNT && !failed; i++) {
        bool hidden = (p->private_fields >> i & 1) != 0;
        json_t *value = text_node(hidden ? SPAN("private") : SPAN("public"));
        failed = json_object_set_new_nocheck(object, profile_field_table[i].name.ptr, value) != 0;
    }
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *profile_to_json(const struct profile *p)
{
    const struct profile_stamp stamp = p->stamps[PROFILE_VIEW_OWNER];
    json_t *doc = json_object();
    int failed = doc == NULL;
    failed = failed || json_object_set_new_nocheck(doc, "id", text_node(p->id));
    failed = failed || json_object_set_new_nocheck(doc, "handle", text_node(p->handle));
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        const struct profile_field_row *row = &profile_field_table[i];
        if (p->values[i].ptr != NULL)
            failed = failed ||
                     json_object_set_new_nocheck(doc, row->name.ptr, value_node(row->kind, p->values[i]));
    }
    failed = failed || json_object_set_new_nocheck(doc, "visibility", visibility_node(p));
    failed = failed ||
             json_object_set_new_nocheck(
                 doc, "state", text_node(p->state == PROFILE_SUSPENDED ? SPAN("suspended") : SPAN("active")));
    failed = failed || json_object_set_new_nocheck(doc, "version", json_integer(stamp.seq));
    failed = failed || json_object_set_new_nocheck(doc, "created_at", time_node(p->created_ms));
    failed = failed || json_object_set_new_nocheck(doc, "updated_at", time_node(stamp.at_ms));
    if (failed) {
        json_decref(doc);
        return NULL;
    }
    return doc;
}
