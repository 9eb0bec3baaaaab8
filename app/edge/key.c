#include "edge/key.h"

#include "base/file.h"
#include "config/edge.h"

#include <errno.h>
#include <sys/stat.h>

static enum err check_mode(const char *path, struct err_detail *detail)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(detail, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "edge.key: cannot look at %s: %s",
                       path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(detail, ERR_INVALID, "edge.key: %s is not a regular file", path);
    if ((st.st_mode & 0027) != 0)
        return err_set(detail, ERR_DENIED, "edge.key: %s has mode %04o: it must be 0600 or 0640", path,
                       (unsigned)st.st_mode & 07777);
    return OK;
}

static enum err read_file(const char *path, struct buf *out, struct err_detail *detail)
{
    enum { FILE_MAX = 4096 };
    size_t begin = out->len;
    enum err e = check_mode(path, detail);
    if (e != OK || (e = file_read(path, FILE_MAX, out, detail)) != OK)
        return e;
    struct span rest = span_from(buf_span(out), begin);
    struct span line = span_cut(&rest, '\n');
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    line = span_trim(line);
    if (line.ptr > out->ptr + begin)
        memmove(out->ptr + begin, line.ptr, line.len);
    buf_truncate(out, begin + line.len);
    return OK;
}

enum err edge_key_read(const char *setting, struct buf *out, struct err_detail *detail)
{
    const char *path = config_edge_key_path(setting);
    struct err_detail why = {0};
    size_t begin = out->len;
    enum err e = OK;
    if (path != NULL)
        e = read_file(path, out, detail);
    else
        buf_append(out, span_str(setting));
    if (e == OK)
        e = buf_status(out);
    if (e == OK && (e = config_edge_key_check(span_from(buf_span(out), begin), &why)) != OK)
        err_set(detail, e, "edge.key%s%s: %s", path == NULL ? "" : ": ", path == NULL ? "" : path, why.text);
    return e == OK ? OK : err_set(detail, e, "edge.key cannot be read: %s", err_name(e));
}
