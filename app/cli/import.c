/* profiled import: JSON lines into the database, in batches that let the pool's writers in between. */
#include "cli/cli.h"
#include "cli/import_reader.h"

#include "base/clock.h"
#include "crypto/init.h"
#include "store/store.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum conflict { CONFLICT_SKIP, CONFLICT_REPLACE, CONFLICT_FAIL };
enum {
    BATCH_ROWS = 5000,
    BATCH_US = 100000, /* another writer waits no longer than this, give or take */
    LOCK_WAIT_MS = 30000,
    CACHE_KIB = 64 * 1024, /* ids come in any order: each touches another page of the indexes */
};

struct import {
    struct store *store;
    enum conflict on_conflict;
    size_t attributes_max;
    struct span base_url;
    struct arena arena;
    bool in_batch;
    int rows;         /* in the batch */
    int64_t began_us; /* the batch */
    uint64_t line;
    uint64_t added, replaced, skipped, refused;
    struct {
        uint64_t added, replaced, skipped;
    } batch; /* counted once it is committed */
    struct cli_progress progress;
    uint64_t total; /* bytes of the file; 0: not known */
};

static volatile int interrupted; /* set by the signal handler alone */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void refuse(struct import *im, struct span reason)
{
    cli_progress_end(&im->progress);
    fprintf(stderr, "line %llu: %.*s\n", (unsigned long long)im->line, SPAN_ARG(reason));
    im->refused++;
}

static enum err end_batch(struct import *im, struct err_detail *detail)
{
    if (!im->in_batch)
        return OK;
    im->in_batch = false;
    enum err e = store_batch_end(im->store, true, detail);
    if (e == OK) {
        im->added += im->batch.added;
        im->replaced += im->batch.replaced;
        im->skipped += im->batch.skipped;
        if (store_checkpoint_due(im->store))
            e = store_checkpoint(im->store, true, detail);
    }
    im->batch.added = im->batch.replaced = im->batch.skipped = 0;
    return e;
}

static enum err begin_batch(struct import *im, struct err_detail *detail)
{
    enum err e = store_batch_begin(im->store, detail);
    im->in_batch = e == OK;
    im->rows = 0;
    im->began_us = clock_monotonic_us();
    return e;
}

/* The profile is there already. OK: it was dealt with, or refused with its line. */
static enum err resolve(struct import *im, struct profile *p, enum store_taken taken,
                        struct err_detail *detail)
{
    struct profile current;
    struct store_snapshot snapshot;
    enum store_taken other;
    enum err e;
    if (im->on_conflict == CONFLICT_SKIP) {
        im->batch.skipped++;
        return OK;
    }
    if (im->on_conflict == CONFLICT_FAIL || taken == STORE_TAKEN_HANDLE) {
        refuse(im, taken == STORE_TAKEN_HANDLE ? SPAN("/handle: another profile has this handle")
                                               : SPAN("/id: there is a profile of this id already"));
        return OK;
    }
    if ((e = store_profile_get(im->store, p->id, &im->arena, &current, &snapshot, detail)) != OK)
        return e;
    p->stamps[PROFILE_VIEW_OWNER] = current.stamps[PROFILE_VIEW_OWNER];
    e = store_profile_update(im->store, p, !span_eq(p->handle, current.handle), &snapshot, &other, detail);
    if (e == ERR_CONFLICT && other == STORE_TAKEN_HANDLE) {
        refuse(im, SPAN("/handle: another profile has this handle"));
        return OK;
    }
    im->batch.replaced += e == OK;
    return e;
}

static enum err store_line(struct import *im, struct profile *p, struct err_detail *detail)
{
    struct err_detail why = {0};
    enum store_taken taken;
    enum err e = store_profile_insert(im->store, p, true, NULL, &taken, &why);
    switch (e) {
    case OK:
        im->batch.added++;
        return OK;
    case ERR_CONFLICT:
        return resolve(im, p, taken, detail);
    case ERR_INVALID:
        refuse(im, span_str(why.text));
        return OK;
    case ERR_NOT_FOUND:
    case ERR_EXPIRED:
    case ERR_DENIED:
    case ERR_TOO_LARGE:
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_IO:
    case ERR_NOMEM:
    case ERR_COUNT:
        break;
    }
    return err_set(detail, e, "%s", why.text);
}

static enum err import_item(struct import *im, struct import_item *item, struct err_detail *detail)
{
    enum err e = OK;
    im->line = item->line;
    if (item->refused.ptr != NULL) {
        refuse(im, item->refused);
        return OK;
    }
    if (!im->in_batch && (e = begin_batch(im, detail)) != OK)
        return e;
    if ((e = store_line(im, &item->profile, detail)) != OK)
        return e;
    im->rows++;
    if (im->rows >= BATCH_ROWS || (im->rows % 64 == 0 && clock_monotonic_us() - im->began_us >= BATCH_US))
        e = end_batch(im, detail);
    return e;
}

static enum err import_batches(struct import *im, struct import_reader *reader, struct err_detail *detail)
{
    enum err e = OK;
    for (bool last = false; !last; import_reader_give_back(reader)) {
        struct import_batch *b = import_reader_take(reader);
        last = b->last;
        /* after a failure the rest is taken and dropped, so that the reader comes to its end */
        for (size_t i = 0; e == OK && i < b->count; i++)
            e = import_item(im, &b->items[i], detail);
        if (e == OK && b->err != OK)
            e = err_set(detail, b->err, "%s", b->detail.text);
        if (e != OK)
            interrupted = 1;
        arena_reset(&im->arena);
        cli_progress_draw(&im->progress, "importing", b->bytes, im->total);
    }
    if (e == OK)
        return end_batch(im, detail);
    if (im->in_batch) {
        struct err_detail ignored = {0};
        if (store_batch_end(im->store, false, &ignored) != OK)
            fprintf(stderr, "the last batch was not stored: %s\n", ignored.text);
    }
    return e;
}

/* Signals come to the reader's thread, which may be waiting for a line; this one must not be cut short in a
 * transaction. */
static enum err import_stream(struct import *im, FILE *in, struct err_detail *detail)
{
    struct sigaction act = {.sa_handler = on_signal}; /* without SA_RESTART: a read that waits must end */
    struct import_reader *reader = calloc(1, sizeof *reader);
    sigset_t mask;
    if (reader == NULL)
        return ERR_NOMEM;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    enum err e = import_reader_init(reader, in, im->attributes_max, im->base_url, &interrupted, detail);
    if (e == OK) {
        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &mask, NULL);
        e = import_batches(im, reader, detail);
        import_reader_fini(reader);
    }
    free(reader);
    return e;
}

static bool parse_conflict(const char *text, enum conflict *out)
{
    static const char *const words[] = {"skip", "replace", "fail"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum conflict)i;
            return true;
        }
    }
    return false;
}

static FILE *open_input(const char *path, uint64_t *size)
{
    struct stat st;
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    *size = 0;
    if (in != NULL && fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode))
        *size = (uint64_t)st.st_size;
    if (in != NULL)
        setvbuf(in, NULL, _IOFBF, 1 << 18);
    return in;
}

static int import_file(struct import *im, const struct config_settings *settings, const char *path)
{
    struct err_detail detail = {0};
    const struct store_options options = {.synchronous_full =
                                              config_number(settings, CONFIG_store_synchronous) == 0,
                                          .busy_ms = LOCK_WAIT_MS,
                                          .cache_kib = CACHE_KIB};
    FILE *in = open_input(path, &im->total);
    if (in == NULL)
        return cli_failed("import", "cannot open %s: %s", path, strerror(errno));
    enum err e = crypto_init();
    if (e == OK)
        e = store_open(config_text(settings, CONFIG_store_url), &options, &im->store, &detail);
    if (e == OK) {
        e = import_stream(im, in, &detail);
        cli_progress_end(&im->progress);
        printf("added %llu, replaced %llu, skipped %llu, refused %llu%s\n", (unsigned long long)im->added,
               (unsigned long long)im->replaced, (unsigned long long)im->skipped,
               (unsigned long long)im->refused,
               e == OK && interrupted ? " (interrupted; what is counted here is stored)" : "");
    }
    if (e == OK && store_checkpoint(im->store, true, &detail) != OK)
        fprintf(stderr, "profiled import: the write-ahead log was not copied back: %s\n", detail.text);
    store_close(&im->store);
    arena_fini(&im->arena);
    if (in != stdin)
        fclose(in);
    if (e != OK)
        return cli_failed("import", "stopped at line %llu: %s", (unsigned long long)im->line, detail.text);
    return im->refused > 0 || interrupted ? CLI_FAILED : CLI_OK;
}

static int run_import(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 'o'},
                                            {"on-conflict", required_argument, NULL, 'x'},
                                            {NULL, 0, NULL, 0}};
    struct cli_common common = {0};
    struct config_settings settings;
    struct import im = {.on_conflict = CONFLICT_FAIL};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (option == 'x' && !parse_conflict(optarg, &im.on_conflict))
            return cli_usage("import", "--on-conflict is skip, replace or fail, not '%s'", optarg);
        if (option != 'x' && !cli_common_take(&common, option, optarg))
            return cli_usage("import", "there is no option '%s', or it lacks its value", argv[optind - 1]);
    }
    if (argc - optind != 1)
        return cli_usage("import", "one FILE is needed, or - for standard input");
    if (!cli_settings("import", &common, &settings))
        return CLI_FAILED;
    im.attributes_max = (size_t)config_number(&settings, CONFIG_limits_attributes);
    im.base_url = span_str(config_text(&settings, CONFIG_http_base_url));
    int status = import_file(&im, &settings, argv[optind]);
    config_fini(&settings);
    return status;
}

const struct cli_command cli_import = {
    .name = "import",
    .summary = "read profiles from JSON lines",
    .help =
        "usage: profiled import [--on-conflict skip|replace|fail] FILE\n\n"
        "Reads a profile from each line of FILE (- is standard input), as `profiled export` writes them: the "
        "owner's\n"
        "view. `handle` is required; without `id` the profile gets a new one; `version`, `created_at` and\n"
        "`updated_at` are passed over. A bad line is reported with its number and reason, and the rest goes "
        "on. The pool\n"
        "may serve meanwhile, and sees each batch at once.\n\n"
        "  --on-conflict skip     a profile whose id or handle is there already is left as it is\n"
        "  --on-conflict replace  one of the same id is replaced whole\n"
        "  --on-conflict fail     such a line is refused (the default)\n"
        "  -c, --config FILE      configuration\n"
        "  -o, --set SECTION.KEY=VALUE  one setting\n\n"
        "Ends with a count of added, replaced, skipped and refused; exit 1 if a line was refused.\n",
    .run = run_import,
};
