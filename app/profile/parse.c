/*
 * The walk over a body. First out becomes what stays whatever the body says, then each member is read over
 * it, and last come the rules that need to know all that the body named.
 */
#include "profile/iterable.h"
#include "profile/parsing.h"

static struct span copy(struct profile_parsing *p, struct span s)
{
    struct span c = arena_copy(p->arena, s);
    if (s.ptr != NULL && c.ptr == NULL)
        p->out_of_memory = true;
    return c;
}

static void begin(struct profile_parsing *p)
{
    const struct profile *current = p->rules->current;
    *p->out = (struct profile){.private_fields = PROFILE_PRIVATE_DEFAULT};
    p->out->id = copy(p, p->rules->id);
    if (current == NULL)
        return;
    p->out->state = current->state;
    p->out->created_ms = current->created_ms;
    p->out->place = current->place;
    memcpy(p->out->stamps, current->stamps, sizeof current->stamps);
    if (p->rules->replace == PROFILE_REPLACE_PUBLIC)
        p->out->private_fields = current->private_fields;
}

static void read_members(struct profile_parsing *p, const json_t *doc)
{
    const char *key;
    size_t key_len;
    json_t *value, *object = profile_json_iterable(doc);
    json_object_keylen_foreach(object, key, key_len, value)
    {
        const struct span name = span_of(key, key_len);
        const enum profile_field field = profile_field_by_name(name);
        if (field != PROFILE_FIELD_COUNT)
            profile_parsing_field(p, field, value);
        else
            profile_parsing_member(p, name, value);
    }
}

/* A PUT of the public view cannot tell what its reader could not see: private fields that it does not name
 * stay. */
static void keep_private(struct profile_parsing *p)
{
    const struct profile *current = p->rules->current;
    if (current == NULL || p->rules->replace != PROFILE_REPLACE_PUBLIC)
        return;
    for (size_t i = 0; i < PROFILE_FIELD_COUNT; i++) {
        const uint32_t bit = UINT32_C(1) << i;
        if ((p->named & bit) == 0 && (current->private_fields & bit) != 0)
            p->out->values[i] = copy(p, current->values[i]);
    }
}

static bool same(struct span a, struct span b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && span_eq(a, b);
}

/*
 * email_verified says that somebody looked at this very address. Who is no admin may send it as it is and can
 * neither set nor remove it, but loses it with a new address. An admin sets it by naming it; an address that
 * changes without that loses it as well.
 */
static void settle_email_verified(struct profile_parsing *p)
{
    static const struct span absent = {NULL, 0};
    const struct profile *current = p->rules->current;
    struct span *verified = &p->out->values[PROFILE_FIELD_email_verified];
    const struct span was = current == NULL ? absent : current->values[PROFILE_FIELD_email_verified];
    const struct span email_was = current == NULL ? absent : current->values[PROFILE_FIELD_email];
    const bool named = (p->named & UINT32_C(1) << PROFILE_FIELD_email_verified) != 0;
    if (named && verified->ptr == NULL) /* at fault already */
        return;
    if (named && p->rules->admin)
        return;
    if (named && !same(*verified, was))
        profile_parsing_fault(p, profile_field_table[PROFILE_FIELD_email_verified].name, absent,
                              "only an admin may change it");
    if (!same(p->out->values[PROFILE_FIELD_email], email_was))
        *verified = absent;
    else if (!p->rules->admin)
        *verified = copy(p, was);
}

enum err profile_parse(const json_t *doc, const struct profile_rules *rules, struct arena *arena,
                       struct profile *out, struct profile_faults *faults)
{
    struct profile_parsing p = {.rules = rules, .arena = arena, .out = out, .faults = faults};
    faults->count = 0;
    begin(&p);
    if (json_is_object(doc)) {
        read_members(&p, doc);
        keep_private(&p);
        settle_email_verified(&p);
        if (!p.handle_named)
            profile_parsing_fault(&p, SPAN("handle"), (struct span){NULL, 0},
                                  "is required: 2 to 30 of a-z 0-9 _");
    } else {
        profile_parsing_fault(&p, (struct span){NULL, 0}, (struct span){NULL, 0},
                              "a profile must be an object");
    }
    if (!p.out_of_memory && faults->count == 0)
        return OK;
    *out = (struct profile){0};
    return p.out_of_memory ? ERR_NOMEM : ERR_INVALID;
}
