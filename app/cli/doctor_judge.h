/*
 * What the doctor thinks of the answers that it got. Pure: a deployment's answers in, a verdict for each
 * check out; nothing is sent, read or allocated. The checks are one table, in the order of the report; who
 * asks (doctor_probe.h) and who prints (doctor_report.h) stand apart.
 */
#pragma once
#include "cli/doctor_answer.h"
#include "cli/doctor_remedy.h"

/* What is asked of the deployment. The public view is that of one profile; "bare" is without a token. */
enum doctor_probe {
    DOCTOR_HEALTHZ,
    DOCTOR_READYZ,
    DOCTOR_ME,       /* /v1/me with the token */
    DOCTOR_ME_AGAIN, /* the same once more */
    DOCTOR_ME_OTHER, /* with another subject's token, after it */
    DOCTOR_ME_BARE,  /* without one, after those */
    DOCTOR_PUBLIC,
    DOCTOR_PUBLIC_AGAIN,
    DOCTOR_PUBLIC_OTHER,
    DOCTOR_PUBLIC_BARE,   /* when it is as warm as it gets */
    DOCTOR_PUBLIC_FORGED, /* with a token that nobody signed */
    DOCTOR_PUBLIC_HEAD,
    DOCTOR_PUBLIC_TAG,  /* If-None-Match: the tag of DOCTOR_PUBLIC */
    DOCTOR_PUBLIC_DATE, /* If-Modified-Since: its Last-Modified */
    DOCTOR_PUBLIC_LOST, /* If-Match: a tag that it never had */
    DOCTOR_HEAD_LOST,   /* the same by HEAD */
    DOCTOR_GZIP,        /* Accept-Encoding: gzip */
    DOCTOR_GZIP_TAG,    /* and the tag of that sent back */
    DOCTOR_GZIP_MATCH,  /* and in If-Match */
    DOCTOR_BR,
    DOCTOR_BR_TAG,
    DOCTOR_BR_MATCH,
    DOCTOR_OPTIONS,
    DOCTOR_PUT_BARE,
    DOCTOR_PATCH_BARE,
    DOCTOR_DELETE_BARE,
    DOCTOR_PATCH_LOST, /* /v1/me, {}, If-Match: a tag that it never had */
    DOCTOR_LARGE_HEADER,
    DOCTOR_LONG_ADDRESS,
    DOCTOR_SLASH, /* /v1/profiles/x%2Fy, bare */
    DOCTOR_CORS,  /* the public view, with Origin; /v1/me bare when it is not known */
    DOCTOR_CORS_TAG,
    DOCTOR_PREFLIGHT,
    DOCTOR_ORIGIN, /* the public view, of --origin */
    DOCTOR_PROBE_COUNT
};

/* How a throw-away profile's writes were seen through the edge; times in ms from the write's answer to the
 * first fresh read. */
struct doctor_trial {
    bool tried;
    char failure[200];                          /* a step that could not be done, "" else */
    bool left_behind;                           /* it could not be deleted */
    int64_t created_ms, changed_ms, deleted_ms; /* -1: not within DOCTOR_TRIAL_LIMIT_MS */
};
enum { DOCTOR_TRIAL_LIMIT_MS = 3000, DOCTOR_FRESH_MS = 500 };

struct doctor_evidence {
    struct doctor_answer answers[DOCTOR_PROBE_COUNT];
    struct doctor_trial trial;
    int64_t now_s;
    bool https;
    bool tls_failed;
    int64_t certificate_expires_s; /* 0: not known */
    bool has_token;
    bool has_other;           /* a token of another subject */
    char id[130];             /* the profile whose public view is looked at; "": none is known */
    const char *cors_origin;  /* NULL: none is to be tried */
    const char *shared_cache; /* http.shared_cache; NULL: not known. Likewise: */
    const char *purge;        /* edge.purge */
    int64_t leeway_s;
};

enum doctor_verdict { DOCTOR_OK, DOCTOR_FAULTY, DOCTOR_SKIPPED };

struct doctor_finding {
    const char *name; /* static */
    enum doctor_verdict verdict;
    bool unseen; /* skipped for lack of a token or a profile to look with: nobody knows whether it is well */
    char detail[400];
    enum doctor_fault fault; /* whose remedies are due; DOCTOR_FAULT_NONE when there is none to name */
    char subject[200];       /* what "THE-ORIGIN" and the like stand for in them; "" : nothing */
};
enum { DOCTOR_FINDINGS_MAX = 48 };

/* Judges everything; gives the number of findings. */
size_t doctor_judge(const struct doctor_evidence *e, struct doctor_finding out[DOCTOR_FINDINGS_MAX]);
/* Which fronts and caches the answers name (Server, Via, X-Varnish): a set of DOCTOR_PARTS; all of
 * DOCTOR_FRONTS when they name none. */
unsigned doctor_judge_parts(const struct doctor_evidence *e);
/* Appends what they name, as it stands: "lighttpd/1.4.69, via 1.1 varnish". */
void doctor_judge_server(const struct doctor_evidence *e, struct buf *out);

/* For those who judge: fill the finding. */
void doctor_fine(struct doctor_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_fault(struct doctor_finding *f, enum doctor_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
