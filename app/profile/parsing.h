/*
 * Inside profile_parse: what its parts share. parse.c walks over the body and decides what stays of the
 * current profile; value.c and value_object.c read fields; member.c reads the members that are no fields.
 */
#pragma once
#include "profile/parse.h"

struct profile_parsing {
    const struct profile_rules *rules;
    struct arena *arena;
    struct profile *out;
    struct profile_faults *faults;
    uint32_t named; /* fields that the body names: 1 << field */
    bool handle_named;
    bool out_of_memory;
};

/*
 * Notes a fault at "/member/inner", inner left out when absent, and at "" when member is absent too. The
 * detail is formatted into the arena; it should say what would be right, and never repeats a value.
 */
void profile_parsing_fault(struct profile_parsing *p, struct span member, struct span inner,
                           const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* Reads a field's value into out->values, or notes why not. email_verified is read like any other flag. */
void profile_parsing_field(struct profile_parsing *p, enum profile_field field, const json_t *value);
/* The two kinds that are objects. */
void profile_parsing_strings(struct profile_parsing *p, enum profile_field field, const json_t *value);
void profile_parsing_free(struct profile_parsing *p, enum profile_field field, const json_t *value);

/* Reads a member that is no field (id, handle, visibility, state, and the server's), or notes that it is
 * unknown. */
void profile_parsing_member(struct profile_parsing *p, struct span name, const json_t *value);
