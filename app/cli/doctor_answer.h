/*
 * An answer as it came: status line and header lines as they stood, body undecoded. What the judgement
 * (doctor_judge.h) looks at, whether it came over the network (doctor_fetch.h) or out of a test's table.
 * Pure; memory is the heap's. Field values are RFC 9110 section 5.5's, without the white space round them.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum doctor_outcome { DOCTOR_NOT_ASKED, DOCTOR_ANSWERED, DOCTOR_FAILED };

/* Zeroed is one that was not asked for. */
struct doctor_answer {
    enum doctor_outcome outcome;
    char failure[160]; /* DOCTOR_FAILED: why there is no answer */
    int status;
    int version;     /* 10, 11, 20, 30; 0: not known */
    struct buf head; /* the header lines, each with CR LF, the status line left out */
    struct buf body;
    int64_t sent_ms, received_ms; /* Unix time */
};

/* Reads "HTTP/1.1 200 OK", header lines, an empty line, the body; lines may end in LF alone. ERR_INVALID: no
 * status line. ERR_NOMEM. a was zeroed; to be given to doctor_answer_fini in any case. */
MUST_USE enum err doctor_answer_read(struct doctor_answer *a, struct span raw);
void doctor_answer_fini(struct doctor_answer *a);

/* The value of the n-th line of that name, from 0; absent when there are not so many. Borrowed from a. */
struct span doctor_answer_header(const struct doctor_answer *a, const char *name, size_t n);
/* Whether one of the lines' comma-separated elements is this word, compared without case; what stands behind
 * "=" or ";" in an element is not looked at. */
bool doctor_answer_lists(const struct doctor_answer *a, const char *name, const char *word);
/* Whether both have the same elements under that name, in whatever order and whatever case, extra elements of
 * either being named in "spare" (NULL: none) apart. */
bool doctor_answer_same(const struct doctor_answer *a, const struct doctor_answer *b, const char *name,
                        const char *spare);
/* Whether there is an answer with this status. */
static inline bool doctor_answer_is(const struct doctor_answer *a, int status)
{
    return a->outcome == DOCTOR_ANSWERED && a->status == status;
}
/* Whether profiled wrote it, as far as can be seen: nosniff, and a problem document where it is an error. */
bool doctor_answer_ours(const struct doctor_answer *a);
/* The string member of the body's JSON object, copied to out with a NUL; "" when there is none or it is too
 * long. */
void doctor_answer_member(const struct doctor_answer *a, const char *name, char *out, size_t size);
