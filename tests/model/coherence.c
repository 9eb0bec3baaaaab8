/*
 * Goes through every interleaving of the model (model.h), for some small sets of processes and mishaps, and
 * says how many states there are. Then each way to get the protocol wrong must be found out, and those that
 * are guarded against twice must not be.
 *
 *     coherence          a few seconds
 *     coherence --long   more of everything; some minutes, and some GB
 *
 * States that were seen are remembered by 64 bits of hash: with ten million of them the chance that one was
 * mistaken for another is one in 300,000.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct scenario *scenario;
enum mutation mutation;

static const struct scenario small[] = {
    {.name = "commits", .reads = {2, 2}, .writes = {1, 1}, .most = 9, .warm = true},
    {.name = "halves", .reads = {2, 1}, .writes = {1, 0}, .deaths = 1, .most = 9, .warm = true, .torn = true},
    {.name = "from nothing", .reads = {2, 1}, .writes = {1, 0}, .most = 9, .timeouts = 1},
    {.name = "checkpoint",
     .reads = {2, 1},
     .writes = {1, 0},
     .checkpoints = 1,
     .deaths = 1,
     .most = 9,
     .warm = true},
    {.name = "floor", .reads = {2, 1}, .writes = {2, 0}, .most = 1, .warm = true},
    {.name = "a death", .reads = {2, 2}, .writes = {1, 1}, .deaths = 1, .most = 9, .warm = true},
    {.name = "deaths",
     .reads = {2, 1},
     .writes = {1, 0},
     .deaths = 3,
     .timeouts = 1,
     .most = 9,
     .warm = true},
    {.name = "stopped", .reads = {2, 1}, .writes = {1, 1}, .stops = 1, .faults = 1, .most = 9, .warm = true},
    {.name = "mishaps", .reads = {2, 2}, .writes = {1, 0}, .deaths = 1, .faults = 1, .most = 9, .warm = true},
    {.name = "swapped", .reads = {2, 2}, .writes = {1, 0}, .swaps = 2, .most = 9, .warm = true},
    {.name = "swapped, a death", .reads = {2, 1}, .deaths = 1, .swaps = 2, .most = 9, .warm = true},
    {.name = "empty WAL",
     .reads = {2, 1},
     .writes = {1, 0},
     .deaths = 3,
     .most = 9,
     .shell = true,
     .cold = true},
    {.name = "empty WALs swapped", .reads = {2, 1}, .writes = {1, 0}, .swaps = 1, .most = 9, .cold = true},
};
static const struct scenario large[] = {
    {.name = "commits",
     .reads = {2, 2},
     .writes = {2, 1},
     .checkpoints = 1,
     .timeouts = 1,
     .most = 9,
     .warm = true},
    {.name = "from nothing", .reads = {2, 2}, .writes = {1, 0}, .deaths = 1, .timeouts = 1, .most = 9},
    {.name = "floor", .reads = {2, 2}, .writes = {2, 1}, .deaths = 1, .most = 1, .warm = true},
    {.name = "stopped", .reads = {2, 2}, .writes = {1, 0}, .deaths = 1, .stops = 1, .most = 9, .warm = true},
    {.name = "swapped", .reads = {3, 2}, .writes = {1, 0}, .deaths = 1, .swaps = 2, .most = 9, .warm = true},
    {.name = "swapped thrice", .reads = {2, 2}, .writes = {1, 0}, .swaps = 3, .most = 9, .warm = true},
    {.name = "empty WAL",
     .reads = {2, 2},
     .writes = {1, 0},
     .deaths = 2,
     .most = 9,
     .shell = true,
     .cold = true},
    {.name = "empty WALs swapped",
     .reads = {2, 2},
     .writes = {1, 0},
     .deaths = 1,
     .swaps = 2,
     .most = 9,
     .shell = true,
     .cold = true},
};

/* Each is looked for in one scenario. Those that are guarded against twice do no harm. */
struct wrong {
    enum mutation mutation;
    const char *what, *in;
    bool harmless;
};
static const struct wrong wrongs[] = {
    {MARKER_AFTER_LOG, "the marker is taken after the log was read", "commits", false},
    {STAMP_AT_PUT, "the stamp is taken when the record is put", "commits", false},
    {WORDS_AFTER_MARKER, "the marker is remembered before the words are raised", "mishaps", false},
    {ERA_FIRST, "the era is looked at before the words", "swapped", false},
    {IDENTITY_FOR_ERA, "the identity is looked at in place of the era", "swapped", false},
    {FLOOR_FROM_ZERO, "another database begins without a floor", "swapped", false},
    {NOT_CONFIRMED, "the marker may be another database's than the log", "swapped", false},
    {EMPTY_WAL_IS_MARKER, "the header of an empty WAL is a marker", "empty WAL", false},
    {EMPTY_WAL_IS_MARKER, "the header of an empty WAL is a marker", "empty WALs swapped", false},
    {KNOWN_LEFT_STANDING, "what the words are in step with is never taken back", "swapped, a death", false},
    {DEATH_KEEPS_KNOWN, "the owner's death does not take it back, but who begins did", "swapped, a death",
     true},
    {COPY_1_ONLY, "only the first copy is compared, which is written last", "halves", true},
};

/* ---- states seen: open addressing, by hash; 0 is free */

static uint64_t *seen;
static size_t seen_room, seen_count;

static uint64_t hash_of(const struct state *s)
{
    const unsigned char *bytes = (const unsigned char *)s;
    uint64_t h = 0x9e3779b97f4a7c15u, word;
    for (size_t i = 0; i < sizeof *s; i += sizeof word) {
        size_t len = sizeof *s - i < sizeof word ? sizeof *s - i : sizeof word;
        word = 0;
        memcpy(&word, bytes + i, len);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        h *= 0xc4ceb9fe1a85ec53u;
        h ^= h >> 29;
    }
    return h == 0 ? 1 : h;
}

static bool put(uint64_t *table, size_t room, uint64_t hash)
{
    size_t at = hash & (room - 1);
    for (; table[at] != 0; at = (at + 1) & (room - 1))
        if (table[at] == hash)
            return false;
    table[at] = hash;
    return true;
}

static void make_room(size_t room)
{
    uint64_t *bigger = calloc(room, sizeof *bigger);
    if (bigger == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    for (size_t i = 0; i < seen_room; i++)
        if (seen[i] != 0)
            put(bigger, room, seen[i]);
    free(seen);
    seen = bigger;
    seen_room = room;
}

static bool is_new(const struct state *s)
{
    if (seen_count * 2 >= seen_room)
        make_room(seen_room == 0 ? 1 << 20 : seen_room * 2);
    struct state one = *s;
    readers_in_order(&one);
    if (!put(seen, seen_room, hash_of(&one)))
        return false;
    seen_count++;
    return true;
}

/* ---- the search: depth first, the way there on the stack for a trace */

enum { DEPTH_MAX = 2000 };
static const char *way[DEPTH_MAX];
static int mover[DEPTH_MAX];
static int depth, moving;
static bool moved, broken, telling;
static char reason[160];

static void explore(const struct state *s);

void reached(const struct state *next, const char *what)
{
    moved = true;
    if (broken || !is_new(next))
        return;
    if (depth == DEPTH_MAX) {
        fputs("the way is too long\n", stderr);
        exit(2);
    }
    int mover_before = moving;
    way[depth] = what;
    mover[depth++] = moving;
    explore(next);
    depth--;
    moving = mover_before;
    moved = true;
}

static void break_off(void)
{
    static const char *const who[ALL] = {"environment", "reader 0", "reader 1",
                                         "writer 0",    "writer 1", "checkpoint"};
    broken = true;
    if (!telling)
        return;
    printf("  %s\n", reason);
    for (int i = 0; i < depth; i++)
        printf("    %3d %-12s %s\n", i, who[mover[i]], way[i]);
}

void judge(const struct state *s, int number, const struct record *got)
{
    const struct reader *r = &s->readers[number];
    const int file = got->identity - 1;
    const char *why = NULL;
    if (broken)
        return;
    if (file < 0 || (r->seen & 1 << file) == 0)
        why = "a database that was not there any more";
    else if (got->value < r->asked[file])
        why = "older than what had been answered";
    else if (got->value > s->files[file].published)
        why = "never published";
    if (why == NULL)
        return;
    snprintf(reason, sizeof reason, "reader %d gives commit %d of database %d: %s", number, got->value, file,
             why);
    break_off();
}

static bool is_finished(const struct state *s, int process)
{
    if ((s->stopped & 1 << process) != 0)
        return true;
    if (process < FIRST_WRITER)
        return reader_finished(&s->readers[process - FIRST_READER]);
    const struct writer *w = process == CHECKPOINT ? &s->checkpoint : &s->writers[process - FIRST_WRITER];
    return w->pc == 0 && w->writes_left == 0;
}

static void step(const struct state *s, int process)
{
    if (process < FIRST_WRITER)
        reader_steps(s, process - FIRST_READER);
    else if (process < CHECKPOINT)
        writer_steps(s, process - FIRST_WRITER);
    else
        checkpoint_steps(s);
}

static void die(const struct state *s, int process)
{
    struct state n = *s;
    n.deaths--;
    if (process < FIRST_WRITER) {
        reader_died(&n, process - FIRST_READER);
    } else {
        struct writer *w = process == CHECKPOINT ? &n.checkpoint : &n.writers[process - FIRST_WRITER];
        if (w->pc == 0)
            return;
        writer_died(&n, w, process);
    }
    reached(&n, "dies");
}

static void stop(const struct state *s, int process)
{
    struct state n = *s;
    n.stops--;
    n.stopped |= (uint8_t)(1 << process);
    reached(&n, "is stopped for good");
}

static void swap(const struct state *s)
{
    struct state n = *s;
    n.swaps--;
    n.path ^= 1;
    for (int i = 0; i < READERS; i++)
        if (n.readers[i].pc != 0)
            n.readers[i].seen |= (uint8_t)(1 << n.path);
    moving = NOBODY;
    reached(&n, "another database lies at the path");
}

static void explore(const struct state *s)
{
    bool stuck = false;
    int only = 0;
    for (int r = 0; r < READERS; r++)
        if ((s->stopped & 1 << (FIRST_READER + r)) == 0 && reader_is_alone(&s->readers[r]))
            only = FIRST_READER + r;
    for (int process = FIRST_READER; process < ALL && !broken; process++) {
        if (is_finished(s, process) || (only != 0 && process != only))
            continue;
        moving = process;
        moved = false;
        step(s, process);
        stuck = stuck || !moved;
        moving = process;
        if (s->deaths > 0)
            die(s, process);
        moving = process;
        if (s->stops > 0)
            stop(s, process);
    }
    if (s->swaps > 0 && only == 0 && !broken)
        swap(s);
    if (!stuck || broken)
        return;
    /* somebody waits: then somebody else must be able to move */
    for (int process = FIRST_READER; process < ALL; process++) {
        if (is_finished(s, process))
            continue;
        moved = false;
        step(s, process);
        if (moved)
            return;
    }
    snprintf(reason, sizeof reason, "nobody can move, and not all have finished");
    break_off();
}

static struct state begin(void)
{
    struct state s = {.deaths = scenario->deaths,
                      .stops = scenario->stops,
                      .faults = scenario->faults,
                      .swaps = scenario->swaps,
                      .timeouts = scenario->timeouts,
                      .next_salts = 1 + FILES,
                      .checkpoint = {.writes_left = scenario->checkpoints}};
    for (int i = 0; i < FILES; i++) {
        struct file *f = &s.files[i];
        f->disk = f->base = f->answered = f->published = 1;
        f->salts = scenario->cold ? 0 : (uint8_t)(1 + i);
        memset(f->header, database_recovered(f), sizeof f->header);
    }
    for (int i = 0; i < READERS; i++)
        s.readers[i] = (struct reader){.reads_left = scenario->reads[i], .file = FILES};
    if (scenario->warm) {
        const uint8_t h = s.files[0].header[0];
        s.shared = (struct shared){
            .known = 1, .marker = {h, h, h, h}, .identity = 1, .applied = 1, .record = {1, 1, 1}};
        for (int i = 0; i < READERS; i++) {
            struct reader *r = &s.readers[i];
            r->file = 0;
            r->marked = r->identity = 1;
            memset(r->marker, h, sizeof r->marker);
        }
    }
    for (int i = 0; i < WRITERS; i++)
        s.writers[i].writes_left = scenario->writes[i];
    return s;
}

/* true: no way leads to a wrong answer, or to a standstill. */
static bool holds(const struct scenario *now, enum mutation wrong, bool tell)
{
    scenario = now;
    mutation = wrong;
    telling = tell;
    broken = false;
    depth = 0;
    seen_count = 0;
    if (seen != NULL)
        memset(seen, 0, seen_room * sizeof *seen);
    struct state s = begin();
    explore(&s);
    return !broken;
}

static size_t check(const struct scenario *list, size_t count, bool *well)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bool good = holds(&list[i], RIGHT, true);
        printf("%-22s %10zu states  %s\n", list[i].name, seen_count, good ? "holds" : "FAILS");
        fflush(stdout);
        sum += seen_count;
        *well = *well && good;
    }
    return sum;
}

static void check_wrong(const struct wrong *wrong, bool tell, bool *well)
{
    const struct scenario *in = small;
    while (strcmp(in->name, wrong->in) != 0)
        in++;
    bool found = !holds(in, wrong->mutation, tell);
    printf("%-4s wrong: %s: %s in %zu states\n", found != wrong->harmless ? "ok" : "FAIL", wrong->what,
           found ? "an old answer" : "no harm", seen_count);
    fflush(stdout);
    *well = *well && found != wrong->harmless;
}

int main(int argc, char **argv)
{
    bool well = true;
    bool longer = argc > 1 && strcmp(argv[1], "--long") == 0,
         tell = argc > 1 && strcmp(argv[1], "--tell") == 0;
    size_t states = check(small, sizeof small / sizeof small[0], &well);
    if (longer)
        states += check(large, sizeof large / sizeof large[0], &well);
    printf("%zu states\n", states);
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
        check_wrong(&wrongs[i], tell, &well);
    free(seen);
    return well ? 0 : 1;
}
