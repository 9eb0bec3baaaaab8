/* profiled export: every profile as a JSON line. */
#include "cli/cli.h"

#include "profile/profile.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_ROWS = 200, BUSY_MS = 5000 };

/* In short reads, page by page: a snapshot held for all of it would keep the write-ahead log from being
 * copied back. */
static enum err write_profiles(struct store *store, FILE *out, uint64_t *written, struct err_detail *detail)
{
    struct arena arena = {0};
    struct buf line = {0};
    struct profile *page = calloc(PAGE_ROWS, sizeof *page);
    int64_t after = 0;
    size_t count = 0;
    enum err e = page == NULL ? ERR_NOMEM : OK;
    while (e == OK) {
        arena_reset(&arena);
        e = store_profiles_after(store, &after, PAGE_ROWS, &arena, page, &count, detail);
        for (size_t i = 0; e == OK && i < count; i++) {
            buf_clear(&line);
            profile_view_write(&page[i], PROFILE_VIEW_OWNER, &line);
            buf_char(&line, '\n');
            if ((e = buf_status(&line)) == OK && fwrite(line.ptr, 1, line.len, out) != line.len)
                e = err_set(detail, errno == ENOSPC ? ERR_FULL : ERR_IO, "writing failed: %s",
                            strerror(errno));
        }
        *written += count;
        if (count == 0)
            break;
    }
    if (e == OK && fflush(out) != 0)
        e = err_set(detail, ERR_IO, "writing failed: %s", strerror(errno));
    free(page);
    buf_fini(&line);
    arena_fini(&arena);
    return e;
}

/* A pipe or a device is written to as it is: nothing may take its place. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static enum err write_special(struct store *store, const char *path, uint64_t *written, struct err_detail *detail)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return err_set(detail, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    enum err e = write_profiles(store, out, written, detail);
    if (fclose(out) != 0 && e == OK)
        e = err_set(detail, ERR_IO, "writing failed: %s", strerror(errno));
    return e;
}

/* Into a new file beside path, which takes its place when it is whole. */
static enum err write_file(struct store *store, const char *path, uint64_t *written,
                           struct err_detail *detail)
{
    struct buf name = {0};
    FILE *out = NULL;
    enum err e;
    if (is_special(path))
        return write_special(store, path, written, detail);
    buf_printf(&name, "%s.XXXXXX", path);
    if ((e = buf_status(&name)) != OK)
        return e;
    int fd = mkostemp(name.ptr, O_CLOEXEC);
    if (fd < 0 || (out = fdopen(fd, "w")) == NULL) {
        e = err_set(detail, ERR_IO, "cannot write beside %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        goto out;
    }
    e = write_profiles(store, out, written, detail);
    if (e == OK && (fsync(fd) != 0 || rename(name.ptr, path) != 0))
        e = err_set(detail, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    fclose(out);
    if (e != OK)
        unlink(name.ptr);
out:
    buf_fini(&name);
    return e;
}

static int run_export(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    struct cli_common common = {0};
    struct config_settings settings;
    struct err_detail detail = {0};
    struct store *store = NULL;
    uint64_t written = 0;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1)
        if (!cli_common_take(&common, option, optarg))
            return cli_usage("export", "there is no option '%s', or it lacks its value", argv[optind - 1]);
    if (argc - optind != 1)
        return cli_usage("export", "one FILE is needed, or - for standard output");
    if (!cli_settings("export", &common, &settings))
        return CLI_FAILED;
    const char *path = argv[optind];
    const struct store_options store_options = {.read_only = true, .busy_ms = BUSY_MS};
    enum err e = store_open(config_text(&settings, CONFIG_store_url), &store_options, &store, &detail);
    if (e == OK)
        e = strcmp(path, "-") == 0 ? write_profiles(store, stdout, &written, &detail)
                                   : write_file(store, path, &written, &detail);
    store_close(&store);
    config_fini(&settings);
    if (e != OK)
        return cli_failed("export", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    fprintf(stderr, "exported %llu\n", (unsigned long long)written);
    return CLI_OK;
}

const struct cli_command cli_export = {
    .name = "export",
    .summary = "write profiles as JSON lines",
    .help = "usage: profiled export FILE\n\n"
            "Writes the owner's view of every profile to FILE (- is standard output), one JSON object a "
            "line, in the order\n"
            "they were made; `profiled import` reads it. The pool may serve meanwhile: each profile is "
            "written as it is when\n"
            "its turn comes. FILE appears when it is whole.\n\n"
            "  -c, --config FILE            configuration\n"
            "  -o, --set SECTION.KEY=VALUE  one setting\n",
    .run = run_export,
};
