#include "cli/doctor_fetch.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 2 * 1024 * 1024, HEAD_MAX = 256 * 1024, TIMEOUTS_MAX = 2 };

struct doctor_fetcher {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
    int timeouts;
    bool tls_failed;
    struct doctor_certificate certificate;
    struct buf raw; /* head of the last answer: a status line begins it anew (100, 103) */
    struct buf body;
};

static size_t take_head(char *bytes, size_t size, size_t count, void *data)
{
    struct doctor_fetcher *f = data;
    struct span line = span_of(bytes, size * count);
    if (span_starts(line, SPAN("HTTP/")))
        buf_clear(&f->raw);
    buf_append(&f->raw, line);
    return f->raw.failed ? 0 : line.len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct doctor_fetcher *f = data;
    buf_append(&f->body, span_of(bytes, size * count));
    return f->body.failed ? 0 : size * count;
}

enum err doctor_fetcher_new(const struct doctor_fetch_options *options, struct doctor_fetcher **out)
{
    struct doctor_fetcher *f = calloc(1, sizeof *f);
    *out = NULL;
    if (f == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(f);
        return ERR_NOMEM;
    }
    if ((f->curl = curl_easy_init()) == NULL) {
        curl_global_cleanup();
        free(f);
        return ERR_NOMEM;
    }
    f->raw.limit = HEAD_MAX;
    f->body.limit = BODY_MAX;
    curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, f->error);
    curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(f->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(f->curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(f->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(f->curl, CURLOPT_USERAGENT, "profiled-doctor");
    curl_easy_setopt(f->curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(f->curl, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    if (options->ca != NULL)
        curl_easy_setopt(f->curl, CURLOPT_CAINFO, options->ca);
    *out = f;
    return OK;
}

void doctor_fetcher_free(struct doctor_fetcher **f)
{
    if (*f == NULL)
        return;
    curl_easy_cleanup((*f)->curl);
    curl_global_cleanup();
    buf_fini(&(*f)->raw);
    buf_fini(&(*f)->body);
    free(*f);
    *f = NULL;
}

/* Appends to the list; on no memory frees it and gives NULL. */
static struct curl_slist *add_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    if (longer == NULL)
        curl_slist_free_all(list);
    return longer;
}

static struct curl_slist *make_lines(const struct doctor_request *r)
{
    /* libcurl would add these to a body by itself */
    struct curl_slist *list = add_line(NULL, "Expect:");
    struct buf line = {0};
    if (list != NULL && r->token != NULL) {
        buf_printf(&line, "Authorization: Bearer %s", r->token);
        list = add_line(list, buf_text(&line));
    }
    buf_fini(&line);
    for (size_t i = 0; list != NULL && i < sizeof r->lines / sizeof r->lines[0] && r->lines[i] != NULL; i++)
        list = add_line(list, r->lines[i]);
    return list;
}

static void remember_certificate(struct doctor_fetcher *f)
{
    struct curl_certinfo *chain = NULL;
    f->certificate = (struct doctor_certificate){0};
    if (curl_easy_getinfo(f->curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL)
        return;
    if (chain->num_of_certs < 1)
        return;
    for (const struct curl_slist *i = chain->certinfo[0]; i != NULL; i = i->next)
        if (strncmp(i->data, "Expire date:", 12) == 0)
            f->certificate.expires_s = (int64_t)curl_getdate(i->data + 12, NULL);
}

static void set_request(CURL *curl, const struct doctor_request *r)
{
    bool head = strcmp(r->method, "HEAD") == 0;
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L);
    if (r->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(r->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, head ? NULL : r->method);
}

static void settle(struct doctor_fetcher *f, CURLcode code, struct doctor_answer *out)
{
    f->tls_failed = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
                    code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
    if (code == CURLE_OPERATION_TIMEDOUT)
        f->timeouts++;
    enum err e = ERR_IO;
    if (code == CURLE_OK && (e = doctor_answer_read(out, buf_span(&f->raw))) == OK) {
        buf_append(&out->body, buf_span(&f->body));
        e = buf_status(&out->body);
        remember_certificate(f);
    }
    if (e == OK)
        return;
    out->outcome = DOCTOR_FAILED;
    snprintf(out->failure, sizeof out->failure, "%.150s",
             f->raw.failed || f->body.failed ? "the answer is too long"
             : f->error[0] != '\0'           ? f->error
                                             : curl_easy_strerror(code));
}

void doctor_fetch(struct doctor_fetcher *f, const struct doctor_request *r, struct doctor_answer *out)
{
    struct curl_slist *lines = f->timeouts < TIMEOUTS_MAX ? make_lines(r) : NULL;
    if (lines == NULL) {
        out->outcome = DOCTOR_FAILED;
        snprintf(out->failure, sizeof out->failure, "%s",
                 f->timeouts < TIMEOUTS_MAX ? "out of memory" : "not sent: two requests had no answer");
        return;
    }
    buf_clear(&f->raw);
    buf_clear(&f->body);
    f->error[0] = '\0';
    set_request(f->curl, r);
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, lines);
    out->sent_ms = clock_now_ms(&clock_system);
    CURLcode code = curl_easy_perform(f->curl);
    out->received_ms = clock_now_ms(&clock_system);
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(lines);
    settle(f, code, out);
}

bool doctor_fetch_tls_failed(const struct doctor_fetcher *f)
{
    return f->tls_failed;
}

struct doctor_certificate doctor_fetch_certificate(const struct doctor_fetcher *f)
{
    return f->certificate;
}
