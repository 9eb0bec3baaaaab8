#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 4096 };

struct line {
    char text[LINE_MAX_LEN];
    size_t len;
};

static void put(struct line *l, struct span s)
{
    /* a byte is kept for the newline, another for the closing brace */
    size_t room = sizeof l->text - 2 - l->len;
    size_t n = s.len < room ? s.len : room;
    if (n > 0)
        memcpy(l->text + l->len, s.ptr, n);
    l->len += n;
}

/* Whole or not at all, so that a cut line is still JSON. */
static void put_string(struct line *l, struct span s)
{
    struct line quoted;
    quoted.len = 0;
    put(&quoted, SPAN("\""));
    for (size_t i = 0; i < s.len && quoted.len < 2048; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        char escaped[8];
        if (c == '"' || c == '\\')
            put(&quoted, span_of(escaped, (size_t)snprintf(escaped, sizeof escaped, "\\%c", c)));
        else if (c < 0x20 || c >= 0x7f)
            put(&quoted, span_of(escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c)));
        else
            put(&quoted, span_of(s.ptr + i, 1));
    }
    put(&quoted, SPAN("\""));
    if (quoted.len + 16 < sizeof l->text - l->len)
        put(l, span_of(quoted.text, quoted.len));
    else
        put(l, SPAN("\"\""));
}

static void put_time(struct line *l)
{
    char text[40];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(text + n, sizeof text - n, ".%03ldZ", now.tv_nsec / 1000000);
    put(l, span_of(text, n));
}

static void put_field(struct line *l, const struct log_field *f)
{
    char number[24];
    switch (f->type) {
    case LOG_TYPE_STRING:
        put_string(l, f->text);
        break;
    case LOG_TYPE_INT:
        put(l, span_of(number, (size_t)snprintf(number, sizeof number, "%lld", (long long)f->number)));
        break;
    }
}

static void compose_json(struct line *l, enum log_level level, const char *event,
                         const struct log_field *fields, size_t count)
{
    char pid[32];
    put(l, SPAN("{\"time\":\""));
    put_time(l);
    put(l, SPAN("\",\"level\":\""));
    put(l, span_str(log_level_name(level)));
    put(l, span_of(pid, (size_t)snprintf(pid, sizeof pid, "\",\"pid\":%ld,", (long)getpid())));
    put(l, SPAN("\"event\":"));
    put_string(l, span_str(event));
    for (size_t i = 0; i < count; i++) {
        if (sizeof l->text - l->len < 64)
            break;
        put(l, SPAN(","));
        put_string(l, span_str(fields[i].key));
        put(l, SPAN(":"));
        put_field(l, &fields[i]);
    }
    put(l, SPAN("}"));
}

static void compose_text(struct line *l, enum log_level level, const char *event,
                         const struct log_field *fields, size_t count)
{
    put_time(l);
    put(l, SPAN(" "));
    put(l, span_str(log_level_name(level)));
    put(l, SPAN(" "));
    put(l, span_str(event));
    for (size_t i = 0; i < count; i++) {
        put(l, SPAN(" "));
        put(l, span_str(fields[i].key));
        put(l, SPAN("="));
        put_field(l, &fields[i]);
    }
}

enum err log_open(struct log *log, const char *path, struct err_detail *detail)
{
    log->path = path;
    log->fd = STDERR_FILENO;
    if (path == NULL)
        return OK;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(detail, ERR_IO, "cannot open the log file %s: %s", path, strerror(errno));
    log->fd = fd;
    return OK;
}

void log_reopen(struct log *log)
{
    if (log->path == NULL)
        return;
    int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        LOG(log, LOG_ERROR, "log-reopen-failed", LOG_STR("path", log->path),
            LOG_STR("reason", strerror(errno)));
        return;
    }
    if (log->fd > STDERR_FILENO)
        close(log->fd);
    log->fd = fd;
}

void log_close(struct log *log)
{
    if (log->fd > STDERR_FILENO)
        close(log->fd);
    log->fd = STDERR_FILENO;
}

void log_event(const struct log *log, enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    struct line l;
    if (level > log->level)
        return;
    l.len = 0;
    if (log->format == LOG_JSON)
        compose_json(&l, level, event, fields, count);
    else
        compose_text(&l, level, event, fields, count);
    l.text[l.len++] = '\n';
    /* a log that cannot be written must not stop the service */
    ssize_t n = write(log->fd, l.text, l.len);
    (void)n;
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};
    return level < LOG_LEVEL_COUNT ? names[level] : "unknown";
}
