/* The members of a body that are no fields: who it is, what of it is seen, and what the server or an admin
 * sets. */
#include "profile/iterable.h"
#include "profile/parsing.h"
#include "profile/time.h"
#include "json/get.h"

static const struct span none = {NULL, 0};

static void read_id(struct profile_parsing *p, struct span name, const json_t *value)
{
    struct span id = json_text(value);
    if (!json_is_string(value) || !profile_id_valid(id))
        profile_parsing_fault(p, name, none,
                              "must be 1 to 128 of A-Z a-z 0-9 . _ ~ : | @ + -, not beginning with @, and "
                              "not \".\", \"..\" or \"query\"");
    else if (p->rules->id.ptr != NULL && !span_eq(id, p->rules->id))
        profile_parsing_fault(p, name, none, "must be the id that is written to, or left out");
    else if (p->rules->id.ptr == NULL && (p->out->id = arena_copy(p->arena, id)).ptr == NULL)
        p->out_of_memory = true;
}

static void read_handle(struct profile_parsing *p, struct span name, const json_t *value)
{
    char folded[PROFILE_HANDLE_MAX + 1];
    p->handle_named = true;
    if (!json_is_string(value) || !profile_handle_fold(json_text(value), folded))
        profile_parsing_fault(p, name, none, "must be 2 to 30 of a-z 0-9 _");
    else if ((p->out->handle = arena_copy(p->arena, span_str(folded))).ptr == NULL)
        p->out_of_memory = true;
}

static void read_visibility(struct profile_parsing *p, struct span name, const json_t *value)
{
    const char *key;
    size_t key_len;
    json_t *each, *object = profile_json_iterable(value);
    if (!json_is_object(value)) {
        profile_parsing_fault(p, name, none,
                              "must be an object of field names and \"public\" or \"private\"");
        return;
    }
    json_object_keylen_foreach(object, key, key_len, each)
    {
        const struct span member = span_of(key, key_len), wish = json_text(each);
        const enum profile_field field = profile_field_by_name(member);
        if (field == PROFILE_FIELD_COUNT)
            profile_parsing_fault(p, name, member,
                                  "is no field that can be private (id and handle are always public)");
        else if (span_eq(wish, SPAN("public")))
            p->out->private_fields &= ~(UINT32_C(1) << field);
        else if (span_eq(wish, SPAN("private")))
            p->out->private_fields |= UINT32_C(1) << field;
        else
            profile_parsing_fault(p, name, member, "must be \"public\" or \"private\"");
    }
}

/* An admin's: others may send what it is now. */
static void read_state(struct profile_parsing *p, struct span name, const json_t *value)
{
    const struct span text = json_text(value);
    enum profile_state state = span_eq(text, SPAN("suspended")) ? PROFILE_SUSPENDED : PROFILE_ACTIVE;
    if (state == PROFILE_ACTIVE && !span_eq(text, SPAN("active")))
        profile_parsing_fault(p, name, none, "must be \"active\" or \"suspended\"");
    else if (state != p->out->state && !p->rules->admin)
        profile_parsing_fault(p, name, none, "only an admin may change it");
    else
        p->out->state = state;
}

enum server_member { VERSION, CREATED_AT, UPDATED_AT };

static bool equals_view(const struct profile *current, enum profile_view view, enum server_member member,
                        const json_t *value)
{
    char time[PROFILE_TIME_LEN + 1];
    switch (member) {
    case VERSION:
        return json_is_integer(value) && json_integer_value(value) == current->stamps[view].seq;
    case CREATED_AT:
        profile_time_format(current->created_ms, time);
        break;
    case UPDATED_AT:
        profile_time_format(current->stamps[view].at_ms, time);
        break;
    }
    return json_is_string(value) && span_eq(json_text(value), span_of(time, PROFILE_TIME_LEN));
}

/* The server's: may be sent as they were read, in the view of the URL or in the owner's, which patches are
 * made of. */
static void read_server_member(struct profile_parsing *p, struct span name, enum server_member member,
                               const json_t *value)
{
    const struct profile_rules *rules = p->rules;
    if (rules->foreign_stamps)
        return;
    if (rules->current == NULL)
        profile_parsing_fault(p, name, none, "is set by the server: leave it out");
    else if (!equals_view(rules->current, rules->view, member, value) &&
             !equals_view(rules->current, PROFILE_VIEW_OWNER, member, value))
        profile_parsing_fault(p, name, none, "is set by the server: leave it out, or send what it is now");
}

void profile_parsing_member(struct profile_parsing *p, struct span name, const json_t *value)
{
    if (span_eq(name, SPAN("id")))
        read_id(p, name, value);
    else if (span_eq(name, SPAN("handle")))
        read_handle(p, name, value);
    else if (span_eq(name, SPAN("visibility")))
        read_visibility(p, name, value);
    else if (span_eq(name, SPAN("state")))
        read_state(p, name, value);
    else if (span_eq(name, SPAN("version")))
        read_server_member(p, name, VERSION, value);
    else if (span_eq(name, SPAN("created_at")))
        read_server_member(p, name, CREATED_AT, value);
    else if (span_eq(name, SPAN("updated_at")))
        read_server_member(p, name, UPDATED_AT, value);
    else
        profile_parsing_fault(p, name, none,
                              "is no member of a profile: members of your own belong in attributes");
}
