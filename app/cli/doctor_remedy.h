/*
 * What mends a fault: for each server that a deployment may be made of, the line of which file. One table;
 * static data, nothing is allocated.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* X(name as in the report, file) */
#define DOCTOR_PARTS(X)                                                                                      \
    X(LIGHTTPD, "lighttpd", "conf/lighttpd/profiled.conf")                                                   \
    X(APACHE, "apache", "conf/apache/profiled.conf")                                                         \
    X(NGINX, "nginx", "conf/nginx/profiled.conf")                                                            \
    X(VARNISH, "varnish", "conf/varnish/profiled.vcl")                                                       \
    X(PROFILED, "profiled", "profiled.conf")                                                                 \
    X(SHELL, "shell", "a shell of the server")

enum doctor_part {
#define X(id, name, file) DOCTOR_PART_##id,
    DOCTOR_PARTS(X)
#undef X
        DOCTOR_PART_COUNT
};
/* Sets of parts, a bit each; the fronts are the first four. */
#define DOCTOR_FRONTS ((1U << DOCTOR_PART_PROFILED) - 1)

/* X(what is wrong) */
#define DOCTOR_FAULTS(X)                                                                                     \
    X(NONE)                                                                                                  \
    X(NOT_SERVED)                                                                                            \
    X(NOT_READY)                                                                                             \
    X(HEADER_LOST)                                                                                           \
    X(HTTP_1_0)                                                                                              \
    X(CERTIFICATE)                                                                                           \
    X(UNCHECKED)                                                                                             \
    X(PRIVATE_STORED)                                                                                        \
    X(CHALLENGE)                                                                                             \
    X(TOKEN_LOST)                                                                                            \
    X(TOKEN_REFUSED)                                                                                         \
    X(ETAG)                                                                                                  \
    X(COMPRESSED)                                                                                            \
    X(WEAK_MATCH)                                                                                            \
    X(CONDITION_LOST)                                                                                        \
    X(IF_MATCH_LOST)                                                                                         \
    X(CACHE_CONTROL)                                                                                         \
    X(METHOD)                                                                                                \
    X(LARGE)                                                                                                 \
    X(SLASH)                                                                                                 \
    X(CORS)                                                                                                  \
    X(CORS_LOST)                                                                                             \
    X(VARY)                                                                                                  \
    X(LEAK)                                                                                                  \
    X(PURGE)                                                                                                 \
    X(CLOCK)                                                                                                 \
    X(DATABASE_PLACE)                                                                                        \
    X(DATABASE)                                                                                              \
    X(DATABASE_MODE)                                                                                         \
    X(KEYS_MODE)                                                                                             \
    X(SOCKET_MODE)                                                                                           \
    X(SOCKET_TCP)                                                                                            \
    X(EDGE_KEY_MODE)

enum doctor_fault {
#define X(id) DOCTOR_FAULT_##id,
    DOCTOR_FAULTS(X)
#undef X
        DOCTOR_FAULT_COUNT
};

struct doctor_remedy {
    enum doctor_fault fault;
    enum doctor_part part;
    bool take_out;     /* the line is to go, if it is there; else it is to be there */
    const char *where; /* the section or block that it stands in; "" for none in particular */
    const char *line;
};

/* The next remedy for the fault that concerns one of these parts, behind *at (0 to begin with); NULL at the
 * end. What concerns profiled or the shell comes whatever the parts are. */
const struct doctor_remedy *doctor_remedy_next(enum doctor_fault fault, unsigned parts, size_t *at);
const char *doctor_part_name(enum doctor_part part);
const char *doctor_part_file(enum doctor_part part);
