/* The reader's steps, and those of them that are the follower's (app/cache/coherence.c). For the model's
 * files alone. */
#pragma once
#include "model.h"

enum {
    IDLE,     /* cache_begin, and store_is_unchanged: same_file */
    COMPARE,  /* store_is_unchanged: the header, a half at a time */
    LOCK,     /* cache_follower_catch_up: cache_lock_take */
    TAKE,     /* catch_up_locked: take_marker: copy_header, a half at a time */
    DECIDE,   /* catch_up_locked: is it the marker that the words are in step with? */
    SNAPSHOT, /* apply: read_changes begins its transaction */
    RAISE,    /* take_change */
    DROP,     /* drop_all, a store at a time */
    CONFIRM,  /* catch_up_locked: is_unchanged, once more: the same file, the same header */
    REMEMBER, /* catch_up_locked: marker (in halves), known */
    UNLOCK,   /* cache_lock_give */
    LOOK,     /* cache_table_get */
    GOOD,     /* cache_stamp_is_good, a load at a time */
    FLIGHT,   /* cache_read: the flight's lock */
    LOAD,     /* the loader: store_profile_get, row and stamp of one statement */
    PUT,      /* keep */
    ROUND,    /* read_through without the flight */
    RECOVER,  /* SQLite, under its write lock: copy 2, copy 1 */
    GIVE_UP,  /* an error is answered */
};

void follower_plan(const struct shared *c, struct reader *r);
void follower_raise(struct state *n, struct reader *r);
void follower_drop(struct shared *c, struct reader *r);
void follower_confirm(const struct state *n, struct reader *r);
void follower_remember(struct shared *c, struct reader *r);
void follower_follow(const struct shared *c, struct reader *r);
void follower_decide(struct shared *c, struct reader *r);
