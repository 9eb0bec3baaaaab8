/*
 * The checks, each of which looks at the evidence and fills a finding: pure. Split by what they are about:
 * doctor_check_reach.c (is it there, and all of it), doctor_check_token.c (who gets in), doctor_check_cache.c
 * (validators and caches).
 */
#pragma once
#include "cli/doctor_judge.h"

typedef void doctor_check(const struct doctor_evidence *e, struct doctor_finding *f);

doctor_check doctor_check_answers, doctor_check_ready, doctor_check_own, doctor_check_http, doctor_check_tls,
    doctor_check_clock, doctor_check_methods, doctor_check_large_header, doctor_check_long_address,
    doctor_check_slash, doctor_check_cors;
doctor_check doctor_check_challenge, doctor_check_authorization, doctor_check_unauthenticated,
    doctor_check_forged, doctor_check_private, doctor_check_owner, doctor_check_shared;
doctor_check doctor_check_etag, doctor_check_gzip, doctor_check_br, doctor_check_not_modified,
    doctor_check_date, doctor_check_head, doctor_check_precondition, doctor_check_write_precondition,
    doctor_check_policy, doctor_check_edge, doctor_check_origin, doctor_check_purge;

/* Whether this probe has an answer; else the finding is filled: skipped with "why" when it was not asked,
 * a fault when no answer came. */
bool doctor_has(const struct doctor_evidence *e, enum doctor_probe probe, struct doctor_finding *f,
                const char *why);
/* The same for the public view, which must be a 200. */
bool doctor_has_public(const struct doctor_evidence *e, struct doctor_finding *f);
/* Of an answer that a shared cache gave by itself: says which header tells so. Absent when none does. */
struct span doctor_cache_sign(const struct doctor_answer *a);
