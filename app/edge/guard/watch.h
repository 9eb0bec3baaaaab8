/* Whether a file is another one than it was when last looked at. Does I/O: one stat(2). Not thread-safe: the
 * caller sees to that. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct guard_watch {
    dev_t dev;
    ino_t ino;
    off_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
};

/* Looks; true when it has changed, come or gone since the last look, which is then remembered. */
static inline bool guard_watch_changed(struct guard_watch *w, const char *path)
{
    struct stat st;
    struct guard_watch seen = {0};
    if (stat(path, &st) == 0)
        seen = (struct guard_watch){
            .dev = st.st_dev,
            .ino = st.st_ino,
            .size = st.st_size,
            .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
            .ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
        };
    bool changed = seen.dev != w->dev || seen.ino != w->ino || seen.size != w->size ||
                   seen.mtime_ns != w->mtime_ns || seen.ctime_ns != w->ctime_ns;
    *w = seen;
    return changed;
}
