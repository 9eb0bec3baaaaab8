/*
 * Where this process counts, and what /metrics and /v1/status tell: the numbers of the pool, read out of its
 * scoreboard. The handlers' room may not look there, so that the composition root does. Reading takes no
 * lock.
 */
#pragma once
#include "handlers/metrics.h"
#include "pool/worker.h"
#include "route/router.h"

struct numbers {
    struct metrics *metrics; /* where it counts: its own below, or the pool's. Never NULL */
    struct metrics_gauges *gauges;
    const struct scoreboard *board; /* NULL: there is no pool */
    int listen_fd;                  /* -1: none */
    struct metrics own;
    struct metrics_gauges own_gauges;
    struct metrics_route routes[METRICS_ROUTES]; /* the route table in words */
    struct handlers_metrics handler;
};

/* Counts in itself, by the rows of the router; neither may be moved afterwards. ERR_TOO_LARGE: a row that has
 * no place. */
MUST_USE enum err numbers_init(struct numbers *n, const struct router *router);
/* From here on it counts where the worker does, and tells of its pool: before the worker serves. */
void numbers_join(struct numbers *n, struct pool_worker *self, int listen_fd);
/* What the handlers ask for; data is a struct numbers. ERR_NOMEM. */
enum err numbers_read(void *data, struct arena *arena, struct handlers_metrics_view *out);
/* The status as `profiled status --json` prints it; a process without a pool tells of itself, as "alone".
 * data is a struct numbers. ERR_NOMEM. */
enum err numbers_write_status(void *data, struct buf *out);
