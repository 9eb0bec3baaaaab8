/*
 * How a change gets into a group (store/group.h). At most one process of all waits for the lock in the
 * kernel: it holds the turn, and will lead. Who finds the turn taken posts its change and sleeps on its slot;
 * the leader takes what is posted after it has given the turn back, so whoever failed to get the turn before
 * that is taken along. Should the turn have been held by somebody who leads nobody (import, CGI), or should
 * the leader have died, sleepers wake by the clock and try for the turn themselves.
 */
#include "store/group.h"
#include "store/handle.h"

/* How long is slept before the turn is tried again: unless somebody died, only a writer outside the group
 * makes anybody sleep so long. */
enum { POSTED_MS = 5, TAKEN_MS = 20 };

struct change {
    struct profile *profile;
    struct store_snapshot *snapshot;
    enum store_taken *taken;
    struct err_detail *detail;
    int64_t until_us;
    const struct profile *by_dead; /* as for apply */
};

/* What a leader has taken. */
struct taken {
    bool has[STORE_GROUP_SLOTS];
    int count;
};

static bool same_stamps(const struct profile *a, const struct profile *b)
{
    for (int view = 0; view < PROFILE_VIEW_COUNT; view++)
        if (a->stamps[view].seq != b->stamps[view].seq || a->stamps[view].at_ms != b->stamps[view].at_ms)
            return false;
    return true;
}

static bool same_content(const struct profile *a, const struct profile *b)
{
    for (int field = 0; field < PROFILE_FIELD_COUNT; field++)
        if ((a->values[field].ptr == NULL) != (b->values[field].ptr == NULL) ||
            !span_eq(a->values[field], b->values[field]))
            return false;
    return a->private_fields == b->private_fields && a->state == b->state;
}

/* Whether the leader that died had done its COMMIT: the row is as the change would have it, with the stamps
 * that it was given then. They are filled in. */
static bool is_made(struct store *s, struct profile *p, const struct profile *by_dead,
                    struct store_snapshot *snapshot)
{
    struct arena arena = {0};
    struct profile now;
    struct err_detail ignored = {0};
    bool made = store_row_get(s, STORE_GET, p->id, &arena, &now, snapshot, &ignored) == OK &&
                same_stamps(&now, by_dead) && same_content(&now, p);
    if (made) {
        p->created_ms = now.created_ms;
        memcpy(p->stamps, now.stamps, sizeof p->stamps);
    }
    arena_fini(&arena);
    return made;
}

/* One change inside the transaction. Other than OK and ERR_CONFLICT: the transaction is not to go on.
 * by_dead: what a leader that died made of it, perhaps; NULL: there was none. */
static enum err apply(struct store *s, struct profile *p, const struct profile *by_dead,
                      struct store_snapshot *snapshot, enum store_taken *taken, struct err_detail *detail)
{
    enum err e = store_update_row(s, p, false, snapshot, taken, detail);
    return e == ERR_CONFLICT && by_dead != NULL && is_made(s, p, by_dead, snapshot) ? OK : e;
}

/* ERR_CONFLICT is the slot's own affair. */
static enum err apply_slot(struct store *s, struct store_slot *slot, bool again)
{
    enum store_taken taken = STORE_TAKEN_NONE;
    struct err_detail detail = {0};
    struct profile by_dead = slot->made;
    if (!store_slot_read(slot, &slot->made))
        return ERR_INVALID;
    slot->outcome = apply(s, &slot->made, again ? &by_dead : NULL, &slot->snapshot, &taken, &detail);
    return slot->outcome == ERR_CONFLICT ? OK : slot->outcome;
}

/* Takes what is posted, and what a leader that died had taken, and makes the changes. *more: there were. */
static enum err apply_posted(struct store *s, struct taken *taken, bool *more)
{
    struct store_slot *slots = s->options.group->memory->slots;
    int64_t now_us = clock_monotonic_us();
    enum err e = OK;
    *more = false;
    for (int i = 0; i < store_group_count(s->options.group) && e == OK; i++) {
        enum store_slot_state state = store_slot_state(&slots[i]);
        if ((state != SLOT_POSTED && state != SLOT_TAKEN) || taken->has[i])
            continue;
        if (slots[i].until_us <= now_us || slots[i].device != s->device || slots[i].inode != s->inode)
            continue;
        if (state == SLOT_POSTED && !store_slot_move(&slots[i], SLOT_POSTED, SLOT_TAKEN))
            continue;
        taken->has[i] = *more = true;
        taken->count++;
        e = apply_slot(s, &slots[i], state == SLOT_TAKEN);
    }
    return e;
}

static void settle(struct store_slot *slots, const struct taken *taken, enum store_slot_state state)
{
    for (int i = 0; i < STORE_GROUP_SLOTS && taken->count > 0; i++)
        if (taken->has[i])
            store_slot_move(&slots[i], SLOT_TAKEN, state);
}

static void wake(struct store_slot *slots, const struct taken *taken)
{
    for (int i = 0; i < STORE_GROUP_SLOTS && taken->count > 0; i++)
        if (taken->has[i])
            store_slot_wake(&slots[i]);
}

/*
 * Under the writers' lock, which it lets go of: the own change and all that are posted, in one transaction.
 * ERR_DENIED: the group failed as a whole, and nothing was changed.
 */
static enum err lead(struct store *s, struct change *c)
{
    struct store_slot *slots = s->options.group->memory->slots;
    struct taken taken = {.count = 0};
    struct profile before = *c->profile;
    bool more = true;
    enum err e = store_begin_locked(s, c->detail);
    if (e != OK)
        return e;
    enum err own = apply(s, c->profile, c->by_dead, c->snapshot, c->taken, c->detail);
    e = own == ERR_CONFLICT ? OK : own;
    /* those too that are posted while the others are made */
    while (e == OK && more)
        if (apply_posted(s, &taken, &more) != OK)
            e = ERR_DENIED;
    enum err ended = store_end_locked(s, e == OK, c->detail);
    if (e == OK && ended != OK)
        e = taken.count == 0 ? ended : ERR_DENIED;
    /* before the lock is let go of: a slot that is TAKEN then is a dead leader's */
    settle(slots, &taken, e == OK ? SLOT_DONE : SLOT_ALONE);
    store_unlock(s, ended);
    wake(slots, &taken);
    if (e != OK)
        *c->profile = before;
    return e == OK ? own : e;
}

static enum err alone(struct store *s, struct change *c)
{
    enum err e = store_ensure(s, c->detail);
    *c->taken = STORE_TAKEN_NONE;
    if (e != OK || (e = store_write_begin(s, c->detail)) != OK)
        return e;
    /* we hold the lock, so the leader that had it is dead; and the answer was given then */
    if (s->slot != NULL)
        store_slot_move(s->slot, SLOT_TAKEN, SLOT_FREE);
    e = apply(s, c->profile, c->by_dead, c->snapshot, c->taken, c->detail);
    enum err ended = store_write_end(s, e == OK, c->detail);
    return e == OK ? ended : e;
}

static bool is_settled(const struct store *s)
{
    enum store_slot_state state = store_slot_state(s->slot);
    return state == SLOT_DONE || state == SLOT_ALONE;
}

/* Holding the turn, with the slot FREE or in a leader's hands. *settled: that leader has finished with it,
 * and nothing was done here. */
static enum err take_and_lead(struct store *s, struct change *c, bool *settled)
{
    *settled = false;
    enum err e = store_lock_take_in_turn(&s->lock, c->until_us, c->detail);
    if (e != OK)
        return e;
    if ((*settled = is_settled(s))) {
        store_lock_release(&s->lock);
        store_group_nudge(s->options.group); /* whom we kept from the turn, we have not taken along */
        return OK;
    }
    /* we hold the lock: who took it is dead */
    struct profile by_dead = s->slot->made;
    if (store_slot_move(s->slot, SLOT_TAKEN, SLOT_FREE))
        c->by_dead = &by_dead;
    struct err_detail before = *c->detail;
    e = lead(s, c);
    if (e != ERR_DENIED)
        return e;
    *c->detail = before;
    return alone(s, c);
}

static enum err collect(struct store *s, struct change *c)
{
    struct store_slot *slot = s->slot;
    enum store_slot_state state = store_slot_state(slot);
    enum err e = slot->outcome;
    if (state == SLOT_DONE && e == OK) {
        c->profile->created_ms = slot->made.created_ms;
        memcpy(c->profile->stamps, slot->made.stamps, sizeof c->profile->stamps);
        *c->snapshot = slot->snapshot;
    }
    atomic_store(&slot->state, SLOT_FREE);
    return state == SLOT_DONE ? e : alone(s, c);
}

/* The time is over. OK: and yet it was made just now. */
static enum err give_up(struct store *s, struct change *c)
{
    if (store_slot_move(s->slot, SLOT_POSTED, SLOT_FREE))
        return err_set(c->detail, ERR_BUSY, "the writers' lock was held too long by another process");
    if (store_slot_state(s->slot) == SLOT_TAKEN)
        return err_set(c->detail, ERR_BUSY, "a writer was stopped with this change in its hands");
    return OK;
}

/* Posted: sleeps until it is made, or until it falls to us to make it. */
static enum err wait_posted(struct store *s, struct change *c)
{
    enum err e;
    while (!is_settled(s)) {
        enum store_slot_state state = store_slot_state(s->slot);
        if (clock_monotonic_us() >= c->until_us && (e = give_up(s, c)) != OK)
            return e;
        /* before the first sleep too: it may have come free while we posted */
        if (store_lock_turn(&s->lock)) {
            if (state == SLOT_TAKEN || store_slot_move(s->slot, SLOT_POSTED, SLOT_FREE)) {
                bool settled;
                e = take_and_lead(s, c, &settled);
                if (!settled)
                    return e;
            } else {
                store_lock_give_turn(&s->lock);
            }
        }
        store_slot_wait(s->slot, SLOT_POSTED, POSTED_MS);
        store_slot_wait(s->slot, SLOT_TAKEN, TAKEN_MS);
    }
    return collect(s, c);
}

static bool post(struct store *s, const struct change *c)
{
    struct store_slot *slot = s->slot;
    if (!store_slot_write(slot, c->profile))
        return false;
    slot->until_us = c->until_us;
    slot->device = s->device;
    slot->inode = s->inode;
    atomic_store(&slot->state, SLOT_POSTED);
    return true;
}

enum err store_group_update(struct store *s, struct profile *p, struct store_snapshot *snapshot,
                            enum store_taken *taken, struct err_detail *detail)
{
    struct err_detail own_detail = {0};
    struct change c = {.profile = p,
                       .snapshot = snapshot,
                       .taken = taken,
                       .detail = detail == NULL ? &own_detail : detail,
                       .until_us = clock_monotonic_us() + (int64_t)s->options.busy_ms * 1000};
    /* TAKEN: by a leader that was stopped, longer than we waited then */
    if (!store_slot_clear(s->slot))
        return alone(s, &c);
    bool settled;
    if (store_lock_turn(&s->lock))
        return take_and_lead(s, &c, &settled);
    return post(s, &c) ? wait_posted(s, &c) : alone(s, &c);
}
