#include "store/group.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum err store_group_new(struct store_group **out)
{
    struct store_group *group = calloc(1, sizeof *group);
    size_t size = sizeof *group->memory;
    *out = group;
    if (group == NULL)
        return ERR_NOMEM;
    /* zeroes are FREE; pages that no slot has used take no room */
    group->fd = memfd_create("store-group", MFD_CLOEXEC);
    if (group->fd < 0 || ftruncate(group->fd, (off_t)size) != 0)
        goto failed;
    group->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, group->fd, 0);
    if (group->memory != MAP_FAILED)
        return OK;
    group->memory = NULL;
failed:
    store_group_free(out);
    return ERR_NOMEM;
}

void store_group_free(struct store_group **group)
{
    if (*group == NULL)
        return;
    if ((*group)->memory != NULL)
        munmap((*group)->memory, sizeof *(*group)->memory);
    if ((*group)->fd >= 0)
        close((*group)->fd);
    free(*group);
    *group = NULL;
}

/* Not of the kind that belongs to a descriptor: this descriptor is shared by all of the pool. */
static bool lock_slot(const struct store_group *group, int number, short type)
{
    struct flock byte = {.l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1};
    return fcntl(group->fd, F_SETLK, &byte) == 0;
}

static void count_in(struct store_group *group, uint32_t count)
{
    uint32_t before = atomic_load(&group->memory->claimed);
    while (before < count && !atomic_compare_exchange_weak(&group->memory->claimed, &before, count))
        continue;
}

struct store_slot *store_group_claim(struct store_group *group)
{
    for (int i = 0; i < STORE_GROUP_SLOTS; i++) {
        if (!lock_slot(group, i, F_WRLCK))
            continue;
        struct store_slot *slot = &group->memory->slots[i];
        store_slot_clear(slot);
        count_in(group, (uint32_t)i + 1);
        return slot;
    }
    return NULL;
}

void store_group_give_back(struct store_group *group, struct store_slot *slot)
{
    lock_slot(group, (int)(slot - group->memory->slots), F_UNLCK);
}

int store_group_count(const struct store_group *group)
{
    return (int)atomic_load(&group->memory->claimed);
}

bool store_slot_clear(struct store_slot *slot)
{
    enum store_slot_state state = store_slot_state(slot);
    if (state == SLOT_POSTED && !store_slot_move(slot, SLOT_POSTED, SLOT_FREE))
        state = store_slot_state(slot);
    if (state == SLOT_DONE || state == SLOT_ALONE)
        atomic_store(&slot->state, SLOT_FREE);
    return state != SLOT_TAKEN;
}

static bool put(struct store_slot *slot, size_t *used, int index, struct span s)
{
    slot->length[index] = s.ptr == NULL ? -1 : (int32_t)s.len;
    if (s.ptr == NULL)
        return true;
    if (s.len > sizeof slot->bytes - *used)
        return false;
    memcpy(slot->bytes + *used, s.ptr, s.len);
    *used += s.len;
    return true;
}

bool store_slot_write(struct store_slot *slot, const struct profile *p)
{
    size_t used = 0;
    slot->profile = *p;
    slot->made = (struct profile){0};
    bool fits = put(slot, &used, 0, p->id);
    for (int field = 0; fits && field < PROFILE_FIELD_COUNT; field++)
        fits = put(slot, &used, 1 + field, p->values[field]);
    return fits;
}

static bool get(const struct store_slot *slot, size_t *used, int index, struct span *out)
{
    int32_t length = slot->length[index];
    *out = (struct span){NULL, 0};
    if (length < 0)
        return true;
    if ((size_t)length > sizeof slot->bytes - *used)
        return false;
    *out = span_of(slot->bytes + *used, (size_t)length);
    *used += (size_t)length;
    return true;
}

bool store_slot_read(struct store_slot *slot, struct profile *out)
{
    size_t used = 0;
    *out = slot->profile;
    out->handle = (struct span){NULL, 0};
    bool right = get(slot, &used, 0, &out->id);
    for (int field = 0; right && field < PROFILE_FIELD_COUNT; field++)
        right = get(slot, &used, 1 + field, &out->values[field]);
    return right && out->id.ptr != NULL;
}

bool store_slot_move(struct store_slot *slot, enum store_slot_state from, enum store_slot_state to)
{
    uint32_t expected = from;
    return atomic_compare_exchange_strong(&slot->state, &expected, to);
}

enum store_slot_state store_slot_state(const struct store_slot *slot)
{
    return (enum store_slot_state)atomic_load(&slot->state);
}

void store_slot_wait(struct store_slot *slot, enum store_slot_state from, int wait_ms)
{
    if (store_slot_state(slot) != from)
        return;
    struct timespec limit = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};
    syscall(SYS_futex, &slot->state, FUTEX_WAIT, (uint32_t)from, &limit, NULL, 0);
}

void store_slot_wake(struct store_slot *slot)
{
    syscall(SYS_futex, &slot->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void store_group_nudge(struct store_group *group)
{
    struct store_slot *slots = group->memory->slots;
    for (int i = 0; i < store_group_count(group); i++) {
        if (store_slot_state(&slots[i]) == SLOT_POSTED) {
            store_slot_wake(&slots[i]);
            return;
        }
    }
}
