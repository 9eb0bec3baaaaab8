/*
 * The service wired together out of the settings: keyring, policies, route table, handlers. Whoever serves (a
 * worker of the pool, one that a web server spawned, a CGI process) makes one and answers with its router.
 * The wiring reads files (keys) and opens no database.
 */
#pragma once
#include "base/log.h"
#include "cache/cache.h"
#include "config/settings.h"
#include "documents.h"
#include "fcgi/serve.h"
#include "handlers/context.h"
#include "handlers/revocations.h"
#include "http/cors.h"
#include "numbers.h"
#include "route/router.h"

enum { SERVICE_MAX_ROUTES = 48 };

struct service {
    const struct config_settings *settings; /* borrowed */
    struct arena arena;                     /* what the tables point into */
    struct log log;
    struct token_keyring *keyring;
    struct documents documents;
    struct http_cors cors;
    struct cache_memory memory; /* what the pool shares; none until service_share */
    struct cache cache;         /* this process's use of it */
    struct handlers_context handlers;
    struct handlers_revocations revocations;
    struct route_guard guard;
    struct route routes[SERVICE_MAX_ROUTES];
    struct router router;
    struct numbers numbers; /* .metrics and .gauges: where this process counts */
    struct fcgi_options fcgi;
};

/* Opens the log, loads the keys, fills the tables. The service must not be moved afterwards. On failure
 * nothing is left open and detail says what is wrong. */
MUST_USE enum err service_init(struct service *s, const struct config_settings *settings,
                               struct err_detail *detail);
void service_fini(struct service *s);
/*
 * Makes the memory that the caches lie in, or takes over what an earlier image of this program made (fd, -1
 * for none; closed when it does not fit). Before workers are forked. reserve: have all of it now. ERR_NOMEM,
 * with why.
 */
MUST_USE enum err service_share(struct service *s, int fd, bool reserve, struct err_detail *detail);
/* From here on this process uses that memory: in a worker, before it serves. Without, everything goes round
 * the caches. ERR_NOMEM: the same. */
MUST_USE enum err service_use_cache(struct service *s);
/* From here on it counts where the pool says, and /metrics tells of the pool: for a worker, before it serves.
 */
void service_count_in(struct service *s, struct pool_worker *self, int listen_fd);
/* Whether it can work: opens the database in this process and closes it again, and reads the key of purges.
 */
MUST_USE enum err service_check(struct service *s, struct err_detail *detail);
