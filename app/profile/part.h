/*
 * A part of a view: some of its members, in the view's own order, cut out of its text, so that only whole
 * views need to be kept. Sets of members are masks, for which the order in which they were asked for, and how
 * often, is nothing. Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"

/* Every member that a view can have, in the order of profile_view_write: X(name, …) */
#define PROFILE_MEMBERS_BEFORE(X) X(id, ) X(handle, )
#define PROFILE_MEMBERS_BEHIND(X) X(visibility, ) X(state, ) X(version, ) X(created_at, ) X(updated_at, )

enum profile_member {
#define X(name, ...) PROFILE_MEMBER_##name,
    PROFILE_MEMBERS_BEFORE(X) PROFILE_FIELDS(X) PROFILE_MEMBERS_BEHIND(X)
#undef X
        PROFILE_MEMBER_COUNT
};
/* The bit of a member. */
#define PROFILE_MEMBER_BIT(name) (UINT32_C(1) << PROFILE_MEMBER_##name)
/* No set of members at all: the whole view. */
enum { PROFILE_WHOLE = 0 };

/*
 * Reads names between commas: OK: *members has their bits, and always that of `id`, by which one part is told
 * from another. ERR_INVALID: *wrong is a name that the view has not, or an empty one; *members is
 * PROFILE_WHOLE.
 */
MUST_USE enum err profile_part_parse(struct span names, enum profile_view view, uint32_t *members,
                                     struct span *wrong);
/* Appends the names of a set, between commas, in the view's order. */
void profile_part_names(uint32_t members, struct buf *out);
/*
 * Appends the part of a view's text (as profile_view_write made it) that has these members; PROFILE_WHOLE:
 * all of it. ERR_INVALID: it is no such text: nothing is appended. Memory that is out sticks in out.
 */
MUST_USE enum err profile_part_write(struct span view, uint32_t members, struct buf *out);
