#include "cli/cli.h"

#include "base/clock.h"
#include "crypto/init.h"
#include "token/keyedit.h"
#include "token/time.h"
#include "json/write.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "usage: profiled key new [-c FILE] [-o SECTION.KEY=VALUE]\n"
    "       profiled key list [--json]\n"
    "       profiled key retire [--force] KID\n"
    "\n"
    "Keeps the Ed25519 keys that tokens are signed with: a JWK (RFC 8037) file each in the folder that the\n"
    "setting token.keys names. The newest key that is not retired signs; all that are not retired verify.\n"
    "\n"
    "  new      makes a key and prints its kid. A missing folder is made, mode 0700; the file has mode "
    "0600.\n"
    "           Run by root, both are given to server.user and server.group if that user exists, so that\n"
    "           the pool can read them once it has dropped root's rights.\n"
    "  list     prints each key with the time it was made, its state, and which one signs.\n"
    "  retire   the key signs and verifies no more; tokens it signed are refused. Its file stays, marked. "
    "The\n"
    "           last key that is not retired is only retired with --force.\n"
    "\n"
    "A running pool learns of a change when it reloads (SIGHUP). To rotate: key new, reload, wait until the\n"
    "old key's tokens have expired, key retire, reload.\n"
    "\n"
    "  --json   list as one JSON object\n"
    "  --force  retire the last key too\n"
    "  -c FILE  read this configuration\n"
    "  -o SECTION.KEY=VALUE  put this setting over the configuration's, such as -o token.keys=/srv/keys\n"
    "\n"
    "Exits 0 when done, 1 on failure, 2 when called wrongly.\n";

struct options {
    struct cli_common common;
    bool json;
    bool force;
    bool help;
};

/* false: a message was printed. Leaves optind at the first operand. */
static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"json", no_argument, NULL, 'j'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:h", table, NULL)) != -1) {
        if (option == 'j')
            o->json = true;
        else if (option == 'f')
            o->force = true;
        else if (option == 'h')
            o->help = true;
        else if (!cli_common_take(&o->common, option, optarg)) {
            cli_usage("key", "%s is no option, or lacks its value", argv[optind - 1]);
            return false;
        }
    }
    return true;
}

/* Whom new files go to: false when they stay the caller's own. */
static bool find_owner(const struct config_settings *s, struct token_key_owner *out)
{
    const char *user = config_text(s, CONFIG_server_user);
    const char *group = config_text(s, CONFIG_server_group);
    const struct passwd *who = geteuid() != 0 || user[0] == '\0' ? NULL : getpwnam(user);
    if (who == NULL)
        return false;
    *out = (struct token_key_owner){who->pw_uid, who->pw_gid};
    const struct group *which = group[0] == '\0' ? NULL : getgrnam(group);
    if (which != NULL)
        out->gid = which->gr_gid;
    return true;
}

static int key_new(const struct config_settings *s)
{
    struct err_detail detail = {0};
    struct token_key_owner owner;
    char kid[TOKEN_THUMBPRINT_LEN + 1];
    bool given = find_owner(s, &owner);
    if (token_key_new(config_text(s, CONFIG_token_keys), clock_now_ms(&clock_system), given ? &owner : NULL,
                      kid, &detail) != OK)
        return cli_failed("key", "%s", detail.text);
    puts(kid);
    return CLI_OK;
}

/* The time as text, or what stands for one that the file does not say. */
static const char *show_time(struct buf *text, int64_t ms, const char *none)
{
    buf_clear(text);
    if (ms == 0)
        return none;
    token_time_write(text, ms / 1000);
    return buf_text(text);
}

static void print_table(const struct token_keyfolder *keys)
{
    const struct token_keyfile *signing = token_keyfolder_signing(keys);
    struct buf text = {0};
    printf("%-43s  %-20s  %-7s  %s\n", "KID", "CREATED", "STATE", "SIGNS");
    for (size_t i = 0; i < keys->count; i++) {
        const struct token_keyfile *k = &keys->keys[i];
        printf("%-43s  %-20s  %-7s  %s\n", k->kid, show_time(&text, k->created_ms, "unknown"),
               k->retired ? "retired" : "active", k == signing ? "yes" : "no");
    }
    buf_fini(&text);
}

static void print_json(const struct token_keyfolder *keys)
{
    const struct token_keyfile *signing = token_keyfolder_signing(keys);
    struct buf out = {0};
    buf_lit(&out, "{\"keys\":[");
    for (size_t i = 0; i < keys->count; i++) {
        const struct token_keyfile *k = &keys->keys[i];
        buf_append(&out, i > 0 ? SPAN(",{\"kid\":") : SPAN("{\"kid\":"));
        json_write_string(&out, span_str(k->kid));
        if (k->created_ms != 0) {
            buf_lit(&out, ",\"created_at\":\"");
            token_time_write_ms(&out, k->created_ms);
            buf_char(&out, '"');
        }
        if (k->retired) {
            buf_lit(&out, ",\"retired_at\":\"");
            token_time_write_ms(&out, k->retired_ms);
            buf_char(&out, '"');
        }
        buf_printf(&out, ",\"state\":\"%s\",\"signs\":%s,\"file\":", k->retired ? "retired" : "active",
                   k == signing ? "true" : "false");
        json_write_string(&out, span_str(k->path));
        buf_char(&out, '}');
    }
    buf_lit(&out, "]}");
    puts(buf_text(&out));
    buf_fini(&out);
}

static int key_list(const struct config_settings *s, bool json)
{
    struct err_detail detail = {0};
    struct token_keyfolder keys = {0};
    if (token_keyfolder_load(config_text(s, CONFIG_token_keys), &keys, &detail) != OK)
        return cli_failed("key", "%s", detail.text);
    if (json)
        print_json(&keys);
    else
        print_table(&keys);
    token_keyfolder_fini(&keys);
    return CLI_OK;
}

static size_t count_active(const struct token_keyfolder *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++)
        count += !keys->keys[i].retired;
    return count;
}

static int key_retire(const struct config_settings *s, const char *kid, bool force)
{
    const char *folder = config_text(s, CONFIG_token_keys);
    struct err_detail detail = {0};
    struct token_keyfolder keys = {0};
    int status = CLI_OK;
    if (token_keyfolder_load(folder, &keys, &detail) != OK)
        return cli_failed("key", "%s", detail.text);
    const struct token_keyfile *key = token_keyfolder_find(&keys, span_str(kid));
    if (key == NULL)
        status = cli_failed("key", "there is no key %s in %s", kid, folder);
    else if (!key->retired && count_active(&keys) == 1 && !force)
        status = cli_failed("key", "%s is the last key: make another first, or retire it with --force", kid);
    else if (token_key_retire(key, clock_now_ms(&clock_system), &detail) != OK)
        status = cli_failed("key", "%s", detail.text);
    else
        printf("%s is retired; a running pool learns of it when it reloads (SIGHUP)\n", kid);
    token_keyfolder_fini(&keys);
    return status;
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
    int operands = argc - optind - 1;
    bool is_new = strcmp(action, "new") == 0, is_list = strcmp(action, "list") == 0;
    bool is_retire = strcmp(action, "retire") == 0;
    if (!is_new && !is_list && !is_retire)
        return cli_usage("key", "say new, list or retire");
    if (operands != (is_retire ? 1 : 0))
        return cli_usage("key", is_retire ? "retire takes one KID" : "%s takes no operand", action);
    if ((o.json && !is_list) || (o.force && !is_retire))
        return cli_usage("key", "%s does not take %s", action, o.json && !is_list ? "--json" : "--force");
    if (crypto_init() != OK)
        return cli_failed("key", "the system gives no random bytes");
    if (!cli_settings("key", &o.common, &settings))
        return CLI_FAILED;
    if (is_new)
        status = key_new(&settings);
    else
        status = is_list ? key_list(&settings, o.json) : key_retire(&settings, argv[optind + 1], o.force);
    config_fini(&settings);
    if (status == CLI_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = cli_failed("key", "cannot write the answer: %s", strerror(errno));
    return status;
}

const struct cli_command cli_key = {
    .name = "key",
    .summary = "make, list and retire the keys that tokens are signed with",
    .help = help,
    .run = run,
};
