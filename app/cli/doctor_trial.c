/*
 * The trial: a throw-away profile, made, edited and deleted by an administrator's token, and how soon the
 * public address tells of each. Its absence is read before it is made, and every state is read before it is
 * changed, so that a cache has something old to give.
 */
#include "cli/doctor_probe.h"

#include "base/clock.h"
#include "crypto/random.h"

#include <poll.h>
#include <stdio.h>

enum { PAUSE_MS = 5 };

struct trial {
    struct doctor_fetcher *fetcher;
    const struct doctor_target *target;
    struct doctor_trial *out;
    char id[64];
    char path[80];
};

static void submit(struct trial *t, const char *method, const char *path, const char *token, const char *line,
                   const char *body, struct doctor_answer *a)
{
    struct buf url = {0};
    bool patch = strcmp(method, "PATCH") == 0;
    buf_printf(&url, "%s%s", t->target->base, path);
    struct doctor_request request = {.method = method, .url = buf_text(&url), .token = token, .body = body};
    size_t n = 0;
    if (line != NULL)
        request.lines[n++] = line;
    if (body != NULL)
        request.lines[n++] =
            patch ? "Content-Type: application/merge-patch+json" : "Content-Type: application/json";
    doctor_fetch(t->fetcher, &request, a);
    buf_fini(&url);
}

static bool failed(struct trial *t, const char *what, const struct doctor_answer *a)
{
    if (t->out->failure[0] == '\0') {
        if (a->outcome == DOCTOR_FAILED)
            snprintf(t->out->failure, sizeof t->out->failure, "%s: %.120s", what, a->failure);
        else
            snprintf(t->out->failure, sizeof t->out->failure, "%s gets %d", what, a->status);
    }
    return false;
}

/* Reads the public view until it is as it should be: status, and the nickname when that is given. Time in ms
 * from the call, -1: not within the limit. */
static int64_t until(struct trial *t, int status, const char *nickname)
{
    const char *reader = t->target->token != NULL ? t->target->token : t->target->admin;
    int64_t begun_us = clock_monotonic_us();
    for (;;) {
        struct doctor_answer a = {0};
        char found[32];
        submit(t, "GET", t->path, reader, NULL, NULL, &a);
        doctor_answer_member(&a, "nickname", found, sizeof found);
        bool done = doctor_answer_is(&a, status) && (nickname == NULL || strcmp(found, nickname) == 0);
        bool broken = a.outcome == DOCTOR_FAILED;
        if (broken)
            failed(t, "reading the throw-away profile", &a);
        doctor_answer_fini(&a);
        int64_t spent_ms = (clock_monotonic_us() - begun_us) / 1000;
        if (done)
            return spent_ms;
        if (broken || spent_ms > DOCTOR_TRIAL_LIMIT_MS)
            return -1;
        poll(NULL, 0, PAUSE_MS);
    }
}

/* A write with the admin's token, If-Match: * where there is something to match. */
static bool change(struct trial *t, const char *method, const char *path, const char *body, int status,
                   const char *what)
{
    struct doctor_answer a = {0};
    submit(t, method, path, t->target->admin, strcmp(method, "POST") == 0 ? NULL : "If-Match: *", body, &a);
    bool good = doctor_answer_is(&a, status) || failed(t, what, &a);
    doctor_answer_fini(&a);
    return good;
}

static bool make(struct trial *t)
{
    struct buf body = {0};
    buf_printf(&body, "{\"id\":\"%s\",\"handle\":\"doctor_%s\",\"nickname\":\"first\"}", t->id,
               t->id + strlen("profiled-doctor-"));
    bool made = change(t, "POST", "/v1/profiles", buf_text(&body), 201, "making the throw-away profile");
    buf_fini(&body);
    return made;
}

void doctor_probe_trial(struct doctor_fetcher *f, const struct doctor_target *target,
                        struct doctor_trial *out)
{
    struct trial t = {.fetcher = f, .target = target, .out = out};
    unsigned char random[8];
    *out = (struct doctor_trial){.tried = true, .created_ms = -1, .changed_ms = -1, .deleted_ms = -1};
    crypto_random(random, sizeof random);
    size_t len = (size_t)snprintf(t.id, sizeof t.id, "profiled-doctor-");
    for (size_t i = 0; i < sizeof random; i++)
        len += (size_t)snprintf(t.id + len, sizeof t.id - len, "%02x", random[i]);
    snprintf(t.path, sizeof t.path, "/v1/profiles/%s", t.id);
    if (until(&t, 404, NULL) < 0) {
        snprintf(out->failure, sizeof out->failure, "reading a profile that is not there does not get 404");
        return;
    }
    if (!make(&t))
        return;
    out->created_ms = until(&t, 200, "first");
    /* a cache that is not purged is not waited for twice */
    if (out->created_ms >= 0 &&
        change(&t, "PATCH", t.path, "{\"nickname\":\"second\"}", 200, "editing the throw-away profile"))
        out->changed_ms = until(&t, 200, "second");
    out->left_behind = !change(&t, "DELETE", t.path, NULL, 204, "deleting the throw-away profile");
    if (!out->left_behind && out->changed_ms >= 0)
        out->deleted_ms = until(&t, 404, NULL);
}
