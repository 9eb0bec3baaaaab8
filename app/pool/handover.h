/*
 * What one image of the supervisor hands to the next over execve, as one variable's text:
 *
 *     3 pid=PID generation=N listen=FD activated=0|1 changes=FD board=FD memory=FD children=PID:PLACE,…
 *
 * The pid is this process's, which an execve keeps: in any other process the variable means nothing. The
 * listening socket, that of the changes process (0: none), the scoreboard and the memory that the workers
 * share (0: none; the pool knows nothing of what lies in it) are descriptors that stay open; the children
 * stay children. Form 2, of a program that knows no changes process, lacks that member and is taken too: a
 * reload to a newer program loses nothing. Pure text, no I/O.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "pool/scoreboard.h"

#include <sys/types.h>

struct handover_child {
    pid_t pid;
    unsigned place; /* in the scoreboard; below SCOREBOARD_SLOTS, each at most once */
};

struct handover {
    pid_t pid;
    uint32_t generation; /* of the image that hands over */
    int listen_fd;
    bool activated; /* the socket is systemd's */
    int changes_fd; /* -1: none */
    int board_fd;
    int memory_fd; /* -1: none */
    size_t child_count;
    struct handover_child children[SCOREBOARD_SLOTS];
};

/* Appends the text. */
void handover_write(const struct handover *h, struct buf *out);
/* ERR_INVALID: it is not such a text, of these very forms; *out is then not to be used. */
MUST_USE enum err handover_read(struct span text, struct handover *out);
