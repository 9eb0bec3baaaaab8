#include "cli/doctor_answer.h"

#include "json/get.h"
#include "json/load.h"

#include <stdio.h>

void doctor_answer_fini(struct doctor_answer *a)
{
    buf_fini(&a->head);
    buf_fini(&a->body);
    *a = (struct doctor_answer){0};
}

/* A line without its end; the rest becomes absent behind the last. */
static struct span take_line(struct span *rest)
{
    struct span line = span_cut(rest, '\n');
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static bool read_status_line(struct span line, struct doctor_answer *a)
{
    uint64_t major, minor = 0, status;
    if (!span_starts(line, SPAN("HTTP/")))
        return false;
    struct span rest = span_from(line, 5);
    struct span minor_text = span_cut(&rest, ' ');
    struct span major_text = span_cut(&minor_text, '.');
    struct span status_text = span_cut(&rest, ' ');
    if (!span_to_u64(major_text, 9, &major) || !span_to_u64(status_text, 999, &status) ||
        (minor_text.ptr != NULL && !span_to_u64(minor_text, 9, &minor)))
        return false;
    a->version = (int)(major * 10 + minor);
    a->status = (int)status;
    return true;
}

enum err doctor_answer_read(struct doctor_answer *a, struct span raw)
{
    struct span rest = raw;
    if (!read_status_line(take_line(&rest), a))
        return ERR_INVALID;
    while (rest.ptr != NULL) {
        struct span line = take_line(&rest);
        if (line.len == 0)
            break;
        buf_append(&a->head, line);
        buf_lit(&a->head, "\r\n");
    }
    if (rest.ptr != NULL)
        buf_append(&a->body, rest);
    a->outcome = DOCTOR_ANSWERED;
    return a->head.failed || a->body.failed ? ERR_NOMEM : OK;
}

struct span doctor_answer_header(const struct doctor_answer *a, const char *name, size_t n)
{
    struct span rest = buf_span(&a->head);
    while (rest.ptr != NULL && rest.len > 0) {
        struct span value = take_line(&rest);
        struct span field = span_cut(&value, ':');
        if (value.ptr != NULL && span_eq_nocase(field, span_str(name)) && n-- == 0)
            return span_trim(value);
    }
    return (struct span){NULL, 0};
}

/* The next element of a list, over all lines of the name; quoted commas are none of ours. *line is how many
 * lines were begun, *rest what is left of the last. Absent at the end. */
static struct span next_element(const struct doctor_answer *a, const char *name, size_t *line,
                                struct span *rest)
{
    for (;;) {
        if (rest->ptr == NULL) {
            *rest = doctor_answer_header(a, name, (*line)++);
            if (rest->ptr == NULL)
                return *rest;
        }
        struct span element = span_trim(span_cut(rest, ','));
        if (element.len > 0)
            return element;
    }
}

bool doctor_answer_lists(const struct doctor_answer *a, const char *name, const char *word)
{
    struct span rest = {NULL, 0}, element;
    size_t line = 0;
    while ((element = next_element(a, name, &line, &rest)).ptr != NULL) {
        size_t n = 0;
        while (n < element.len && element.ptr[n] != '=' && element.ptr[n] != ';')
            n++;
        if (span_eq_nocase(span_trim(span_of(element.ptr, n)), span_str(word)))
            return true;
    }
    return false;
}

static bool has_element(const struct doctor_answer *a, const char *name, struct span wanted)
{
    struct span rest = {NULL, 0}, element;
    size_t line = 0;
    while ((element = next_element(a, name, &line, &rest)).ptr != NULL)
        if (span_eq_nocase(element, wanted))
            return true;
    return false;
}

static bool within(const struct doctor_answer *a, const struct doctor_answer *b, const char *name,
                   const char *spare)
{
    struct span rest = {NULL, 0}, element;
    size_t line = 0;
    while ((element = next_element(a, name, &line, &rest)).ptr != NULL)
        if (!span_eq_nocase(element, span_str(spare)) && !has_element(b, name, element))
            return false;
    return true;
}

bool doctor_answer_same(const struct doctor_answer *a, const struct doctor_answer *b, const char *name,
                        const char *spare)
{
    return within(a, b, name, spare) && within(b, a, name, spare);
}

bool doctor_answer_ours(const struct doctor_answer *a)
{
    if (a->outcome != DOCTOR_ANSWERED || !doctor_answer_lists(a, "X-Content-Type-Options", "nosniff"))
        return false;
    return a->status < 400 || doctor_answer_lists(a, "Content-Type", "application/problem+json");
}

void doctor_answer_member(const struct doctor_answer *a, const char *name, char *out, size_t size)
{
    json_t *object = NULL;
    out[0] = '\0';
    if (json_load_strict(buf_span(&a->body), JSON_MAX_DEPTH, &object, NULL) == OK) {
        struct span text = json_get_text(object, name);
        if (text.ptr != NULL && text.len < size)
            snprintf(out, size, "%.*s", SPAN_ARG(text));
    }
    json_decref(object);
}
