#include "store/notice.h"

#include "store/handle.h"

#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

int store_notice_open(const char *url)
{
    const char *path = store_path_of_url(url);
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    if (path == NULL)
        return -1;
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = folder == NULL ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, folder, IN_MODIFY | IN_MOVED_TO | IN_CREATE) < 0) {
        close(fd);
        fd = -1;
    }
    free(folder);
    return fd;
}

/* "-wal" behind the name, or the name itself: a database that was put in its place. */
static bool is_about(const char *name, const char *base)
{
    size_t len = strlen(base);
    return strncmp(name, base, len) == 0 && (name[len] == '\0' || strcmp(name + len, "-wal") == 0);
}

bool store_notice_take(int fd, const char *url)
{
    _Alignas(struct inotify_event) char bytes[4096];
    const char *path = store_path_of_url(url);
    bool about = false;
    ssize_t n;
    if (fd < 0 || path == NULL)
        return false;
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            struct inotify_event event;
            memcpy(&event, bytes + at, sizeof event);
            /* too much happened at once: that too is a reason to look */
            about = about || (event.mask & IN_Q_OVERFLOW) != 0 ||
                    (event.len > 0 && is_about(bytes + at + sizeof event, base));
            at += (ssize_t)(sizeof event + event.len);
        }
    return about;
}
