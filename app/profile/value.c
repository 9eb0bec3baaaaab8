#include "profile/ascii.h"
#include "profile/parsing.h"
#include "profile/syntax.h"
#include "profile/text.h"
#include "json/get.h"

/* What a kind of text asks for beyond clean text; NULL: nothing. */
struct grammar {
    bool (*matches)(struct span s);
    const char *rule;
};

static struct grammar grammar_of(enum profile_kind kind)
{
    switch (kind) {
    case PROFILE_URL:
        return (struct grammar){profile_syntax_url,
                                "must be an absolute https URL by RFC 3986, in ASCII, without a user name"};
    case PROFILE_LOCALE:
        return (struct grammar){profile_syntax_locale, "must be a BCP 47 language tag, as in \"pt-BR\""};
    case PROFILE_ZONE:
        return (struct grammar){profile_syntax_zone,
                                "must be an IANA time zone name, as in \"Europe/Berlin\""};
    case PROFILE_EMAIL:
        return (struct grammar){profile_syntax_email,
                                "must be a mailbox by RFC 5321, as in \"ada@example.org\""};
    case PROFILE_PHONE:
        return (struct grammar){profile_syntax_phone,
                                "must be an E.164 number: + and 2 to 15 digits without spaces"};
    case PROFILE_DATE:
        return (struct grammar){profile_syntax_date,
                                "must be a date: YYYY-MM-DD, YYYY, or 0000-MM-DD to keep the year back"};
    case PROFILE_TEXT:
    case PROFILE_PROSE:
    case PROFILE_FLAG:
    case PROFILE_STRINGS:
    case PROFILE_FREE:
        break;
    }
    return (struct grammar){0};
}

/* The address that the server itself has given an image, which is of the scheme that the server has. */
static bool is_own_image(const struct profile_parsing *p, enum profile_field field, struct span text)
{
    enum { HASH_LEN = 64 };
    struct span rest = span_from(text, p->rules->base_url.len);
    if (field != PROFILE_FIELD_picture)
        return false;
    if (p->rules->current != NULL && p->rules->current->values[field].ptr != NULL &&
        span_eq(p->rules->current->values[field], text))
        return true;
    if (p->rules->base_url.len == 0 || !span_starts(text, p->rules->base_url) ||
        !span_starts(rest, SPAN(PROFILE_IMAGES_PATH)))
        return false;
    rest = span_from(rest, SPAN(PROFILE_IMAGES_PATH).len);
    for (size_t i = 0; i < rest.len; i++)
        if (!profile_ascii_digit(rest.ptr[i]) && (rest.ptr[i] < 'a' || rest.ptr[i] > 'f'))
            return false;
    return rest.len == HASH_LEN;
}

static void read_text(struct profile_parsing *p, enum profile_field field, const json_t *value)
{
    const struct profile_field_row *row = &profile_field_table[field];
    const struct grammar grammar = grammar_of(row->kind);
    struct span text;
    if (!json_is_string(value)) {
        profile_parsing_fault(p, row->name, (struct span){NULL, 0}, "must be a string");
        return;
    }
    enum profile_text_flaw flaw =
        profile_text_clean(json_text(value), row->max, row->kind == PROFILE_PROSE, p->arena, &text, NULL);
    if (flaw == PROFILE_TEXT_NOMEM)
        p->out_of_memory = true;
    else if (flaw == PROFILE_TEXT_LONG)
        profile_parsing_fault(p, row->name, (struct span){NULL, 0}, "may have at most %zu characters",
                              row->max);
    else if (flaw != PROFILE_TEXT_SOUND)
        profile_parsing_fault(p, row->name, (struct span){NULL, 0}, "%s", profile_text_flaw_detail(flaw));
    else if (grammar.matches != NULL && !grammar.matches(text) && !is_own_image(p, field, text))
        profile_parsing_fault(p, row->name, (struct span){NULL, 0}, "%s", grammar.rule);
    else
        p->out->values[field] = text;
}

static void read_flag(struct profile_parsing *p, enum profile_field field, const json_t *value)
{
    if (json_is_boolean(value))
        p->out->values[field] = json_is_true(value) ? SPAN("true") : SPAN("false");
    else
        profile_parsing_fault(p, profile_field_table[field].name, (struct span){NULL, 0},
                              "must be true or false");
}

void profile_parsing_field(struct profile_parsing *p, enum profile_field field, const json_t *value)
{
    p->named |= UINT32_C(1) << field;
    if (json_is_null(value)) {
        profile_parsing_fault(p, profile_field_table[field].name, (struct span){NULL, 0},
                              "null is no value here: leave the member out to have none");
        return;
    }
    switch (profile_field_table[field].kind) {
    case PROFILE_TEXT:
    case PROFILE_PROSE:
    case PROFILE_URL:
    case PROFILE_LOCALE:
    case PROFILE_ZONE:
    case PROFILE_EMAIL:
    case PROFILE_PHONE:
    case PROFILE_DATE:
        read_text(p, field, value);
        return;
    case PROFILE_FLAG:
        read_flag(p, field, value);
        return;
    case PROFILE_STRINGS:
        profile_parsing_strings(p, field, value);
        return;
    case PROFILE_FREE:
        profile_parsing_free(p, field, value);
        return;
    }
}
