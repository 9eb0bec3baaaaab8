#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum err file_read(const char *path, size_t max, struct buf *out, struct err_detail *detail)
{
    size_t before = out->len;
    enum err e = OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path,
                       strerror(errno));
    for (;;) {
        char *to = buf_reserve(out, 4096);
        if (to == NULL) {
            e = err_set(detail, ERR_NOMEM, "no memory to read %s", path);
            break;
        }
        ssize_t n = read(fd, to, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            e = err_set(detail, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        if (n <= 0)
            break;
        buf_extend(out, (size_t)n);
        if (out->len - before > max) {
            e = err_set(detail, ERR_TOO_LARGE, "%s has more than %zu bytes", path, max);
            break;
        }
    }
    close(fd);
    if (e != OK)
        buf_truncate(out, before);
    return e;
}

static enum err write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
        bytes = span_from(bytes, (size_t)n);
    }
    return OK;
}

static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

enum err file_write(const char *path, struct span bytes, mode_t mode, struct err_detail *detail)
{
    struct buf temp = {0};
    enum err e = OK;
    buf_printf(&temp, "%s.XXXXXX", path);
    if ((e = buf_status(&temp)) != OK)
        goto out;
    int fd = mkostemp(temp.ptr, O_CLOEXEC);
    if (fd < 0) {
        e = err_set(detail, ERR_IO, "cannot write beside %s: %s", path, strerror(errno));
        goto out;
    }
    if ((e = write_all(fd, bytes)) == OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        e = ERR_IO;
    int why = errno;
    close(fd);
    if (e == OK && rename(temp.ptr, path) != 0) {
        e = ERR_IO;
        why = errno;
    }
    if (e != OK) {
        unlink(temp.ptr);
        err_set(detail, e, "cannot write %s: %s", path, strerror(why));
        goto out;
    }
    sync_folder(path);
out:
    buf_fini(&temp);
    return e;
}
