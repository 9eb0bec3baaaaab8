#include "cli/doctor_report.h"

#include "json/write.h"

#include <stdio.h>

enum { COLUMNS = 80, NAME_COLUMN = 9, DETAIL_COLUMN = 29 };

static const char *const verdicts[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_FAULTY] = "fault", [DOCTOR_SKIPPED] = "skipped"};

size_t doctor_report_count(const struct doctor_report *r, enum doctor_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->findings[i].verdict == verdict;
    return n;
}

static size_t count_unseen(const struct doctor_report *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->findings[i].verdict == DOCTOR_SKIPPED && r->findings[i].unseen;
    return n;
}

bool doctor_report_well(const struct doctor_report *r)
{
    return doctor_report_count(r, DOCTOR_FAULTY) == 0 && count_unseen(r) == 0;
}

/* Words, from this column on, broken at the right margin; ends the line. */
static void write_words(struct buf *out, const char *text, size_t column)
{
    struct span rest = span_str(text);
    size_t at = column;
    while (rest.ptr != NULL) {
        struct span word = span_cut(&rest, ' ');
        if (at > column && at + 1 + word.len > COLUMNS) {
            buf_printf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            buf_char(out, ' ');
            at++;
        }
        buf_append(out, word);
        at += word.len;
    }
    buf_char(out, '\n');
}

/* The remedy's line, with what it is about in the place of the word in capitals. */
static void write_line(struct buf *out, const struct doctor_finding *f, const struct doctor_remedy *r)
{
    static const char *const places[] = {"THE-ORIGIN", "DATABASE", "KEYS", "/etc/profiled/edge.key"};
    struct span rest = span_str(r->line);
    while (rest.len > 0) {
        size_t taken = 0;
        for (size_t i = 0; i < sizeof places / sizeof places[0] && f->subject[0] != '\0'; i++)
            if (span_starts(rest, span_str(places[i])))
                taken = strlen(places[i]);
        if (taken > 0)
            buf_append(out, span_str(f->subject));
        else
            buf_char(out, rest.ptr[0]);
        rest = span_from(rest, taken > 0 ? taken : 1);
    }
}

static void write_remedies(const struct doctor_report *r, const struct doctor_finding *f, struct buf *out)
{
    const struct doctor_remedy *remedy;
    int part = -1;
    for (size_t at = 0; (remedy = doctor_remedy_next(f->fault, r->parts, &at)) != NULL;) {
        if (part != (int)remedy->part)
            buf_printf(out, "%*sin %s:\n", NAME_COLUMN, "", doctor_part_file(remedy->part));
        part = (int)remedy->part;
        if (remedy->take_out)
            buf_printf(out, "%*s(if it is there, take out)\n", NAME_COLUMN + 2, "");
        if (remedy->where[0] != '\0')
            buf_printf(out, "%*s(%s)\n", NAME_COLUMN + 2, "", remedy->where);
        buf_printf(out, "%*s", NAME_COLUMN + 2, "");
        write_line(out, f, remedy);
        buf_char(out, '\n');
    }
}

void doctor_report_text(const struct doctor_report *r, struct buf *out)
{
    buf_printf(out, "%s%s%s%s\n\n", r->url, r->server[0] != '\0' ? " (" : "", r->server,
               r->server[0] != '\0' ? ")" : "");
    for (size_t i = 0; i < r->count; i++) {
        const struct doctor_finding *f = &r->findings[i];
        buf_printf(out, "%-*s%-*s", NAME_COLUMN, f->verdict == DOCTOR_FAULTY ? "FAULT" : verdicts[f->verdict],
                   DETAIL_COLUMN - NAME_COLUMN, f->name);
        write_words(out, f->detail, DETAIL_COLUMN);
        if (f->verdict == DOCTOR_FAULTY)
            write_remedies(r, f, out);
    }
    size_t faults = doctor_report_count(r, DOCTOR_FAULTY), fine = doctor_report_count(r, DOCTOR_OK);
    size_t unseen = count_unseen(r);
    buf_printf(out, "\n%zu ok, %zu fault%s, %zu skipped\n", fine, faults, faults == 1 ? "" : "s",
               doctor_report_count(r, DOCTOR_SKIPPED));
    if (unseen > 0)
        buf_printf(out, "%zu of them for want of a token or a profile: all may not be well\n", unseen);
}

static void write_json_remedies(const struct doctor_report *r, const struct doctor_finding *f,
                                struct buf *out)
{
    const struct doctor_remedy *remedy;
    bool first = true;
    for (size_t at = 0; (remedy = doctor_remedy_next(f->fault, r->parts, &at)) != NULL; first = false) {
        struct buf line = {0};
        write_line(&line, f, remedy);
        buf_printf(out, "%s{\"part\":\"%s\",\"file\":", first ? "" : ",", doctor_part_name(remedy->part));
        json_write_string(out, span_str(doctor_part_file(remedy->part)));
        buf_printf(out, ",\"action\":\"%s\",\"where\":", remedy->take_out ? "remove" : "set");
        json_write_string(out, span_str(remedy->where));
        buf_lit(out, ",\"line\":");
        json_write_string(out, buf_span(&line));
        buf_char(out, '}');
        buf_fini(&line);
    }
}

void doctor_report_json(const struct doctor_report *r, struct buf *out)
{
    bool first = true;
    buf_lit(out, "{\"url\":");
    json_write_string(out, span_str(r->url));
    buf_lit(out, ",\"server\":");
    json_write_string(out, span_str(r->server));
    buf_lit(out, ",\"parts\":[");
    for (int part = 0; part < DOCTOR_PART_PROFILED; part++)
        if ((r->parts & 1U << part) != 0) {
            buf_printf(out, "%s\"%s\"", first ? "" : ",", doctor_part_name((enum doctor_part)part));
            first = false;
        }
    buf_printf(out, "],\"well\":%s,\"ok\":%zu,\"faults\":%zu,\"skipped\":%zu,\"checks\":[",
               doctor_report_well(r) ? "true" : "false", doctor_report_count(r, DOCTOR_OK),
               doctor_report_count(r, DOCTOR_FAULTY), doctor_report_count(r, DOCTOR_SKIPPED));
    for (size_t i = 0; i < r->count; i++) {
        const struct doctor_finding *f = &r->findings[i];
        buf_printf(out, "%s{\"name\":\"%s\",\"verdict\":\"%s\",\"detail\":", i == 0 ? "" : ",", f->name,
                   verdicts[f->verdict]);
        json_write_string(out, span_str(f->detail));
        buf_lit(out, ",\"remedies\":[");
        if (f->verdict == DOCTOR_FAULTY)
            write_json_remedies(r, f, out);
        buf_lit(out, "]}");
    }
    buf_lit(out, "]}\n");
}
