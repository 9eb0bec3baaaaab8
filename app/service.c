#include "service.h"

#include "cli/keyring.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "edge/key.h"
#include "handlers/authorize.h"
#include "handlers/batch.h"
#include "handlers/metrics.h"
#include "handlers/open_documents.h"
#include "handlers/profile_read.h"
#include "handlers/profile_write.h"
#include "handlers/query.h"
#include "handlers/source.h"
#include "http/etag.h"
#include "token/scope.h"

#include <assert.h>
#include <unistd.h>

enum {
    READ = HTTP_GET | HTTP_HEAD,
    CONNECTION_TIMEOUT_S = 10, /* for each read and write between the front server and a worker */
    LOCK_WAIT_MS = 5000,       /* how long a write waits for the writers' lock */
};

/* The routes. A resource is the first pattern that fits: what begins with "@", and what is no id, stand
 * before what may be any id. */
static void fill_routes(struct service *s)
{
    struct handlers_context *h = &s->handlers;
    const struct route routes[] = {
        {"/v1/profiles/@{handle}", READ, TOKEN_SCOPE_READ, handlers_read_by_handle, h},
        {"/v1/profiles/query", HTTP_POST, TOKEN_SCOPE_READ, handlers_query, h},
        {"/v1/profiles/{id}", READ, TOKEN_SCOPE_READ, handlers_read_by_id, h},
        {"/v1/profiles/{id}", HTTP_PUT | HTTP_PATCH | HTTP_DELETE, TOKEN_SCOPE_WRITE, handlers_write_by_id,
         h},
        {"/v1/profiles/{id}/full", READ, TOKEN_SCOPE_READ, handlers_read_full, h},
        {"/v1/profiles/{id}/full", HTTP_PUT | HTTP_PATCH, TOKEN_SCOPE_WRITE, handlers_write_full, h},
        {"/v1/me", READ, TOKEN_SCOPE_READ, handlers_read_me, h},
        {"/v1/me", HTTP_PUT | HTTP_PATCH | HTTP_DELETE, TOKEN_SCOPE_WRITE, handlers_write_me, h},
        {"/v1/profiles?id", READ, TOKEN_SCOPE_READ, handlers_batch, h},
        {"/v1/profiles", HTTP_POST, TOKEN_SCOPE_ADMIN, handlers_create, h},
        {"/v1/authorize", READ, TOKEN_SCOPE_READ, handlers_authorize, h},
        {"/v1/revocations", READ, TOKEN_SCOPE_ADMIN, handlers_revocations, &s->revocations},
        {"/v1/status", READ, TOKEN_SCOPE_METRICS, handlers_status, &s->numbers.handler},
        {"/metrics", READ, TOKEN_SCOPE_METRICS, handlers_metrics, &s->numbers.handler},
        {"/.well-known/jwks.json", READ, 0, handlers_document, &s->documents.jwks},
        {"/openapi.json", READ, 0, handlers_document, &s->documents.openapi},
        {"/healthz", READ, 0, handlers_healthz, h},
        {"/readyz", READ, 0, handlers_readyz, h},
    };
    static_assert(sizeof routes <= sizeof s->routes, "the table has room for every route");
    memcpy(s->routes, routes, sizeof routes);
    s->router = (struct router){
        .routes = s->routes,
        .count = sizeof routes / sizeof routes[0],
        .guard = &s->guard,
        .cache = &s->cache,
        .timing = config_number(s->settings, CONFIG_log_level) == LOG_DEBUG,
        .cors = &s->cors,
        .clock = &clock_system,
    };
}

static enum err open_log(struct service *s, struct err_detail *detail)
{
    const struct config_settings *c = s->settings;
    const char *file = config_text(c, CONFIG_log_file);
    enum err e = log_open(&s->log, file[0] == '\0' ? NULL : file, detail);
    s->log.level = (enum log_level)config_number(c, CONFIG_log_level);
    s->log.format = (enum log_format)config_number(c, CONFIG_log_format);
    return e;
}

static struct http_cache_policy cache_policy(const struct config_settings *c)
{
    return (struct http_cache_policy){
        .shared_cache = (enum http_shared_cache)config_number(c, CONFIG_http_shared_cache),
        .max_age_s = config_number(c, CONFIG_http_max_age),
        .s_maxage_s = config_number(c, CONFIG_http_s_maxage),
        .stale_while_revalidate_s = config_number(c, CONFIG_http_stale_while_revalidate),
        .stale_if_error_s = config_number(c, CONFIG_http_stale_if_error),
        .negative_ttl_s = config_number(c, CONFIG_cache_negative_ttl),
    };
}

/* A token may be good for max_ttl behind its issue, and the clocks of two machines differ by leeway each way.
 */
static void fill_revocations(struct service *s)
{
    const struct config_settings *c = s->settings;
    int64_t max_ttl_s = config_number(c, CONFIG_token_max_ttl);
    s->revocations = (struct handlers_revocations){
        .context = &s->handlers,
        .keyring = s->keyring,
        .key_folder = config_text(c, CONFIG_token_keys),
        .issuer = span_str(config_text(c, CONFIG_token_issuer)),
        .reach_s = max_ttl_s == 0 ? -1 : max_ttl_s + 2 * config_number(c, CONFIG_token_leeway),
        .max_lag_s = config_number(c, CONFIG_edge_revocation_max_lag),
    };
}

static enum err fill_policies(struct service *s)
{
    const struct config_settings *c = s->settings;
    s->handlers.store_url = config_text(c, CONFIG_store_url);
    s->handlers.store_options = (struct store_options){
        .synchronous_full = config_number(c, CONFIG_store_synchronous) == 0,
        .busy_ms = LOCK_WAIT_MS,
    };
    s->handlers.cache = &s->cache;
    s->handlers.cache_policy = cache_policy(c);
    s->handlers.ttl_s = config_number(c, CONFIG_cache_ttl);
    s->handlers.attributes_max = (size_t)config_number(c, CONFIG_limits_attributes);
    s->guard = (struct route_guard){
        .keyring = s->keyring,
        .policy = {.leeway_s = config_number(c, CONFIG_token_leeway),
                   .max_ttl_s = config_number(c, CONFIG_token_max_ttl)},
        .memo = {.cache = &s->cache},
        .revoked_until = handlers_revoked_until,
        .data = &s->handlers,
    };
    s->fcgi = (struct fcgi_options){
        .mount = span_str(config_text(c, CONFIG_server_mount)),
        .body_max = (size_t)config_number(c, CONFIG_limits_body),
        .io_timeout_s = CONNECTION_TIMEOUT_S,
        .log = &s->log,
        .access_log = config_number(c, CONFIG_log_access) != 0,
    };
    return token_keyring_epoch(s->keyring, &s->guard.memo.keys_epoch);
}

enum err service_init(struct service *s, const struct config_settings *settings, struct err_detail *detail)
{
    enum err e = OK;
    *s = (struct service){.settings = settings, .memory = {.fd = -1}};
    if ((e = crypto_init()) != OK || (e = open_log(s, detail)) != OK)
        goto out;
    if ((e = cli_keyring_load(settings, &s->keyring, detail)) != OK)
        goto out;
    struct span origins = span_str(config_text(settings, CONFIG_http_cors_origins));
    if ((e = http_cors_parse(origins, &s->arena, &s->cors, detail)) != OK)
        goto out;
    if ((e = documents_init(&s->documents, s->keyring, config_text(settings, CONFIG_token_keys),
                            span_str(config_text(settings, CONFIG_server_mount)), &s->arena)) != OK)
        goto out;
    if ((e = fill_policies(s)) != OK)
        goto out;
    fill_revocations(s);
    fill_routes(s);
    e = numbers_init(&s->numbers, &s->router);
    s->fcgi.metrics = s->numbers.metrics;
out:
    if (e != OK)
        service_fini(s);
    return e;
}

/* A number for whatever shapes a ready answer beside the profile itself, and says how long it is kept. */
static uint64_t answers_fingerprint(const struct handlers_context *h)
{
    const struct http_cache_policy *policy = &h->cache_policy;
    unsigned char hash[CRYPTO_BLAKE2B_MIN_LEN];
    uint64_t number;
    struct buf text = {0};
    buf_printf(&text, "%s %d %d %lld %lld %lld %lld %lld %lld", PROFILED_VERSION, HTTP_ETAG_FORMAT,
               (int)policy->shared_cache, (long long)policy->max_age_s, (long long)policy->s_maxage_s,
               (long long)policy->stale_while_revalidate_s, (long long)policy->stale_if_error_s,
               (long long)policy->negative_ttl_s, (long long)h->ttl_s);
    crypto_blake2b(buf_span(&text), (struct span){NULL, 0}, hash, sizeof hash);
    buf_fini(&text);
    memcpy(&number, hash, sizeof number);
    return number;
}

enum err service_share(struct service *s, int fd, bool reserve, struct err_detail *detail)
{
    const struct cache_memory_options options = {
        .responses = (size_t)config_number(s->settings, CONFIG_cache_size),
        .verdicts = (size_t)config_number(s->settings, CONFIG_token_cache_size),
        .fingerprint = answers_fingerprint(&s->handlers),
        .reserve = reserve,
    };
    struct err_detail why = {0};
    if (fd >= 0 && cache_memory_adopt(fd, &options, &s->memory, &why) == OK)
        return OK;
    if (fd >= 0) {
        LOG(&s->log, LOG_INFO, "cache-begun-anew", LOG_STR("reason", why.text));
        close(fd);
    }
    return cache_memory_create(&options, &s->memory, detail);
}

enum err service_use_cache(struct service *s)
{
    const struct cache_source source = handlers_cache_source(&s->handlers);
    return cache_open(&s->cache, &s->memory, &source, s->numbers.metrics, s->numbers.gauges);
}

void service_count_in(struct service *s, struct pool_worker *self, int listen_fd)
{
    numbers_join(&s->numbers, self, listen_fd);
    s->fcgi.metrics = s->numbers.metrics;
}

void service_fini(struct service *s)
{
    handlers_context_fini(&s->handlers);
    cache_close(&s->cache);
    cache_memory_close(&s->memory);
    token_keyring_free(&s->keyring);
    documents_fini(&s->documents);
    arena_fini(&s->arena);
    log_close(&s->log);
}

enum err service_check(struct service *s, struct err_detail *detail)
{
    struct store *store;
    enum err e = handlers_store(&s->handlers, &store, detail);
    if (e == OK)
        e = store_ready(store, detail);
    store_close(&s->handlers.store);
    if (e == OK && config_text(s->settings, CONFIG_edge_purge)[0] != '\0') {
        struct buf key = {0};
        e = edge_key_read(config_text(s->settings, CONFIG_edge_key), &key, detail);
        buf_fini(&key);
    }
    return e;
}
