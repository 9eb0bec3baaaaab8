/* What the doctor found, for people (80 columns) and for programs (profiled(1) documents the members). Pure.
 */
#pragma once
#include "base/buf.h"
#include "cli/doctor_judge.h"

struct doctor_report {
    const char *url;
    const char *server; /* what the answers name; "" when they name nothing */
    unsigned parts;     /* of doctor_judge_parts */
    const struct doctor_finding *findings;
    size_t count;
};

/* How many have this verdict. */
size_t doctor_report_count(const struct doctor_report *r, enum doctor_verdict verdict);
/* Whether all is well: no fault, and nothing unseen. */
bool doctor_report_well(const struct doctor_report *r);
void doctor_report_text(const struct doctor_report *r, struct buf *out);
/* One object on a line. */
void doctor_report_json(const struct doctor_report *r, struct buf *out);
