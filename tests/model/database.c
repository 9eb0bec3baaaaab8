/* SQLite's half of the model: what a commit, a checkpoint, recovery and the last close do to the WAL index.
 */
#include "model.h"

#include <string.h>

enum { SALTS_SHIFT = 5, RECOVERED = 1 << 4, COMMIT_BITS = 15, VOID = 0xf0 };

static uint8_t header_of(uint8_t salts, uint8_t recovered, uint8_t commit)
{
    return (uint8_t)(salts << SALTS_SHIFT | recovered | commit);
}

/* walIndexTryHdr: the copies are equal. An empty WAL's header says nothing of the file's content. */
uint8_t database_visible(const struct file *f)
{
    return f->header[0] >> SALTS_SHIFT == 0 ? f->base : f->header[0] & COMMIT_BITS;
}

/* walIndexRecover: all whole commits of the WAL, also one whose writer died before it was published; iChange
 * begins anew, hence RECOVERED. Without a WAL all is 0. */
uint8_t database_recovered(const struct file *f)
{
    return f->salts == 0 ? 0 : header_of(f->salts, RECOVERED, f->disk);
}

void database_published(struct file *f, uint8_t header)
{
    uint8_t commit = header >> SALTS_SHIFT == 0 ? f->base : header & COMMIT_BITS;
    if (commit > f->published)
        f->published = commit;
}

static bool is_connected(const struct state *s, int file)
{
    for (int i = 0; i < READERS; i++)
        if (s->readers[i].file == file)
            return true;
    for (int i = 0; i < WRITERS; i++)
        if (s->writers[i].pc != 0 && s->writers[i].file == file)
            return true;
    return s->checkpoint.pc != 0 && s->checkpoint.file == file;
}

/* unixLockSharedMemory: who finds nobody connected truncates -shm. */
void database_connect(struct state *s, int file)
{
    static const uint8_t nothing[HALVES] = {VOID, VOID, VOID + 1, VOID + 1};
    if (!is_connected(s, file))
        memcpy(s->files[file].header, nothing, sizeof nothing);
}

enum { IDLE, HEADER, RECOVER = HEADER + HALVES };

/* walIndexWriteHdr, a copy or half a copy at a time: copy 2, a barrier, copy 1. true: it is out. */
static bool publish(struct file *f, struct writer *w)
{
    static const uint8_t order[HALVES] = {2, 3, 0, 1};
    for (int i = 0; i < (scenario->torn ? 1 : 2); i++)
        f->header[order[w->pc++ - HEADER]] = w->header;
    if (w->pc != HEADER + HALVES)
        return false;
    database_published(f, w->header);
    f->write_lock = NOBODY;
    return true;
}

enum begun { BEGUN, RECOVERS, WAITS };

/* BEGIN IMMEDIATE, with recovery where the header is not whole: copy 2, then copy 1. */
static enum begun begin(struct state *n, struct writer *w, int process)
{
    struct file *f;
    if (w->pc == IDLE) {
        f = &n->files[n->path];
        if (f->write_lock != NOBODY)
            return WAITS;
        w->file = n->path;
        database_connect(n, w->file);
        f->write_lock = (uint8_t)process;
        if (is_whole(f->header))
            return BEGUN;
        w->pc = RECOVER;
        w->header = database_recovered(f);
        return RECOVERS;
    }
    f = &n->files[w->file];
    if (f->header[2] != w->header || f->header[3] != w->header) {
        f->header[2] = f->header[3] = w->header;
        return RECOVERS;
    }
    f->header[0] = f->header[1] = w->header;
    database_published(f, w->header);
    return BEGUN;
}

/* sqlite3WalFrames: the commit is on disk, and nobody knows. What a writer that died left behind the
 * published end is written over; a restarted WAL gets its new salts on disk with the first frame. */
static void write_frames(struct state *n, struct writer *w, int number)
{
    struct file *f = &n->files[w->file];
    uint8_t salts = f->header[0] >> SALTS_SHIFT;
    w->n = database_visible(f) + 1;
    if (salts == 0)
        salts = n->next_salts++;
    f->salts = salts;
    f->disk = w->n;
    f->by = (uint8_t)((f->by & ~(1 << w->n)) | number << w->n);
    w->header = header_of(salts, 0, w->n);
    w->pc = HEADER;
}

static void finish(struct writer *w)
{
    *w = (struct writer){.writes_left = w->writes_left - 1};
}

/* sqlite3WalClose of the last connection, the shell's: copied back, WAL and -shm deleted. */
static void close_connection(struct state *n, int file)
{
    struct file *f = &n->files[file];
    if (is_connected(n, file))
        return;
    f->base = is_whole(f->header) ? database_visible(f) : f->disk;
    f->disk = f->base;
    f->salts = 0;
    if (f->base > f->published)
        f->published = f->base;
}

/* SQLITE_BUSY, behind one who was stopped: the write is never answered. */
static bool is_refused(const struct state *s, const struct writer *w)
{
    return w->pc == IDLE && (s->stopped & 1 << s->files[s->path].write_lock) != 0;
}

void writer_steps(const struct state *s, int number)
{
    struct state n = *s;
    struct writer *w = &n.writers[number];
    if (w->pc != IDLE && w->pc != RECOVER) {
        struct file *f = &n.files[w->file];
        uint8_t file = w->file;
        if (!publish(f, w)) {
            reached(&n, "publishes the first half");
            return;
        }
        /* COMMIT returns, and the write is answered: at once, which is the most that can be asked of readers
         */
        if (f->answered < w->n)
            f->answered = w->n;
        finish(w);
        if (scenario->shell)
            close_connection(&n, file);
        reached(&n, "publishes, and answers");
        return;
    }
    if (is_refused(s, w)) {
        finish(w);
        reached(&n, "is refused");
        return;
    }
    switch (begin(&n, w, FIRST_WRITER + number)) {
    case BEGUN:
        write_frames(&n, w, number);
        reached(&n, "has frames on disk");
        return;
    case RECOVERS:
        reached(&n, "recovers");
        return;
    case WAITS:
        return;
    }
}

/* walRestartHdr: all is copied back; a new header with new salts, and the old WAL still on disk. */
void checkpoint_steps(const struct state *s)
{
    struct state n = *s;
    struct writer *c = &n.checkpoint;
    if (c->pc != IDLE && c->pc != RECOVER) {
        if (publish(&n.files[c->file], c))
            finish(c);
        reached(&n, "publishes");
        return;
    }
    if (is_refused(s, c)) {
        finish(c);
        reached(&n, "is refused");
        return;
    }
    switch (begin(&n, c, CHECKPOINT)) {
    case BEGUN: {
        struct file *f = &n.files[c->file];
        f->base = database_visible(f);
        c->header = header_of(n.next_salts++, 0, f->base);
        c->pc = HEADER;
        reached(&n, "has copied back");
        return;
    }
    case RECOVERS:
        reached(&n, "recovers");
        return;
    case WAITS:
        return;
    }
}

void writer_died(struct state *s, struct writer *w, int process)
{
    for (int i = 0; i < FILES; i++)
        if (s->files[i].write_lock == process)
            s->files[i].write_lock = NOBODY;
    finish(w);
}
