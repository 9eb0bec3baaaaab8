/*
 * The subcommands. Each is a row: name, one line of summary, the text of --help, and a function. A wrong call
 * prints one line on stderr and exits 2, a failure exits 1 with the reason, success exits 0. Options stand
 * anywhere before "--"; every subcommand takes -c FILE and -o SECTION.KEY=VALUE.
 */
#pragma once
#include "config/load.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_command {
    const char *name;
    const char *summary;
    const char *help;                  /* printed whole by --help */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit status */
};

extern const struct cli_command cli_config, cli_db, cli_doctor, cli_export, cli_import, cli_key, cli_status,
    cli_token;

/* -c FILE and -o SECTION.KEY=VALUE, gathered while a subcommand reads its options. Zeroed is empty. */
enum { CLI_MAX_FLAGS = 64 };
struct cli_common {
    const char *path;
    const char *flags[CLI_MAX_FLAGS];
    size_t flag_count;
};

/* Prints "profiled NAME: message (see profiled NAME --help)" on stderr and returns CLI_USAGE. */
int cli_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "profiled NAME: message" on stderr and returns CLI_FAILED. */
int cli_failed(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes a common option that getopt_long found ('c' or 'o', with its argument); false when it is not one, or
 * there are too many. */
bool cli_common_take(struct cli_common *common, int option, const char *argument);
/* Loads the settings; on failure prints the reason and returns false. *out must be given to config_fini after
 * true. */
bool cli_settings(const char *name, const struct cli_common *common, struct config_settings *out);

/* A progress bar on stderr, drawn at most ten times a second, and only when stderr is a terminal. Zeroed to
 * begin with. */
struct cli_progress {
    int64_t drawn_us;
    bool shown;
};
void cli_progress_draw(struct cli_progress *p, const char *what, uint64_t done, uint64_t total);
/* Wipes it. */
void cli_progress_end(struct cli_progress *p);
