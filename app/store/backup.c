#include "store/handle.h"
#include "store/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * In one step: a backup in several starts over whenever somebody writes in between, and under a steady load
 * never ends. One step is one read transaction, which hinders nobody but the checkpoint.
 */
static enum err copy_pages(struct store *s, sqlite3 *to, void (*progress)(void *, uint64_t, uint64_t),
                           void *data, struct err_detail *detail)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", s->db, "main");
    if (backup == NULL)
        return store_code_err(to, sqlite3_errcode(to), s->path, detail);
    int code = sqlite3_backup_step(backup, -1);
    uint64_t pages = (uint64_t)sqlite3_backup_pagecount(backup);
    sqlite3_backup_finish(backup);
    if (progress != NULL)
        progress(data, pages, pages);
    return code == SQLITE_DONE ? OK : store_code_err(NULL, code, s->path, detail);
}

static enum err fill(struct store *s, const char *name, void (*progress)(void *, uint64_t, uint64_t),
                     void *data, struct err_detail *detail)
{
    sqlite3 *to = NULL;
    int code = sqlite3_open_v2(name, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum err e = code == SQLITE_OK ? copy_pages(s, to, progress, data, detail)
                                   : store_code_err(to, code, name, detail);
    /* one file, with nothing beside it; migrate and serve put it back into WAL */
    if (e == OK &&
        (code = sqlite3_exec(
             to, "PRAGMA journal_mode=DELETE; UPDATE meta SET epoch = NULL; PRAGMA journal_mode=WAL", NULL,
             NULL, NULL)) != SQLITE_OK)
        e = store_code_err(to, code, name, detail);
    if (e == OK &&
        (code = sqlite3_wal_checkpoint_v2(to, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL)) != SQLITE_OK)
        e = store_code_err(to, code, name, detail);
    code = sqlite3_close(to);
    if (e == OK && code != SQLITE_OK)
        e = ERR_IO;
    return e;
}

static enum err sync_file(const char *name, struct err_detail *detail)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    enum err e = OK;
    if (fd < 0 || fsync(fd) != 0)
        e = err_set(detail, ERR_IO, "cannot sync %s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return e;
}

static void remove_with_companions(const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct buf path = {0};
        buf_printf(&path, "%s%s", name, ends[i]);
        if (!path.failed)
            unlink(path.ptr);
        buf_fini(&path);
    }
}

enum err store_backup(struct store *s, const char *path, bool force,
                      void (*progress)(void *data, uint64_t done, uint64_t total), void *data,
                      struct err_detail *detail)
{
    struct buf name = {0};
    struct stat st;
    enum err e;
    if (!force && access(path, F_OK) == 0)
        return err_set(detail, ERR_CONFLICT, "%s is there already (--force replaces it)", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(detail, ERR_INVALID, "%s is no regular file", path);
    if ((e = store_ensure(s, detail)) != OK)
        return e;
    buf_printf(&name, "%s.XXXXXX", path);
    if ((e = buf_status(&name)) != OK)
        return e;
    int fd = mkostemp(name.ptr, O_CLOEXEC);
    if (fd < 0) {
        e = err_set(detail, ERR_IO, "cannot write beside %s: %s", path, strerror(errno));
        goto out;
    }
    close(fd);
    if ((e = fill(s, name.ptr, progress, data, detail)) == OK && (e = sync_file(name.ptr, detail)) == OK &&
        rename(name.ptr, path) != 0)
        e = err_set(detail, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    remove_with_companions(name.ptr);
out:
    buf_fini(&name);
    return e;
}
