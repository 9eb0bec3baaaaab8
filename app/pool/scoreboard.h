/*
 * The scoreboard: what every worker is doing and has counted, in memory that the supervisor, its workers and
 * `profiled status` share. It is a file, mapped; it lies beside the socket and is gone when the pool is.
 *
 *     0       struct scoreboard_header   supervisor, totals, names of the routes; the supervisor's, but for
 *                                        the gauges, which any worker sets, and the edges, which
 *                                        are the edge process's
 *     24576   struct scoreboard_slot 0   one worker's: in its first cache line, busy_since_us and requests
 *                                        and once the state READY are the worker's to write, the rest is the
 *                                        supervisor's; behind it what the worker counts
 *     32768   struct scoreboard_slot 1
 *     …
 *     24576 + 8192 × 2048                the end
 *
 * The file has room for every slot that there may ever be, and blocks of the disk for the first
 * slots_reserved of them alone: a store there never finds the disk full. Nobody touches a slot beyond.
 *
 * No lock: each word has one writer at a time and is stored whole (relaxed atomics); a reader may see one
 * worker's words of slightly different moments, and that is fine for what they are used for. A worker killed
 * at any instruction leaves nothing that needs repair: when it is reaped, what it counted is added to the
 * header's sums of those that are gone, and its slot is emptied. Between these two steps it would be seen
 * twice, so the supervisor makes gone_turn odd before and even after, and scoreboard_sum reads again.
 * The supervisor never takes a process id out of here when it kills: a worker gone mad could have written
 * there.
 */
#pragma once
#include "base/err.h"
#include "base/metrics.h"
#include "pool/child.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SCOREBOARD_VERSION = 3,
    SCOREBOARD_SLOTS = 2048, /* workers at most, twice: over a reload old and new ones live side by side */
    SCOREBOARD_HEADER_SIZE = 24576,
    SCOREBOARD_SLOT_SIZE = 8192,
    SCOREBOARD_LINE_SIZE = 64, /* a cache line: what is looked at while the worker works */
    SCOREBOARD_SIZE = SCOREBOARD_HEADER_SIZE + SCOREBOARD_SLOTS * SCOREBOARD_SLOT_SIZE,
    SCOREBOARD_PATH_MAX = 1024,
};
#define SCOREBOARD_MAGIC "prfdpool"

/* What a process of the pool is there for. */
enum pool_role {
    POOL_WORKER,  /* answers requests */
    POOL_EDGE,    /* tells caches in front what changed */
    POOL_CHANGES, /* keeps requests that wait for changes, and tidies the database */
    POOL_ROLE_COUNT
};

enum pool_state { POOL_STARTING, POOL_RUNNING, POOL_RELOADING, POOL_STOPPING, POOL_STATE_COUNT };

struct scoreboard_header {
    char magic[8];
    uint32_t version;
    uint32_t slot_count;
    uint64_t layout;                 /* metrics_layout: what the counters' words mean */
    _Atomic uint32_t slots_reserved; /* slots from here on have no blocks: not to be touched */
    _Atomic uint32_t gone_turn;      /* odd while a slot is being added to requests and gone */
    _Atomic int32_t pid;             /* the supervisor's */
    _Atomic uint32_t state;          /* enum pool_state */
    _Atomic uint64_t process_start;  /* when the kernel says that process began: a reused pid has another */
    _Atomic uint32_t generation;     /* 1, and one more with each reload */
    _Atomic uint32_t workers;        /* as many are wanted */
    _Atomic int64_t started_ms;      /* Unix time of the first generation's start */
    _Atomic int64_t reloaded_ms;     /* and of this one's */
    _Atomic uint64_t requests;       /* served by workers that are gone */
    _Atomic uint64_t deaths;         /* workers that ended unasked */
    _Atomic uint64_t timeouts;       /* of these, killed for their request took too long */
    _Atomic uint64_t recycled;       /* workers replaced after max_requests */
    _Atomic uint64_t reloads;
    _Atomic uint64_t reloads_refused;
    char listen[256];                            /* for people; NUL-terminated */
    char path[SCOREBOARD_PATH_MAX];              /* of this file; NUL-terminated */
    struct metrics_route routes[METRICS_ROUTES]; /* whose requests are counted where */
    struct metrics_gauges gauges;
    struct metrics_edges edges; /* how it stands with caches in front */
    struct metrics gone;        /* what workers that are gone have counted */
};

struct scoreboard_slot {
    _Atomic int64_t busy_since_us; /* clock_monotonic_us when the request in hand began; 0: idle. Of the edge
                                      process: when it last said that it goes round; 0: never */
    _Atomic uint64_t requests;     /* that this process has answered */
    _Atomic int64_t started_ms;    /* Unix time */
    _Atomic int32_t pid;           /* 0: nobody */
    _Atomic uint32_t state;        /* enum child_state */
    _Atomic uint32_t generation;
    _Atomic uint32_t restarts; /* processes that had this place before, in this generation */
    _Atomic uint32_t role;     /* enum pool_role */
    char unused[SCOREBOARD_LINE_SIZE - 44];
    struct metrics metrics; /* what this process has counted */
    char unused_too[SCOREBOARD_SLOT_SIZE - SCOREBOARD_LINE_SIZE - sizeof(struct metrics)];
};

static_assert(sizeof(struct scoreboard_header) <= SCOREBOARD_HEADER_SIZE, "the header has whole pages");
static_assert(sizeof(struct scoreboard_slot) == SCOREBOARD_SLOT_SIZE, "a slot has whole pages");
static_assert(offsetof(struct scoreboard_slot, metrics) == SCOREBOARD_LINE_SIZE, "a line, then the counters");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "words shared by processes need no lock");

struct scoreboard {
    int fd; /* -1: none */
    struct scoreboard_header *header;
    struct scoreboard_slot *slots; /* SCOREBOARD_SLOTS of them, of which the first reserved may be touched */
    size_t reserved;               /* as this process knows it: for who owns it */
};

/* What a program wants of one. */
struct scoreboard_plan {
    size_t slots;                       /* to be reserved, at most SCOREBOARD_SLOTS */
    const struct metrics_route *routes; /* the program's rows, in the order in which they are counted */
    size_t route_count;                 /* at most METRICS_NO_ROUTE */
};

/* Makes the file, zeroed, in place of any that is there; others may read it. ERR_IO, ERR_FULL, ERR_TOO_LARGE
 * (the path): *out is empty. */
MUST_USE enum err scoreboard_create(const char *path, const struct scoreboard_plan *plan,
                                    struct scoreboard *out, struct err_detail *detail);
/* The same in memory that no file system knows, for want of a place; `status` cannot see it. */
MUST_USE enum err scoreboard_create_unseen(const struct scoreboard_plan *plan, struct scoreboard *out,
                                           struct err_detail *detail);
/* Maps one that an earlier image of this program made, and reserves more slots where the plan has more.
 * ERR_INVALID: not a scoreboard, or of another version, or its counters mean other things. ERR_FULL, ERR_IO.
 * The descriptor then belongs to *out; on failure it stays the caller's. */
MUST_USE enum err scoreboard_adopt(int fd, const struct scoreboard_plan *plan, struct scoreboard *out,
                                   struct err_detail *detail);
/* Maps a file for reading alone; a store into it would crash. ERR_NOT_FOUND, ERR_INVALID, ERR_IO. */
MUST_USE enum err scoreboard_open(const char *path, struct scoreboard *out, struct err_detail *detail);
/* Unmaps and closes. An empty one is fine. */
void scoreboard_close(struct scoreboard *board);
/* Removes the file that header->path names, unless another has taken its place. */
void scoreboard_unlink(const struct scoreboard *board);
/* Moves the file. ERR_IO, ERR_TOO_LARGE: it stays where it was. */
MUST_USE enum err scoreboard_move(struct scoreboard *board, const char *path, struct err_detail *detail);

/* How many slots may be looked at now: a reload may have reserved more since the board was mapped. */
size_t scoreboard_reserved(const struct scoreboard *board);
/* The worker in this slot is gone: what it counted is added to the header's sums, and the slot's numbers are
 * 0. For the supervisor alone. */
void scoreboard_retire(struct scoreboard *board, size_t slot);
/* Adds up what all workers have counted, the gone and the living; *requests likewise. No worker is seen
 * twice, or not at all, because it dies meanwhile: the sums never go down. out is overwritten. */
void scoreboard_sum(const struct scoreboard *board, struct metrics *out, uint64_t *requests);

/* Puts this process down as the supervisor. */
void scoreboard_claim(struct scoreboard *board);
/* Whether the supervisor that wrote it is still there. */
bool scoreboard_alive(const struct scoreboard *board);
/* "starting", "running", "reloading", "stopping"; "unknown" for anything else. */
const char *pool_state_name(enum pool_state state);
