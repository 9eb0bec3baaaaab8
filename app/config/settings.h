/*
 * The settings of the program as one table: section, key, type, default, range, help. From it come the
 * struct, the parser, the printing of `profiled config` and the commented example's check. See load.h for
 * where values come from. Nothing here does I/O.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum config_type {
    CONFIG_STRING,
    CONFIG_LIST,     /* words separated by spaces; in the file it may go on over indented lines */
    CONFIG_BOOL,     /* on, off */
    CONFIG_INTEGER,  /* 0, 7 */
    CONFIG_SIZE,     /* bytes: 512, 16K, 64M, 1G */
    CONFIG_DURATION, /* seconds: 30, 30s, 5m, 1h, 1d; 0 */
    CONFIG_CHOICE,   /* one of the words that the row names */
};

/* clang-format off */
/* X(section, key, type, default text, least, most, choices or NULL, help) */
#define CONFIG_SETTINGS(X)                                                                                   \
    X(server, listen, STRING, "unix:/run/profiled/profiled.sock", 0, 0, NULL,                                \
      "where the pool listens for FastCGI: unix:PATH or tcp:ADDRESS:PORT")                                   \
    X(server, listen_mode, STRING, "0660", 0, 0, NULL, "the Unix socket's mode, in octal")                   \
    X(server, changes_listen, STRING, "", 0, 0, NULL,                                                        \
      "the same for requests that wait for changes; empty: that of a Unix socket with -changes behind it; off: nowhere") \
    X(server, backlog, INTEGER, "1024", 1, 65535, NULL, "connections that wait while all workers are busy")  \
    X(server, workers, INTEGER, "4", 1, 1024, NULL, "worker processes")                                      \
    X(server, max_requests, INTEGER, "100000", 0, 2147483647, NULL,                                          \
      "requests after which a worker is replaced; 0: never")                                                 \
    X(server, request_timeout, DURATION, "30s", 0, 3600, NULL,                                               \
      "a worker busy longer with one request is killed; 0: never")                                           \
    X(server, user, STRING, "profiled", 0, 0, NULL, "whom the pool runs as when it is started by root")      \
    X(server, group, STRING, "", 0, 0, NULL, "its group; empty: the user's own")                             \
    X(server, mount, STRING, "", 0, 0, NULL, "path prefix that the front server leaves on, such as /profiles") \
    X(store, url, STRING, "sqlite:/var/lib/profiled/profiled.db", 0, 0, NULL, "the database: sqlite:PATH")   \
    X(store, synchronous, CHOICE, "full", 0, 0, "full normal",                                               \
      "full: an answered write survives loss of power; normal: loss of the process")                         \
    X(store, changes_kept, DURATION, "30d", 0, 315360000, NULL,                                              \
      "how long an entry of the change log is kept; 0: for ever")                                            \
    X(cache, size, SIZE, "64M", 0, 1099511627776, NULL,                                                      \
      "memory for ready answers, shared by the pool; 0: off")                                                \
    X(cache, ttl, DURATION, "300s", 0, 31536000, NULL, "how long a ready answer is kept; 0: without limit")                    \
    X(cache, negative_ttl, DURATION, "30s", 0, 86400, NULL,                                                  \
      "how long it is kept that a profile does not exist; 0: not at all")                                                   \
    X(token, keys, STRING, "/etc/profiled/keys", 0, 0, NULL,                                                 \
      "folder of the own issuer's keys, a JWK file each")                                                    \
    X(token, issuer, STRING, "https://profiled.invalid", 0, 0, NULL, "the own issuer's iss claim")           \
    X(token, audience, STRING, "", 0, 0, NULL, "what aud must hold; empty: aud is not asked for")            \
    X(token, leeway, DURATION, "30s", 0, 600, NULL, "how far clocks may differ")                             \
    X(token, max_ttl, DURATION, "30d", 0, 31536000, NULL,                                                    \
      "a token that lives longer is refused; 0: no limit")                                                   \
    X(token, cache_size, SIZE, "8M", 0, 1099511627776, NULL,                                                 \
      "memory for verified tokens, shared by the pool; 0: off")                                              \
    X(http, shared_cache, CHOICE, "revalidate", 0, 0, "revalidate edge private",                             \
      "what shared caches may do with the public view")                                                      \
    X(http, max_age, DURATION, "0", 0, 31536000, NULL,                                                       \
      "how long a reader's own cache may answer without asking")                                             \
    X(http, s_maxage, DURATION, "300s", 0, 31536000, NULL,                                                   \
      "edge: how long the edge keeps an answer (it is purged on a change)")                                  \
    X(http, stale_while_revalidate, DURATION, "30s", 0, 31536000, NULL,                                      \
      "edge: how long after that it answers while it asks")                                                  \
    X(http, stale_if_error, DURATION, "300s", 0, 31536000, NULL,                                             \
      "edge: how long it answers while the origin is down")                                                  \
    X(http, base_url, STRING, "", 0, 0, NULL,                                                                \
      "where clients reach the service, in the addresses of avatars: https://HOST[/PATH]; empty: by the request's Host") \
    X(http, cors_origins, LIST, "", 0, 0, NULL,                                                              \
      "origins whose pages may call, separated by spaces; *: any; empty: none")                              \
    X(edge, purge, LIST, "", 0, 0, NULL,                                                                     \
      "caches that take purges: http://HOST:PORT, separated by spaces; empty: none")                         \
    X(edge, key, STRING, "", 0, 0, NULL, "the secret that purges bear, or the path of a file with it in it")  \
    X(edge, revocation_max_lag, DURATION, "30s", 5, 3600, NULL,                                              \
      "how long a cache may trust what it knows of revocations without a word from the pool")                \
    X(limits, body, SIZE, "64K", 1024, 16777216, NULL, "the longest request body")                           \
    X(limits, attributes, SIZE, "16K", 0, 1048576, NULL, "the longest attributes member")                    \
    X(limits, reads_per_minute, INTEGER, "0", 0, 1000000000, NULL,                                           \
      "reads (GET, HEAD) a subject may make in a minute, over all workers; 0: no limit")                                                               \
    X(limits, writes_per_minute, INTEGER, "0", 0, 1000000000, NULL,                                          \
      "the same for all other requests; 0: no limit")                                                              \
    X(log, level, CHOICE, "info", 0, 0, "error warn info debug", "how much is logged")                       \
    X(log, access, BOOL, "off", 0, 0, NULL, "a line for each request")                                       \
    X(log, format, CHOICE, "json", 0, 0, "json text", "how a line looks")                                    \
    X(log, file, STRING, "", 0, 0, NULL, "file that lines are appended to; empty: stderr")

enum config_id {
#define X(section, key, type, def, least, most, choices, help) CONFIG_##section##_##key,
    CONFIG_SETTINGS(X)
#undef X
    CONFIG_ID_COUNT
};

/* X(key, may be empty, help): the keys of a section [issuer NAME]. */
#define CONFIG_ISSUER_KEYS(X)                                                                                \
    X(iss, false, "the iss claim of its tokens")                                                             \
    X(jwks, false, "file with its keys, a JWKS (RFC 7517)")                                                  \
    X(audience, false, "what aud of its tokens must hold")                                                   \
    X(scopes, false, "scopes that its tokens may hold at most, separated by spaces")                         \
    X(subject_prefix, true, "put before the sub of its tokens; empty: sub is taken as it stands")

enum config_issuer_key {
#define X(key, may_be_empty, help) CONFIG_ISSUER_##key,
    CONFIG_ISSUER_KEYS(X)
#undef X
    CONFIG_ISSUER_KEY_COUNT
};
/* clang-format on */

enum { CONFIG_MAX_ISSUERS = 16 };

/* What a foreign issuer's tokens may hold unless its section says otherwise: never admin. */
#define CONFIG_ISSUER_SCOPES "profile:read profile:list profile:write"

/* A foreign issuer: a section [issuer NAME]. All strings NUL-terminated, owned by the settings. */
struct config_issuer {
    char *name;
    char *iss;
    char *jwks; /* path */
    char *audience;
    char *scopes;                       /* CONFIG_ISSUER_SCOPES unless said */
    char *subject_prefix;               /* NULL: not said, which config_load refuses */
    int line;                           /* of its section */
    int lines[CONFIG_ISSUER_KEY_COUNT]; /* of its keys; 0: not in the file */
};

/* Where a value came from. */
enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT, CONFIG_FROM_FLAG };

struct config_value {
    char *text;     /* as written; for `profiled config` */
    int64_t number; /* BOOL: 0, 1. INTEGER, SIZE (bytes), DURATION (seconds); CHOICE: which of the words, from
                       0 */
    enum config_origin origin;
    int line; /* in the file, 0 elsewhere */
};

struct config_settings {
    char *path; /* of the file; NULL: none was read */
    struct config_value values[CONFIG_ID_COUNT];
    struct config_issuer issuers[CONFIG_MAX_ISSUERS];
    size_t issuer_count;
};

/* The value's text, never NULL once config_load said OK. Borrowed from s. */
static inline const char *config_text(const struct config_settings *s, enum config_id id)
{
    return s->values[id].text;
}
static inline int64_t config_number(const struct config_settings *s, enum config_id id)
{
    return s->values[id].number;
}

struct config_row {
    const char *section;
    const char *key;
    enum config_type type;
    const char *def;
    int64_t least, most;
    const char *choices; /* separated by spaces, or NULL */
    const char *help;
};
struct config_issuer_row {
    const char *key;
    bool may_be_empty;
    const char *help;
};
/* The table's row; static. */
const struct config_row *config_row(enum config_id id);
const struct config_issuer_row *config_issuer_row(enum config_issuer_key key);

/* The row's id, or CONFIG_ID_COUNT when there is none. Compared exactly. */
enum config_id config_find(struct span section, struct span key);
/* The issuer key's number, or CONFIG_ISSUER_KEY_COUNT. */
enum config_issuer_key config_issuer_find(struct span key);
/* Where the issuer keeps that key's text: never NULL. */
char **config_issuer_field(struct config_issuer *issuer, enum config_issuer_key key);

/* Sets every value to its default; s was zeroed before. ERR_NOMEM: what was set is to be given to
 * config_fini. */
MUST_USE enum err config_defaults(struct config_settings *s);
/*
 * Checks text against the row (value.h) and puts it in place of the value there was. On failure the old value
 * stays and detail says what would be right, without saying where the text came from. ERR_INVALID, ERR_NOMEM.
 */
MUST_USE enum err config_set(struct config_settings *s, enum config_id id, struct span text,
                             enum config_origin origin, int line, struct err_detail *detail);

/* Appends where the value came from: "default", "FILE:LINE", "variable PROFILED_…" or "flag -o section.key".
 */
void config_origin_write(const struct config_settings *s, enum config_id id, struct buf *out);
/* Appends the name of the row's variable: PROFILED_SECTION_KEY. */
void config_variable_write(enum config_id id, struct buf *out);
