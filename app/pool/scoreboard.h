/*
 * The scoreboard: what every worker is doing, in memory that the supervisor, its workers and `profiled
 * status` share. It is a file, mapped; it lies beside the socket and is gone when the pool is.
 *
 *     0      struct scoreboard_header   supervisor and totals; written by the supervisor alone
 *     4096   struct scoreboard_slot 0   64 bytes, a cache line: one worker's, which writes busy_since_us and
 * requests 4160   struct scoreboard_slot 1   and once sets state READY; the rest of the slot is the
 * supervisor's … 4096 + 64 × 2048                  the end
 *
 * No lock: each word has one writer at a time and is stored whole (relaxed atomics); a reader may see one
 * worker's words of slightly different moments, and that is fine for what they are used for. A worker killed
 * at any instruction leaves nothing that needs repair: its slot is rewritten when it is reaped. The
 * supervisor never takes a process id out of here when it kills: a worker gone mad could have written there.
 */
#pragma once
#include "base/err.h"
#include "pool/child.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SCOREBOARD_VERSION = 1,
    SCOREBOARD_SLOTS = 2048, /* workers at most, twice: over a reload old and new ones live side by side */
    SCOREBOARD_HEADER_SIZE = 4096,
    SCOREBOARD_SLOT_SIZE = 64,
    SCOREBOARD_SIZE = SCOREBOARD_HEADER_SIZE + SCOREBOARD_SLOTS * SCOREBOARD_SLOT_SIZE,
    SCOREBOARD_PATH_MAX = 1024,
};
#define SCOREBOARD_MAGIC "prfdpool"

enum pool_state { POOL_STARTING, POOL_RUNNING, POOL_RELOADING, POOL_STOPPING, POOL_STATE_COUNT };

struct scoreboard_header {
    char magic[8];
    uint32_t version;
    uint32_t slot_count;
    _Atomic int32_t pid;            /* the supervisor's */
    _Atomic uint32_t state;         /* enum pool_state */
    _Atomic uint64_t process_start; /* when the kernel says that process began: a reused pid has another */
    _Atomic uint32_t generation;    /* 1, and one more with each reload */
    _Atomic uint32_t workers;       /* as many are wanted */
    _Atomic int64_t started_ms;     /* Unix time of the first generation's start */
    _Atomic int64_t reloaded_ms;    /* and of this one's */
    _Atomic uint64_t requests;      /* served by workers that are gone */
    _Atomic uint64_t deaths;        /* workers that ended unasked */
    _Atomic uint64_t timeouts;      /* of these, killed for their request took too long */
    _Atomic uint64_t recycled;      /* workers replaced after max_requests */
    _Atomic uint64_t reloads;
    _Atomic uint64_t reloads_refused;
    char listen[256];               /* for people; NUL-terminated */
    char path[SCOREBOARD_PATH_MAX]; /* of this file; NUL-terminated */
};

struct scoreboard_slot {
    _Atomic int64_t busy_since_us; /* clock_monotonic_us when the request in hand began; 0: idle */
    _Atomic uint64_t requests;     /* that this process has answered */
    _Atomic int64_t started_ms;    /* Unix time */
    _Atomic int32_t pid;           /* 0: nobody */
    _Atomic uint32_t state;        /* enum child_state */
    _Atomic uint32_t generation;
    _Atomic uint32_t restarts; /* processes that had this place before, in this generation */
    char unused[24];
};

static_assert(sizeof(struct scoreboard_header) <= SCOREBOARD_HEADER_SIZE, "the header is one page");
static_assert(sizeof(struct scoreboard_slot) == SCOREBOARD_SLOT_SIZE, "a slot is a cache line");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "words shared by processes need no lock");

struct scoreboard {
    int fd; /* -1: none */
    struct scoreboard_header *header;
    struct scoreboard_slot *slots; /* SCOREBOARD_SLOTS of them */
};

/* Makes the file, zeroed, in place of any that is there; others may read it. ERR_IO, ERR_FULL, ERR_TOO_LARGE
 * (the path): *out is empty. */
MUST_USE enum err scoreboard_create(const char *path, struct scoreboard *out, struct err_detail *detail);
/* The same in memory that no file system knows, for want of a place; `status` cannot see it. */
MUST_USE enum err scoreboard_create_unseen(struct scoreboard *out, struct err_detail *detail);
/* Maps one that an earlier image of this program made. ERR_INVALID: not a scoreboard, or of another version.
 * The descriptor then belongs to *out; on failure it stays the caller's. */
MUST_USE enum err scoreboard_adopt(int fd, struct scoreboard *out, struct err_detail *detail);
/* Maps a file for reading alone; a store into it would crash. ERR_NOT_FOUND, ERR_INVALID, ERR_IO. */
MUST_USE enum err scoreboard_open(const char *path, struct scoreboard *out, struct err_detail *detail);
/* Unmaps and closes. An empty one is fine. */
void scoreboard_close(struct scoreboard *board);
/* Removes the file that header->path names, unless another has taken its place. */
void scoreboard_unlink(const struct scoreboard *board);
/* Moves the file. ERR_IO, ERR_TOO_LARGE: it stays where it was. */
MUST_USE enum err scoreboard_move(struct scoreboard *board, const char *path, struct err_detail *detail);

/* Puts this process down as the supervisor. */
void scoreboard_claim(struct scoreboard *board);
/* Whether the supervisor that wrote it is still there. */
bool scoreboard_alive(const struct scoreboard *board);
/* "starting", "running", "reloading", "stopping"; "unknown" for anything else. */
const char *pool_state_name(enum pool_state state);
