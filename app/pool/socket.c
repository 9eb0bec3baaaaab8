#include "pool/socket.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct listener none = {.fd = -1};

/* Remembers which file the path names. */
static void remember_file(struct listener *l, const char *path)
{
    struct stat st;
    if (path[0] == '\0' || lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    snprintf(l->path, sizeof l->path, "%s", path);
    l->device = st.st_dev;
    l->inode = st.st_ino;
}

/* The folder that the path lies in. */
static void folder_of(const char *path, char out[sizeof(((struct sockaddr_un *)0)->sun_path)])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, len);
    out[len] = '\0';
    if (len == 0)
        memcpy(out, ".", 2);
}

/* Opens the folder, made first if it is missing, and takes its lock, so that of two pools that start at once
 * only one clears the way. The lock is a courtesy: it is waited for a short while and then done without. */
static int lock_folder(const char *path, const struct listener_options *options)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    folder_of(path, folder);
    if (mkdir(folder, 0755) == 0 && options->uid != (uid_t)-1 &&
        chown(folder, options->uid, options->gid) != 0)
        return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < 20 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
        poll(NULL, 0, 100);
    return fd;
}

/* Whether somebody accepts connections at the address: OK when surely nobody does. */
static enum err ask_whether_dead(const struct config_listen *address, struct err_detail *detail)
{
    const char *path = address->address.unix_path.sun_path;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot make a socket: %s", strerror(errno));
    int why = connect(fd, &address->address.any, address->len) == 0 ? 0 : errno;
    close(fd);
    if (why == ECONNREFUSED || why == ENOENT)
        return OK;
    /* EAGAIN: its queue is full, so somebody listens */
    if (why == 0 || why == EAGAIN)
        return err_set(detail, ERR_CONFLICT, "somebody listens on unix:%s already", path);
    return err_set(detail, ERR_IO, "cannot tell whether somebody listens on unix:%s: %s", path,
                   strerror(why));
}

static enum err remove_stale(const struct config_listen *address, struct err_detail *detail)
{
    const char *path = address->address.unix_path.sun_path;
    struct stat st;
    enum err e;
    if (lstat(path, &st) != 0)
        return OK;
    if (!S_ISSOCK(st.st_mode))
        return err_set(detail, ERR_INVALID, "%s is there already and is no socket", path);
    if ((e = ask_whether_dead(address, detail)) != OK)
        return e;
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set(detail, ERR_IO, "cannot remove the old socket %s: %s", path, strerror(errno));
    return OK;
}

static enum err open_unix(const struct config_listen *address, const struct listener_options *options,
                          struct listener *out, struct err_detail *detail)
{
    const char *path = address->address.unix_path.sun_path;
    enum err e = OK;
    int lock_fd = lock_folder(path, options);
    if (lock_fd < 0)
        return err_set(detail, ERR_IO, "cannot open the folder of %s: %s", path, strerror(errno));
    if ((e = remove_stale(address, detail)) != OK)
        goto out;
    if ((out->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
        e = err_set(detail, ERR_IO, "cannot make a socket: %s", strerror(errno));
        goto out;
    }
    mode_t before = umask(0777 & ~(mode_t)options->mode);
    int bound = bind(out->fd, &address->address.any, address->len);
    umask(before);
    if (bound != 0) {
        e = err_set(detail, ERR_IO, "cannot listen on unix:%s: %s", path, strerror(errno));
        goto out;
    }
    remember_file(out, path);
    /* until listen() below nobody can connect */
    if (options->uid != (uid_t)-1 && lchown(path, options->uid, options->gid) != 0)
        e = err_set(detail, ERR_IO, "cannot give unix:%s to the pool's user: %s", path, strerror(errno));
    else if (listen(out->fd, options->backlog) != 0)
        e = err_set(detail, ERR_IO, "cannot listen on unix:%s: %s", path, strerror(errno));
out:
    close(lock_fd);
    return e;
}

static enum err open_tcp(const struct config_listen *address, const struct listener_options *options,
                         struct listener *out, struct err_detail *detail)
{
    const int on = 1;
    out->fd = socket(address->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out->fd < 0)
        return err_set(detail, ERR_IO, "cannot make a socket: %s", strerror(errno));
    /* connections of an earlier pool that still linger must not keep us from the port */
    if (setsockopt(out->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(out->fd, &address->address.any, address->len) != 0 || listen(out->fd, options->backlog) != 0)
        return err_set(detail, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "cannot listen on that port: %s",
                       strerror(errno));
    return OK;
}

enum err listener_open(const struct config_listen *address, const struct listener_options *options,
                       struct listener *out, struct err_detail *detail)
{
    enum err e = ERR_INVALID;
    *out = none;
    switch (address->kind) {
    case CONFIG_LISTEN_UNIX:
        e = open_unix(address, options, out, detail);
        break;
    case CONFIG_LISTEN_TCP:
        e = open_tcp(address, options, out, detail);
        break;
    }
    if (e != OK) {
        listener_unlink(out);
        listener_close(out);
        *out = none;
    }
    return e;
}

static bool listens(int fd)
{
    int type = 0, accepts = 0;
    socklen_t len = sizeof type, accepts_len = sizeof accepts;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_len) == 0 && accepts != 0;
}

enum err listener_adopt(int fd, bool activated, struct listener *out, struct err_detail *detail)
{
    struct sockaddr_un name = {0};
    socklen_t len = sizeof name - 1;
    int flags = fcntl(fd, F_GETFL);
    *out = none;
    if (flags < 0 || !listens(fd))
        return err_set(detail, ERR_INVALID, "descriptor %d is no listening stream socket", fd);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return err_set(detail, ERR_IO, "descriptor %d cannot be used: %s", fd, strerror(errno));
    out->fd = fd;
    out->activated = activated;
    if (!activated && getsockname(fd, (struct sockaddr *)&name, &len) == 0 && name.sun_family == AF_UNIX)
        remember_file(out, name.sun_path);
    return OK;
}

enum err listener_from_systemd(const char *pid_text, const char *count_text, struct listener *out,
                               struct err_detail *detail)
{
    enum { FIRST_FD = 3 }; /* SD_LISTEN_FDS_START */
    uint64_t pid, count;
    *out = none;
    if (pid_text == NULL || count_text == NULL || !span_to_u64(span_str(pid_text), INT32_MAX, &pid) ||
        (pid_t)pid != getpid() || !span_to_u64(span_str(count_text), INT32_MAX, &count) || count == 0)
        return ERR_NOT_FOUND;
    if (count > 1)
        return err_set(detail, ERR_INVALID, "%s sockets were passed; the pool takes one", count_text);
    return listener_adopt(FIRST_FD, true, out, detail);
}

bool listener_is_at(const struct listener *l, const struct config_listen *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_un unix_path;
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
    } name;
    socklen_t len = sizeof name;
    if (l->activated)
        return true;
    memset(&name, 0, sizeof name);
    if (getsockname(l->fd, &name.any, &len) != 0 || name.any.sa_family != address->address.any.sa_family)
        return false;
    if (name.any.sa_family == AF_UNIX)
        return strncmp(name.unix_path.sun_path, address->address.unix_path.sun_path,
                       sizeof name.unix_path.sun_path) == 0;
    if (name.any.sa_family == AF_INET)
        return name.ip4.sin_port == address->address.ip4.sin_port &&
               name.ip4.sin_addr.s_addr == address->address.ip4.sin_addr.s_addr;
    return name.ip6.sin6_port == address->address.ip6.sin6_port &&
           memcmp(&name.ip6.sin6_addr, &address->address.ip6.sin6_addr, sizeof name.ip6.sin6_addr) == 0;
}

void listener_update(const struct listener *l, const struct listener_options *options)
{
    struct stat st;
    listen(l->fd, options->backlog);
    if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_ino == l->inode && st.st_dev == l->device &&
        (st.st_mode & 0777) != options->mode && chmod(l->path, options->mode) != 0)
        return; /* not the owner any more: it keeps the mode it has */
}

bool listener_waiting(const struct listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    return l->fd >= 0 && poll(&p, 1, 0) == 1;
}

void listener_unlink(const struct listener *l)
{
    struct stat st;
    /* while the socket is open no other file can have its inode */
    if (l->fd >= 0 && l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
        st.st_ino == l->inode)
        unlink(l->path);
}

void listener_close(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
