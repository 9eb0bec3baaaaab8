/*
 * The log: one JSON object a line, on stderr or in a file, each written by a single write(2) so that lines of
 * several processes do not mix. Only the boundary of the program logs; rooms below hand their reasons up. A
 * caller never passes a token or a private field.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };
enum log_format { LOG_JSON, LOG_TEXT };

struct log {
    int fd;           /* 2, or the file's */
    const char *path; /* NULL: stderr. Borrowed from whoever opened the log */
    enum log_level level;
    enum log_format format;
};

enum log_type { LOG_TYPE_STRING, LOG_TYPE_INT };
struct log_field {
    const char *key;
    enum log_type type;
    struct span text;
    int64_t number;
};
#define LOG_STR(key, str) ((struct log_field){(key), LOG_TYPE_STRING, span_str(str), 0})
#define LOG_SPAN(key, s)  ((struct log_field){(key), LOG_TYPE_STRING, (s), 0})
#define LOG_INT(key, n)   ((struct log_field){(key), LOG_TYPE_INT, {NULL, 0}, (n)})

/* Opens path for appending (NULL: stderr). ERR_IO with the reason in detail; the log then writes to stderr.
 */
MUST_USE enum err log_open(struct log *log, const char *path, struct err_detail *detail);
/* Opens the path anew, as after a rotation; on failure the old descriptor goes on. No-op on stderr. */
void log_reopen(struct log *log);
void log_close(struct log *log);

/* Writes {"time":…,"level":…,"pid":…,"event":…,fields} when level is enabled. Cut at 4 KiB. Never fails. */
void log_event(const struct log *log, enum log_level level, const char *event, const struct log_field *fields,
               size_t count);
#define LOG(log, level, event, ...)                                                                          \
    log_event((log), (level), (event), (const struct log_field[]){__VA_ARGS__},                              \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* "error", "warn", "info", "debug" */
const char *log_level_name(enum log_level level);
