/*
 * A model of how the cache stays in step with the database (app/cache/coherence.h), small enough that every
 * interleaving of its steps can be gone through: two workers that read, two writers, a checkpoint, deaths at
 * any step, processes that are stopped for good, reads that fail, another database put in the place.
 *
 * One record and two version words: each commit n raises the word of its writer, and the record depends on
 * both, so that what is read is simply the number of the last commit in the snapshot. What is asked of each
 * read:
 *
 *     it gives commit n or a later one, where n was answered before the read began, of a database that was at
 *     the path at some time while it ran; and no commit that was never published
 *
 * and of the whole: when nothing can move any more, everybody who lives and is not stopped has finished.
 *
 * What stands for what is said at each step, in database.c (SQLite, sqlite.org/walformat.html), reader.h and
 * follower.c (app/cache, app/store/watch.c).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { READERS = 2, WRITERS = 2, FILES = 2, HALVES = 4 };

/* Who holds a lock: 0 nobody, readers, writers, the checkpoint. */
enum {
    NOBODY,
    FIRST_READER = 1,
    FIRST_WRITER = FIRST_READER + READERS,
    CHECKPOINT = FIRST_WRITER + WRITERS,
    ALL
};

/*
 * A database file with its WAL and WAL index. A header of the index is one byte: the WAL's salts (3 bits),
 * whether recovery wrote it (1), the last commit (4). Of an empty WAL it is 0, whatever the file holds.
 */
struct file {
    uint8_t header[HALVES]; /* copy 1 in halves, copy 2 in halves */
    uint8_t salts;          /* of the WAL on disk; 0: it is empty */
    uint8_t disk;           /* the last whole commit in it, published or not */
    uint8_t base;           /* what the file alone holds */
    uint8_t write_lock;     /* SQLite's */
    uint8_t by;             /* bit n: the writer of commit n */
    uint8_t answered;       /* the highest commit whose writer has said so */
    uint8_t published;      /* the highest commit that anybody could see */
};

struct record {
    uint8_t identity; /* of the database: 1 + its file; 0: there is no record */
    uint8_t stamp;
    uint8_t value;
};

/* What the workers share: struct cache_coherence, the words, the table's one record, its flight. */
struct shared {
    uint8_t lock, owner_died;
    uint8_t known, marker[HALVES];
    uint8_t identity, era, applied, floor, words[WRITERS];
    struct record record;
    uint8_t flight;
};

struct reader {
    uint8_t pc, back, step;
    uint8_t reads_left;
    uint8_t file;                                  /* that it is connected to; FILES: to none */
    uint8_t marked, identity, era, marker[HALVES]; /* struct cache_follower */
    uint8_t taken[HALVES];
    struct record now; /* the snapshot of apply: identity and stamp alone */
    struct record got; /* what was looked up, or loaded */
    uint8_t leads;     /* holds the flight */
    uint8_t asked[FILES],
        seen; /* what was answered as the read began; bit f: file f was at the path meanwhile */
};

struct writer {
    uint8_t pc, file, n, header, writes_left;
};

struct state {
    struct file files[FILES];
    struct shared shared;
    struct reader readers[READERS];
    struct writer writers[WRITERS], checkpoint;
    uint8_t path; /* which file lies there */
    uint8_t next_salts;
    uint8_t stopped;                                /* bit p: process p */
    uint8_t deaths, stops, faults, swaps, timeouts; /* that may still come */
};

/* Ways to get it wrong. */
enum mutation {
    RIGHT,
    MARKER_AFTER_LOG,    /* the marker is taken when the log was read */
    STAMP_AT_PUT,        /* the record is stamped with what the words are in step with as it is put */
    WORDS_AFTER_MARKER,  /* the marker is remembered before the words are raised */
    ERA_FIRST,           /* the era is looked at before the words */
    IDENTITY_FOR_ERA,    /* the present identity is looked at last, in place of the era */
    FLOOR_FROM_ZERO,     /* another database begins with no floor */
    EMPTY_WAL_IS_MARKER, /* the header of an empty WAL is taken for a marker like any other */
    NOT_CONFIRMED,       /* the marker is remembered although another database may have been read */
    KNOWN_LEFT_STANDING, /* neither who begins to apply takes back `known`, nor who finds the owner dead */
    DEATH_KEEPS_KNOWN,   /* who finds the owner dead does not: whoever began had done so */
    COPY_1_ONLY,         /* the second copy of the header is not compared */
    MUTATIONS
};

struct scenario {
    const char *name;
    uint8_t reads[READERS], writes[WRITERS];
    uint8_t checkpoints, deaths, stops, faults, swaps, timeouts;
    uint8_t most; /* changes applied one by one; beyond, the floor is raised */
    bool shell;   /* writers close their connection after each write: the last one empties the WAL */
    bool cold;    /* at first the WAL is empty */
    bool torn;    /* headers are written and read in halves of a copy, and not whole copies at a time */
    bool warm;    /* at first the readers are in step, and the record is there */
};

extern const struct scenario *scenario;
extern enum mutation mutation;

/* Tells the search of a next state; what: the step, for a trace. */
void reached(const struct state *next, const char *what);
/* A read ended with this. Judged by the search. */
void judge(const struct state *s, int reader, const struct record *got);

/* database.c */
static inline bool is_whole(const uint8_t h[HALVES])
{
    return h[0] == h[1] && h[0] == h[2] && h[0] == h[3];
}
uint8_t database_visible(const struct file *f);
/* The first who connects finds the index void: its copies differ. */
void database_connect(struct state *s, int file);
/* What recovery makes of the WAL, as a header. */
uint8_t database_recovered(const struct file *f);
void database_published(struct file *f, uint8_t header);
void writer_steps(const struct state *s, int w);
void checkpoint_steps(const struct state *s);
void writer_died(struct state *s, struct writer *w, int process);

/* reader.c */
void reader_steps(const struct state *s, int r);
void reader_died(struct state *s, int r);
bool reader_finished(const struct reader *r);
bool reader_is_alone(const struct reader *r);
/* Makes one of the two states that differ only in which reader is which. */
void readers_in_order(struct state *s);
