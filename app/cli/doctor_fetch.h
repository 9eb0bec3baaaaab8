/*
 * One HTTP request at a time, as a client outside would send it: no redirect is followed, nothing is decoded,
 * no proxy of the environment's is used, certificates are verified. The only user of libcurl among the
 * subcommands. Blocks, for no longer than the time limit each.
 */
#pragma once
#include "cli/doctor_answer.h"

struct doctor_fetcher; /* opaque */

struct doctor_fetch_options {
    long timeout_ms; /* of each request, from its first byte to its last */
    const char *ca;  /* file of certificates to trust; NULL: the system's */
};

struct doctor_request {
    const char *method;
    const char *url;
    const char *token;    /* NULL: no Authorization */
    const char *lines[4]; /* further header lines, "Name: value"; NULL ends them */
    const char *body;     /* NULL: none */
};

/* What was seen of the server's certificate. */
struct doctor_certificate {
    int64_t expires_s; /* Unix time; 0: not known */
};

/* ERR_NOMEM: libcurl cannot be had. *out is then NULL. */
MUST_USE enum err doctor_fetcher_new(const struct doctor_fetch_options *options, struct doctor_fetcher **out);
void doctor_fetcher_free(struct doctor_fetcher **f);

/*
 * Sends it and fills *out, which was zeroed: DOCTOR_ANSWERED, or DOCTOR_FAILED with why. Once two requests
 * have run out of time nothing is sent any more: each further one fails at once. A body past 2 MiB is a
 * failure.
 */
void doctor_fetch(struct doctor_fetcher *f, const struct doctor_request *request, struct doctor_answer *out);
/* Whether the last failure was the certificate's, or that of the handshake. */
bool doctor_fetch_tls_failed(const struct doctor_fetcher *f);
/* Of the last answer over https. */
struct doctor_certificate doctor_fetch_certificate(const struct doctor_fetcher *f);
