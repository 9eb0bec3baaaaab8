/* The ways of serving: a pool under a supervisor, one worker on a socket that a web server made, a single CGI
 * request. */
#pragma once
#include "cli/cli.h"

extern const struct cli_command serve_command;

/* Serves FastCGI on descriptor 0 until SIGTERM; the configuration comes from arguments (-c, -o),
 * PROFILED_CONFIG or the default. Returns an exit status. */
int serve_worker(int argc, char **argv);
/* Answers one CGI request. Returns an exit status. */
int serve_cgi(int argc, char **argv);
