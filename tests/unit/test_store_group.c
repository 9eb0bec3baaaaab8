/* Changes made together: what a leader takes and what not, what becomes of those it took when it fails or
 * dies, and processes that write, are killed and are stopped while they share transactions. */
#include "store/group.h"
#include "support_store.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { WRITERS = 4, PROFILES = 12, UPDATES = 150, OTHER = 5 };

struct fixture {
    struct support_store *s;
    struct store_group *group;
    struct store_options options;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *inner = NULL;
    if (f == NULL || support_set_up(&inner) != 0 || store_group_new(&f->group) != OK)
        return 1;
    f->s = inner;
    store_close(&f->s->store);
    f->options = (struct store_options){.busy_ms = 5000, .checkpoint_pages = 40, .group = f->group};
    ASSERT_OK(store_open(f->s->url, &f->options, &f->s->store, detail));
    for (int i = 0; i < PROFILES; i++) {
        char id[16], handle[16];
        snprintf(id, sizeof id, "p%d", i);
        snprintf(handle, sizeof handle, "h%d", i);
        struct profile p = support_profile(id, handle);
        assert_int_equal(support_insert(f->s, &p), OK);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    void *inner = f->s;
    int status = support_tear_down(&inner);
    store_group_free(&f->group);
    free(f);
    return status;
}

static struct profile read_profile(struct fixture *f, const char *id)
{
    struct profile p;
    struct store_snapshot snapshot;
    ASSERT_OK(store_profile_get(f->s->store, span_str(id), &f->s->arena, &p, &snapshot, detail));
    return p;
}

/* Posts, as another process would, that the profile be named so. */
static struct store_slot *post(struct fixture *f, const char *id, const char *name)
{
    struct store_slot *slot = &f->group->memory->slots[OTHER];
    struct stat st;
    struct profile p = read_profile(f, id);
    p.values[PROFILE_FIELD_name] = span_str(name);
    assert_int_equal(stat(f->s->path, &st), 0);
    assert_true(store_slot_write(slot, &p));
    slot->until_us = clock_monotonic_us() + 10000000;
    slot->device = st.st_dev;
    slot->inode = st.st_ino;
    atomic_store(&slot->state, SLOT_POSTED);
    atomic_store(&f->group->memory->claimed, OTHER + 1);
    return slot;
}

static enum err rename_to(struct fixture *f, const char *id, const char *name)
{
    struct profile p = read_profile(f, id);
    struct store_snapshot snapshot;
    enum store_taken taken;
    p.values[PROFILE_FIELD_name] = span_str(name);
    return store_profile_update(f->s->store, &p, false, &snapshot, &taken, NULL);
}

static void what_is_posted_is_made_along(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = post(f, "p1", "Other");
    assert_int_equal(rename_to(f, "p0", "Own"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_DONE);
    assert_int_equal(slot->outcome, OK);
    struct profile made = read_profile(f, "p1");
    assert_true(span_eq(made.values[PROFILE_FIELD_name], SPAN("Other")));
    assert_int_equal(slot->made.stamps[PROFILE_VIEW_OWNER].seq, made.stamps[PROFILE_VIEW_OWNER].seq);
    assert_int_equal(slot->made.stamps[PROFILE_VIEW_PUBLIC].at_ms, made.stamps[PROFILE_VIEW_PUBLIC].at_ms);
    assert_int_equal(slot->made.created_ms, made.created_ms);
    assert_int_equal(strlen(slot->snapshot.epoch), 10);
    support_expect(f->s, "SELECT name FROM profiles WHERE id IN ('p0','p1') ORDER BY id", "Own;Other");
}

static void of_two_on_one_profile_the_second_hears_of_it(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = post(f, "p0", "Other");
    assert_int_equal(rename_to(f, "p0", "Own"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_DONE);
    assert_int_equal(slot->outcome, ERR_CONFLICT);
    support_expect(f->s, "SELECT name FROM profiles WHERE id = 'p0'", "Own");
    /* and the other way round */
    slot = post(f, "p1", "Other");
    struct profile stale = read_profile(f, "p0");
    struct store_snapshot snapshot;
    enum store_taken taken;
    stale.stamps[PROFILE_VIEW_OWNER].seq--;
    stale.values[PROFILE_FIELD_name] = SPAN("Stale");
    assert_int_equal(store_profile_update(f->s->store, &stale, false, &snapshot, &taken, NULL), ERR_CONFLICT);
    assert_int_equal(taken, STORE_TAKEN_NONE);
    assert_int_equal(slot->outcome, OK);
    support_expect(f->s, "SELECT name FROM profiles WHERE id IN ('p0','p1') ORDER BY id", "Own;Other");
}

static void what_does_not_count_is_left(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = post(f, "p1", "Too late");
    slot->until_us = clock_monotonic_us();
    assert_int_equal(rename_to(f, "p0", "A"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_POSTED);
    slot = post(f, "p1", "Another database");
    slot->inode++;
    assert_int_equal(rename_to(f, "p0", "B"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_POSTED);
    for (enum store_slot_state i = SLOT_FREE; i <= SLOT_ALONE; i++) {
        if (i == SLOT_POSTED || i == SLOT_TAKEN)
            continue;
        slot = post(f, "p1", "Not posted");
        atomic_store(&slot->state, i);
        assert_int_equal(rename_to(f, "p0", i % 2 == 0 ? "C" : "D"), OK);
        assert_int_equal(store_slot_state(slot), i);
    }
    support_expect(f->s, "SELECT name FROM profiles WHERE id = 'p1'", "");
}

/* One's fault is not another's: all are undone, each is to try alone, and the leader has. */
static void a_change_that_cannot_be_made_spoils_no_other(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = post(f, "p1", "Refused");
    slot->profile.private_fields = 70000; /* against a CHECK */
    assert_int_equal(rename_to(f, "p0", "A"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_ALONE);
    slot = post(f, "p1", "Garbled");
    slot->length[1 + PROFILE_FIELD_name] = STORE_GROUP_BYTES;
    assert_int_equal(rename_to(f, "p0", "B"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_ALONE);
    slot = post(f, "p1", "Nobody's");
    slot->length[0] = -1;
    assert_int_equal(rename_to(f, "p0", "C"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_ALONE);
    support_expect(f->s, "SELECT name FROM profiles WHERE id IN ('p0','p1') ORDER BY id", "C;");
    /* three changes and no number missing: what was undone is not in the log */
    support_expect(f->s, "SELECT count(*), max(seq) - 12 FROM changes WHERE what <> 'create'", "3|3");
}

static void what_a_dead_leader_had_is_made_once(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = post(f, "p1", "Not made yet");
    atomic_store(&slot->state, SLOT_TAKEN);
    assert_int_equal(rename_to(f, "p0", "A"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_DONE);
    assert_int_equal(slot->outcome, OK);
    /* made by the dead: the same is there already, under a newer number */
    slot = post(f, "p2", "Made already");
    atomic_store(&slot->state, SLOT_FREE);
    assert_int_equal(rename_to(f, "p2", "Made already"), OK);
    slot->made = read_profile(f, "p2");
    atomic_store(&slot->state, SLOT_TAKEN);
    assert_int_equal(rename_to(f, "p0", "B"), OK);
    assert_int_equal(slot->outcome, OK);
    assert_int_equal(slot->made.stamps[PROFILE_VIEW_OWNER].seq,
                     read_profile(f, "p2").stamps[PROFILE_VIEW_OWNER].seq);
    /* the same is there, and yet another's: who counts must hear of it */
    slot = post(f, "p4", "Same");
    atomic_store(&slot->state, SLOT_FREE);
    assert_int_equal(rename_to(f, "p4", "Same"), OK);
    atomic_store(&slot->state, SLOT_TAKEN);
    assert_int_equal(rename_to(f, "p0", "D"), OK);
    assert_int_equal(slot->outcome, ERR_CONFLICT);
    /* something else is there: another was quicker */
    slot = post(f, "p3", "Lost");
    atomic_store(&slot->state, SLOT_FREE);
    assert_int_equal(rename_to(f, "p3", "Quicker"), OK);
    atomic_store(&slot->state, SLOT_TAKEN);
    assert_int_equal(rename_to(f, "p0", "C"), OK);
    assert_int_equal(store_slot_state(slot), SLOT_DONE);
    assert_int_equal(slot->outcome, ERR_CONFLICT);
    support_expect(f->s, "SELECT id, name FROM profiles WHERE id IN ('p1','p2','p3') ORDER BY id",
                   "p1|Not made yet;p2|Made already;p3|Quicker");
    support_expect(
        f->s, "SELECT count(*) FROM changes WHERE profile_id IN ('p1','p2','p3') AND what = 'update'", "3");
}

static void what_was_left_in_the_own_slot_is_no_answer(void **state)
{
    struct fixture *f = *state;
    struct store_slot *own = &f->group->memory->slots[0];
    for (enum store_slot_state i = SLOT_FREE; i <= SLOT_ALONE; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        own->outcome = ERR_CONFLICT;
        atomic_store(&own->state, i);
        assert_int_equal(rename_to(f, "p0", name), OK);
        assert_int_equal(store_slot_state(own), SLOT_FREE);
        assert_true(span_eq(read_profile(f, "p0").values[PROFILE_FIELD_name], span_str(name)));
    }
}

static void what_has_no_room_in_a_slot(void **state)
{
    struct fixture *f = *state;
    struct store_slot *slot = &f->group->memory->slots[OTHER];
    static char many[STORE_GROUP_BYTES];
    memset(many, 'x', sizeof many);
    struct profile p = read_profile(f, "p1");
    p.values[PROFILE_FIELD_bio] = span_of(many, STORE_GROUP_BYTES - 2);
    assert_true(store_slot_write(slot, &p)); /* the id is two bytes */
    struct profile back;
    assert_true(store_slot_read(slot, &back));
    assert_true(span_eq(back.values[PROFILE_FIELD_bio], p.values[PROFILE_FIELD_bio]));
    assert_true(span_eq(back.id, SPAN("p1")));
    assert_null(back.handle.ptr);
    assert_null(back.values[PROFILE_FIELD_name].ptr);
    p.values[PROFILE_FIELD_name] = SPAN("");
    assert_true(store_slot_write(slot, &p));
    assert_true(store_slot_read(slot, &back));
    assert_non_null(back.values[PROFILE_FIELD_name].ptr);
    p.values[PROFILE_FIELD_bio] = span_of(many, STORE_GROUP_BYTES - 1);
    assert_false(store_slot_write(slot, &p));
}

/* ---- processes */

static enum err count_up(struct store *store, struct arena *arena, const char *id)
{
    struct profile p;
    struct store_snapshot snapshot;
    enum store_taken taken;
    enum err e;
    char text[16];
    do {
        arena_reset(arena);
        if ((e = store_profile_get(store, span_str(id), arena, &p, &snapshot, NULL)) != OK)
            return e;
        int count = p.values[PROFILE_FIELD_name].ptr == NULL ? 0 : atoi(p.values[PROFILE_FIELD_name].ptr);
        snprintf(text, sizeof text, "%d", count + 1);
        p.values[PROFILE_FIELD_name] = span_str(text);
        e = store_profile_update(store, &p, false, &snapshot, &taken, NULL);
    } while (e == ERR_CONFLICT && taken == STORE_TAKEN_NONE);
    return e;
}

/* A process of the pool. answered: how many of its updates were. */
static pid_t start_writer(struct fixture *f, int number, int updates, _Atomic int *answered)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct err_detail detail = {0};
    struct store *store = NULL;
    struct arena arena = {0};
    char id[16];
    bool well = store_open(f->s->url, &f->options, &store, &detail) == OK;
    unsigned seed = (unsigned)number + 1;
    for (int i = 0; well && i < updates; i++) {
        snprintf(id, sizeof id, "p%d", rand_r(&seed) % PROFILES);
        if ((well = count_up(store, &arena, id) == OK))
            atomic_fetch_add(answered, 1);
        if (well && store_checkpoint_due(store))
            well = store_checkpoint(store, false, &detail) == OK;
    }
    _exit(well ? 0 : 1);
}

static _Atomic int *shared_counter(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static void no_update_is_lost(void **state)
{
    struct fixture *f = *state;
    _Atomic int *answered = shared_counter();
    char expected[32];
    pid_t children[WRITERS];
    int status;
    store_close(&f->s->store);
    for (int i = 0; i < WRITERS; i++)
        assert_true((children[i] = start_writer(f, i, UPDATES, answered)) > 0);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    snprintf(expected, sizeof expected, "%d|%d", WRITERS * UPDATES, WRITERS * UPDATES + PROFILES);
    support_expect(f->s, "SELECT sum(name), (SELECT max(seq) FROM changes) FROM profiles", expected);
    support_expect(f->s, "PRAGMA integrity_check", "ok");
}

/* One after the other dies, wherever it is; the others go on, and every answer that was given holds. */
static void writers_are_killed(void **state)
{
    struct fixture *f = *state;
    _Atomic int *answered = shared_counter();
    char sql[200];
    pid_t children[WRITERS];
    store_close(&f->s->store);
    for (int i = 0; i < WRITERS; i++)
        assert_true((children[i] = start_writer(f, i, 1000000, answered)) > 0);
    for (int round = 0; round < 60; round++) {
        int victim = round % WRITERS, before = atomic_load(answered);
        usleep(3000 + (unsigned)round * 117);
        kill(children[victim], SIGKILL);
        assert_int_equal(waitpid(children[victim], NULL, 0), children[victim]);
        before = atomic_load(answered);
        for (int i = 0; i < 4000 && atomic_load(answered) < before + 3; i++)
            usleep(1000);
        assert_true(atomic_load(answered) >= before + 3); /* nobody was blocked */
        children[victim] = start_writer(f, round + WRITERS, 1000000, answered);
    }
    for (int i = 0; i < WRITERS; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    assert_int_equal(store_open(f->s->url, &f->options, &f->s->store, NULL), OK);
    assert_int_equal(count_up(f->s->store, &f->s->arena, "p1"), OK);
    support_expect(f->s, "PRAGMA integrity_check", "ok");
    /* each count is in the log once, and at least as many as were answered */
    snprintf(sql, sizeof sql,
             "SELECT (SELECT sum(name) FROM profiles) = count(*), max(seq) = count(*) + %d, count(*) > %d "
             "FROM changes WHERE what = 'update'",
             PROFILES, atomic_load(answered));
    support_expect(f->s, sql, "1|1|1");
}

/* A process that takes the lock and keeps it until it is killed, or has the turn and waits for the lock. */
static pid_t start_holder(struct fixture *f, bool in_turn)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        bool well = store_open(f->s->url, &f->options, &store, NULL) == OK;
        if (in_turn && write(ready[1], "y", 1) != 1)
            _exit(1);
        well = well && store_batch_begin(store, NULL) == OK;
        if (!in_turn && write(ready[1], well ? "y" : "n", 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    if (in_turn)
        usleep(100000);
    return child;
}

/* The lock is held and the turn is taken, so ours is posted; and what was answered BUSY is not made later. */
static void waiting_has_an_end(void **state)
{
    struct fixture *f = *state;
    struct store_slot *own = &f->group->memory->slots[0];
    store_close(&f->s->store); /* SQLite's state must not be carried over a fork */
    pid_t holder = start_holder(f, false), next = start_holder(f, true);
    f->options.busy_ms = 120;
    ASSERT_OK(store_open(f->s->url, &f->options, &f->s->store, detail));
    int64_t begun_us = clock_monotonic_us();
    assert_int_equal(rename_to(f, "p0", "Later"), ERR_BUSY);
    assert_in_range(clock_monotonic_us() - begun_us, 110000, 1000000);
    assert_int_equal(store_slot_state(own), SLOT_FREE);
    kill(holder, SIGKILL);
    kill(next, SIGKILL);
    waitpid(holder, NULL, 0);
    waitpid(next, NULL, 0);
    assert_int_equal(rename_to(f, "p1", "Now"), OK);
    support_expect(f->s, "SELECT name FROM profiles WHERE id IN ('p0','p1') ORDER BY id", ";Now");
}

/* Who sleeps on a posted change finds out by itself that nobody will come for it. */
static void the_dead_block_nobody(void **state)
{
    struct fixture *f = *state;
    store_close(&f->s->store);
    pid_t holder = start_holder(f, false), next = start_holder(f, true);
    ASSERT_OK(store_open(f->s->url, &f->options, &f->s->store, detail));
    pid_t killer = fork();
    if (killer == 0) {
        usleep(60000);
        kill(next, SIGKILL);
        kill(holder, SIGKILL);
        _exit(0);
    }
    int64_t begun_us = clock_monotonic_us();
    assert_int_equal(rename_to(f, "p0", "A"), OK);
    assert_true(clock_monotonic_us() - begun_us < 2000000);
    waitpid(killer, NULL, 0);
    waitpid(holder, NULL, 0);
    waitpid(next, NULL, 0);
}

/* A slot's owner that died leaves it to the next, with nothing in it that would be made. */
static void a_slot_goes_to_the_next(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store_slot *slot = store_group_claim(f->group);
        if (slot != &f->group->memory->slots[1]) /* the parent has the first */
            _exit(1);
        atomic_store(&slot->state, SLOT_POSTED);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(store_slot_state(&f->group->memory->slots[1]), SLOT_POSTED);
    child = fork();
    if (child == 0) {
        struct store_slot *slot = store_group_claim(f->group);
        _exit(slot == &f->group->memory->slots[1] && store_slot_state(slot) == SLOT_FREE ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_posted_is_made_along),
        TEST(of_two_on_one_profile_the_second_hears_of_it),
        TEST(what_does_not_count_is_left),
        TEST(a_change_that_cannot_be_made_spoils_no_other),
        TEST(what_a_dead_leader_had_is_made_once),
        TEST(what_was_left_in_the_own_slot_is_no_answer),
        TEST(what_has_no_room_in_a_slot),
        TEST(no_update_is_lost),
        TEST(writers_are_killed),
        TEST(waiting_has_an_end),
        TEST(the_dead_block_nobody),
        TEST(a_slot_goes_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
