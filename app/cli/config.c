/* profiled config: the configuration in force, and where each value came from. */
#include "cli/cli.h"

#include "json/write.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* "default", "/etc/profiled/profiled.conf:12", "PROFILED_SERVER_WORKERS", "flag" */
static void write_origin(const struct config_settings *s, enum config_id id, struct buf *out)
{
    const struct config_value *v = &s->values[id];
    const struct config_row *row = config_row(id);
    switch (v->origin) {
    case CONFIG_FROM_DEFAULT:
        buf_lit(out, "default");
        break;
    case CONFIG_FROM_FILE:
        buf_printf(out, "%s:%d", s->path, v->line);
        break;
    case CONFIG_FROM_ENVIRONMENT: {
        size_t at = out->len;
        buf_printf(out, "PROFILED_%s_%s", row->section, row->key);
        for (; at < out->len; at++)
            if (out->ptr[at] >= 'a' && out->ptr[at] <= 'z')
                out->ptr[at] = (char)(out->ptr[at] - 'a' + 'A');
        break;
    }
    case CONFIG_FROM_FLAG:
        buf_lit(out, "flag");
        break;
    }
}

static void write_text(const struct config_settings *s, struct buf *out)
{
    const char *section = "";
    for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_row *row = config_row(id);
        struct buf origin = {0};
        if (strcmp(section, row->section) != 0)
            buf_printf(out, "%s[%s]\n", section[0] == '\0' ? "" : "\n", row->section);
        section = row->section;
        write_origin(s, id, &origin);
        buf_printf(out, "%-24s = %-40s ; %s\n", row->key, config_text(s, id), buf_text(&origin));
        buf_fini(&origin);
    }
    for (size_t i = 0; i < s->issuer_count; i++) {
        const struct config_issuer *issuer = &s->issuers[i];
        buf_printf(out, "\n[issuer %s]\niss = %s\njwks = %s\naudience = %s\nscopes = %s\nsubject_prefix = %s\n",
                   issuer->name, issuer->iss, issuer->jwks, issuer->audience, issuer->scopes, issuer->subject_prefix);
    }
}

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_string(out, span_str(value == NULL ? "" : value));
}

static void write_json(const struct config_settings *s, struct buf *out)
{
    buf_lit(out, "{\"settings\":[");
    for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_row *row = config_row(id);
        struct buf origin = {0};
        write_origin(s, id, &origin);
        buf_printf(out, "%s{\"section\":\"%s\"", id == 0 ? "" : ",", row->section);
        write_member(out, "key", row->key);
        write_member(out, "value", config_text(s, id));
        write_member(out, "from", buf_text(&origin));
        buf_char(out, '}');
        buf_fini(&origin);
    }
    buf_lit(out, "],\"issuers\":[");
    for (size_t i = 0; i < s->issuer_count; i++) {
        const struct config_issuer *issuer = &s->issuers[i];
        buf_append(out, i == 0 ? SPAN("{\"name\":") : SPAN(",{\"name\":"));
        json_write_string(out, span_str(issuer->name));
        write_member(out, "iss", issuer->iss);
        write_member(out, "jwks", issuer->jwks);
        write_member(out, "audience", issuer->audience);
        write_member(out, "scopes", issuer->scopes);
        write_member(out, "subject_prefix", issuer->subject_prefix);
        buf_char(out, '}');
    }
    buf_lit(out, "]}\n");
}

static int run_config(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"check", no_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    struct cli_common common = {0};
    struct config_settings settings;
    struct buf out = {0};
    bool json = false, check = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (option == 'j')
            json = true;
        else if (option == 'k')
            check = true;
        else if (!cli_common_take(&common, option, optarg))
            return cli_usage("config", "there is no option '%s', or it lacks its value", argv[optind - 1]);
    }
    if (optind < argc)
        return cli_usage("config", "'%s' is one argument too many", argv[optind]);
    if (!cli_settings("config", &common, &settings))
        return CLI_FAILED;
    if (!check && json)
        write_json(&settings, &out);
    else if (!check)
        write_text(&settings, &out);
    bool failed = buf_status(&out) != OK || fputs(buf_text(&out), stdout) == EOF || fflush(stdout) != 0;
    buf_fini(&out);
    config_fini(&settings);
    return failed ? cli_failed("config", "writing failed") : CLI_OK;
}

const struct cli_command cli_config = {
    .name = "config",
    .summary = "show the configuration in force",
    .help = "usage: profiled config [--json | --check]\n\n"
            "Prints every setting with where its value came from: default, FILE:LINE, the environment variable, or a flag.\n"
            "A configuration that is wrong is reported with its place, and the exit status is 1.\n\n"
            "  --json                       as a JSON object\n"
            "  --check                      print nothing, only check\n"
            "  -c, --config FILE            configuration (PROFILED_CONFIG, else /etc/profiled/profiled.conf)\n"
            "  -o, --set SECTION.KEY=VALUE  one setting\n",
    .run = run_config,
};
