/* For the tests of subcommands: runs one in a child process and keeps what it printed. */
#pragma once
#include "base/file.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct support_run {
    int status; /* the exit status; -1: it did not end by itself */
    struct buf out, err;
};

static inline void support_run_fini(struct support_run *r)
{
    buf_fini(&r->out);
    buf_fini(&r->err);
}

static inline void support_slurp(FILE *file, struct buf *out)
{
    int c;
    rewind(file);
    while ((c = getc(file)) != EOF)
        buf_char(out, (char)c);
    fclose(file);
}

/* Runs the command with these arguments (argv[0] is its name, NULL ends them) and this standard input. */
static inline struct support_run support_run_cli(const struct cli_command *command, const char *const *argv,
                                                 struct span input)
{
    struct support_run r = {.status = -1};
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    int status = 0, argc = 0;
    char *copy[32] = {0};
    if (in == NULL || out == NULL || err == NULL)
        abort();
    for (; argv[argc] != NULL && argc < 31; argc++)
        copy[argc] = strdup(argv[argc]);
    fwrite(input.ptr, 1, input.len, in);
    rewind(in);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(in), STDIN_FILENO);
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        status = command->run(argc, copy);
        fflush(NULL);
        _exit(status);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
        r.status = WEXITSTATUS(status);
    for (int i = 0; i < argc; i++)
        free(copy[i]);
    fclose(in);
    support_slurp(out, &r.out);
    support_slurp(err, &r.err);
    return r;
}
