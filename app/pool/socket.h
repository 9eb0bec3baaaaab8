/*
 * The listening socket: made here, or passed by systemd, or taken over from an earlier image of this process.
 * It is non-blocking and closed on exec. Runs in the supervisor alone.
 */
#pragma once
#include "base/err.h"
#include "config/listen.h"

#include <sys/stat.h>
#include <sys/types.h>

struct listener {
    int fd;                                                 /* -1: none */
    bool activated;                                         /* systemd's: not ours to move or remove */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of the file that we made; "": none */
    dev_t device; /* that file, so that another's is never removed */
    ino_t inode;
};

struct listener_options {
    unsigned mode; /* of a Unix socket's file */
    int backlog;
    uid_t uid; /* who shall own it; (uid_t)-1: as it is made */
    gid_t gid;
};

/*
 * Opens it and begins to listen. A Unix socket's file has its mode from the first moment and its owner before
 * anyone can connect; a missing folder is made (one level); a file that an earlier pool left is replaced once
 * a connection to it was refused, which says that nobody listens. ERR_CONFLICT: somebody does. ERR_INVALID:
 * the path is something else than a socket. ERR_IO. *out is empty on failure.
 */
MUST_USE enum err listener_open(const struct config_listen *address, const struct listener_options *options,
                                struct listener *out, struct err_detail *detail);
/*
 * What systemd passed (sd_listen_fds(3)): pid_text and count_text are LISTEN_PID and LISTEN_FDS, NULL when
 * unset. ERR_NOT_FOUND: nothing was passed to this process. ERR_INVALID: more than one, or no listening
 * stream socket.
 */
MUST_USE enum err listener_from_systemd(const char *pid_text, const char *count_text, struct listener *out,
                                        struct err_detail *detail);
/* Takes over a descriptor from an earlier image. ERR_INVALID: no listening stream socket. */
MUST_USE enum err listener_adopt(int fd, bool activated, struct listener *out, struct err_detail *detail);

/* Mode and backlog as they are now wanted; the owner stays. */
void listener_update(const struct listener *l, const struct listener_options *options);
/* Whether it listens there. One that systemd passed does, whatever the address. */
bool listener_is_at(const struct listener *l, const struct config_listen *address);
/* Whether a connection waits to be accepted. */
bool listener_waiting(const struct listener *l);
/* Removes the Unix socket's file, if we made it and it still is that file: nobody new finds it then. To be
 * called before listener_close. */
void listener_unlink(const struct listener *l);
/* Closes the descriptor. */
void listener_close(struct listener *l);
