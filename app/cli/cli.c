#include "cli/cli.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

extern char **environ;

int cli_usage(const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "profiled %s: ", name);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (see profiled %s --help)\n", name);
    va_end(args);
    return CLI_USAGE;
}

int cli_failed(const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "profiled %s: ", name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return CLI_FAILED;
}

bool cli_common_take(struct cli_common *common, int option, const char *argument)
{
    if (option == 'c') {
        common->path = argument;
        return true;
    }
    if (option == 'o' && common->flag_count < CLI_MAX_FLAGS) {
        common->flags[common->flag_count++] = argument;
        return true;
    }
    return false;
}

bool cli_settings(const char *name, const struct cli_common *common, struct config_settings *out)
{
    struct err_detail detail = {0};
    struct config_source source = {
        .path = common->path,
        .environment = environ,
        .flags = common->flags,
        .flag_count = common->flag_count,
    };
    if (config_load(&source, out, &detail) == OK)
        return true;
    cli_failed(name, "%s", detail.text);
    return false;
}

void cli_progress_draw(struct cli_progress *p, const char *what, uint64_t done, uint64_t total)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    int64_t now = clock_monotonic_us();
    if (!isatty(STDERR_FILENO) || (p->shown && now - p->drawn_us < 100000))
        return;
    p->shown = true;
    p->drawn_us = now;
    if (total == 0) {
        fprintf(stderr, "\r%s %llu", what, (unsigned long long)done);
        return;
    }
    size_t filled = (size_t)(done >= total ? WIDTH : done * WIDTH / total);
    memset(bar, '#', filled);
    memset(bar + filled, '.', WIDTH - filled);
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3llu%%", what, bar,
            (unsigned long long)(done >= total ? 100 : done * 100 / total));
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    *p = (struct cli_progress){0};
}
