#include "cli/cli.h"

#include "base/clock.h"
#include "base/ident.h"
#include "cli/explain.h"
#include "cli/keyring.h"
#include "config/value.h"
#include "crypto/base64url.h"
#include "crypto/init.h"
#include "crypto/random.h"
#include "token/mint.h"
#include "token/vector.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "usage: profiled token issue --sub ID [--scope \"profile:read profile:write\"] [--ttl 1h] [--aud A]\n"
    "                            [--format jwt|paseto]\n"
    "       profiled token verify [--json] [TOKEN|-]\n"
    "       profiled token vectors [FILE|-]\n"
    "\n"
    "  issue    mints a token with the newest key of token.keys and prints it alone on standard output.\n"
    "    --sub ID      whom it speaks for: a profile's id\n"
    "    --scope LIST  what it allows, separated by spaces; profile:read unless said. There are "
    "profile:read,\n"
    "                  profile:list, profile:write, profile:admin and metrics:read\n"
    "    --ttl TIME    how long it counts, such as 90s, 15m, 1h or 7d; 1h unless said, token.max_ttl at "
    "most\n"
    "    --aud A       whom it is meant for; token.audience unless said\n"
    "    --format F    jwt (unless said) or paseto (v4.public)\n"
    "\n"
    "  verify   prints what stands in a token, whether the server would take it, and if not, why. Without\n"
    "           TOKEN or with - it is read from standard input, which keeps it out of the shell's history.\n"
    "           Exits 0 when it is valid, 1 when not. Revocation is not looked at.\n"
    "    --json        as one JSON object\n"
    "\n"
    "  vectors  checks signatures of published test vectors with the code that checks tokens: reads a JSON\n"
    "           object a line and prints valid or invalid a line. Claims are not looked at. The kinds are\n"
    "             {\"kind\":\"ed25519\",\"pk\":hex,\"msg\":hex,\"sig\":hex}\n"
    "             {\"kind\":\"jws\",\"pk\":hex,\"token\":text}\n"
    "             {\"kind\":\"paseto\",\"pk\":hex,\"token\":text,\"implicit\":text}\n"
    "\n"
    "  -c FILE  read this configuration\n"
    "  -o SECTION.KEY=VALUE  put this setting over the configuration's, such as -o token.keys=/srv/keys\n"
    "\n"
    "Exits 0 when done, 1 on failure, 2 when called wrongly.\n";

enum { DEFAULT_TTL_S = 3600, MAX_INPUT_LEN = 64 * 1024 };

struct options {
    struct cli_common common;
    const char *sub;
    const char *scope;
    const char *ttl;
    const char *aud;
    const char *format;
    bool json;
    bool help;
};

/* false: a message was printed. Leaves optind at the first operand. */
static bool read_options(int argc, char **argv, struct options *o)
{
    enum { SUB = 256, SCOPE, TTL, AUD, FORMAT, JSON };
    static const struct option table[] = {
        {"sub", required_argument, NULL, SUB},
        {"scope", required_argument, NULL, SCOPE},
        {"ttl", required_argument, NULL, TTL},
        {"aud", required_argument, NULL, AUD},
        {"format", required_argument, NULL, FORMAT},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:h", table, NULL)) != -1) {
        if (option == SUB)
            o->sub = optarg;
        else if (option == SCOPE)
            o->scope = optarg;
        else if (option == TTL)
            o->ttl = optarg;
        else if (option == AUD)
            o->aud = optarg;
        else if (option == FORMAT)
            o->format = optarg;
        else if (option == JSON)
            o->json = true;
        else if (option == 'h')
            o->help = true;
        else if (!cli_common_take(&o->common, option, optarg)) {
            cli_usage("token", "%s is no option, or lacks its value", argv[optind - 1]);
            return false;
        }
    }
    return true;
}

/* How long a token shall count; 0: a message was printed. */
static int64_t choose_ttl(const struct config_settings *s, const char *text, int *status)
{
    static const struct config_row row = {"token", "ttl", CONFIG_DURATION, NULL, 1, 100 * 365 * 86400LL,
                                          NULL,    NULL};
    int64_t max_s = config_number(s, CONFIG_token_max_ttl);
    int64_t ttl_s = 0;
    if (text == NULL)
        return max_s != 0 && max_s < DEFAULT_TTL_S ? max_s : DEFAULT_TTL_S;
    if (config_value_parse(&row, span_str(text), &ttl_s, NULL) != OK) {
        *status = cli_usage("token", "--ttl %s is not a time such as 90s, 15m, 1h or 7d", text);
        return 0;
    }
    if (max_s != 0 && ttl_s > max_s) {
        *status = cli_failed("token", "--ttl %s is longer than token.max_ttl, %s", text,
                             config_text(s, CONFIG_token_max_ttl));
        return 0;
    }
    return ttl_s;
}

static int mint(const struct config_settings *s, enum token_format format, const struct token_grant *grant)
{
    const char *folder = config_text(s, CONFIG_token_keys);
    struct err_detail detail = {0};
    struct token_signer signer;
    struct buf token = {0};
    int status = CLI_OK;
    enum err e = token_signer_load(folder, &signer, &detail);
    if (e == ERR_NOT_FOUND)
        return cli_failed("token", "%s: make a key with profiled key new", detail.text);
    if (e != OK)
        return cli_failed("token", "%s", detail.text);
    if (token_mint(format, &signer, grant, &token, &detail) == OK)
        puts(buf_text(&token));
    else
        status = cli_failed("token", "%s", detail.text);
    token_signer_wipe(&signer);
    buf_fini(&token);
    return status;
}

static int issue(const struct config_settings *s, const struct options *o)
{
    const char *aud = o->aud != NULL ? o->aud : config_text(s, CONFIG_token_audience);
    bool paseto = o->format != NULL && strcmp(o->format, "paseto") == 0;
    unsigned char random[16];
    char jti[22];
    struct span unknown;
    int status = CLI_OK;
    if (o->sub == NULL)
        return cli_usage("token", "issue needs --sub ID");
    if (!ident_valid(span_str(o->sub)))
        return cli_usage(
            "token",
            "--sub is not a profile's id: 1 to %d of A-Z a-z 0-9 . _ ~ : | @ + -, not beginning with @",
            IDENT_MAX_LEN);
    unsigned scopes = token_scope_parse(span_str(o->scope != NULL ? o->scope : "profile:read"), &unknown);
    if (unknown.ptr != NULL)
        return cli_usage("token", "there is no scope %.*s", SPAN_ARG(unknown));
    if (o->format != NULL && !paseto && strcmp(o->format, "jwt") != 0)
        return cli_usage("token", "--format is jwt or paseto");
    int64_t ttl_s = choose_ttl(s, o->ttl, &status);
    if (ttl_s == 0)
        return status;
    crypto_random(random, sizeof random);
    crypto_base64url_encode(random, sizeof random, jti);
    int64_t now_s = clock_now_s(&clock_system);
    struct token_grant grant = {
        .issuer = span_str(config_text(s, CONFIG_token_issuer)),
        .subject = span_str(o->sub),
        .audience = span_str(aud),
        .jti = span_of(jti, sizeof jti),
        .scopes = scopes,
        .issued_s = now_s,
        .expires_s = now_s + ttl_s,
    };
    return mint(s, paseto ? TOKEN_PASETO : TOKEN_JWT, &grant);
}

/* Standard input to its end, without the white space round it. */
static bool read_input(struct buf *out)
{
    size_t n;
    do {
        char *to = buf_reserve(out, 4096);
        n = to == NULL ? 0 : fread(to, 1, 4096, stdin);
        if (n > 0)
            buf_extend(out, n);
    } while (n > 0 && out->len <= MAX_INPUT_LEN);
    while (out->len > 0 && strchr(" \t\r\n", out->ptr[out->len - 1]) != NULL)
        buf_truncate(out, out->len - 1);
    return !ferror(stdin) && !out->failed && out->len <= MAX_INPUT_LEN;
}

static int verify(const struct config_settings *s, const char *token, bool json)
{
    struct err_detail detail = {0};
    struct token_keyring *ring = NULL;
    struct buf input = {0};
    bool from_input = token == NULL || strcmp(token, "-") == 0;
    int status;
    if (from_input && !read_input(&input)) {
        status = cli_failed("token", "standard input cannot be read, or is no token");
    } else if (cli_keyring_load(s, &ring, &detail) != OK) {
        status = cli_failed("token", "%s", detail.text);
    } else {
        struct token_policy policy = cli_token_policy(s);
        struct span text = from_input ? buf_span(&input) : span_str(token);
        bool valid = cli_explain_token(ring, &policy, span_trim(text), clock_now_s(&clock_system), json);
        status = valid ? CLI_OK : CLI_FAILED;
    }
    token_keyring_free(&ring);
    buf_fini(&input);
    return status;
}

static int vectors(const char *path)
{
    bool from_input = path == NULL || strcmp(path, "-") == 0;
    FILE *in = from_input ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int status = CLI_OK;
    if (in == NULL)
        return cli_failed("token", "cannot open %s: %s", path, strerror(errno));
    /* line by line, so that a program can ask and wait for the answer */
    while ((len = getline(&line, &size, in)) >= 0) {
        puts(token_vector_valid(span_of(line, (size_t)len)) ? "valid" : "invalid");
        fflush(stdout);
    }
    if (ferror(in))
        status =
            cli_failed("token", "cannot read %s: %s", from_input ? "standard input" : path, strerror(errno));
    free(line);
    if (!from_input)
        fclose(in);
    return status;
}

static bool any_of_issue(const struct options *o)
{
    return o->sub != NULL || o->scope != NULL || o->ttl != NULL || o->aud != NULL || o->format != NULL;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct config_settings settings;
    int status;
    if (!read_options(argc, argv, &o))
        return CLI_USAGE;
    if (o.help) {
        fputs(help, stdout);
        return CLI_OK;
    }
    const char *action = optind < argc ? argv[optind] : "";
    const char *operand = optind + 1 < argc ? argv[optind + 1] : NULL;
    bool is_issue = strcmp(action, "issue") == 0, is_verify = strcmp(action, "verify") == 0;
    bool is_vectors = strcmp(action, "vectors") == 0;
    if (!is_issue && !is_verify && !is_vectors)
        return cli_usage("token", "say issue, verify or vectors");
    if (argc - optind > (is_issue ? 1 : 2))
        return cli_usage("token", "%s takes %s operand", action, is_issue ? "no" : "one");
    if (!is_issue && any_of_issue(&o))
        return cli_usage("token", "--sub, --scope, --ttl, --aud and --format belong to issue");
    if (!is_verify && o.json)
        return cli_usage("token", "--json belongs to verify");
    if (crypto_init() != OK)
        return cli_failed("token", "the system gives no random bytes");
    if (is_vectors) {
        status = vectors(operand);
    } else {
        if (!cli_settings("token", &o.common, &settings))
            return CLI_FAILED;
        status = is_issue ? issue(&settings, &o) : verify(&settings, operand, o.json);
        config_fini(&settings);
    }
    if (status == CLI_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = cli_failed("token", "cannot write the answer: %s", strerror(errno));
    return status;
}

const struct cli_command cli_token = {
    .name = "token",
    .summary = "mint tokens, explain them, check published test vectors",
    .help = help,
    .run = run,
};
