#include "pool/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY_MAX = 65536 }; /* bytes of an entry of the user or group database, its members' names and all */

static enum err find_user(const char *name, struct privileges *out, struct err_detail *detail)
{
    char text[ENTRY_MAX];
    struct passwd entry, *found = NULL;
    int why = getpwnam_r(name, &entry, text, sizeof text, &found);
    if (found == NULL && (why == 0 || why == ENOENT || why == ESRCH))
        return err_set(detail, ERR_INVALID,
                       "server.user: there is no user `%s` (adduser --system --group %s makes one)", name,
                       name);
    if (found == NULL)
        return err_set(detail, ERR_IO, "server.user: cannot look up `%s`: %s", name, strerror(why));
    out->uid = entry.pw_uid;
    out->gid = entry.pw_gid;
    return OK;
}

static enum err find_group(const char *name, struct privileges *out, struct err_detail *detail)
{
    char text[ENTRY_MAX];
    struct group entry, *found = NULL;
    int why = getgrnam_r(name, &entry, text, sizeof text, &found);
    if (found == NULL && (why == 0 || why == ENOENT || why == ESRCH))
        return err_set(detail, ERR_INVALID, "server.group: there is no group `%s`", name);
    if (found == NULL)
        return err_set(detail, ERR_IO, "server.group: cannot look up `%s`: %s", name, strerror(why));
    out->gid = entry.gr_gid;
    return OK;
}

enum err privileges_find(const char *user, const char *group, struct privileges *out,
                         struct err_detail *detail)
{
    enum err e = OK;
    *out = (struct privileges){.uid = (uid_t)-1, .gid = (gid_t)-1};
    if (geteuid() != 0)
        return OK;
    struct privileges found = {.drop = true};
    if (snprintf(found.user, sizeof found.user, "%s", user) >= (int)sizeof found.user)
        return err_set(detail, ERR_INVALID, "server.user: the name is too long");
    if ((e = find_user(user, &found, detail)) != OK ||
        (group[0] != '\0' && (e = find_group(group, &found, detail)) != OK))
        return e;
    if (found.uid != 0)
        *out = found;
    return OK;
}

/* Whether every id of the process is the new one. */
static bool is_gone(const struct privileges *p)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    if (getresuid(&real, &effective, &saved) != 0 || real != p->uid || effective != p->uid || saved != p->uid)
        return false;
    if (getresgid(&real_group, &effective_group, &saved_group) != 0 || real_group != p->gid ||
        effective_group != p->gid || saved_group != p->gid)
        return false;
    return setresuid(0, 0, 0) != 0;
}

enum err privileges_drop(const struct privileges *p, struct err_detail *detail)
{
    if (!p->drop)
        return OK;
    /* groups first: once the user is changed they cannot be */
    if (initgroups(p->user, p->gid) != 0 || setresgid(p->gid, p->gid, p->gid) != 0 ||
        setresuid(p->uid, p->uid, p->uid) != 0)
        return err_set(detail, ERR_DENIED, "cannot become the user `%s`: %s", p->user, strerror(errno));
    if (!is_gone(p))
        return err_set(detail, ERR_DENIED, "the way back from the user `%s` to root is open", p->user);
    return OK;
}
