/*
 * The processes of the pool, its workers and, one of each, those beside them: the edge process, which speaks
 * to caches in front, and the changes process, which keeps who waits for changes: started, watched, replaced,
 * told to end, reaped. Each has a place: a number that is also its slot of the scoreboard. Places of the
 * current generation are wanted, and filled again when their worker dies; those of earlier ones empty out.
 * Runs in the supervisor alone.
 */
#pragma once
#include "base/log.h"
#include "pool/child.h"
#include "pool/enter.h"
#include "pool/scoreboard.h"

struct crew_place {
    enum child_state state;
    pid_t pid; /* 0: empty */
    uint32_t generation;
    enum pool_role role;
    bool wanted;  /* to be filled again */
    bool started; /* a worker of this generation has answered the handshake here */
    unsigned early_deaths;
    int64_t since_us; /* when it came into its state */
    int64_t due_us;   /* wanted and empty: when to start one */
};

struct crew {
    struct crew_place *places; /* SCOREBOARD_SLOTS of them */
    size_t used;               /* places from here on were never used */
    struct scoreboard *board;
    struct log *log;
    struct worker_birth birth; /* what each new one is given, but for its slot */
    uint32_t generation;
    unsigned workers;
    bool beside[POOL_ROLE_COUNT]; /* there is to be one of it beside the workers */
    int64_t request_timeout_us;   /* 0: none */
    unsigned failed_starts;       /* workers that died before their handshake */
    char last_end[96];            /* how the last of them ended */
};

/* ERR_NOMEM. The crew is empty; birth, generation, workers and request_timeout_us are the caller's to fill.
 */
MUST_USE enum err crew_init(struct crew *crew, struct scoreboard *board, struct log *log);
void crew_fini(struct crew *crew);

/* How many processes a full crew has. */
size_t crew_size(const struct crew *crew);
/* Makes as many places wanted as workers says, and one for each process beside them, as far as there is room.
 */
void crew_fill(struct crew *crew, int64_t now_us);
/* Puts down a child that an earlier image of this process started. known: it writes into this scoreboard. */
void crew_adopt(struct crew *crew, unsigned place, pid_t pid, bool known, int64_t now_us);
/* Starts those that are due. Does not return in the new process. */
void crew_start_due(struct crew *crew, int64_t now_us);
/* Takes in handshakes, and kills who holds a request, its start or its end too long. drain_limit_us 0: no
 * limit. */
void crew_watch(struct crew *crew, int64_t now_us, int64_t drain_limit_us);
/* A child ended: false when it is none of ours. */
bool crew_reap(struct crew *crew, pid_t pid, int status, int64_t now_us);
/* Tells them to end, and wants them no more: those of earlier generations, or all. The edge process of this
 * generation is not told before the last worker is gone: what the workers still write is still to be told. */
void crew_drain(struct crew *crew, bool all, int64_t now_us);
/* Where all were told to end: tells the edge process as well once it is alone. */
void crew_drain_last(struct crew *crew, int64_t now_us);
/* Sends a signal to each. */
void crew_signal(const struct crew *crew, int number);

/* Whether each worker that is wanted has had its handshake. */
bool crew_all_started(const struct crew *crew);
/* Whether any has. */
bool crew_any_started(const struct crew *crew);
/* How many processes there are. */
size_t crew_alive(const struct crew *crew);
/* When the next is due; INT64_MAX: none waits. */
int64_t crew_next_due_us(const struct crew *crew);
