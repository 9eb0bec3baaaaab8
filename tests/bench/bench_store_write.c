/*
 * How many writes a second several processes make to one database, as the workers of a pool do: each reads a
 * profile at random, changes its name under the sequence it read, and copies the write-ahead log back when
 * that is due. Prints writes a second and how long one takes, with what was waited for the lock and the disk.
 * usage: bench_store_write [PROCESSES] [WRITES-A-PROCESS] [full|normal] [CHECKPOINT-PAGES] [PROFILES]
 * [group|alone]
 */
#include "base/clock.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    char folder[64];
    char url[96];
    struct store_options options;
    int processes, writes, profiles;
    int32_t *took_us; /* of each write; shared by the processes */
};

static void must(enum err e, const struct err_detail *detail)
{
    if (e == OK)
        return;
    fprintf(stderr, "bench_store_write: %s: %s\n", err_name(e), detail->text);
    exit(1);
}

static void fill(const struct bench *b)
{
    struct store *store = NULL;
    struct err_detail detail = {0};
    enum store_taken taken;
    int applied;
    must(store_migrate(b->url, &b->options, &applied, &detail), &detail);
    must(store_open(b->url, &b->options, &store, &detail), &detail);
    must(store_batch_begin(store, &detail), &detail);
    for (int i = 0; i < b->profiles; i++) {
        char id[32], handle[32];
        snprintf(id, sizeof id, "user-%d", i);
        snprintf(handle, sizeof handle, "u%d", i);
        struct profile p = {.id = span_str(id), .handle = span_str(handle)};
        p.values[PROFILE_FIELD_name] = SPAN("Some Body of a Usual Name");
        p.values[PROFILE_FIELD_email] = SPAN("somebody@mail.example");
        p.values[PROFILE_FIELD_bio] = SPAN("A few words about oneself, as people put them there, no more.");
        p.values[PROFILE_FIELD_picture] = SPAN("https://img.example/2f6b1c/some-body.jpg");
        p.values[PROFILE_FIELD_attributes] =
            SPAN("{\"team\":\"blue\",\"level\":7,\"likes\":[\"tea\",\"rain\"]}");
        must(store_profile_insert(store, &p, true, NULL, &taken, &detail), &detail);
    }
    must(store_batch_end(store, true, &detail), &detail);
    must(store_checkpoint(store, true, &detail), &detail);
    store_close(&store);
}

static void write_one(struct store *store, struct arena *arena, const char *id, int number)
{
    struct err_detail detail = {0};
    struct profile p;
    struct store_snapshot snapshot;
    enum store_taken taken;
    enum err e;
    char name[48];
    snprintf(name, sizeof name, "Some Body of Number %d", number);
    do {
        arena_reset(arena);
        must(store_profile_get(store, span_str(id), arena, &p, &snapshot, &detail), &detail);
        p.values[PROFILE_FIELD_name] = span_str(name);
        e = store_profile_update(store, &p, false, &snapshot, &taken, &detail);
    } while (e == ERR_CONFLICT && taken == STORE_TAKEN_NONE);
    must(e, &detail);
}

static void run_process(const struct bench *b, int number)
{
    struct store *store = NULL;
    struct arena arena = {0};
    struct err_detail detail = {0};
    unsigned seed = (unsigned)number + 1;
    must(store_open(b->url, &b->options, &store, &detail), &detail);
    for (int i = 0; i < b->writes; i++) {
        char id[32];
        snprintf(id, sizeof id, "user-%d", rand_r(&seed) % b->profiles);
        int64_t begun_us = clock_monotonic_us();
        write_one(store, &arena, id, i);
        b->took_us[number * b->writes + i] = (int32_t)(clock_monotonic_us() - begun_us);
        if (store_checkpoint_due(store))
            must(store_checkpoint(store, false, &detail), &detail);
    }
    arena_fini(&arena);
    store_close(&store);
}

static int compare(const void *a, const void *b)
{
    int32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static int run(const struct bench *b)
{
    int status, failed = 0;
    int64_t begun_us = clock_monotonic_us();
    for (int i = 0; i < b->processes; i++) {
        pid_t child = fork();
        if (child == 0) {
            run_process(b, i);
            _exit(0);
        }
        failed += child < 0;
    }
    while (wait(&status) > 0)
        failed += status != 0;
    double seconds = (double)(clock_monotonic_us() - begun_us) / 1e6;
    size_t count = (size_t)b->processes * (size_t)b->writes;
    qsort(b->took_us, count, sizeof b->took_us[0], compare);
    printf(
        "%d processes, %s, checkpoint at %d pages: %.0f writes/s; p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, "
        "worst %.2f ms\n",
        b->processes, b->options.synchronous_full ? "full" : "normal", b->options.checkpoint_pages,
        (double)count / seconds, b->took_us[count / 2] / 1e3, b->took_us[count * 99 / 100] / 1e3,
        b->took_us[count * 999 / 1000] / 1e3, b->took_us[count - 1] / 1e3);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct bench b = {.processes = argc > 1 ? atoi(argv[1]) : 4,
                      .writes = argc > 2 ? atoi(argv[2]) : 5000,
                      .profiles = argc > 5 ? atoi(argv[5]) : 100000};
    struct store_group *group = NULL;
    if ((argc <= 6 || strcmp(argv[6], "alone") != 0) && store_group_new(&group) != OK)
        return 1;
    b.options = (struct store_options){.group = group,
                                       .synchronous_full = argc <= 3 || strcmp(argv[3], "normal") != 0,
                                       .busy_ms = 10000,
                                       .checkpoint_pages = argc > 4 ? atoi(argv[4]) : 0};
    if (b.processes < 1 || b.writes < 1 || b.profiles < 1 || b.processes > 64 || b.writes > 1000000) {
        fprintf(stderr, "usage: bench_store_write [PROCESSES] [WRITES] [full|normal] [PAGES] [PROFILES] "
                        "[group|alone]\n");
        return 2;
    }
    const char *temp = getenv("TMPDIR");
    snprintf(b.folder, sizeof b.folder, "%.40s/bench-store-XXXXXX", temp == NULL ? "/tmp" : temp);
    b.took_us = mmap(NULL, (size_t)b.processes * (size_t)b.writes * sizeof b.took_us[0],
                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b.took_us == MAP_FAILED || mkdtemp(b.folder) == NULL)
        return 1;
    snprintf(b.url, sizeof b.url, "sqlite:%s/p.db", b.folder);
    fill(&b);
    int status = run(&b);
    char command[80];
    snprintf(command, sizeof command, "rm -rf '%s'", b.folder);
    return system(command) == 0 ? status : 1;
}
