#include "cli/cli.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

static const char help[] =
    "usage: profiled config [--json] [--check] [-c FILE] [-o SECTION.KEY=VALUE]…\n"
    "\n"
    "Prints the configuration in force, each value with where it came from: the default, a line of the\n"
    "file, a variable of the environment, or a flag. What is printed can be read again as a file.\n"
    "\n"
    "  --json   as one JSON object\n"
    "  --check  prints nothing but what is wrong; exits 0 when nothing is, 1 otherwise\n"
    "  -c, --config FILE            read this configuration\n"
    "  -o, --set SECTION.KEY=VALUE  put this setting over the configuration's, such as -o log.access=on\n"
    "\n"
    "Exits 0 when done, 1 on failure, 2 when called wrongly.\n";

struct options {
    struct cli_common common;
    bool json;
    bool check;
};

/* false: a message was printed. */
static bool read_options(int argc, char **argv, struct options *o)
{
    enum { JSON = 256, CHECK };
    static const struct option table[] = {
        {"json", no_argument, NULL, JSON},
        {"check", no_argument, NULL, CHECK},
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 'o'},
        {0},
    };
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", table, NULL)) != -1) {
        if (option == JSON)
            o->json = true;
        else if (option == CHECK)
            o->check = true;
        else if (!cli_common_take(&o->common, option, optarg)) {
            cli_usage("config", "%s is no option, or lacks its value", argv[optind - 1]);
            return false;
        }
    }
    if (optind < argc)
        cli_usage("config", "%s is one argument too many", argv[optind]);
    return optind == argc;
}

/* A value that is longer than a line of the file may be: the origin stands above it, and a list goes on over
 * indented lines. */
static void write_long_line(struct buf *out, const char *key, const char *value, bool list,
                            const char *origin)
{
    buf_printf(out, "; %s\n%s =", origin, key);
    if (!list)
        buf_printf(out, " %s", value);
    for (struct span rest = span_str(value); list && rest.ptr != NULL;) {
        struct span word = span_cut(&rest, ' ');
        if (word.len > 0)
            buf_printf(out, "\n  %.*s", SPAN_ARG(word));
    }
    buf_char(out, '\n');
}

/* "key = value", with the origin as a comment behind it. */
static void write_line(struct buf *out, const char *key, const char *value, bool list, const char *origin)
{
    enum { COLUMN = 56, LONGEST = 190 };
    size_t begin = out->len;
    if (strlen(key) + strlen(value) + strlen(origin) > LONGEST) {
        write_long_line(out, key, value, list, origin);
        return;
    }
    buf_printf(out, "%s =%s%s", key, *value == '\0' ? "" : " ", value);
    do
        buf_char(out, ' ');
    while (!out->failed && out->len - begin < COLUMN);
    buf_printf(out, "; %s\n", origin);
}

static void write_issuer(const struct config_settings *s, const struct config_issuer *issuer, struct buf *out)
{
    buf_printf(out, "\n[issuer %s]\n", issuer->name);
    for (int i = 0; i < CONFIG_ISSUER_KEY_COUNT; i++) {
        enum config_issuer_key key = (enum config_issuer_key)i;
        struct config_issuer copy = *issuer;
        struct buf origin = {0};
        if (issuer->lines[i] == 0)
            buf_lit(&origin, "default");
        else
            buf_printf(&origin, "%s:%d", s->path, issuer->lines[i]);
        write_line(out, config_issuer_row(key)->key, *config_issuer_field(&copy, key),
                   key == CONFIG_ISSUER_scopes, buf_text(&origin));
        buf_fini(&origin);
    }
}

static void write_text(const struct config_settings *s, struct buf *out)
{
    const char *section = "";
    buf_printf(out, "; %s\n", s->path == NULL ? "no file was read" : s->path);
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        enum config_id id = (enum config_id)i;
        const struct config_row *row = config_row(id);
        struct buf origin = {0};
        if (strcmp(section, row->section) != 0)
            buf_printf(out, "\n[%s]\n", row->section);
        section = row->section;
        config_origin_write(s, id, &origin);
        write_line(out, row->key, config_text(s, id), row->type == CONFIG_LIST, buf_text(&origin));
        buf_fini(&origin);
    }
    for (size_t i = 0; i < s->issuer_count; i++)
        write_issuer(s, &s->issuers[i], out);
}

static json_t *value_as_json(const struct config_settings *s, enum config_id id)
{
    static const char *const origins[] = {"default", "file", "environment", "flag"};
    const struct config_value *value = &s->values[id];
    enum config_type type = config_row(id)->type;
    json_t *out = json_pack("{s:s, s:s}", "value", value->text, "from", origins[value->origin]);
    if (value->line != 0)
        json_object_set_new(out, "line", json_integer(value->line));
    if (type == CONFIG_INTEGER || type == CONFIG_SIZE || type == CONFIG_DURATION)
        json_object_set_new(out, "number", json_integer(value->number));
    return out;
}

static json_t *issuer_as_json(const struct config_issuer *issuer)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "name", issuer->name, "line", issuer->line, "iss",
                     issuer->iss, "jwks", issuer->jwks, "audience", issuer->audience, "scopes",
                     issuer->scopes, "subject_prefix", issuer->subject_prefix);
}

/* A new reference, NULL when memory is out. */
static json_t *as_json(const struct config_settings *s)
{
    json_t *settings = json_object(), *issuers = json_array();
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        enum config_id id = (enum config_id)i;
        const struct config_row *row = config_row(id);
        json_t *section = json_object_get(settings, row->section);
        if (section == NULL) {
            section = json_object();
            json_object_set_new(settings, row->section, section);
        }
        if (json_object_set_new(section, row->key, value_as_json(s, id)) != 0)
            goto failed;
    }
    for (size_t i = 0; i < s->issuer_count; i++)
        if (json_array_append_new(issuers, issuer_as_json(&s->issuers[i])) != 0)
            goto failed;
    return json_pack("{s:s?, s:o, s:o}", "file", s->path, "settings", settings, "issuers", issuers);
failed:
    json_decref(settings);
    json_decref(issuers);
    return NULL;
}

static int print_json(const struct config_settings *s)
{
    json_t *root = as_json(s);
    bool good = root != NULL && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!good)
        return cli_failed("config", "out of memory");
    putchar('\n');
    return CLI_OK;
}

static int print_text(const struct config_settings *s)
{
    struct buf out = {0};
    write_text(s, &out);
    bool good = buf_status(&out) == OK;
    if (good)
        fputs(buf_text(&out), stdout);
    buf_fini(&out);
    return good ? CLI_OK : cli_failed("config", "out of memory");
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct config_settings s;
    int status = CLI_OK;
    if (!read_options(argc, argv, &o))
        return CLI_USAGE;
    if (!cli_settings("config", &o.common, &s))
        return CLI_FAILED;
    if (!o.check)
        status = o.json ? print_json(&s) : print_text(&s);
    config_fini(&s);
    if (fflush(stdout) != 0 && status == CLI_OK)
        status = cli_failed("config", "standard output cannot be written");
    return status;
}

const struct cli_command cli_config = {"config", "print the configuration in force", help, run};
