/* A worker's half of the model: cache_read of one key, over and over. */
#include "reader.h"

#include <string.h>

static const char *const names[] = {"begins",
                                    "compares the marker",
                                    "takes the lock",
                                    "takes the marker",
                                    "decides",
                                    "begins to apply",
                                    "raises a word",
                                    "drops",
                                    "confirms the marker",
                                    "remembers",
                                    "gives the lock",
                                    "looks up",
                                    "judges the stamp",
                                    "takes the flight",
                                    "loads",
                                    "puts",
                                    "goes round",
                                    "recovers",
                                    "gives up"};

bool reader_finished(const struct reader *r)
{
    return r->pc == IDLE && r->reads_left == 0;
}

/* One that cannot be told from the state with both exchanged. */
static uint8_t exchanged(uint8_t process)
{
    return process == FIRST_READER || process == FIRST_READER + 1 ? FIRST_READER * 2 + 1 - process : process;
}

void readers_in_order(struct state *s)
{
    const struct reader first = s->readers[0];
    const uint8_t readers = 3 << FIRST_READER, stopped = s->stopped & readers;
    if (memcmp(&s->readers[0], &s->readers[1], sizeof first) >= 0)
        return;
    s->readers[0] = s->readers[1];
    s->readers[1] = first;
    s->shared.lock = exchanged(s->shared.lock);
    s->shared.flight = exchanged(s->shared.flight);
    for (int i = 0; i < FILES; i++)
        s->files[i].write_lock = exchanged(s->files[i].write_lock);
    if (stopped != 0 && stopped != readers)
        s->stopped ^= readers;
}

/* Touches nothing that another looks at without the lock, and lets go of no lock: it matters not what others
 * do before it and what after. */
bool reader_is_alone(const struct reader *r)
{
    switch (r->pc) {
    case DECIDE:
    case REMEMBER:
        return true;
    case GIVE_UP:
        return r->leads == 0;
    default:
        return false;
    }
}

static void forget(struct reader *r)
{
    *r = (struct reader){.reads_left = r->reads_left,
                         .file = r->file,
                         .marked = r->marked,
                         .identity = r->identity,
                         .era = r->era,
                         .marker = {r->marker[0], r->marker[1], r->marker[2], r->marker[3]}};
}

static void unmark(struct reader *r)
{
    r->marked = 0;
    memset(r->marker, 0, sizeof r->marker);
}

void reader_died(struct state *s, int number)
{
    struct reader *r = &s->readers[number];
    const uint8_t me = (uint8_t)(FIRST_READER + number);
    if (s->shared.lock == me) {
        s->shared.lock = NOBODY;
        s->shared.owner_died = 1; /* PTHREAD_MUTEX_ROBUST */
    }
    if (s->shared.flight == me)
        s->shared.flight = NOBODY;
    for (int i = 0; i < FILES; i++)
        if (s->files[i].write_lock == me)
            s->files[i].write_lock = NOBODY;
    *r = (struct reader){.reads_left = r->reads_left - (r->pc != IDLE), .file = FILES};
}

/* store_ensure: another file at the path, or none open yet. */
static void ensure(struct state *n, struct reader *r)
{
    if (r->file == n->path)
        return;
    r->file = FILES;
    database_connect(n, n->path);
    r->file = n->path;
}

static void begin_recovery(struct state *n, int number)
{
    struct reader *r = &n->readers[number];
    n->files[r->file].write_lock = (uint8_t)(FIRST_READER + number);
    r->back = r->pc;
    r->pc = RECOVER;
    r->step = 0;
}

enum begun { BEGUN, RECOVERS, WAITS, FAILS };

/* A read transaction: walIndexReadHdr. Equal copies are the snapshot; otherwise the write lock, and recovery.
 */
static enum begun begin(struct state *n, int number, struct record *out)
{
    struct reader *r = &n->readers[number];
    struct file *f;
    ensure(n, r);
    f = &n->files[r->file];
    if (is_whole(f->header)) {
        *out = (struct record){(uint8_t)(r->file + 1), database_visible(f), database_visible(f)};
        return BEGUN;
    }
    if (f->write_lock != NOBODY)
        return (n->stopped & 1 << f->write_lock) != 0 ? FAILS : WAITS;
    begin_recovery(n, number);
    return RECOVERS;
}

static void recover(struct file *f, struct reader *r)
{
    const uint8_t header = database_recovered(f);
    const int copy = r->step == 0 ? 2 : 0;
    f->header[copy] = f->header[copy + 1] = header;
    if (r->step++ == 0)
        return;
    database_published(f, header);
    f->write_lock = NOBODY;
    r->pc = r->back;
    r->back = r->step = 0;
}

/* The loads of cache_stamp_is_good in their order; true: good so far. */
static bool is_good(const struct shared *c, const struct reader *r)
{
    static const uint8_t in_order[] = {0, 1, 2, 3}, era_first[] = {3, 0, 1, 2};
    switch ((mutation == ERA_FIRST ? era_first : in_order)[r->step]) {
    case 0:
        return r->got.stamp >= c->words[0];
    case 1:
        return r->got.stamp >= c->words[1];
    case 2:
        return r->got.stamp >= c->floor;
    default:
        if (mutation == IDENTITY_FOR_ERA)
            return r->got.identity == c->identity;
        return r->got.identity == r->identity && r->era == c->era;
    }
}

static void missed(struct reader *r)
{
    r->step = 0;
    r->got = (struct record){0};
    r->pc = r->leads != 0 ? LOAD : FLIGHT;
}

static void end(struct state *n, struct reader *r, int number)
{
    if (r->pc != GIVE_UP)
        judge(n, number, &r->got);
    if (n->shared.flight == FIRST_READER + number)
        n->shared.flight = NOBODY;
    r->reads_left--;
    forget(r);
}

static void fail(struct state *n, struct reader *r)
{
    /* the lock's holder gives it back and goes round; who reads for himself answers with an error */
    memset(r->taken, 0, sizeof r->taken);
    r->now = (struct record){0};
    r->step = 0;
    if (r->pc == SNAPSHOT) {
        n->shared.lock = NOBODY;
        r->pc = ROUND;
    } else {
        r->pc = GIVE_UP;
    }
}

/* A step that begins a read transaction; the source may fail. */
static void reads(const struct state *s, int number)
{
    struct state n = *s;
    struct reader *r = &n.readers[number];
    const uint8_t pc = r->pc;
    struct record *into = pc == SNAPSHOT ? &r->now : &r->got;
    switch (begin(&n, number, into)) {
    case BEGUN:
        if (pc == SNAPSHOT) {
            r->now.value = 0;
            follower_plan(&n.shared, r);
        } else if (pc == LOAD) {
            r->pc = PUT;
        } else {
            end(&n, r, number);
        }
        break;
    case RECOVERS:
        break;
    case WAITS:
        return;
    case FAILS:
        fail(&n, r);
        break;
    }
    reached(&n, names[pc]);
    if (s->faults > 0) {
        struct state failed = *s;
        failed.faults--;
        fail(&failed, &failed.readers[number]);
        reached(&failed, "the source fails");
    }
}

/* A wait that ends before its time: at a holder that was stopped, or one that is slow. */
static bool loses_patience(struct state *n, int holder)
{
    if ((n->stopped & 1 << holder) != 0)
        return true;
    if (n->timeouts == 0)
        return false;
    n->timeouts--;
    return true;
}

static void take_lock(const struct state *s, int number)
{
    struct state n = *s;
    struct reader *r = &n.readers[number];
    if (n.shared.lock != NOBODY) {
        if (!loses_patience(&n, n.shared.lock))
            return;
        r->pc = ROUND; /* CACHE_SYNC_WAIT_US are over */
        reached(&n, "waits too long for the lock");
        return;
    }
    n.shared.lock = (uint8_t)(FIRST_READER + number);
    if (n.shared.owner_died != 0 && mutation != KNOWN_LEFT_STANDING && mutation != DEATH_KEEPS_KNOWN)
        n.shared.known = 0;
    n.shared.owner_died = 0;
    r->pc = mutation == MARKER_AFTER_LOG ? SNAPSHOT : TAKE;
    const bool connects = r->file != n.path;
    ensure(&n, r);
    /* store_connect reads, so that the index is whole, unless somebody is at it */
    if (connects && !is_whole(n.files[r->file].header) && n.files[r->file].write_lock == NOBODY)
        begin_recovery(&n, number);
    reached(&n, names[LOCK]);
}

static void take_flight(const struct state *s, int number)
{
    struct state n = *s;
    struct reader *r = &n.readers[number];
    if (n.shared.flight != NOBODY) {
        if (!loses_patience(&n, n.shared.flight))
            return;
        r->pc = ROUND; /* CACHE_FLIGHT_WAIT_US are over */
        reached(&n, "waits too long for the flight");
        return;
    }
    n.shared.flight = (uint8_t)(FIRST_READER + number);
    r->leads = 1;
    r->pc = LOOK; /* once more */
    reached(&n, names[FLIGHT]);
}

static void compare(const struct file *f, struct reader *r)
{
    const int halves = mutation == COPY_1_ONLY ? HALVES / 2 : HALVES;
    for (int i = 0; i < (scenario->torn ? 1 : 2); i++, r->step++) {
        if (f->header[r->step] != r->marker[r->step]) {
            unmark(r);
            r->step = 0;
            r->pc = LOCK;
            return;
        }
    }
    if (r->step == halves) {
        r->step = 0;
        r->pc = LOOK;
    }
}

/* Everything that neither waits nor fails. */
static void steps_on(struct state *n, struct reader *r, int number)
{
    struct shared *c = &n->shared;
    switch (r->pc) {
    case IDLE:
        for (int i = 0; i < FILES; i++)
            r->asked[i] = n->files[i].answered;
        r->seen = (uint8_t)(1 << n->path);
        r->pc = r->marked != 0 && r->file == n->path ? COMPARE : LOCK;
        if (r->pc == LOCK)
            unmark(r);
        return;
    case COMPARE:
        compare(&n->files[r->file], r);
        return;
    case TAKE:
        for (int i = 0; i < (scenario->torn ? 1 : 2); i++, r->step++)
            r->taken[r->step] = n->files[r->file].header[r->step];
        if (r->step < HALVES)
            return;
        r->step = 0;
        r->pc = DECIDE;
        return;
    case DECIDE:
        follower_decide(c, r);
        return;
    case RAISE:
        follower_raise(n, r);
        return;
    case DROP:
        follower_drop(c, r);
        return;
    case CONFIRM:
        follower_confirm(n, r);
        return;
    case REMEMBER:
        follower_remember(c, r);
        return;
    case UNLOCK:
        follower_follow(c, r);
        memset(r->taken, 0, sizeof r->taken);
        r->now = (struct record){0};
        c->lock = NOBODY;
        r->pc = LOOK;
        return;
    case LOOK:
        r->got = c->record;
        r->pc = GOOD;
        if (r->got.identity == 0)
            missed(r);
        return;
    case GOOD:
        do {
            if (!is_good(c, r)) {
                missed(r);
                return;
            }
        } while (++r->step > 1 && r->step < 4 && scenario->swaps == 0);
        if (r->step == 4)
            end(n, r, number);
        return;
    case PUT:
        c->record = r->got;
        if (mutation == STAMP_AT_PUT)
            c->record.stamp = c->applied;
        end(n, r, number);
        return;
    case RECOVER:
        recover(&n->files[r->file], r);
        return;
    case GIVE_UP:
        end(n, r, number);
        return;
    default:
        return;
    }
}

void reader_steps(const struct state *s, int number)
{
    struct state n = *s;
    struct reader *r = &n.readers[number];
    const uint8_t pc = r->pc;
    if (reader_finished(r))
        return;
    if (pc == LOCK) {
        take_lock(s, number);
    } else if (pc == FLIGHT) {
        take_flight(s, number);
    } else if (pc == SNAPSHOT || pc == LOAD || pc == ROUND) {
        reads(s, number);
    } else {
        steps_on(&n, r, number);
        reached(&n, names[pc]);
    }
}
