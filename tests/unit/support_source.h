/* For the tests of the cache: a source of changes that does as it is told, in memory that forked processes
 * share. */
#pragma once
#include "cache/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAKE_CHANGES = 64 };

struct fake {
    uint64_t version; /* of the marker: another one for each state */
    struct cache_state state;
    struct {
        int64_t seq;
        uint32_t word;
    } changes[FAKE_CHANGES];
    int change_count;
    enum err take, read, renew; /* what the callbacks say */
    int reads, renewals;        /* how often they were called */
    int64_t asked_after;
    void (*before_read)(struct fake *f); /* once, between the marker and the log */
    void (*in_read)(struct fake *f);     /* once, when a change was handed over */
};

static inline void *support_shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

static inline void fake_commit(struct fake *f, uint32_t word)
{
    assert_true(f->change_count < FAKE_CHANGES);
    f->version++;
    f->changes[f->change_count].seq = ++f->state.seq;
    f->changes[f->change_count++].word = word;
}

static inline void fake_call(struct fake *f, void (**hook)(struct fake *f))
{
    void (*now)(struct fake *) = *hook;
    *hook = NULL;
    if (now != NULL)
        now(f);
}

static inline bool fake_is_unchanged(void *data, const struct cache_marker *marker)
{
    const struct fake *f = data;
    return marker->words[0] == f->version && marker->words[CACHE_MARKER_WORDS - 1] == f->version;
}

static inline enum err fake_take_marker(void *data, struct cache_marker *out)
{
    struct fake *f = data;
    for (int i = 0; i < CACHE_MARKER_WORDS; i++)
        out->words[i] = f->version;
    if (f->take == ERR_BUSY)
        out->words[0]++; /* torn */
    return f->take;
}

static inline enum err fake_read_changes(void *data, int64_t after, int64_t most,
                                         void (*take)(void *sink, const struct cache_change *change),
                                         void *sink, struct cache_state *state)
{
    struct fake *f = data;
    f->reads++;
    f->asked_after = after;
    fake_call(f, &f->before_read);
    *state = (struct cache_state){0};
    if (f->read != OK)
        return f->read;
    *state = f->state;
    if (f->state.seq < after)
        return ERR_CONFLICT;
    if (f->state.seq - after > most)
        return ERR_TOO_LARGE;
    for (int i = 0; i < f->change_count; i++) {
        const struct cache_change change = {.seq = f->changes[i].seq,
                                            .cause = METRIC_CACHE_INVALIDATIONS_UPDATE,
                                            .words = {f->changes[i].word},
                                            .word_count = 1};
        if (change.seq > after) {
            take(sink, &change);
            fake_call(f, &f->in_read);
        }
    }
    return OK;
}

static inline enum err fake_set_back(void *data)
{
    struct fake *f = data;
    f->renewals++;
    if (f->renew == OK) {
        f->state.identity += 1000;
        f->version++;
    }
    return f->renew;
}

static inline struct cache_source fake_source(struct fake *f)
{
    return (struct cache_source){fake_is_unchanged, fake_take_marker, fake_read_changes, fake_set_back, f};
}

static inline int support_wait(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}
