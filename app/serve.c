#include "serve.h"

#include "changes.h"
#include "edge/follower.h"
#include "pool/pool.h"
#include "service.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* ---- a worker: the FastCGI loop, told about the pool through hooks */

struct worker {
    struct service *service;
    struct pool_worker *self;
};

static bool worker_stopping(void *data)
{
    const struct worker *w = data;
    return pool_worker_stopping(w->self);
}

static void worker_request_begin(void *data, int64_t now_us)
{
    const struct worker *w = data;
    pool_worker_request_begin(w->self, now_us);
}

static void worker_request_end(void *data, int status)
{
    const struct worker *w = data;
    (void)status;
    pool_worker_request_end(w->self);
}

static int worker_idle(void *data)
{
    const struct worker *w = data;
    return handlers_idle(&w->service->handlers, &w->service->log);
}

static int worker_run(void *data, int listen_fd, struct pool_worker *self)
{
    struct worker w = {.service = data, .self = self};
    struct err_detail detail = {0};
    struct store *store;
    const struct fcgi_hooks hooks = {
        .stopping = worker_stopping,
        .request_begin = worker_request_begin,
        .request_end = worker_request_end,
        .idle = worker_idle,
        .data = &w,
    };
    service_count_in(w.service, self, listen_fd);
    if (service_use_cache(w.service) != OK)
        LOG(&w.service->log, LOG_WARN, "cache-off", LOG_STR("reason", "out of memory"));
    /* a database that cannot be opened is tried again by each request: 503 is a better answer than no worker
     */
    if (handlers_store(&w.service->handlers, &store, &detail) != OK)
        LOG(&w.service->log, LOG_ERROR, "store-unavailable", LOG_STR("reason", detail.text));
    detail = (struct err_detail){0};
    pool_worker_started(self);
    enum err e = fcgi_serve(listen_fd, pool_worker_wait_mask(self), &w.service->router, &w.service->fcgi,
                            &hooks, &detail);
    if (e != OK)
        LOG(&w.service->log, LOG_ERROR, "worker-failed", LOG_STR("reason", detail.text));
    handlers_context_fini(&w.service->handlers);
    return e == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the process that tells caches in front what changed */

static bool edge_stopping(void *data)
{
    return pool_worker_stopping(data);
}

static void edge_alive(void *data, int64_t now_us)
{
    pool_worker_alive(data, now_us);
}

static int edge_run(void *data, struct pool_worker *self)
{
    struct service *service = data;
    const struct config_settings *c = service->settings;
    struct err_detail detail = {0};
    const struct store_options store = {.synchronous_full = service->handlers.store_options.synchronous_full,
                                        .busy_ms = service->handlers.store_options.busy_ms};
    const struct edge_options options = {
        .store_url = config_text(c, CONFIG_store_url),
        .store_options = &store,
        .addresses = config_text(c, CONFIG_edge_purge),
        .key = config_text(c, CONFIG_edge_key),
        .reach_s = service->revocations.reach_s,
        .log = &service->log,
        .metrics = pool_worker_metrics(self),
        .board = pool_worker_edges(self),
        .wait_mask = pool_worker_wait_mask(self),
        .stopping = edge_stopping,
        .alive = edge_alive,
        .data = self,
    };
    pool_worker_started(self);
    enum err e = edge_follow(&options, &detail);
    if (e != OK)
        LOG(&service->log, LOG_ERROR, "edge-failed", LOG_STR("reason", detail.text));
    return e == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static enum err worker_preflight(void *data, struct err_detail *detail)
{
    return service_check(data, detail);
}

/* ---- the three ways */

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};

/* Reads -c and -o; PROFILED_CONFIG stands in for a missing -c. false: the reason is printed already. */
static bool read_arguments(int argc, char **argv, struct cli_common *common)
{
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (!cli_common_take(common, option, optarg)) {
            cli_usage("serve", "there is no option '%s', or it lacks its value", argv[optind - 1]);
            return false;
        }
    }
    if (optind < argc) {
        cli_usage("serve", "'%s' is one argument too many", argv[optind]);
        return false;
    }
    return true;
}

static enum err serve_pool(struct service *service, char **argv, struct err_detail *detail)
{
    const struct pool_worker_program program = {
        .run = worker_run,
        .preflight = worker_preflight,
        .edge = config_text(service->settings, CONFIG_edge_purge)[0] == '\0' ? NULL : edge_run,
        .changes = changes_run,
        .data = service,
    };
    /* argv[-1] is the program itself: main hands a subcommand what stands from its own name on */
    const struct pool_options pool = {.settings = service->settings,
                                      .memory_fd = service->memory.fd,
                                      .argv = argv - 1,
                                      .routes = service->numbers.routes,
                                      .route_count = service->numbers.handler.route_count};
    struct store_group *group = NULL;
    /* without one, writes are a transaction each */
    if (store_group_new(&group) != OK)
        LOG(&service->log, LOG_WARN, "no-shared-writes", LOG_STR("reason", "no shared memory"));
    service->handlers.store_options.group = group;
    enum err e = pool_serve(&pool, &program, &service->log, detail);
    service->handlers.store_options.group = NULL;
    store_group_free(&group);
    return e;
}

static int run_pool(int argc, char **argv)
{
    struct cli_common common = {0};
    struct config_settings settings;
    struct service service;
    struct err_detail detail = {0};
    enum err e;

    pool_close_inherited();
    if (!read_arguments(argc, argv, &common))
        return CLI_USAGE;
    if (!cli_settings("serve", &common, &settings))
        return CLI_FAILED;
    if ((e = service_init(&service, &settings, &detail)) == OK) {
        /* a check is over before there is anything to share */
        if (!pool_only_checks())
            e = service_share(&service, pool_handed_memory(), true, &detail);
        if (e == OK)
            e = serve_pool(&service, argv, &detail);
        service_fini(&service);
    }
    if (e != OK)
        cli_failed("serve", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    config_fini(&settings);
    return e == OK ? CLI_OK : CLI_FAILED;
}

const struct cli_command serve_command = {
    .name = "serve",
    .summary = "run the pool of FastCGI workers",
    .help = "usage: profiled serve [-c FILE] [-o SECTION.KEY=VALUE]…\n\n"
            "Opens server.listen and runs server.workers worker processes on it, in the foreground.\n\n"
            "  -c, --config FILE          configuration (PROFILED_CONFIG, else /etc/profiled/profiled.conf)\n"
            "  -o, --set SECTION.KEY=VALUE  one setting, over the file's and the environment's\n\n"
            "SIGTERM  finishes what is in hand and ends\n"
            "SIGHUP   takes up new configuration, keys and program; no request is lost, and what is bad is "
            "refused\n"
            "SIGUSR1  opens the log file anew\n",
    .run = run_pool,
};

int serve_worker(int argc, char **argv)
{
    struct cli_common common = {0};
    struct config_settings settings;
    struct service service;
    struct err_detail detail = {0};
    int status = CLI_FAILED;
    if (!read_arguments(argc, argv, &common))
        return CLI_USAGE;
    if (!cli_settings("serve", &common, &settings))
        return CLI_FAILED;
    enum err e = service_init(&service, &settings, &detail);
    if (e == OK) {
        /* a memory of its own, as much of it as is used: the web server may start many of these */
        if ((e = service_share(&service, -1, false, &detail)) == OK) {
            const struct pool_worker_program program = {.run = worker_run, .data = &service};
            uint64_t max_requests = (uint64_t)config_number(&settings, CONFIG_server_max_requests);
            status = pool_worker_alone(&program, STDIN_FILENO, max_requests, &service.log);
        }
        service_fini(&service);
    }
    if (e != OK)
        cli_failed("serve", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    config_fini(&settings);
    return status;
}

/* A CGI program that cannot start must still answer, or the front server blames the client. */
static int cgi_unavailable(const char *reason)
{
    cli_failed("serve", "%s", reason);
    fputs("Status: 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nCache-Control: "
          "no-store\r\n"
          "Retry-After: 5\r\nX-Content-Type-Options: nosniff\r\n\r\n"
          "{\"type\":\"/problems.html#storage-unavailable\",\"title\":\"The server is not set "
          "up\",\"status\":503}",
          stdout);
    return CLI_FAILED;
}

int serve_cgi(int argc, char **argv)
{
    struct config_settings settings;
    struct service service;
    struct err_detail detail = {0};
    const struct config_source source = {.environment = environ};
    (void)argc;
    (void)argv; /* a CGI program's arguments are a query's words (RFC 3875 section 4.4): never options */
    if (config_load(&source, &settings, &detail) != OK)
        return cgi_unavailable(detail.text);
    int status = CLI_FAILED;
    if (service_init(&service, &settings, &detail) == OK) {
        status = fcgi_cgi_answer(environ, &service.router, &service.fcgi) == OK ? CLI_OK : CLI_FAILED;
        service_fini(&service);
    } else {
        status = cgi_unavailable(detail.text);
    }
    config_fini(&settings);
    return status;
}
