/*
 * Asks a deployment everything that the judgement wants to see, in an order that makes caches warm before
 * they are tempted. Nothing is ever changed by it: requests that could change something bear no token, or a
 * precondition that cannot hold and an empty patch. The one exception is the trial, which makes a profile of
 * its own and deletes it. Blocks; sends some thirty requests, one after the other.
 */
#pragma once
#include "cli/doctor_fetch.h"
#include "cli/doctor_judge.h"

struct doctor_target {
    const char *base;   /* without a "/" at the end */
    const char *origin; /* the same behind the edge; NULL: not asked */
    const char *token;  /* NULL: none; likewise: */
    const char *other;  /* of another subject */
    const char *admin;
    const char *id; /* whose public view; NULL: the token's subject's */
    bool write;     /* the trial may be made */
};

/* Fills the answers, the id and what is known of TLS; the rest of *e is the caller's, and was set before.
 * Ends early when the first request has no answer. */
void doctor_probe_all(struct doctor_fetcher *f, const struct doctor_target *t, struct doctor_evidence *e);
/* Makes, edits and deletes a profile as an administrator, and sees how soon the public view tells so. */
void doctor_probe_trial(struct doctor_fetcher *f, const struct doctor_target *t, struct doctor_trial *out);
