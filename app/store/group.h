/*
 * Changes of several processes in one transaction, so that one sync of the disk is paid for all of them. The
 * writers' lock lets one process write at a time, and nearly all of that time goes into the sync; who has to
 * wait meanwhile posts its change in a slot of shared memory, and whoever gets the lock next makes all that
 * is posted together with its own. Only after its COMMIT, when all of it is on disk, is anybody answered.
 *
 * The lock file stays the truth: a slot's change is made by a process that holds the writers' lock, and by
 * no other. What is in the memory only says who wants what. So nothing has to be recovered when somebody is
 * killed: the kernel lets go of the lock, and who holds it next sees by the slots what is still to be done.
 *
 *   FREE ──owner── POSTED ──leader── TAKEN ──leader── DONE, ALONE ──owner── FREE
 *     └──────owner────┘
 *
 * FREE, DONE, ALONE: the slot is its owner's. POSTED: the owner may take it back, a leader may take it; it
 * counts until until_us and no longer, so that a change of somebody who died is not made an hour later.
 * TAKEN: nobody but the holder of the lock touches it; a holder that finds a slot TAKEN that it did not take
 * itself knows that the leader before it died, perhaps after its COMMIT. ALONE: the group failed as a whole
 * and was rolled back; each is to try by itself, so that one's fault is not another's.
 *
 * A slot belongs to the process that holds the lock of fcntl(2) on the byte of its number in the memory's
 * file, which ends with the process and is not handed on by fork.
 * Owner of the memory: the composition root, which makes it before the workers are forked.
 */
#pragma once
#include "base/clock.h"
#include "store/store.h"
#include "store/wal.h"

#include <assert.h>
#include <stdatomic.h>
#include <sys/types.h>

enum { STORE_GROUP_SLOTS = 64, STORE_GROUP_BYTES = 32 * 1024 };

enum store_slot_state { SLOT_FREE, SLOT_POSTED, SLOT_TAKEN, SLOT_DONE, SLOT_ALONE };

struct store_slot {
    _Atomic uint32_t state; /* enum store_slot_state; what the owner waits on */
    enum err outcome;       /* with DONE: OK or ERR_CONFLICT */
    int64_t until_us;       /* clock_monotonic_us */
    dev_t device;           /* of the database that is meant */
    ino_t inode;
    struct profile profile; /* what is wanted; its spans point nowhere: see length */
    struct profile made;    /* with DONE and OK: created_ms and the stamps; before, what they will be */
    struct store_snapshot snapshot;
    int32_t length[1 + PROFILE_FIELD_COUNT]; /* of the id and the values, one behind the other; -1: absent */
    char bytes[STORE_GROUP_BYTES];
};

struct store_group_memory {
    _Atomic uint32_t claimed; /* slots from here on never had an owner */
    struct store_wal wal;     /* as of the last commit of any of the pool */
    struct store_slot slots[STORE_GROUP_SLOTS];
};
struct store_group {
    int fd; /* of the memory's file; inherited by the workers and closed by none */
    struct store_group_memory *memory;
};
static_assert(ATOMIC_INT_LOCK_FREE == 2, "a slot's state is shared between processes");

/* A slot for this process, NULL when there is none left. What its last owner left in it is cleared away,
 * unless a leader has it. */
struct store_slot *store_group_claim(struct store_group *group);
void store_group_give_back(struct store_group *group, struct store_slot *slot);
/* How many slots to look at. */
int store_group_count(const struct store_group *group);
/* FREE, if it is not TAKEN. To be called by its owner, when it posts nothing. */
bool store_slot_clear(struct store_slot *slot);

/* Writes the id, the fields, visibility, state and expected stamps of p into a slot that is the caller's.
 * false: there is no room for it. */
bool store_slot_write(struct store_slot *slot, const struct profile *p);
/* The profile in a slot, its handle absent; the spans point into the slot. false: it is no profile. */
bool store_slot_read(struct store_slot *slot, struct profile *out);
/* One step of the drawing above; false: the slot was not in the first state. */
bool store_slot_move(struct store_slot *slot, enum store_slot_state from, enum store_slot_state to);
enum store_slot_state store_slot_state(const struct store_slot *slot);
/* Waits until the state is another than `from`, somebody wakes the slot, or wait_ms are over. */
void store_slot_wait(struct store_slot *slot, enum store_slot_state from, int wait_ms);
void store_slot_wake(struct store_slot *slot);
/* Wakes one that waits to be taken, if there is one: for who lets go of the lock without having looked. */
void store_group_nudge(struct store_group *group);
