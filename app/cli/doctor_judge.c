#include "cli/doctor_judge.h"

#include "cli/doctor_check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* In the order of the report: what everything else needs comes first. The names are profiled(1)'s. */
static const struct {
    const char *name;
    doctor_check *check;
} checks[] = {
    {"answers", doctor_check_answers},
    {"ready", doctor_check_ready},
    {"profiled", doctor_check_own},
    {"http", doctor_check_http},
    {"tls", doctor_check_tls},
    {"clock", doctor_check_clock},
    {"unauthenticated", doctor_check_unauthenticated},
    {"forged", doctor_check_forged},
    {"challenge", doctor_check_challenge},
    {"authorization", doctor_check_authorization},
    {"private", doctor_check_private},
    {"owner", doctor_check_owner},
    {"shared", doctor_check_shared},
    {"policy", doctor_check_policy},
    {"etag", doctor_check_etag},
    {"not-modified", doctor_check_not_modified},
    {"modified-since", doctor_check_date},
    {"gzip", doctor_check_gzip},
    {"br", doctor_check_br},
    {"head", doctor_check_head},
    {"precondition", doctor_check_precondition},
    {"write-precondition", doctor_check_write_precondition},
    {"methods", doctor_check_methods},
    {"large-header", doctor_check_large_header},
    {"long-address", doctor_check_long_address},
    {"encoded-slash", doctor_check_slash},
    {"cors", doctor_check_cors},
    {"edge", doctor_check_edge},
    {"origin", doctor_check_origin},
    {"purge", doctor_check_purge},
};
static_assert(sizeof checks / sizeof checks[0] <= DOCTOR_FINDINGS_MAX, "no room for the findings");

/* What a server sent may hold anything: one line of what a terminal shows. Cut within a character at worst at
 * the end, where the rest of that character is dropped. */
static void clean(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
}

__attribute__((format(printf, 2, 0))) static void fill(struct doctor_finding *f, const char *format,
                                                       va_list args)
{
    vsnprintf(f->detail, sizeof f->detail, format, args);
    clean(f->detail);
}

void doctor_fine(struct doctor_finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    f->verdict = DOCTOR_OK;
    fill(f, format, args);
    va_end(args);
}

void doctor_skip(struct doctor_finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    f->verdict = DOCTOR_SKIPPED;
    fill(f, format, args);
    va_end(args);
}

void doctor_fault(struct doctor_finding *f, enum doctor_fault fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    f->verdict = DOCTOR_FAULTY;
    f->fault = fault;
    fill(f, format, args);
    va_end(args);
}

size_t doctor_judge(const struct doctor_evidence *e, struct doctor_finding out[DOCTOR_FINDINGS_MAX])
{
    size_t count = sizeof checks / sizeof checks[0];
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct doctor_finding){.name = checks[i].name};
        checks[i].check(e, &out[i]);
    }
    return count;
}

static bool contains(struct span text, const char *word)
{
    size_t len = strlen(word);
    for (size_t at = 0; at + len <= text.len; at++)
        if (span_eq_nocase(span_of(text.ptr + at, len), span_of(word, len)))
            return true;
    return false;
}

unsigned doctor_judge_parts(const struct doctor_evidence *e)
{
    static const char *const names[] = {"Server", "Via", "X-Varnish", "X-Served-By"};
    unsigned parts = 0;
    for (size_t p = 0; p < DOCTOR_PROBE_COUNT; p++)
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            struct span value;
            for (size_t i = 0; (value = doctor_answer_header(&e->answers[p], names[n], i)).ptr != NULL; i++)
                for (int part = 0; part < DOCTOR_PART_PROFILED; part++)
                    if (contains(value, doctor_part_name((enum doctor_part)part)) ||
                        (part == DOCTOR_PART_VARNISH && n == 2))
                        parts |= 1U << part;
        }
    return parts == 0 ? DOCTOR_FRONTS : parts;
}

void doctor_judge_server(const struct doctor_evidence *e, struct buf *out)
{
    const struct doctor_answer *a = &e->answers[DOCTOR_HEALTHZ];
    struct span server = doctor_answer_header(a, "Server", 0), via = doctor_answer_header(a, "Via", 0);
    char text[200];
    snprintf(text, sizeof text, "%.*s%s%.*s", SPAN_ARG(server),
             via.ptr == NULL      ? ""
             : server.ptr == NULL ? "via "
                                  : ", via ",
             SPAN_ARG(via));
    clean(text);
    buf_append(out, span_str(text));
}
