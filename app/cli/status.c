#include "cli/cli.h"

#include "base/clock.h"
#include "cli/pool_view.h"
#include "pool/pool.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "usage: profiled status [--json] [--watch] [-c FILE] [-o SECTION.KEY=VALUE]…\n"
    "\n"
    "Prints what the pool is doing: its workers, how many requests each has answered, which are busy and\n"
    "for how long, how many were replaced and why; how long answers take; how the cache and the memory of\n"
    "verified tokens fare; and how often each route answered what. The pool is found by the configuration\n"
    "that it was started with.\n"
    "\n"
    "  --json   as one JSON object on a line; profiled(1) tells its members\n"
    "  --watch  again each second, with requests a second, until interrupted\n"
    "  -c, --config FILE            read this configuration\n"
    "  -o, --set SECTION.KEY=VALUE  put this setting over the configuration's\n"
    "\n"
    "Exits 0 when done, 1 when no pool runs, 2 when called wrongly.\n";

struct options {
    struct cli_common common;
    bool json;
    bool watch;
};

/* false: a message was printed. */
static bool read_options(int argc, char **argv, struct options *o)
{
    enum { JSON = 256, WATCH };
    static const struct option table[] = {
        {"json", no_argument, NULL, JSON},
        {"watch", no_argument, NULL, WATCH},
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 'o'},
        {0},
    };
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", table, NULL)) != -1) {
        if (option == JSON)
            o->json = true;
        else if (option == WATCH)
            o->watch = true;
        else if (!cli_common_take(&o->common, option, optarg)) {
            cli_usage("status", "%s is no option, or lacks its value", argv[optind - 1]);
            return false;
        }
    }
    if (optind < argc)
        cli_usage("status", "%s is one argument too many", argv[optind]);
    return optind == argc;
}

/* Reads the scoreboard at path. false: a message was printed. */
static bool look(const char *path, const char *listen, struct pool_view *out)
{
    struct scoreboard board;
    struct err_detail detail = {0};
    enum err e = scoreboard_open(path, &board, &detail);
    if (e == ERR_NOT_FOUND) {
        cli_failed("status", "no pool runs on %s (there is no %s)", listen, path);
        return false;
    }
    if (e != OK) {
        cli_failed("status", "%s: %s", path, detail.text);
        return false;
    }
    bool alive = scoreboard_alive(&board);
    if (alive)
        pool_view_read(&board, clock_now_ms(&clock_system), clock_monotonic_us(), out);
    else
        cli_failed("status", "no pool runs on %s (the last one, pid %ld, was killed)", listen,
                   (long)atomic_load(&board.header->pid));
    scoreboard_close(&board);
    return alive;
}

static bool print(const struct pool_view *view, const struct pool_view *before, const struct options *o)
{
    struct buf out = {0};
    if (o->json)
        pool_view_write_json(view, &out);
    else
        pool_view_write_text(view, before, &out);
    /* a terminal is drawn over, from its first line */
    if (o->watch && !o->json && isatty(STDOUT_FILENO))
        fputs("\033[H\033[J", stdout);
    bool good = buf_status(&out) == OK && fputs(buf_text(&out), stdout) >= 0 && fflush(stdout) == 0;
    if (!good)
        cli_failed("status", "the answer cannot be written");
    buf_fini(&out);
    return good;
}

static int show(const char *path, const char *listen, const struct options *o)
{
    struct pool_view *views = calloc(2, sizeof views[0]);
    int status = CLI_FAILED;
    size_t turn = 0;
    if (views == NULL)
        return cli_failed("status", "out of memory");
    while (look(path, listen, &views[turn % 2]) &&
           print(&views[turn % 2], turn == 0 ? NULL : &views[(turn + 1) % 2], o)) {
        if (!o->watch) {
            status = CLI_OK;
            break;
        }
        turn++;
        poll(NULL, 0, 1000);
    }
    free(views);
    return status;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct config_settings s;
    struct buf path = {0};
    int status;
    if (!read_options(argc, argv, &o))
        return CLI_USAGE;
    if (!cli_settings("status", &o.common, &s))
        return CLI_FAILED;
    pool_status_path(&s, &path);
    if (buf_status(&path) == OK)
        status = show(buf_text(&path), config_text(&s, CONFIG_server_listen), &o);
    else
        status = cli_failed("status", "out of memory");
    buf_fini(&path);
    config_fini(&s);
    return status;
}

const struct cli_command cli_status = {"status", "print what the pool is doing", help, run};
