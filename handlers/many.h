/*
 * Public views of many profiles for one answer: out of the cache one by one, what it lacks by one read of the
 * database. What a batch and a query share: they differ in how they are asked and in what stands round the
 * profiles.
 *
 *     handlers_many_new, handlers_many_add for each id, handlers_many_read;
 *     then the response's body begins with {"profiles":[…] and the members say what became of each
 */
#pragma once
#include "cache/cache.h"
#include "handlers/fields.h"

enum { HANDLERS_MANY_MAX = 100 };
static_assert((int)HANDLERS_MANY_MAX <= (int)CACHE_MANY_MAX, "the cache takes as many");

enum handlers_member_is {
    HANDLERS_MISSING, /* no such profile, none that may be seen, or no valid id */
    HANDLERS_FOUND,   /* it is among the profiles */
    HANDLERS_UNCHANGED,
};

struct handlers_member {
    struct span id;    /* as asked */
    struct span known; /* the entity tag of what the caller has; absent: none */
    enum handlers_member_is is;
    struct span etag; /* of the view, or its part, there is now; absent: missing */
    size_t at, len;   /* where it stands in the body, while that is made */
};

struct handlers_many {
    struct handlers_context *context;
    struct http_exchange *exchange;
    uint32_t members;                               /* of each profile; PROFILE_WHOLE: all */
    struct handlers_member list[HANDLERS_MANY_MAX]; /* in the order asked */
    size_t count;
    struct cache_wanted wanted[HANDLERS_MANY_MAX]; /* the valid ids among them */
    size_t wanted_of[HANDLERS_MANY_MAX];           /* the members that they are */
    size_t wanted_count;
    size_t outcomes[CACHE_OUTCOME_COUNT]; /* how many came how */
    enum err e;
};

/* In the arena; NULL when memory is out. */
struct handlers_many *handlers_many_new(struct handlers_context *context, struct http_exchange *x,
                                        uint32_t members);
/* Asks for one, HANDLERS_MANY_MAX at most; one that was asked for already keeps its first place. Spans are
 * borrowed. known: an entity tag (http_etag_valid), or absent. */
void handlers_many_add(struct handlers_many *many, struct span id, struct span known);
/*
 * Reads all. OK: each member is filled, and the body is begun with {"profiles":[…]: those found, in the order
 * asked. Else the answer is made: the storage's fault. Cache-Status is for handlers_many_write_status, in
 * either case, once the other lines are there.
 */
MUST_USE enum err handlers_many_read(struct handlers_many *many);
void handlers_many_write_status(const struct handlers_many *many);
/* Appends ,"name":[…] to the body: the ids, as asked, of those that are so. */
void handlers_many_write_ids(const struct handlers_many *many, const char *name, enum handlers_member_is is);
