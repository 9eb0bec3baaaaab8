/*
 * From JSON to a profile, checked as a whole: every fault is listed with its JSON pointer (RFC 6901), and a faulty body gives no profile. Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "profile/profile.h"

#include <jansson.h>

enum { PROFILE_MAX_FAULTS = 32 };
struct profile_fault {
    struct span pointer; /* "/address/locality"; "" is the whole */
    struct span detail;  /* what is wrong and what would be right */
};
struct profile_faults {
    struct profile_fault list[PROFILE_MAX_FAULTS];
    size_t count; /* further ones are dropped */
};

/* What a body is to become. */
enum profile_replace {
    PROFILE_REPLACE_ALL,    /* what it does not name is removed: the owner's view, a new profile */
    PROFILE_REPLACE_PUBLIC, /* private fields that it does not name stay: PUT of the public view */
};

struct profile_rules {
    const struct profile *current; /* what is there now; NULL: nothing */
    struct span id;                /* the id it is to have; a body's own `id` must be equal. Absent: the body's, which may be absent too */
    enum profile_replace replace;
    enum profile_view view; /* of the URL written to: server members of the body (version, created_at, updated_at) must equal that view's */
    bool admin;             /* may set state and email_verified */
    size_t attributes_max;  /* bytes of the compact text */
};

/*
 * OK: *out holds the profile to store: id, handle, values, private_fields, state (stamps and created_ms those of current, or 0). Spans live in the arena.
 * ERR_INVALID: faults->count > 0. ERR_NOMEM. doc must be the parsed body; it is not kept.
 */
MUST_USE enum err profile_parse(const json_t *doc, const struct profile_rules *rules, struct arena *arena, struct profile *out,
                                struct profile_faults *faults);

/* The owner's view as a json_t (new reference, NULL when memory is out): what patches are applied to. */
MUST_USE json_t *profile_to_json(const struct profile *p);
