/*
 * From JSON to a profile, checked as a whole: every fault is listed with its JSON pointer (RFC 6901), and a
 * faulty body gives no profile. Pure.
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

/*
 * What a body may say:
 * - null is a fault: absent fields are absent (a merge patch has taken its nulls away before).
 * - `handle` is required. `id` may be left out; else it must be the one that is written to.
 * - `visibility` names fields; those it does not name get their defaults (ALL) or stay as they are (PUBLIC).
 * - version, created_at, updated_at are passed over when they are what `view`, or the owner's view, shows
 * now.
 * - `state` not named stays as it is, for admins too. Who is no admin may send what it is now.
 * - `email_verified`: an admin's is taken as it stands. Others may send what it is now and cannot remove it;
 * it becomes absent when `email` changes (by an admin too, unless the same body names it).
 */
struct profile_rules {
    const struct profile *current; /* what is there now; NULL: nothing */
    struct span id;                /* the id it is to have. Absent: the body's, which may be absent too */
    enum profile_replace replace;
    enum profile_view view; /* of the URL written to */
    bool admin;
    size_t attributes_max; /* bytes of the compact text; 0: no limit */
    struct span base_url; /* the service's own: a picture that is the address of one of its images may be http
                             too; empty: none is. One that the profile has is taken as it is */
    bool foreign_stamps;  /* import: version and times are another database's and passed over unread */
};

/* Where the service's images are, below its base: the path, and then 64 hex digits. */
#define PROFILE_IMAGES_PATH "/v1/avatars/"

/*
 * doc is a value that json_load_strict gave, or as deep at most; it is not kept. OK: *out holds the profile
 * to store: id, handle, values, private_fields, state, and stamps, created_ms and place of current, or 0. Its
 * spans live in the arena, or are static. ERR_INVALID: faults->count > 0. ERR_NOMEM. On failure *out is
 * zeroed; the faults' spans live in the arena and never repeat a value of the body.
 */
MUST_USE enum err profile_parse(const json_t *doc, const struct profile_rules *rules, struct arena *arena,
                                struct profile *out, struct profile_faults *faults);

/*
 * The owner's view as a tree (new reference): what patches are applied to. NULL when memory is out, or when
 * an object's text is no JSON, which no profile that went through profile_parse has.
 */
MUST_USE json_t *profile_to_json(const struct profile *p);
