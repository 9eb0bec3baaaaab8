/* profiled status: what the pool is doing, read from its scoreboard without asking any process. */
#include "cli/cli.h"

#include "base/clock.h"
#include "json/write.h"
#include "pool/pool.h"
#include "pool/scoreboard.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD(word) atomic_load_explicit(&(word), memory_order_relaxed)

struct totals {
    uint64_t requests;
    unsigned busy;
    unsigned idle;
};

static struct totals sum(const struct scoreboard *b)
{
    struct totals t = {.requests = LOAD(b->header->requests)};
    for (size_t i = 0; i < SCOREBOARD_SLOTS; i++) {
        const struct scoreboard_slot *slot = &b->slots[i];
        if (LOAD(slot->pid) == 0)
            continue;
        t.requests += LOAD(slot->requests);
        if (LOAD(slot->busy_since_us) != 0)
            t.busy++;
        else
            t.idle++;
    }
    return t;
}

static int64_t busy_ms(const struct scoreboard_slot *slot)
{
    int64_t since_us = LOAD(slot->busy_since_us);
    int64_t now_us = clock_monotonic_us();
    return since_us == 0 || now_us < since_us ? 0 : (now_us - since_us) / 1000;
}

static void write_json(const struct scoreboard *b, struct buf *out)
{
    const struct scoreboard_header *h = b->header;
    struct totals t = sum(b);
    bool first = true;
    buf_printf(out, "{\"pid\":%d,\"state\":\"%s\",\"generation\":%u,\"listen\":", LOAD(h->pid),
               pool_state_name((enum pool_state)LOAD(h->state)), LOAD(h->generation));
    json_write_string(out, span_str(h->listen));
    buf_printf(out,
               ",\"started_ms\":%lld,\"reloaded_ms\":%lld,\"wanted\":%u,\"busy\":%u,\"idle\":%u,\"requests\":%llu,"
               "\"deaths\":%llu,\"timeouts\":%llu,\"recycled\":%llu,\"reloads\":%llu,\"reloads_refused\":%llu,"
               "\"workers\":[",
               (long long)LOAD(h->started_ms), (long long)LOAD(h->reloaded_ms), LOAD(h->workers), t.busy, t.idle,
               (unsigned long long)t.requests, (unsigned long long)LOAD(h->deaths),
               (unsigned long long)LOAD(h->timeouts), (unsigned long long)LOAD(h->recycled),
               (unsigned long long)LOAD(h->reloads), (unsigned long long)LOAD(h->reloads_refused));
    for (size_t i = 0; i < SCOREBOARD_SLOTS; i++) {
        const struct scoreboard_slot *slot = &b->slots[i];
        if (LOAD(slot->pid) == 0)
            continue;
        buf_printf(out,
                   "%s{\"pid\":%d,\"state\":\"%s\",\"generation\":%u,\"started_ms\":%lld,\"requests\":%llu,"
                   "\"busy\":%s,\"busy_ms\":%lld,\"restarts\":%u}",
                   first ? "" : ",", LOAD(slot->pid), child_state_name((enum child_state)LOAD(slot->state)),
                   LOAD(slot->generation), (long long)LOAD(slot->started_ms), (unsigned long long)LOAD(slot->requests),
                   LOAD(slot->busy_since_us) != 0 ? "true" : "false", (long long)busy_ms(slot), LOAD(slot->restarts));
        first = false;
    }
    buf_lit(out, "]}\n");
}

static void write_text(const struct scoreboard *b, struct buf *out)
{
    const struct scoreboard_header *h = b->header;
    struct totals t = sum(b);
    int64_t up_s = (clock_now_ms(&clock_system) - LOAD(h->started_ms)) / 1000;
    buf_printf(out, "%s, pid %d, generation %u, up %lld s, on %s\n",
               pool_state_name((enum pool_state)LOAD(h->state)), LOAD(h->pid), LOAD(h->generation), (long long)up_s,
               h->listen);
    buf_printf(out, "%llu requests, %u workers busy, %u idle; %llu died, %llu of them over time, %llu recycled\n\n",
               (unsigned long long)t.requests, t.busy, t.idle, (unsigned long long)LOAD(h->deaths),
               (unsigned long long)LOAD(h->timeouts), (unsigned long long)LOAD(h->recycled));
    buf_printf(out, "%8s  %-9s  %12s  %10s  %8s\n", "pid", "state", "requests", "busy ms", "restarts");
    for (size_t i = 0; i < SCOREBOARD_SLOTS; i++) {
        const struct scoreboard_slot *slot = &b->slots[i];
        if (LOAD(slot->pid) == 0)
            continue;
        bool busy = LOAD(slot->busy_since_us) != 0;
        buf_printf(out, "%8d  %-9s  %12llu  %10lld  %8u\n", LOAD(slot->pid),
                   busy ? "busy" : child_state_name((enum child_state)LOAD(slot->state)),
                   (unsigned long long)LOAD(slot->requests), (long long)busy_ms(slot), LOAD(slot->restarts));
    }
}

static int show(const char *path, bool json)
{
    struct scoreboard board = {.fd = -1};
    struct err_detail detail = {0};
    struct buf out = {0};
    int status = CLI_OK;
    enum err e = scoreboard_open(path, &board, &detail);
    if (e == ERR_NOT_FOUND || (e == OK && !scoreboard_alive(&board)))
        status = cli_failed("status", "no pool is running (there would be %s)", path);
    else if (e != OK)
        status = cli_failed("status", "%s", detail.text);
    else {
        if (json)
            write_json(&board, &out);
        else
            write_text(&board, &out);
        fputs(buf_text(&out), stdout);
        fflush(stdout);
    }
    scoreboard_close(&board);
    buf_fini(&out);
    return status;
}

static int run_status(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"watch", no_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    struct cli_common common = {0};
    struct config_settings settings;
    struct buf path = {0};
    bool json = false, watch = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (option == 'j')
            json = true;
        else if (option == 'w')
            watch = true;
        else if (!cli_common_take(&common, option, optarg))
            return cli_usage("status", "there is no option '%s', or it lacks its value", argv[optind - 1]);
    }
    if (optind < argc)
        return cli_usage("status", "'%s' is one argument too many", argv[optind]);
    if (!cli_settings("status", &common, &settings))
        return CLI_FAILED;
    pool_status_path(&settings, &path);
    int status = show(buf_text(&path), json);
    while (watch && status == CLI_OK) {
        sleep(1);
        if (!json)
            fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n", stdout);
        status = show(buf_text(&path), json);
    }
    buf_fini(&path);
    config_fini(&settings);
    return status;
}

const struct cli_command cli_status = {
    .name = "status",
    .summary = "show what the pool is doing",
    .help = "usage: profiled status [--json] [--watch]\n\n"
            "Prints the pool's state and what each worker does, from memory that they share: no process is asked, so it\n"
            "works while all workers are busy. Exit 1 when no pool runs on this configuration.\n\n"
            "  --json                       as a JSON object, one line\n"
            "  --watch                      again each second\n"
            "  -c, --config FILE            configuration\n"
            "  -o, --set SECTION.KEY=VALUE  one setting\n",
    .run = run_status,
};
