/* profiled db: makes, checks and copies the database. */
#include "cli/cli.h"

#include "store/inspect.h"
#include "store/search.h"
#include "json/write.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 10000, REINDEX_CACHE_KIB = 65536 };

struct db_call {
    struct cli_common common;
    bool json;
    bool force;
    const char *file;
};

static const char *database_path(const struct config_settings *settings)
{
    const char *url = config_text(settings, CONFIG_store_url);
    return strncmp(url, "sqlite:", 7) == 0 ? url + 7 : url;
}

/* Made by root for a pool that runs as somebody else: the files, and the folder if it was made here, are
 * given to that user. */
static enum err give_to_user(const struct config_settings *settings, bool folder_made,
                             struct err_detail *detail)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    const struct passwd *user = getpwnam(config_text(settings, CONFIG_server_user));
    const char *path = database_path(settings);
    enum err e = OK;
    if (geteuid() != 0 || user == NULL)
        return OK;
    for (size_t i = 0; e == OK && i < sizeof ends / sizeof ends[0]; i++) {
        struct buf name = {0};
        buf_printf(&name, "%s%s", path, ends[i]);
        if (!name.failed && chown(name.ptr, user->pw_uid, user->pw_gid) != 0 && errno != ENOENT)
            e = err_set(detail, ERR_IO, "cannot give %s to %s: %s", name.ptr, user->pw_name, strerror(errno));
        buf_fini(&name);
    }
    const char *slash = strrchr(path, '/');
    if (e == OK && folder_made && slash != NULL && slash != path) {
        char *folder = strndup(path, (size_t)(slash - path));
        if (folder != NULL && chown(folder, user->pw_uid, user->pw_gid) != 0)
            e = err_set(detail, ERR_IO, "cannot give %s to %s: %s", folder, user->pw_name, strerror(errno));
        free(folder);
    }
    return e;
}

/* The folder of the database, but not its parents: a misspelt path is more likely than a wish for a tree. */
static bool make_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL || slash == path ? NULL : strndup(path, (size_t)(slash - path));
    bool made = folder != NULL && mkdir(folder, 0750) == 0;
    free(folder);
    return made;
}

static int run_migrate(const struct db_call *call, const struct config_settings *settings)
{
    struct err_detail detail = {0};
    const struct store_options options = {.synchronous_full = true, .busy_ms = LOCK_WAIT_MS};
    int applied;
    bool made = make_folder(database_path(settings));
    enum err e = store_migrate(config_text(settings, CONFIG_store_url), &options, &applied, &detail);
    if (e == OK)
        e = give_to_user(settings, made, &detail);
    (void)call;
    if (e != OK)
        return cli_failed("db migrate", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    printf(applied == 0 ? "%s is current\n" : "%s: %d migrations applied\n", database_path(settings),
           applied);
    return CLI_OK;
}

struct finding {
    const char *name;
    char value[240];
    bool well;
    const char *mend; /* what to do when it is not */
};
enum { MAX_FINDINGS = 13 };

static size_t judge(const struct store_facts *f, struct finding out[MAX_FINDINGS])
{
    size_t n = 0;
    out[n] = (struct finding){"integrity", "", strcmp(f->integrity, "ok") == 0, "restore the newest backup"};
    snprintf(out[n++].value, sizeof out->value, "%s", f->integrity);
    out[n] = (struct finding){"search index", "", strcmp(f->search, "ok") == 0, "run profiled db reindex"};
    snprintf(out[n++].value, sizeof out->value, "%s", f->search);
    out[n] = (struct finding){"migrations", "current", true, ""};
    n++;
    out[n] =
        (struct finding){"journal mode", "", strcmp(f->journal_mode, "wal") == 0, "run profiled db migrate"};
    snprintf(out[n++].value, sizeof out->value, "%s", f->journal_mode);
    out[n] = (struct finding){"epoch", "", f->epoch[0] != '\0', "start the pool: it draws one"};
    snprintf(out[n++].value, sizeof out->value, "%s", f->epoch);
    out[n] = (struct finding){"file system", "", !f->network_file_system,
                              "move the database to a local disk: WAL needs shared memory"};
    snprintf(out[n++].value, sizeof out->value, "%s",
             f->network_file_system ? "a network file system" : "local");
    out[n] = (struct finding){"file mode", "", !f->others_may_read,
                              "chmod o= the database: it holds private fields"};
    snprintf(out[n++].value, sizeof out->value, "%04o", f->mode);
    out[n] = (struct finding){"free space", "", f->free_bytes > 256 * 1024, "make room on the disk"};
    snprintf(out[n++].value, sizeof out->value, "%lld KiB", (long long)(f->free_bytes >> 10));
    out[n] = (struct finding){"SQLite", "", true, ""};
    snprintf(out[n++].value, sizeof out->value, "%s, %s", f->sqlite_version,
             f->wal_reset_fixed
                 ? "WAL-reset bug mended"
                 : "has the WAL-reset bug: safe under the writers' lock, do not write with other programs");
    out[n] = (struct finding){"profiles", "", true, ""};
    snprintf(out[n++].value, sizeof out->value, "%lld", (long long)f->profiles);
    out[n] = (struct finding){"images", "", f->orphans == 0,
                              "delete them: DELETE FROM images WHERE n NOT IN (SELECT image FROM avatars)"};
    snprintf(out[n++].value, sizeof out->value, "%lld, %lld of them held by no profile", (long long)f->images,
             (long long)f->orphans);
    out[n] = (struct finding){"change sequence", "", true, ""};
    snprintf(out[n++].value, sizeof out->value, "%lld", (long long)f->last_seq);
    out[n] = (struct finding){"write-ahead log", "", true, ""};
    snprintf(out[n++].value, sizeof out->value, "%lld KiB", (long long)(f->wal_bytes >> 10));
    return n;
}

static void print_findings(const struct finding *list, size_t count, bool json)
{
    if (json)
        putchar('{');
    for (size_t i = 0; i < count; i++) {
        struct buf value = {0};
        if (json) {
            json_write_string(&value, span_str(list[i].value));
            printf("%s\"%s\":{\"value\":%s,\"well\":%s}", i == 0 ? "" : ",", list[i].name, buf_text(&value),
                   list[i].well ? "true" : "false");
        } else {
            printf("%-16s %-4s %s%s%s\n", list[i].name, list[i].well ? "ok" : "BAD", list[i].value,
                   list[i].well ? "" : " — ", list[i].well ? "" : list[i].mend);
        }
        buf_fini(&value);
    }
    if (json)
        puts("}");
}

static int run_check(const struct db_call *call, const struct config_settings *settings)
{
    struct err_detail detail = {0};
    const struct store_options options = {.read_only = true, .busy_ms = LOCK_WAIT_MS};
    struct finding findings[MAX_FINDINGS];
    struct store_facts facts;
    struct store *store = NULL;
    bool well = true;
    enum err e = store_open(config_text(settings, CONFIG_store_url), &options, &store, &detail);
    if (e == OK)
        e = store_inspect(store, &facts, &detail);
    store_close(&store);
    if (e != OK)
        return cli_failed("db check", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    size_t count = judge(&facts, findings);
    print_findings(findings, count, call->json);
    for (size_t i = 0; i < count; i++)
        well = well && findings[i].well;
    return well ? CLI_OK : CLI_FAILED;
}

static void draw(void *data, uint64_t done, uint64_t total)
{
    cli_progress_draw(data, "backup", done, total);
}

static int run_backup(const struct db_call *call, const struct config_settings *settings)
{
    struct err_detail detail = {0};
    const struct store_options options = {.read_only = true, .busy_ms = LOCK_WAIT_MS};
    struct cli_progress progress = {0};
    struct store *store = NULL;
    enum err e = store_open(config_text(settings, CONFIG_store_url), &options, &store, &detail);
    if (e == OK)
        e = store_backup(store, call->file, call->force, draw, &progress, &detail);
    cli_progress_end(&progress);
    store_close(&store);
    if (e != OK)
        return cli_failed("db backup", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    printf("%s written\n", call->file);
    return CLI_OK;
}

static int run_reindex(const struct db_call *call, const struct config_settings *settings)
{
    struct err_detail detail = {0};
    const struct store_options options = {
        .synchronous_full = true, .busy_ms = LOCK_WAIT_MS, .cache_kib = REINDEX_CACHE_KIB};
    struct store *store = NULL;
    enum err e = store_open(config_text(settings, CONFIG_store_url), &options, &store, &detail);
    if (e == OK && (e = store_search_rebuild(store, &detail)) == OK)
        e = store_checkpoint(store, true, &detail);
    store_close(&store);
    (void)call;
    if (e != OK)
        return cli_failed("db reindex", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    printf("%s: the search index was made anew\n", database_path(settings));
    return CLI_OK;
}

static const struct {
    const char *name;
    int files;
    int (*run)(const struct db_call *call, const struct config_settings *settings);
} actions[] = {{"migrate", 0, run_migrate},
               {"check", 0, run_check},
               {"backup", 1, run_backup},
               {"reindex", 0, run_reindex}};

static int run_db(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"force", no_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    struct db_call call = {0};
    struct config_settings settings;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (option == 'j')
            call.json = true;
        else if (option == 'f')
            call.force = true;
        else if (!cli_common_take(&call.common, option, optarg))
            return cli_usage("db", "there is no option '%s', or it lacks its value", argv[optind - 1]);
    }
    for (size_t i = 0; optind < argc && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[optind], actions[i].name) != 0)
            continue;
        if (argc - optind - 1 != actions[i].files)
            return cli_usage("db", "%s takes %s", actions[i].name,
                             actions[i].files == 0 ? "no file" : "one FILE");
        call.file = actions[i].files > 0 ? argv[optind + 1] : NULL;
        if (!cli_settings("db", &call.common, &settings))
            return CLI_FAILED;
        int status = actions[i].run(&call, &settings);
        config_fini(&settings);
        return status;
    }
    return cli_usage("db", "migrate, check, backup or reindex is needed");
}

const struct cli_command cli_db = {
    .name = "db",
    .summary = "make, check and copy the database",
    .help =
        "usage: profiled db migrate\n"
        "       profiled db check [--json]\n"
        "       profiled db backup [--force] FILE\n"
        "       profiled db reindex\n\n"
        "migrate  makes the database of store.url if need be and brings it up to date; as root, gives it to "
        "server.user\n"
        "check    reads all of it and says what is well and what is not; exit 0 only when all is well\n"
        "backup   copies it to FILE while the pool serves. To restore: stop the pool, remove DATABASE-wal "
        "and\n"
        "         DATABASE-shm, put FILE in the database's place, start the pool. ETags then begin anew.\n"
        "reindex  makes the search index anew from the profiles; writers wait meanwhile, readers do not\n\n"
        "  --json                       check: as a JSON object\n"
        "  --force                      backup: replace FILE\n"
        "  -c, --config FILE            configuration\n"
        "  -o, --set SECTION.KEY=VALUE  one setting\n",
    .run = run_db,
};
