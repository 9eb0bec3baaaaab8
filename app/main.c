/*
 * The program's start: finds out how it was started, and hands over. A subcommand by name; else a worker,
 * when descriptor 0 is a listening socket (the FastCGI convention of lighttpd, mod_fcgid and spawn-fcgi);
 * else CGI, when the environment says so (RFC 3875 section 4.1.4).
 */
#include "serve.h"

#include "thumbnail/make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
    &serve_command, &cli_key,    &cli_token,  &cli_db,     &cli_import,
    &cli_export,    &cli_status, &cli_doctor, &cli_config,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(FILE *to)
{
    fprintf(to, "profiled " PROFILED_VERSION ": a stateless, cacheable server of user profiles\n\n"
                "usage: profiled COMMAND [OPTION…]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to,
            "\n'profiled COMMAND --help' tells more. Every command takes -c FILE (the configuration) and\n"
            "-o SECTION.KEY=VALUE (one setting of it). Without a command it serves as a FastCGI worker when\n"
            "descriptor 0 is a listening socket, and as a CGI program when GATEWAY_INTERFACE is set.\n");
}

static bool listens(int fd)
{
    int yes = 0;
    socklen_t len = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes != 0;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* What a full disk or a closed pipe swallowed is no success. */
static int run_command(const struct cli_command *command, int argc, char **argv)
{
    int status = CLI_OK;
    if (wants_help(argc, argv))
        fputs(command->help, stdout);
    else
        status = command->run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_failed(command->name, "the output could not be written");
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, THUMBNAIL_CHILD) == 0)
        return thumbnail_child(); /* of a worker; not for people */
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return run_command(commands[i], argc - 1, argv + 1);
    }
    if (listens(STDIN_FILENO))
        return serve_worker(argc, argv);
    if (getenv("GATEWAY_INTERFACE") != NULL)
        return serve_cgi(argc, argv);
    if (strcmp(name, "--version") == 0) {
        puts("profiled " PROFILED_VERSION);
        return CLI_OK;
    }
    if (argc > 1 && wants_help(argc, argv)) {
        print_help(stdout);
        return CLI_OK;
    }
    if (argc > 1)
        fprintf(stderr, "profiled: there is no command '%s' (see profiled --help)\n", name);
    else
        print_help(stderr);
    return CLI_USAGE;
}
