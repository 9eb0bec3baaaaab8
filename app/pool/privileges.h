/*
 * Who the pool runs as. Started by root it becomes server.user for good, supervisor and all, before it forks.
 * Runs in the supervisor, once.
 */
#pragma once
#include "base/err.h"

#include <sys/types.h>

struct privileges {
    bool drop; /* false: it stays who it is (not root, or root is what was asked for) */
    uid_t uid; /* (uid_t)-1 and (gid_t)-1 unless drop */
    gid_t gid;
    char user[64];
};

/* Looks the names up; group "" is the user's own. Not started by root: they are not looked at. ERR_INVALID:
 * there is no such user or group; ERR_IO. */
MUST_USE enum err privileges_find(const char *user, const char *group, struct privileges *out,
                                  struct err_detail *detail);
/* Becomes that user, with its supplementary groups, and makes sure that there is no way back. Nothing happens
 * unless drop. ERR_DENIED: the process must end, it may be half of each. */
MUST_USE enum err privileges_drop(const struct privileges *p, struct err_detail *detail);
