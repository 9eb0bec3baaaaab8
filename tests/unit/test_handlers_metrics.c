/*
 * GET /metrics: the document, read back by a strict parser of Prometheus' text format 0.0.4, and the
 * handler's answers.
 */
#include "handlers/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the parser: fails the test at whatever the format does not allow ---- */

enum { MAX_SAMPLES = 2000, MAX_LABELS = 4 };

struct label {
    char name[32], value[128];
};
struct sample {
    char name[80], type[16];
    struct label labels[MAX_LABELS];
    size_t label_count;
    double value;
};
struct document {
    struct sample samples[MAX_SAMPLES];
    size_t count;
    char families[200][80];
    size_t family_count;
    char family[80], type[16]; /* that the next samples belong to */
};

static struct document doc;

static bool is_name_char(char c, bool first, bool colon)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':') ||
           (!first && c >= '0' && c <= '9');
}

static const char *take_name(const char *at, bool colon, char *out, size_t size)
{
    size_t n = 0;
    for (; is_name_char(at[n], n == 0, colon); n++)
        assert_true(n + 1 < size);
    assert_true(n > 0);
    memcpy(out, at, n);
    out[n] = '\0';
    return at + n;
}

/* A line that begins a family: "# HELP name text", then "# TYPE name type". */
static void take_comment(const char *line)
{
    char name[80];
    if (strncmp(line, "# HELP ", 7) == 0) {
        const char *text = take_name(line + 7, true, name, sizeof name);
        assert_int_equal(*text, ' ');
        assert_true(text[1] != '\0');
        for (; *text != '\0'; text++) /* only \\ and \n are escapes here */
            if (*text == '\\')
                assert_true(*++text == '\\' || *text == 'n');
        for (size_t i = 0; i < doc.family_count; i++)
            assert_string_not_equal(doc.families[i], name); /* a family stands in one place */
        snprintf(doc.families[doc.family_count++], 80, "%s", name);
        snprintf(doc.family, sizeof doc.family, "%s", name);
        doc.type[0] = '\0';
        return;
    }
    assert_int_equal(strncmp(line, "# TYPE ", 7), 0);
    const char *type = take_name(line + 7, true, name, sizeof name);
    assert_string_equal(name, doc.family);
    assert_string_equal(doc.type, ""); /* once, and before the samples */
    assert_int_equal(*type++, ' ');
    assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 || strcmp(type, "histogram") == 0);
    snprintf(doc.type, sizeof doc.type, "%s", type);
    size_t len = strlen(name);
    bool total = len > 6 && strcmp(name + len - 6, "_total") == 0;
    assert_true(total == (strcmp(type, "counter") == 0));
}

static const char *take_label(const char *at, struct label *out)
{
    size_t n = 0;
    at = take_name(at, false, out->name, sizeof out->name);
    assert_int_equal(*at++, '=');
    assert_int_equal(*at++, '"');
    for (; *at != '"'; at++) {
        char c = *at;
        assert_true(c != '\0' && n + 1 < sizeof out->value);
        if (c == '\\') {
            c = *++at;
            assert_true(c == '\\' || c == '"' || c == 'n');
            c = c == 'n' ? '\n' : c;
        }
        out->value[n++] = c;
    }
    out->value[n] = '\0';
    return at + 1;
}

static bool belongs(const char *name)
{
    static const char *const tails[] = {"_bucket", "_sum", "_count"};
    size_t len = strlen(doc.family);
    if (strcmp(doc.type, "histogram") != 0)
        return strcmp(name, doc.family) == 0;
    for (size_t i = 0; i < 3; i++)
        if (strncmp(name, doc.family, len) == 0 && strcmp(name + len, tails[i]) == 0)
            return true;
    return false;
}

static bool same_series(const struct sample *a, const struct sample *b)
{
    if (strcmp(a->name, b->name) != 0 || a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0)
            return false;
    return true;
}

static void take_sample(const char *line)
{
    assert_true(doc.count < MAX_SAMPLES);
    struct sample *s = &doc.samples[doc.count];
    char *end;
    *s = (struct sample){0};
    line = take_name(line, true, s->name, sizeof s->name);
    assert_true(doc.type[0] != '\0' && belongs(s->name));
    snprintf(s->type, sizeof s->type, "%s", doc.type);
    if (*line == '{') {
        do {
            assert_true(s->label_count < MAX_LABELS);
            line = take_label(line + 1, &s->labels[s->label_count++]);
        } while (*line == ',');
        assert_int_equal(*line++, '}');
    }
    assert_int_equal(*line++, ' ');
    assert_true((*line >= '0' && *line <= '9') || *line == '-');
    s->value = strtod(line, &end);
    assert_int_equal(*end, '\0'); /* no timestamp, no blank */
    for (size_t i = 0; i < doc.count; i++)
        assert_false(same_series(&doc.samples[i], s));
    doc.count++;
}

static void parse(const struct buf *text)
{
    static char copy[1 << 20];
    assert_true(text->len > 0 && text->len < sizeof copy);
    assert_int_equal(text->ptr[text->len - 1], '\n');
    memcpy(copy, text->ptr, text->len);
    copy[text->len] = '\0';
    assert_int_equal(strlen(copy), text->len);
    memset(&doc, 0, sizeof doc);
    for (char *line = copy, *next; *line != '\0'; line = next) {
        next = strchr(line, '\n');
        *next++ = '\0';
        if (line[0] == '#')
            take_comment(line);
        else
            take_sample(line);
    }
}

/* The value of a series; labels as in "a=b,c=d". -1: it is not there. */
static double value_of(const char *name, const char *labels)
{
    for (size_t i = 0; i < doc.count; i++) {
        const struct sample *s = &doc.samples[i];
        char text[400] = "";
        for (size_t j = 0; j < s->label_count; j++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", j == 0 ? "" : ",",
                     s->labels[j].name, s->labels[j].value);
        if (strcmp(s->name, name) == 0 && strcmp(text, labels) == 0)
            return s->value;
    }
    return -1;
}

#define assert_value(name, labels, value)                                                                    \
    do {                                                                                                     \
        if (value_of(name, labels) != (double)(value))                                                       \
            fail_msg("%s{%s} is %g, not %g", name, labels, value_of(name, labels), (double)(value));         \
    } while (0)

/* ---- what is written ---- */

static const struct metrics_route routes[] = {
    {"/v1/profiles/{id}", "GET|HEAD"}, {"/v1/profiles/{id}", "PUT|PATCH|DELETE"}, {"/odd\"\\\n", "GET"}};
static struct handlers_metrics_view view;
static enum err read_outcome;

static enum err read_view(void *data, struct arena *arena, struct handlers_metrics_view *out)
{
    (void)data;
    (void)arena;
    *out = (struct handlers_metrics_view){0};
    metrics_merge(&out->sum, &view.sum);
    return read_outcome;
}

static struct handlers_metrics metrics = {"1.2.3", "gcc \"12\"", routes, 3, read_view, NULL, NULL};
static const struct handlers_metrics_worker workers[] = {
    {.number = 0, .requests = 7, .cache_hits = 3, .cache_misses = 1},
    {.number = 5, .requests = 1, .busy_us = 1500000},
};

static int make_view(void **state)
{
    (void)state;
    view = (struct handlers_metrics_view){
        .pooled = true,
        .workers = workers,
        .worker_count = 2,
        .pool = {.wanted = 4,
                 .alive = 2,
                 .busy = 1,
                 .generation = 3,
                 .deaths = 5,
                 .timeouts = 2,
                 .recycled = 8,
                 .reloads = 2,
                 .reloads_refused = 1,
                 .started_ms = 1700000000123,
                 .reloaded_ms = 1700000001000,
                 .queued = 6},
    };
    struct metrics *m = &view.sum;
    metrics_request(m, 0, 200, 40);
    metrics_request(m, 0, 200, 60);
    metrics_request(m, 0, 304, 2000000);
    metrics_request(m, 1, 412, 11000000);
    metrics_request(m, 2, 200, 50);
    metrics_request(m, SIZE_MAX, 404, 50);
    metrics_request(m, SIZE_MAX, 777, 50);
    metrics_add(m, METRIC_CACHE_HITS, UINT64_C(9007199254740993)); /* more than a double tells apart */
    metrics_add(m, METRIC_CACHE_INVALIDATIONS_REVOKE, 4);
    metrics_gauge_set(&view.gauges, GAUGE_CACHE_SIZE_BYTES, 67108864);
    read_outcome = OK;
    return 0;
}

static void the_document(void **state)
{
    (void)state;
    struct buf text = {0};
    handlers_metrics_write(&metrics, &view, &text);
    parse(&text);
    assert_value("profiled_build_info", "version=1.2.3,compiler=gcc \"12\"", 1);
    assert_value("profiled_requests_total", "route=/v1/profiles/{id},method=GET|HEAD,status=200", 2);
    assert_value("profiled_requests_total", "route=/v1/profiles/{id},method=GET|HEAD,status=304", 1);
    assert_value("profiled_requests_total", "route=/v1/profiles/{id},method=PUT|PATCH|DELETE,status=412", 1);
    assert_value("profiled_requests_total", "route=/odd\"\\\n,method=GET,status=200", 1);
    assert_value("profiled_requests_total", "route=,method=,status=404", 1);
    assert_value("profiled_requests_total", "route=,method=,status=other", 1);
    assert_value("profiled_cache_invalidations_total", "cause=revoke", 4);
    assert_value("profiled_cache_invalidations_total", "cause=create", 0);
    assert_value("profiled_cache_size_bytes", "", 67108864);
    assert_value("profiled_workers_wanted", "", 4);
    assert_value("profiled_workers", "", 2);
    assert_value("profiled_workers_busy", "", 1);
    assert_value("profiled_connections_queued", "", 6);
    assert_value("profiled_worker_deaths_total", "", 5);
    assert_value("profiled_generation", "", 3);
    assert_value("profiled_start_time_seconds", "", 1700000000.123);
    assert_value("profiled_worker_requests_total", "worker=0", 7);
    assert_value("profiled_worker_busy", "worker=0", 0);
    assert_value("profiled_worker_busy", "worker=5", 1);
    assert_value("profiled_worker_busy_seconds", "worker=5", 1.5);
    assert_value("profiled_worker_cache_hits_total", "worker=0", 3);
    assert_non_null(strstr(buf_text(&text), "\nprofiled_cache_hits_total 9007199254740993\n"));
    /* every row of the tables is there */
    for (size_t i = 0; i < METRIC_COUNT; i++)
        assert_non_null(strstr(buf_text(&text), metrics_counters[i].name));
    for (size_t i = 0; i < GAUGE_COUNT; i++)
        assert_true(value_of(metrics_gauge_info[i].name, "") >= 0);
    buf_fini(&text);
}

static void the_histogram(void **state)
{
    (void)state;
    struct buf text = {0};
    double before = -1, bound = -1;
    size_t buckets = 0;
    handlers_metrics_write(&metrics, &view, &text);
    parse(&text);
    for (size_t i = 0; i < doc.count; i++) {
        const struct sample *s = &doc.samples[i];
        if (strcmp(s->name, "profiled_request_duration_seconds_bucket") != 0)
            continue;
        assert_int_equal(s->label_count, 1);
        assert_string_equal(s->labels[0].name, "le");
        assert_true(strtod(s->labels[0].value, NULL) > bound); /* strtod takes "+Inf" */
        assert_true(s->value >= before);                       /* they add up */
        bound = strtod(s->labels[0].value, NULL);
        before = s->value;
        buckets++;
    }
    assert_int_equal(buckets, METRICS_BOUNDS + 1);
    assert_value("profiled_request_duration_seconds_bucket", "le=5e-05", 4);
    assert_value("profiled_request_duration_seconds_bucket", "le=0.0001", 5);
    assert_value("profiled_request_duration_seconds_bucket", "le=2.5", 6);
    assert_value("profiled_request_duration_seconds_bucket", "le=10", 6);
    assert_value("profiled_request_duration_seconds_bucket", "le=+Inf", 7);
    assert_value("profiled_request_duration_seconds_count", "", 7);
    assert_value("profiled_request_duration_seconds_sum", "", 13.00025);
    buf_fini(&text);
}

/* Without a pool there is no word of one; a queue that cannot be known is not told. */
static void what_is_not_known(void **state)
{
    (void)state;
    struct buf text = {0};
    view.pool.queued = -1;
    handlers_metrics_write(&metrics, &view, &text);
    parse(&text);
    assert_value("profiled_connections_queued", "", -1);
    assert_value("profiled_workers", "", 2);
    buf_clear(&text);
    view.pooled = false;
    handlers_metrics_write(&metrics, &view, &text);
    parse(&text);
    assert_value("profiled_workers", "", -1);
    assert_null(strstr(buf_text(&text), "profiled_worker"));
    assert_value("profiled_request_duration_seconds_count", "", 7);
    buf_fini(&text);
}

/* ---- the handler ---- */

static enum err ask(const char *query, struct http_response *response)
{
    struct arena arena = {0};
    struct http_request request = {.method = HTTP_GET, .query = span_str(query), .path = SPAN("/metrics")};
    struct http_exchange x = {.request = &request, .response = response, .arena = &arena};
    http_response_reset(response);
    enum err e = handlers_metrics(&metrics, &x);
    arena_fini(&arena);
    return e;
}

static void the_answer(void **state)
{
    (void)state;
    struct http_response response = {0};
    assert_int_equal(ask("", &response), OK);
    assert_int_equal(response.status, 200);
    assert_string_equal(
        buf_text(&response.head),
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n");
    parse(&response.body);
    assert_int_equal(ask("x=1", &response), ERR_INVALID);
    assert_int_equal(response.status, 400);
    read_outcome = ERR_NOMEM;
    assert_int_equal(ask("", &response), ERR_NOMEM);
    assert_int_equal(response.status, 503);
    http_response_fini(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_document, make_view),
        cmocka_unit_test_setup(the_histogram, make_view),
        cmocka_unit_test_setup(what_is_not_known, make_view),
        cmocka_unit_test_setup(the_answer, make_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
