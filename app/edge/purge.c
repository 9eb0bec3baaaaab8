#include "edge/purge.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_LIMIT_MS = 1000, ANSWER_LIMIT_MS = 5000 };

struct purge {
    CURL *easy;
    struct curl_slist *lines; /* of the request under way */
    char error[CURL_ERROR_SIZE];
    char reason[64]; /* the reason phrase or the beginning of the body */
    size_t reason_len;
};

struct edge_purges {
    CURLM *multi;
    struct buf key_line;
    size_t count;
    struct purge purges[];
};

/* An answer's body matters to nobody but who looks for a fault. */
static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct purge *p = data;
    size_t n = size * count;
    for (size_t i = 0; i < n && p->reason_len + 1 < sizeof p->reason; i++)
        p->reason[p->reason_len++] = bytes[i];
    return n;
}

enum err edge_purges_new(size_t count, struct span key, struct edge_purges **out)
{
    struct edge_purges *p = NULL;
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return ERR_IO;
    if ((p = calloc(1, sizeof *p + count * sizeof p->purges[0])) == NULL)
        return ERR_NOMEM;
    p->count = count;
    p->multi = curl_multi_init();
    buf_lit(&p->key_line, "Purge-Key: ");
    buf_append(&p->key_line, key);
    if (p->multi == NULL || buf_status(&p->key_line) != OK) {
        edge_purges_free(&p);
        return ERR_NOMEM;
    }
    *out = p;
    return OK;
}

void edge_purges_free(struct edge_purges **purges)
{
    struct edge_purges *p = *purges;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++) {
        if (p->purges[i].easy != NULL)
            curl_multi_remove_handle(p->multi, p->purges[i].easy);
        curl_easy_cleanup(p->purges[i].easy);
        curl_slist_free_all(p->purges[i].lines);
    }
    curl_multi_cleanup(p->multi);
    buf_fini(&p->key_line);
    free(p);
    *purges = NULL;
}

enum err edge_purges_address(struct edge_purges *purges, size_t which, struct span address)
{
    struct purge *p = &purges->purges[which];
    struct buf url = {0};
    buf_append(&url, address);
    buf_char(&url, '/');
    p->easy = curl_easy_init();
    bool good = p->easy != NULL && buf_status(&url) == OK &&
                curl_easy_setopt(p->easy, CURLOPT_URL, buf_text(&url)) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_CUSTOMREQUEST, "PURGE") == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "profiled") == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_LIMIT_MS) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)ANSWER_LIMIT_MS) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p) == CURLE_OK &&
                curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p) == CURLE_OK;
    buf_fini(&url);
    return good ? OK : ERR_NOMEM;
}

static bool add_line(struct purge *p, const char *line)
{
    struct curl_slist *longer = curl_slist_append(p->lines, line);
    if (longer != NULL)
        p->lines = longer;
    return longer != NULL;
}

static bool add_value(struct purge *p, const char *name, struct span value)
{
    struct buf line = {0};
    if (value.len == 0)
        return true;
    buf_append(&line, span_str(name));
    buf_append(&line, value);
    bool good = buf_status(&line) == OK && add_line(p, buf_text(&line));
    buf_fini(&line);
    return good;
}

enum err edge_purges_send(struct edge_purges *purges, size_t which, const struct edge_message *message)
{
    struct purge *p = &purges->purges[which];
    char position[24];
    snprintf(position, sizeof position, "%lld", (long long)message->position);
    curl_slist_free_all(p->lines);
    p->lines = NULL;
    p->error[0] = '\0';
    p->reason_len = 0;
    if (!add_line(p, buf_text(&purges->key_line)) || !add_line(p, "Accept:") ||
        !add_value(p, "xkey-purge: ", message->keys) ||
        !add_value(p, "Profiled-Revoked: ", message->revoked) ||
        !add_value(p, "Profiled-Purge-All: ", message->all ? SPAN("1") : SPAN("")) ||
        !add_value(p, "Profiled-Position: ", span_str(position)) ||
        curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->lines) != CURLE_OK)
        return ERR_NOMEM;
    return curl_multi_add_handle(purges->multi, p->easy) == CURLM_OK ? OK : ERR_IO;
}

/* What was said about it, in one line. */
static void describe(struct purge *p, CURLcode code, struct edge_answer *out)
{
    for (size_t i = 0; i < p->reason_len; i++)
        if (p->reason[i] < ' ' || p->reason[i] > '~')
            p->reason[i] = ' ';
    p->reason[p->reason_len] = '\0';
    if (code != CURLE_OK)
        snprintf(out->trouble, sizeof out->trouble, "%.*s", (int)sizeof out->trouble - 1,
                 p->error[0] != '\0' ? p->error : curl_easy_strerror(code));
    else if (out->status == 401 || out->status == 403)
        snprintf(out->trouble, sizeof out->trouble,
                 "it answered %d: it has another edge.key, or lets nobody purge from here", out->status);
    else
        snprintf(out->trouble, sizeof out->trouble, "it answered %d %.60s", out->status, p->reason);
}

bool edge_purges_next(struct edge_purges *purges, size_t *which, struct edge_answer *out)
{
    int running, queued;
    struct CURLMsg *message;
    curl_multi_perform(purges->multi, &running);
    while ((message = curl_multi_info_read(purges->multi, &queued)) != NULL) {
        struct purge *p = NULL;
        long status = 0;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&p);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(purges->multi, easy);
        *which = (size_t)(p - purges->purges);
        *out = (struct edge_answer){
            .confirmed = code == CURLE_OK && status >= 200 && status < 300,
            .refused = code == CURLE_OK && status >= 400 && status < 500,
            .status = code == CURLE_OK ? (int)status : 0,
        };
        if (!out->confirmed)
            describe(p, code, out);
        return true;
    }
    return false;
}

void edge_purges_wait(struct edge_purges *purges, int fd, int64_t most_ms, const sigset_t *mask)
{
    struct curl_waitfd other = {.fd = fd, .events = CURL_WAIT_POLLIN};
    sigset_t before;
    /* a signal that comes between the two calls is seen when the time is over, which is soon */
    sigprocmask(SIG_SETMASK, mask, &before);
    curl_multi_poll(purges->multi, &other, fd >= 0 ? 1 : 0, (int)(most_ms < 1 ? 1 : most_ms), NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
