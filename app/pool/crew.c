#include "pool/crew.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    START_LIMIT_S = 60,   /* a worker that takes longer to its handshake is killed */
    FORK_PAUSE_S = 1,     /* between attempts when the machine has no process to give */
    BESIDE_PROVEN_S = 10, /* a process beside the workers that lived so long did not die early */
    EDGE_SILENCE_S = 15,  /* an edge process that goes round no more; longer than a wait for the database */
};

static int64_t seconds(int64_t s)
{
    return s * 1000000;
}

enum err crew_init(struct crew *crew, struct scoreboard *board, struct log *log)
{
    *crew = (struct crew){.board = board, .log = log};
    crew->places = calloc(SCOREBOARD_SLOTS, sizeof crew->places[0]);
    return crew->places == NULL ? ERR_NOMEM : OK;
}

void crew_fini(struct crew *crew)
{
    free(crew->places);
    *crew = (struct crew){0};
}

static struct scoreboard_slot *slot_of(const struct crew *crew, size_t place)
{
    return &crew->board->slots[place];
}

/* Moves the place's state on, and says so in the scoreboard. */
static void apply(struct crew *crew, size_t place, enum child_event event, int64_t now_us)
{
    struct crew_place *p = &crew->places[place];
    if (!child_apply(&p->state, event))
        return;
    p->since_us = now_us;
    atomic_store(&slot_of(crew, place)->state, (uint32_t)p->state);
}

/* Makes places wanted until there are so many of this role. */
static void fill_role(struct crew *crew, enum pool_role role, unsigned count, int64_t now_us)
{
    unsigned wanted = 0;
    for (size_t i = 0; i < crew->used; i++)
        wanted += crew->places[i].wanted && crew->places[i].role == role ? 1 : 0;
    for (size_t i = 0; i < crew->board->reserved && wanted < count; i++) {
        struct crew_place *p = &crew->places[i];
        if (p->state != CHILD_EMPTY || p->wanted)
            continue;
        *p = (struct crew_place){
            .wanted = true, .role = role, .generation = crew->generation, .due_us = now_us};
        atomic_store(&slot_of(crew, i)->restarts, 0);
        if (i >= crew->used)
            crew->used = i + 1;
        wanted++;
    }
}

void crew_fill(struct crew *crew, int64_t now_us)
{
    fill_role(crew, POOL_WORKER, crew->workers, now_us);
    for (enum pool_role role = 0; role < POOL_ROLE_COUNT; role++)
        if (crew->beside[role])
            fill_role(crew, role, 1, now_us);
}

size_t crew_size(const struct crew *crew)
{
    size_t size = crew->workers;
    for (enum pool_role role = 0; role < POOL_ROLE_COUNT; role++)
        size += crew->beside[role] ? 1 : 0;
    return size;
}

void crew_adopt(struct crew *crew, unsigned place, pid_t pid, bool known, int64_t now_us)
{
    struct scoreboard_slot *slot = slot_of(crew, place);
    struct crew_place *p = &crew->places[place];
    uint32_t state = known ? atomic_load(&slot->state) : CHILD_READY;
    if (state == CHILD_EMPTY || state >= CHILD_STATE_COUNT)
        state = CHILD_READY;
    *p = (struct crew_place){
        .state = (enum child_state)state,
        .pid = pid,
        .generation = known ? atomic_load(&slot->generation) : crew->generation - 1,
        .role = known && atomic_load(&slot->role) < POOL_ROLE_COUNT ? (enum pool_role)atomic_load(&slot->role)
                                                                    : POOL_WORKER,
        .since_us = now_us,
    };
    atomic_store(&slot->pid, (int32_t)pid);
    atomic_store(&slot->state, state);
    atomic_store(&slot->generation, p->generation);
    if (place >= crew->used)
        crew->used = place + 1;
}

/* The slot as the new worker finds it. Whether it is the first in its place shows from started_ms. */
static void prepare_slot(struct crew *crew, size_t place)
{
    struct scoreboard_slot *slot = slot_of(crew, place);
    if (atomic_load(&slot->generation) == crew->generation && atomic_load(&slot->started_ms) != 0)
        atomic_fetch_add(&slot->restarts, 1);
    atomic_store(&slot->busy_since_us, 0);
    atomic_store(&slot->generation, crew->generation);
    atomic_store(&slot->role, (uint32_t)crew->places[place].role);
    atomic_store(&slot->started_ms, clock_now_ms(&clock_system));
}

static void start_one(struct crew *crew, size_t place, int64_t now_us)
{
    struct crew_place *p = &crew->places[place];
    prepare_slot(crew, place);
    apply(crew, place, CHILD_SPAWNED, now_us);
    pid_t pid = fork();
    if (pid == 0) {
        struct worker_birth birth = crew->birth;
        birth.slot = slot_of(crew, place);
        birth.role = p->role;
        /* not exit: what the supervisor registered and buffered is the supervisor's */
        _exit(worker_enter(&birth));
    }
    if (pid < 0) {
        LOG(crew->log, LOG_ERROR, "worker-start-failed", LOG_STR("reason", strerror(errno)));
        apply(crew, place, CHILD_REAPED, now_us);
        p->due_us = now_us + seconds(FORK_PAUSE_S);
        return;
    }
    p->pid = pid;
    atomic_store(&slot_of(crew, place)->pid, (int32_t)pid);
    LOG(crew->log, LOG_DEBUG, "worker-started", LOG_INT("worker", pid), LOG_INT("place", (int64_t)place));
}

void crew_start_due(struct crew *crew, int64_t now_us)
{
    for (size_t i = 0; i < crew->used; i++) {
        const struct crew_place *p = &crew->places[i];
        if (p->wanted && p->state == CHILD_EMPTY && p->due_us <= now_us)
            start_one(crew, i, now_us);
    }
}

static void kill_one(struct crew *crew, size_t place, const char *why, int64_t for_us, int64_t now_us)
{
    const struct crew_place *p = &crew->places[place];
    uint64_t requests = atomic_load(&slot_of(crew, place)->requests);
    kill(p->pid, SIGKILL);
    apply(crew, place, CHILD_KILL, now_us);
    LOG(crew->log, LOG_ERROR, p->role == POOL_EDGE ? "edge-killed" : "worker-killed",
        LOG_INT("worker", p->pid), LOG_STR("reason", why), LOG_INT("after_ms", for_us / 1000),
        LOG_INT("requests", (int64_t)requests));
}

/* Why this one is to be killed, and since when it has been so; NULL: it is not. */
static const char *find_overdue(const struct crew *crew, const struct crew_place *p, int64_t busy_since,
                                int64_t now_us, int64_t drain_limit_us, int64_t *since_us)
{
    int64_t limit_us = p->role == POOL_EDGE ? seconds(EDGE_SILENCE_S) : crew->request_timeout_us;
    *since_us = busy_since;
    if (limit_us > 0 && busy_since != 0 && now_us - busy_since > limit_us)
        return p->role == POOL_EDGE ? "it gives no sign of life" : "request_timeout";
    *since_us = p->since_us;
    if (p->state == CHILD_STARTING && now_us - p->since_us > seconds(START_LIMIT_S))
        return "it did not become ready";
    if (p->state == CHILD_DRAINING && drain_limit_us > 0 && now_us - p->since_us > drain_limit_us)
        return "it did not end when told to";
    return NULL;
}

static void watch_one(struct crew *crew, size_t place, int64_t now_us, int64_t drain_limit_us)
{
    struct crew_place *p = &crew->places[place];
    const struct scoreboard_slot *slot = slot_of(crew, place);
    int64_t since_us, busy_since = atomic_load_explicit(&slot->busy_since_us, memory_order_relaxed);

    if (p->state == CHILD_STARTING && atomic_load(&slot->state) == CHILD_READY) {
        apply(crew, place, CHILD_STARTED, now_us);
        p->started = true;
    }
    if (atomic_load_explicit(&slot->requests, memory_order_relaxed) > 0)
        p->early_deaths = 0;
    if (p->state == CHILD_KILLED)
        return;
    const char *why = find_overdue(crew, p, busy_since, now_us, drain_limit_us, &since_us);
    if (why == NULL)
        return;
    if (p->role == POOL_WORKER && since_us == busy_since)
        atomic_fetch_add(&crew->board->header->timeouts, 1);
    kill_one(crew, place, why, now_us - since_us, now_us);
}

void crew_watch(struct crew *crew, int64_t now_us, int64_t drain_limit_us)
{
    for (size_t i = 0; i < crew->used; i++)
        if (crew->places[i].pid > 0)
            watch_one(crew, i, now_us, drain_limit_us);
}

static void describe_end(char *out, size_t size, int status)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "status %d", WEXITSTATUS(status));
}

/* Counts and logs the end of a worker that was in this state. */
static void report_end(struct crew *crew, const struct crew_place *p, enum child_state state, int status,
                       uint64_t requests)
{
    struct scoreboard_header *header = crew->board->header;
    bool recycled = state == CHILD_READY && status == 0 && p->role == POOL_WORKER &&
                    crew->birth.max_requests > 0 && requests >= crew->birth.max_requests;
    enum log_level level = LOG_DEBUG;
    const char *event = "worker-ended";
    char how[96];

    describe_end(how, sizeof how, status);
    if (recycled) {
        atomic_fetch_add(&header->recycled, 1);
        event = "worker-recycled";
    } else if (p->role != POOL_WORKER) {
        static const char *const ended[] = {[POOL_EDGE] = "edge-ended", [POOL_CHANGES] = "changes-ended"};
        static const char *const died[] = {[POOL_EDGE] = "edge-died", [POOL_CHANGES] = "changes-died"};
        level = state == CHILD_DRAINING ? LOG_DEBUG : LOG_WARN;
        event = (state == CHILD_DRAINING ? ended : died)[p->role];
    } else if (state != CHILD_DRAINING) {
        atomic_fetch_add(&header->deaths, 1);
        level = LOG_WARN;
        event = "worker-died";
    }
    LOG(crew->log, level, event, LOG_INT("worker", p->pid), LOG_STR("how", how),
        LOG_INT("requests", (int64_t)requests));
    if (p->wanted && !p->started && p->role == POOL_WORKER) {
        crew->failed_starts++;
        snprintf(crew->last_end, sizeof crew->last_end, "%s", how);
    }
}

bool crew_reap(struct crew *crew, pid_t pid, int status, int64_t now_us)
{
    size_t i = 0;
    while (i < crew->used && crew->places[i].pid != pid)
        i++;
    if (i == crew->used)
        return false;

    struct crew_place *p = &crew->places[i];
    struct scoreboard_slot *slot = slot_of(crew, i);
    uint64_t requests = atomic_load(&slot->requests);
    /* a handshake that came and was not looked at before the death */
    if (p->state == CHILD_STARTING && atomic_load(&slot->state) == CHILD_READY) {
        apply(crew, i, CHILD_STARTED, now_us);
        p->started = true;
    }
    int64_t lived_us = now_us - p->since_us; /* in its last state, which is what counts */
    report_end(crew, p, p->state, status, requests);
    scoreboard_retire(crew->board, i);
    atomic_store(&slot->busy_since_us, 0);
    atomic_store(&slot->pid, 0);
    apply(crew, i, CHILD_REAPED, now_us);
    p->pid = 0;
    bool early = p->role != POOL_WORKER ? lived_us < seconds(BESIDE_PROVEN_S) : requests == 0;
    p->early_deaths = early ? p->early_deaths + 1 : 0;
    p->due_us = now_us + child_pause_ms(p->early_deaths) * 1000;
    return true;
}

void crew_drain(struct crew *crew, bool all, int64_t now_us)
{
    for (size_t i = 0; i < crew->used; i++) {
        struct crew_place *p = &crew->places[i];
        if (!all && p->generation == crew->generation)
            continue;
        p->wanted = false;
        if (p->role == POOL_EDGE && p->generation == crew->generation)
            continue;
        if (p->state != CHILD_STARTING && p->state != CHILD_READY)
            continue;
        kill(p->pid, SIGTERM);
        apply(crew, i, CHILD_TOLD, now_us);
    }
}

void crew_drain_last(struct crew *crew, int64_t now_us)
{
    for (size_t i = 0; i < crew->used; i++)
        if (crew->places[i].pid > 0 && crew->places[i].role != POOL_EDGE)
            return;
    for (size_t i = 0; i < crew->used; i++) {
        struct crew_place *p = &crew->places[i];
        if (p->state != CHILD_STARTING && p->state != CHILD_READY)
            continue;
        kill(p->pid, SIGTERM);
        apply(crew, i, CHILD_TOLD, now_us);
    }
}

void crew_signal(const struct crew *crew, int number)
{
    for (size_t i = 0; i < crew->used; i++)
        if (crew->places[i].pid > 0)
            kill(crew->places[i].pid, number);
}

bool crew_all_started(const struct crew *crew)
{
    unsigned started = 0;
    for (size_t i = 0; i < crew->used; i++)
        started += crew->places[i].wanted && crew->places[i].started && crew->places[i].role == POOL_WORKER;
    return started >= crew->workers;
}

bool crew_any_started(const struct crew *crew)
{
    for (size_t i = 0; i < crew->used; i++)
        if (crew->places[i].wanted && crew->places[i].started && crew->places[i].role == POOL_WORKER)
            return true;
    return false;
}

size_t crew_alive(const struct crew *crew)
{
    size_t alive = 0;
    for (size_t i = 0; i < crew->used; i++)
        alive += crew->places[i].pid > 0 ? 1 : 0;
    return alive;
}

int64_t crew_next_due_us(const struct crew *crew)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < crew->used; i++) {
        const struct crew_place *p = &crew->places[i];
        if (p->wanted && p->state == CHILD_EMPTY && p->due_us < next)
            next = p->due_us;
    }
    return next;
}
