/*
 * The reading half of an import: a thread that reads lines, parses and checks them, and hands them over in
 * batches, so that the thread that writes to the database never waits for a parser. The writer takes batches
 * in the order of the lines and gives them back. The thread touches no database.
 */
#pragma once
#include "base/arena.h"
#include "profile/profile.h"

#include <pthread.h>
#include <stdio.h>

enum { IMPORT_BATCH_ITEMS = 256, IMPORT_BATCHES = 4 };

struct import_item {
    uint64_t line;       /* its number, from 1 */
    struct span refused; /* why the line is no profile; absent: it is one */
    struct profile profile;
};

/* What a batch holds belongs to whoever has the batch. */
struct import_batch {
    struct arena arena; /* the items' spans */
    struct import_item items[IMPORT_BATCH_ITEMS];
    size_t count;
    uint64_t bytes; /* read since the beginning */
    bool last;      /* nothing comes after it */
    enum err err;   /* of the reading itself; with last */
    struct err_detail detail;
};

struct import_reader {
    FILE *in;
    size_t attributes_max;           /* bytes */
    struct span base_url;            /* the service's own (profile/parse.h) */
    const volatile int *interrupted; /* not 0: stop reading */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the two counters */
    pthread_cond_t changed;
    uint64_t filled;                             /* batches handed over since the beginning */
    uint64_t taken;                              /* batches given back */
    struct import_batch batches[IMPORT_BATCHES]; /* a ring */
};

/* Starts the thread. in, base_url and interrupted are borrowed until _fini. The signals that are not blocked
 * come to this thread, so that they end a read that waits, if the caller blocks them in its own. ERR_NOMEM.
 */
MUST_USE enum err import_reader_init(struct import_reader *r, FILE *in, size_t attributes_max,
                                     struct span base_url, const volatile int *interrupted,
                                     struct err_detail *detail);
/* The next batch, waiting for it; never NULL. After the one that is last there is none to ask for. */
struct import_batch *import_reader_take(struct import_reader *r);
void import_reader_give_back(struct import_reader *r);
/* Ends the thread, which must have handed over its last batch or be able to. */
void import_reader_fini(struct import_reader *r);
