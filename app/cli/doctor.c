/* profiled doctor: options in, the work handed round, the report out. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/ident.h"
#include "cli/doctor_local.h"
#include "cli/doctor_probe.h"
#include "cli/doctor_report.h"
#include "cli/doctor_token.h"
#include "config/value.h"
#include "crypto/init.h"
#include "crypto/random.h"
#include "token/scope.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_TIMEOUT_S = 10, DEFAULT_LEEWAY_S = 30 };
#define OWN_SUBJECT "profiled-doctor"

static const char help[] =
    "usage: profiled doctor URL [--token T] [--admin-token T] [--json] [OPTION]…\n"
    "\n"
    "Checks a deployment from outside, by some thirty requests: that tokens arrive and nobody gets in "
    "without\n"
    "one, that ETags, conditions, methods and long headers survive the servers in front, that caches keep "
    "and\n"
    "hide what they should. For each fault it prints the line of the configuration file that mends it.\n"
    "Nothing is changed, unless --write is given. URL is the address that /v1/ is under.\n"
    "\n"
    "  --token T         a token with profile:read, better also profile:write, of somebody who has a "
    "profile\n"
    "                    and does not edit it meanwhile; @FILE reads it; else the variable PROFILED_TOKEN\n"
    "  --admin-token T   one with profile:admin, likewise; else PROFILED_ADMIN_TOKEN\n"
    "  --profile ID      look at this profile's public view, not at that of the token's subject\n"
    "  --origin URL      the same deployment behind its edge: both must give the same\n"
    "  --cors-origin O   a web page's origin that may call, such as https://app.example\n"
    "  --write           make, edit and delete a throw-away profile, and see how soon that is seen\n"
    "  --ca FILE         trust these certificates (PEM) instead of the system's\n"
    "  --timeout TIME    of each request; 10s unless said\n"
    "  --json            as one JSON object on a line; profiled(1) tells its members\n"
    "  -c, --config FILE            this machine runs profiled with this configuration: look at database, "
    "keys\n"
    "                               and modes too, and mint the tokens that are not given\n"
    "  -o, --set SECTION.KEY=VALUE  put this setting over the configuration's\n"
    "\n"
    "Exits 0 when all is well, 1 when there is a fault, or when checks were skipped for lack of a token\n"
    "or a profile, 2 when called wrongly. Tokens are never printed.\n";

struct options {
    struct cli_common common;
    const char *token, *admin_token, *profile, *origin, *cors_origin, *ca, *timeout;
    char *base, *origin_base;
    int64_t timeout_s;
    bool write, json;
};

enum { TOKEN = 256, ADMIN, PROFILE, ORIGIN, CORS, WRITE, CA, TIMEOUT, JSON };

static bool take_option(struct options *o, int option, const char *argument)
{
    const char **texts[] = {[TOKEN - TOKEN] = &o->token,      [ADMIN - TOKEN] = &o->admin_token,
                            [PROFILE - TOKEN] = &o->profile,  [ORIGIN - TOKEN] = &o->origin,
                            [CORS - TOKEN] = &o->cors_origin, [CA - TOKEN] = &o->ca,
                            [TIMEOUT - TOKEN] = &o->timeout};
    if (option == JSON)
        o->json = true;
    else if (option == WRITE)
        o->write = true;
    else if (option >= TOKEN && option <= TIMEOUT)
        *texts[option - TOKEN] = argument;
    else
        return cli_common_take(&o->common, option, argument);
    return true;
}

/* An address to put paths behind: http or https, a host, perhaps a path; NULL when it is none. The caller
 * frees it. */
static char *read_base(const char *text)
{
    struct span rest = span_str(text);
    size_t scheme = span_starts(rest, SPAN("http://")) ? 7 : span_starts(rest, SPAN("https://")) ? 8 : 0;
    size_t len = rest.len;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f ||
            strchr("?#@\\\"<>", text[i]) != NULL)
            return NULL;
    while (len > scheme && text[len - 1] == '/')
        len--;
    return scheme == 0 || len == scheme || text[scheme] == '/' ? NULL : strndup(text, len);
}

/* What the options say, checked. CLI_OK, or CLI_USAGE with a message printed. */
static int check_options(struct options *o, const char *url)
{
    static const struct config_row row = {"doctor", "timeout", CONFIG_DURATION, NULL, 1, 600, NULL, NULL};
    o->timeout_s = DEFAULT_TIMEOUT_S;
    if ((o->base = read_base(url)) == NULL)
        return cli_usage("doctor", "the URL is http://HOST or https://HOST, perhaps with :PORT and a path");
    if (o->origin != NULL && (o->origin_base = read_base(o->origin)) == NULL)
        return cli_usage("doctor", "--origin is http://HOST or https://HOST, perhaps with :PORT and a path");
    if (o->profile != NULL && !ident_valid(span_str(o->profile)))
        return cli_usage("doctor", "--profile is not a profile's id");
    if (o->timeout != NULL && config_value_parse(&row, span_str(o->timeout), &o->timeout_s, NULL) != OK)
        return cli_usage("doctor", "--timeout %s is not a time from 1s to 10m", o->timeout);
    for (const char *c = o->cors_origin; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return cli_usage("doctor", "--cors-origin is an origin such as https://app.example");
    return CLI_OK;
}

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"token", required_argument, NULL, TOKEN},
        {"admin-token", required_argument, NULL, ADMIN},
        {"profile", required_argument, NULL, PROFILE},
        {"origin", required_argument, NULL, ORIGIN},
        {"cors-origin", required_argument, NULL, CORS},
        {"write", no_argument, NULL, WRITE},
        {"ca", required_argument, NULL, CA},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"json", no_argument, NULL, JSON},
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 'o'},
        {0},
    };
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", table, NULL)) != -1)
        if (!take_option(o, option, optarg))
            return cli_usage("doctor", "there is an option that does not exist, or that lacks its value");
    if (argc - optind != 1)
        return cli_usage("doctor", "one URL is needed");
    return check_options(o, argv[optind]);
}

/* The tokens in hand, given or minted. */
struct tokens {
    struct buf token, other, admin;
};

static void wipe(struct buf *b)
{
    if (b->ptr != NULL)
        crypto_wipe(b->ptr, b->len);
    buf_fini(b);
}

static const char *or_null(const struct buf *b)
{
    return b->len > 0 ? b->ptr : NULL;
}

/* The administrator's token serves as the second one, unless it speaks for the first one's subject. */
static enum err choose_other(struct tokens *t)
{
    struct buf one = {0}, two = {0};
    doctor_token_subject(buf_span(&t->token), &one);
    doctor_token_subject(buf_span(&t->admin), &two);
    if (t->token.len > 0 && one.len > 0 && two.len > 0 && !span_eq(buf_span(&one), buf_span(&two)))
        buf_append(&t->other, buf_span(&t->admin));
    buf_fini(&one);
    buf_fini(&two);
    return buf_status(&t->other);
}

/* settings: NULL when there is no configuration to mint by. CLI_OK, or else with a message printed. */
static int gather_tokens(const struct options *o, const struct config_settings *s, struct tokens *t)
{
    struct err_detail detail = {0};
    enum err e = doctor_token_take(o->token, "PROFILED_TOKEN", &t->token, &detail);
    if (e == OK)
        e = doctor_token_take(o->admin_token, "PROFILED_ADMIN_TOKEN", &t->admin, &detail);
    if (e != OK)
        return cli_failed("doctor", "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    if (s != NULL) {
        /* without keys there are none: the report tells what was skipped, and of the keys */
        if (t->token.len == 0 && o->profile != NULL)
            e = doctor_token_mint(s, o->profile, TOKEN_SCOPE_READ | TOKEN_SCOPE_WRITE, &t->token, &detail);
        if (e == OK && t->admin.len == 0 && o->write)
            e = doctor_token_mint(s, OWN_SUBJECT, TOKEN_SCOPE_ADMIN, &t->admin, &detail);
        if (e == OK)
            e = doctor_token_mint(s, OWN_SUBJECT, TOKEN_SCOPE_READ, &t->other, &detail);
    }
    if (t->other.len == 0 && choose_other(t) != OK)
        return cli_failed("doctor", "out of memory");
    return CLI_OK;
}

/* The first origin that the configuration names, for one that was not given. */
static char *configured_origin(const struct config_settings *s)
{
    struct span rest = span_str(config_text(s, CONFIG_http_cors_origins));
    struct span word = span_cut(&rest, ' ');
    if (word.len == 0)
        return NULL;
    return span_eq(word, SPAN("*")) ? strdup("https://profiled-doctor.example") : strndup(word.ptr, word.len);
}

/* Whatever an answer echoed: no run of characters that the token has too is shown. */
static void hide(struct doctor_finding *f, const struct buf *token)
{
    enum { RUN = 16 };
    bool hidden[sizeof f->detail] = {false};
    char run[RUN + 1] = "";
    size_t len = strlen(f->detail);
    for (size_t at = 0; token->len >= RUN && at + RUN <= len; at++) {
        memcpy(run, f->detail + at, RUN);
        if (strstr(token->ptr, run) != NULL)
            memset(hidden + at, true, RUN);
    }
    for (size_t i = 0; i < len; i++)
        if (hidden[i])
            f->detail[i] = '*';
}

static bool print(const struct options *o, const struct doctor_report *r)
{
    struct buf out = {0};
    if (o->json)
        doctor_report_json(r, &out);
    else
        doctor_report_text(r, &out);
    bool good = buf_status(&out) == OK && fputs(buf_text(&out), stdout) >= 0;
    buf_fini(&out);
    return good;
}

struct visit {
    struct doctor_evidence evidence;
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX + DOCTOR_LOCAL_MAX];
    struct tokens tokens;
    char *cors_origin;
};

static int conclude(const struct options *o, const struct config_settings *s, struct visit *v)
{
    const struct doctor_answer *first = &v->evidence.answers[DOCTOR_HEALTHZ];
    struct buf server = {0};
    size_t count = doctor_judge(&v->evidence, v->findings);
    if (first->outcome == DOCTOR_FAILED && !v->evidence.tls_failed && !o->json)
        return cli_failed("doctor", "%s does not answer: %s", o->base, first->failure);
    if (s != NULL)
        count += doctor_local(s, v->findings + count);
    for (size_t i = 0; i < count; i++) {
        hide(&v->findings[i], &v->tokens.token);
        hide(&v->findings[i], &v->tokens.admin);
        hide(&v->findings[i], &v->tokens.other);
    }
    doctor_judge_server(&v->evidence, &server);
    struct doctor_report report = {.url = o->base,
                                   .server = buf_text(&server),
                                   .parts = doctor_judge_parts(&v->evidence),
                                   .findings = v->findings,
                                   .count = count};
    bool printed = print(o, &report);
    buf_fini(&server);
    if (!printed)
        return cli_failed("doctor", "the report cannot be written");
    return doctor_report_well(&report) ? CLI_OK : CLI_FAILED;
}

static int examine(const struct options *o, const struct config_settings *s, struct visit *v)
{
    const struct doctor_fetch_options how = {.timeout_ms = (long)o->timeout_s * 1000, .ca = o->ca};
    struct doctor_fetcher *fetcher = NULL;
    int status = gather_tokens(o, s, &v->tokens);
    if (status != CLI_OK)
        return status;
    if (o->cors_origin == NULL && s != NULL)
        v->cors_origin = configured_origin(s);
    struct doctor_target target = {.base = o->base,
                                   .origin = o->origin_base,
                                   .token = or_null(&v->tokens.token),
                                   .other = or_null(&v->tokens.other),
                                   .admin = or_null(&v->tokens.admin),
                                   .id = o->profile,
                                   .write = o->write};
    struct doctor_evidence *e = &v->evidence;
    e->now_s = clock_now_s(&clock_system);
    e->https = strncmp(o->base, "https:", 6) == 0;
    e->has_token = target.token != NULL;
    e->has_other = target.other != NULL;
    e->cors_origin = o->cors_origin != NULL ? o->cors_origin : v->cors_origin;
    e->shared_cache = s == NULL ? NULL : config_text(s, CONFIG_http_shared_cache);
    e->purge = s == NULL ? NULL : config_text(s, CONFIG_edge_purge);
    e->leeway_s = s == NULL ? DEFAULT_LEEWAY_S : config_number(s, CONFIG_token_leeway);
    if (doctor_fetcher_new(&how, &fetcher) != OK)
        return cli_failed("doctor", "libcurl cannot be had");
    doctor_probe_all(fetcher, &target, e);
    if (o->write && target.admin != NULL && e->answers[DOCTOR_HEALTHZ].outcome == DOCTOR_ANSWERED)
        doctor_probe_trial(fetcher, &target, &e->trial);
    doctor_fetcher_free(&fetcher);
    return conclude(o, s, v);
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct config_settings settings = {0};
    struct visit *v = NULL;
    int status = read_options(argc, argv, &o);
    bool local = o.common.path != NULL || o.common.flag_count > 0;
    if (status != CLI_OK)
        goto out;
    status = CLI_FAILED;
    if (local && !cli_settings("doctor", &o.common, &settings))
        goto out;
    if (crypto_init() != OK || (v = calloc(1, sizeof *v)) == NULL) {
        cli_failed("doctor", "out of memory, or no random bytes");
        goto out;
    }
    status = examine(&o, local ? &settings : NULL, v);
    for (size_t i = 0; i < DOCTOR_PROBE_COUNT; i++)
        doctor_answer_fini(&v->evidence.answers[i]);
    wipe(&v->tokens.token);
    wipe(&v->tokens.other);
    wipe(&v->tokens.admin);
    free(v->cors_origin);
out:
    free(v);
    config_fini(&settings);
    free(o.base);
    free(o.origin_base);
    return status;
}

const struct cli_command cli_doctor = {"doctor", "check a deployment from outside, and say what mends it",
                                       help, run};
