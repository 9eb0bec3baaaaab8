/*
 * Kills a process after every single instruction of cache_table_put, and looks each time at what it left:
 * every value that can be found is whole and is one that was put, no key is lost but the one in hand and
 * those that had to make room, and the next put works at once. A child runs to its put, is stepped n
 * instructions by ptrace and killed; the block is then put back as it was, and the next child goes one
 * further. It is done for a put that is new, that replaces, that drops, that promotes, that puts back, and
 * that empties the table. usage: crash_cache_put [EVERY]   kills after each EVERY-th instruction: 1, the
 * default, is all of them
 *
 * It is built of the cache's sources without sanitizers: what is stepped is what is deployed, and not five
 * times as many instructions that watch it.
 */
#include "cache/evict.h"
#include "cache/layout.h"

#include "../unit/support_cache.h"
#include "support_step.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = CACHE_TABLE_MIN_BYTES, KEYS = 300, FIRST_SEQUENCE = 7, NEW_SEQUENCE = 8 };

struct scenario {
    const char *name;
    void (*prepare)(struct cache_table *t);
    unsigned number; /* of the key that is put */
    uint32_t len;
    bool (*happened)(const struct cache_table_facts *before, const struct cache_table_facts *after,
                     unsigned evicted);
};

static void fail(const struct scenario *s, long step, const char *what)
{
    fprintf(stderr, "crash_cache_put: %s, after %ld instructions: %s\n", s->name, step, what);
    exit(1);
}

static void put_some(struct cache_table *t, unsigned first, unsigned end, uint32_t len)
{
    for (unsigned i = first; i < end; i++) {
        if (cache_test_put(t, i, FIRST_SEQUENCE, len, 0, NULL) != OK)
            exit(1);
    }
}

static void read_some(struct cache_table *t, unsigned first, unsigned end)
{
    uint32_t sequence;
    for (unsigned i = first; i < end; i++) {
        enum err e = cache_test_get(t, i, &sequence);
        if (e != OK && e != ERR_NOT_FOUND)
            exit(1);
    }
}

static void prepare_few(struct cache_table *t)
{
    put_some(t, 0, 10, 300);
}

static void prepare_full(struct cache_table *t)
{
    put_some(t, 0, 250, 400);
}

/* What is in the small ring was read: the next put promotes, and must make room in the main ring too. */
static void prepare_read_small(struct cache_table *t)
{
    put_some(t, 0, 250, 400);
    read_some(t, 200, 250);
}

/* What lies at the main ring's tail was read, and a key comes that the ghost knows or that is large. */
static void prepare_read_main(struct cache_table *t)
{
    put_some(t, 0, 200, 400);
    read_some(t, 0, 4);
}

/* The main ring's head is just before its end: a pad. */
static void prepare_pad(struct cache_table *t)
{
    struct cache_ring *r = &t->rings[CACHE_RING_MAIN];
    put_some(t, 0, 120, 400);
    for (unsigned i = 120; i < KEYS - 1; i++) {
        uint64_t left = r->units - (atomic_load(&r->ends->head) & r->mask);
        if (left * CACHE_UNIT < 2000)
            break;
        if (cache_test_put(t, i, FIRST_SEQUENCE, 1800, 0, NULL) != OK)
            exit(1);
    }
}

static void prepare_worn_out(struct cache_table *t)
{
    struct cache_ring *r = &t->rings[CACHE_RING_MAIN];
    const uint64_t laps = (uint64_t)1 << (CACHE_POSITION_BITS - r->shift);
    atomic_store(&r->ends->head, (laps - 65) << r->shift);
    atomic_store(&r->ends->tail, (laps - 65) << r->shift);
    for (unsigned i = 0; !cache_ring_exhausted(r) && i < KEYS - 1; i++)
        put_some(t, i, i + 1, 1800);
}

#define HAPPENED(name, condition)                                                                            \
    static bool name(const struct cache_table_facts *before, const struct cache_table_facts *after,          \
                     unsigned evicted)                                                                       \
    {                                                                                                        \
        (void)before;                                                                                        \
        (void)after;                                                                                         \
        (void)evicted;                                                                                       \
        return condition;                                                                                    \
    }
HAPPENED(added, after->entries == before->entries + 1 && evicted == 0)
HAPPENED(replaced, after->entries == before->entries && evicted == 0)
HAPPENED(dropped, evicted > 0 && after->promotions == before->promotions)
HAPPENED(promoted, after->promotions > before->promotions)
HAPPENED(any, true)
HAPPENED(emptied, before->entries > 5 && after->entries == 1)

static const struct scenario scenarios[] = {
    {"a new record", prepare_few, 20, 600, added},
    {"one that replaces", prepare_few, 5, 600, replaced},
    {"one that drops another", prepare_full, 299, 500, dropped},
    {"one that promotes others", prepare_read_small, 299, 500, promoted},
    {"one that puts others back", prepare_read_main, 299, 1800, dropped},
    {"one past the ring's end", prepare_pad, 299, 2200, any},
    {"one that empties the table", prepare_worn_out, 299, 500, emptied},
};

struct crash {
    struct cache_table table;
    char *before;       /* the block as it was */
    bool known[KEYS];   /* that could be found before */
    unsigned evictions; /* that a put which is left alone makes */
    struct cache_test_key key;
    char value[4096];
    uint32_t len;
};

static void restore(struct crash *c)
{
    memcpy((void *)c->table.block, c->before, SIZE);
}

static int put_it(void *data)
{
    struct crash *c = data;
    return cache_table_put(&c->table, c->key.hash, c->key.span, span_of(c->value, c->len), 0, NULL) == OK ? 0
                                                                                                          : 1;
}

/* How many keys of before cannot be found; none that can be is anything but whole and known. */
static unsigned missing(struct crash *c, const struct scenario *s, long at, uint32_t *sequence_of_key)
{
    unsigned lost = 0;
    *sequence_of_key = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        uint32_t sequence = 0;
        enum err e = cache_test_get(&c->table, i, &sequence);
        if (e != OK && e != ERR_NOT_FOUND)
            fail(s, at, "a value is not whole");
        if (e == OK && i == s->number)
            *sequence_of_key = sequence;
        if (e == OK && sequence != FIRST_SEQUENCE && (i != s->number || sequence != NEW_SEQUENCE))
            fail(s, at, "a value was never put");
        if (e == OK && !c->known[i] && i != s->number)
            fail(s, at, "a key has come back");
        lost += e != OK && c->known[i] && i != s->number;
    }
    return lost;
}

/* Whether the counters are what the index says. */
static bool counted_right(const struct cache_table *t)
{
    struct cache_table_facts facts;
    uint64_t entries = 0, units = 0;
    for (size_t i = 0; i < cache_index_slots(&t->index); i++) {
        uint64_t value = cache_slot_load(cache_index_slot(&t->index, i));
        uint64_t one = value == 0 ? 0
                                  : cache_ring_record_units(&t->rings[cache_slot_ring(value)],
                                                            cache_slot_position(value));
        if (value != 0 && one == 0)
            return false;
        entries += value != 0;
        units += one;
    }
    cache_table_facts(t, &facts);
    return facts.entries == entries && facts.bytes_held == units * CACHE_UNIT;
}

/* After the death: look, put, look again. */
static void examine(struct crash *c, const struct scenario *s, long at, bool *published)
{
    uint32_t sequence;
    struct cache_table again;
    /* one record is on its way from place to place, at most */
    if (missing(c, s, at, &sequence) > c->evictions + 1)
        fail(s, at, "more is lost than had to go");
    if (*published && sequence != NEW_SEQUENCE)
        fail(s, at, "what was there is gone");
    *published = sequence == NEW_SEQUENCE;
    if (c->known[s->number] && sequence == 0)
        fail(s, at, "the older value went before the newer came");
    if (cache_table_put(&c->table, c->key.hash, c->key.span, span_of(c->value, s->len), 0, NULL) != OK)
        fail(s, at, "the next put is kept waiting");
    (void)missing(c, s, at, &sequence);
    if (sequence != NEW_SEQUENCE)
        fail(s, at, "the next put cannot be found");
    if (!counted_right(&c->table))
        fail(s, at, "the counters are wrong");
    if (cache_table_attach(&again, c->table.block, SIZE, NULL) != OK)
        fail(s, at, "the block is damaged");
    /* and many more: round both rings */
    for (unsigned i = 0; i < 150; i++) {
        if (cache_test_put(&c->table, 1000 + i, FIRST_SEQUENCE, 600, 0, NULL) != OK)
            fail(s, at, "a later put failed");
    }
    (void)missing(c, s, at, &sequence);
    if (!counted_right(&c->table))
        fail(s, at, "the counters are wrong later");
}

/* The put left alone: that it does what the scenario is for, and how many it drops. */
static void rehearse(struct crash *c, const struct scenario *s)
{
    struct cache_table_facts before, after;
    uint32_t sequence;
    memcpy(c->before, (const void *)c->table.block, SIZE);
    for (unsigned i = 0; i < KEYS; i++)
        c->known[i] = cache_test_get(&c->table, i, &sequence) == OK;
    restore(c); /* without what these readings marked */
    cache_table_facts(&c->table, &before);
    if (cache_table_put(&c->table, c->key.hash, c->key.span, span_of(c->value, s->len), 0, &c->evictions) !=
        OK)
        fail(s, 0, "the put failed");
    cache_table_facts(&c->table, &after);
    if (!s->happened(&before, &after, c->evictions))
        fail(s, 0, "it is not that");
    if (s->happened == emptied)
        c->evictions = KEYS;
    restore(c);
}

/* Whether the process that died held the insert lock: the kernel says so in the lock's word. */
static bool held_lock(const struct crash *c)
{
    uint32_t word;
    memcpy(&word, (const void *)&c->table.block->lock, sizeof word);
    return (word & FUTEX_OWNER_DIED) != 0;
}

static void run(const struct scenario *s, long every)
{
    struct crash c = {.table = cache_test_open(SIZE, 380), .before = malloc(SIZE)};
    long kills = 0, holding = 0;
    bool published = false;
    if (c.before == NULL)
        exit(1);
    cache_test_key_make(&c.key, s->number);
    c.len = s->len;
    cache_test_value(c.value, s->number, NEW_SEQUENCE, s->len);
    s->prepare(&c.table);
    rehearse(&c, s);
    struct step_path path = step_record(put_it, &c);
    for (long at = 0; at < path.len; at += every) {
        restore(&c);
        pid_t pid = step_to(&path, at, put_it, &c);
        if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid)
            fail(s, at, "it cannot be killed");
        kills++;
        holding += held_lock(&c);
        examine(&c, s, at, &published);
    }
    if (!published || holding == 0)
        fail(s, path.len, "the put was never seen, or never held the lock");
    printf("%-28s %6ld kills, %6ld of the lock's holder; %u dropped when left alone\n", s->name, kills,
           holding, c.evictions);
    step_path_free(&path);
    free(c.before);
    cache_test_close(&c.table);
}

/* On one processor, so that the two hand over to each other without waking another. */
static void stay_here(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
}

int main(int argc, char **argv)
{
    const long every = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    stay_here();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        run(&scenarios[i], every < 1 ? 1 : every);
    return 0;
}
