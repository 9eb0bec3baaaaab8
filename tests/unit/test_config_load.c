/* Defaults, file, variables and flags brought together, and the checks of the whole. */
#include "base/file.h"
#include "config/load.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/profiled-test-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/f.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    struct err_detail detail = {0};
    assert_int_equal(file_write(path, span_str(text), 0600, &detail), OK);
}

struct load_case {
    const char *what;
    const char *file;         /* NULL: none */
    const char *variables[3]; /* NULL-terminated */
    const char *flags[3];
    const char *reason; /* part of it, "%" stands for the file's path; NULL: it loads */
    enum config_id id;  /* what it then must hold */
    const char *value;
};

#define NO_FLAGS                                                                                             \
    {                                                                                                        \
        NULL                                                                                                 \
    }
#define NO_VARS                                                                                              \
    {                                                                                                        \
        NULL                                                                                                 \
    }

static const struct load_case cases[] = {
    {"defaults", "", NO_VARS, NO_FLAGS, NULL, CONFIG_server_workers, "4"},
    {"the file", "[server]\nworkers = 5\n", NO_VARS, NO_FLAGS, NULL, CONFIG_server_workers, "5"},
    {"a variable over the file",
     "[server]\nworkers = 5\n",
     {"PROFILED_SERVER_WORKERS=6"},
     NO_FLAGS,
     NULL,
     CONFIG_server_workers,
     "6"},
    {"a flag over both",
     "[server]\nworkers = 5\n",
     {"PROFILED_SERVER_WORKERS=6"},
     {"server.workers=7"},
     NULL,
     CONFIG_server_workers,
     "7"},
    {"the last flag",
     "",
     NO_VARS,
     {"server.workers=7", "server.workers=8"},
     NULL,
     CONFIG_server_workers,
     "8"},
    {"a long name", "", {"PROFILED_HTTP_MAX_AGE=5m"}, NO_FLAGS, NULL, CONFIG_http_max_age, "5m"},
    {"an empty variable",
     "[token]\naudience = a\n",
     {"PROFILED_TOKEN_AUDIENCE="},
     NO_FLAGS,
     NULL,
     CONFIG_token_audience,
     ""},
    {"an equals sign in a flag", "", NO_VARS, {"token.audience=a=b"}, NULL, CONFIG_token_audience, "a=b"},
    {"a long text by variable",
     "",
     {"PROFILED_HTTP_CORS_ORIGINS=https://a.example https://b.example"},
     NO_FLAGS,
     NULL,
     CONFIG_http_cors_origins,
     "https://a.example https://b.example"},
    {"somebody else's variables",
     "",
     {"PROFILED_POOL_THING=1", "PROFILEDX=2"},
     NO_FLAGS,
     NULL,
     CONFIG_server_workers,
     "4"},
    {"a section's name alone",
     "",
     {"PROFILED_SERVER=1", "PROFILED_=2"},
     NO_FLAGS,
     NULL,
     CONFIG_server_workers,
     "4"},
    {"small letters are not ours",
     "",
     {"PROFILED_server_workers=9", "profiled_SERVER_WORKERS=9"},
     NO_FLAGS,
     NULL,
     CONFIG_server_workers,
     "4"},
    {"origins",
     "",
     NO_VARS,
     {"http.cors_origins=https://a.example http://localhost:8080 app://b https://[::1]:8443 http://10.0.0.1"},
     NULL,
     CONFIG_log_level,
     "info"},
    {"any origin", "", NO_VARS, {"http.cors_origins=*"}, NULL, CONFIG_http_cors_origins, "*"},
    {"a mount", "", NO_VARS, {"server.mount=/a/b-c"}, NULL, CONFIG_server_mount, "/a/b-c"},
    {"an IPv6 address", "", NO_VARS, {"server.listen=tcp:[::1]:9000"}, NULL, CONFIG_log_level, "info"},
    {"a mode of four digits", "", NO_VARS, {"server.listen_mode=0600"}, NULL, CONFIG_log_level, "info"},

    {"a fault in the file", "[server]\nworkers = 0\n", NO_VARS, NO_FLAGS, "%:2: server.workers: `0`", 0,
     NULL},
    {"a misspelt variable",
     "",
     {"PROFILED_SERVER_WROKERS=6"},
     NO_FLAGS,
     "variable PROFILED_SERVER_WROKERS: unknown key `wrokers` in [server]; did you mean `workers`?",
     0,
     NULL},
    {"an unknown variable",
     "",
     {"PROFILED_HTTP_X=6"},
     NO_FLAGS,
     "variable PROFILED_HTTP_X: unknown key `x` in [http]",
     0,
     NULL},
    {"a bad variable",
     "",
     {"PROFILED_SERVER_WORKERS=six"},
     NO_FLAGS,
     "variable PROFILED_SERVER_WORKERS: server.workers: `six`",
     0,
     NULL},
    {"a half capital variable",
     "",
     {"PROFILED_SERVER_Workers=6"},
     NO_FLAGS,
     "variable PROFILED_SERVER_Workers: the name of a variable is written in capitals",
     0,
     NULL},
    {"a nameless variable",
     "",
     {"PROFILED_SERVER_=6"},
     NO_FLAGS,
     "variable PROFILED_SERVER_: unknown key",
     0,
     NULL},
    {"an issuer by variable",
     "",
     {"PROFILED_ISSUER_A=1"},
     NO_FLAGS,
     "variable PROFILED_ISSUER_A: issuers are set in the file alone",
     0,
     NULL},
    {"a misspelt flag",
     "",
     NO_VARS,
     {"server.wrokers=3"},
     "flag -o server.wrokers: unknown key `wrokers` in [server]; did you mean `workers`?",
     0,
     NULL},
    {"a flag without a value", "", NO_VARS, {"server.workers"}, "it is written section.key=value", 0, NULL},
    {"a flag without a section", "", NO_VARS, {"workers=3"}, "it is written section.key=value", 0, NULL},
    {"an empty flag", "", NO_VARS, {""}, "it is written section.key=value", 0, NULL},
    {"a flag of no section", "", NO_VARS, {"sever.workers=3"}, "unknown key `workers` in [sever]", 0, NULL},
    {"a bad flag",
     "",
     NO_VARS,
     {"cache.size=-1"},
     "flag -o cache.size: cache.size: `-1` is not a size",
     0,
     NULL},
    {"a fault in the file that a flag would hide",
     "[server]\nworkers = 0\n",
     NO_VARS,
     {"server.workers=1"},
     "%:2: server.workers",
     0,
     NULL},

    {"listening nowhere", "[server]\nlisten = /run/x\n", NO_VARS, NO_FLAGS,
     "%:2: server.listen: `/run/x` is neither unix:PATH nor tcp:ADDRESS:PORT", 0, NULL},
    {"no path",
     "",
     {"PROFILED_SERVER_LISTEN=unix:"},
     NO_FLAGS,
     "variable PROFILED_SERVER_LISTEN: server.listen: unix: needs a path",
     0,
     NULL},
    {"an abstract path",
     "",
     NO_VARS,
     {"server.listen=unix:@x"},
     "flag -o server.listen: server.listen: an abstract",
     0,
     NULL},
    {"a path too long",
     "",
     NO_VARS,
     {"server.listen=unix:/"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaa"},
     "a Unix socket's may have 107",
     0,
     NULL},
    {"no port", "", NO_VARS, {"server.listen=tcp:127.0.0.1"}, "ADDRESS:PORT", 0, NULL},
    {"an empty port", "", NO_VARS, {"server.listen=tcp:127.0.0.1:"}, "ADDRESS:PORT", 0, NULL},
    {"port 0", "", NO_VARS, {"server.listen=tcp:127.0.0.1:0"}, "a port from 1 to 65535", 0, NULL},
    {"port 65536", "", NO_VARS, {"server.listen=tcp:127.0.0.1:65536"}, "a port from 1 to 65535", 0, NULL},
    {"a name", "", NO_VARS, {"server.listen=tcp:localhost:9000"}, "`localhost` is no address", 0, NULL},
    {"no address", "", NO_VARS, {"server.listen=tcp::9000"}, "`` is no address", 0, NULL},
    {"IPv6 without brackets", "", NO_VARS, {"server.listen=tcp:::1:9000"}, "IPv6 in brackets", 0, NULL},
    {"IPv4 in brackets", "", NO_VARS, {"server.listen=tcp:[127.0.0.1]:9000"}, "is no address", 0, NULL},
    {"half a bracket", "", NO_VARS, {"server.listen=tcp:[::1:9000"}, "is no address", 0, NULL},
    {"a very long address",
     "",
     NO_VARS,
     {"server.listen=tcp:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:9"},
     "too long",
     0,
     NULL},
    {"another scheme", "", NO_VARS, {"server.listen=udp:127.0.0.1:9000"}, "neither unix:PATH nor", 0, NULL},
    {"a mode that is none", "", NO_VARS, {"server.listen_mode=rw"}, "a mode in octal such as 0660", 0, NULL},
    {"a mode with an 8", "", NO_VARS, {"server.listen_mode=0680"}, "a mode in octal", 0, NULL},
    {"a sticky mode", "", NO_VARS, {"server.listen_mode=1777"}, "a mode in octal", 0, NULL},
    {"an empty mode", "", NO_VARS, {"server.listen_mode="}, "a mode in octal", 0, NULL},
    {"a mount without /",
     "",
     NO_VARS,
     {"server.mount=profiles"},
     "server.mount: a path that begins with /",
     0,
     NULL},
    {"a mount with / behind", "", NO_VARS, {"server.mount=/profiles/"}, "does not end with one", 0, NULL},
    {"the root", "", NO_VARS, {"server.mount=/"}, "does not end with one", 0, NULL},
    {"two slashes", "", NO_VARS, {"server.mount=/a//b"}, "server.mount", 0, NULL},
    {"a dot segment", "", NO_VARS, {"server.mount=/a/../b"}, "server.mount", 0, NULL},
    {"a query", "", NO_VARS, {"server.mount=/a?b"}, "server.mount", 0, NULL},
    {"a blank", "", NO_VARS, {"server.mount=/a b"}, "server.mount", 0, NULL},
    {"an encoded mount", "", NO_VARS, {"server.mount=/a%20b"}, "server.mount", 0, NULL},
    {"another database",
     "",
     {"PROFILED_STORE_URL=postgres:x"},
     NO_FLAGS,
     "variable PROFILED_STORE_URL: store.url: `postgres:x` is not sqlite:PATH",
     0,
     NULL},
    {"a database without a path", "", NO_VARS, {"store.url=sqlite:"}, "is not sqlite:PATH", 0, NULL},
    {"nobody", "", NO_VARS, {"server.user="}, "server.user: must not be empty", 0, NULL},
    {"no keys", "", NO_VARS, {"token.keys="}, "token.keys: must not be empty", 0, NULL},
    {"no issuer", "", NO_VARS, {"token.issuer="}, "token.issuer: must not be empty", 0, NULL},
    {"an edge without a key", "[edge]\npurge = http://edge:80\n", NO_VARS, NO_FLAGS,
     "%:2: edge.purge: edge.key must be said as well", 0, NULL},
    {"an edge without a port", "[edge]\nkey = 0123456789abcdef\npurge = http://edge\n", NO_VARS, NO_FLAGS,
     "%:3: edge.purge: `http://edge` lacks its port", 0, NULL},
    {"an edge over TLS", "", NO_VARS, {"edge.purge=https://edge:443"}, "purges go over http", 0, NULL},
    {"an edge of another scheme",
     "",
     NO_VARS,
     {"edge.purge=edge:80"},
     "`edge:80` is not http://HOST:PORT",
     0,
     NULL},
    {"an edge with a path",
     "",
     NO_VARS,
     {"edge.purge=http://edge:80/purge"},
     "a port is 1 to 65535",
     0,
     NULL},
    {"an edge with a slash", "", NO_VARS, {"edge.purge=http://edge:80/"}, "a port is 1 to 65535", 0, NULL},
    {"an edge on port 0", "", NO_VARS, {"edge.purge=http://edge:0"}, "a port is 1 to 65535", 0, NULL},
    {"an edge on no port", "", NO_VARS, {"edge.purge=http://edge:65536"}, "a port is 1 to 65535", 0, NULL},
    {"an edge with a user", "", NO_VARS, {"edge.purge=http://u@edge:80"}, "is not http://HOST:PORT", 0, NULL},
    {"an edge without a host", "", NO_VARS, {"edge.purge=http://:80"}, "is not http://HOST:PORT", 0, NULL},
    {"an edge in open brackets",
     "",
     NO_VARS,
     {"edge.purge=http://[::1:80"},
     "is not http://HOST:PORT",
     0,
     NULL},
    {"an edge twice",
     "",
     NO_VARS,
     {"edge.purge=http://a:80 http://b:80 http://a:80"},
     "`http://a:80` stands there twice",
     0,
     NULL},
    {"a short secret", "[edge]\nkey = 0123456789abcde\n", NO_VARS, NO_FLAGS,
     "%:2: edge.key: a secret of 16 characters or more", 0, NULL},
    {"a secret with a blank",
     "",
     NO_VARS,
     {"edge.key=0123456789 abcdef"},
     "edge.key: a secret is of visible ASCII",
     0,
     NULL},
    {"a file without a path", "", NO_VARS, {"edge.key=file:"}, "edge.key: file: lacks the path", 0, NULL},
    {"a hasty lag", "", NO_VARS, {"edge.revocation_max_lag=4s"}, "edge.revocation_max_lag", 0, NULL},
    {"an origin with a path", "", NO_VARS, {"http.cors_origins=https://a.example/"}, "is no origin", 0, NULL},
    {"an origin in capitals", "", NO_VARS, {"http.cors_origins=https://A.example"}, "is no origin", 0, NULL},
    {"an origin without a scheme", "", NO_VARS, {"http.cors_origins=a.example"}, "is no origin", 0, NULL},
    {"an origin without a host", "", NO_VARS, {"http.cors_origins=https://"}, "is no origin", 0, NULL},
    {"an origin with a user",
     "",
     NO_VARS,
     {"http.cors_origins=https://u@a.example"},
     "is no origin",
     0,
     NULL},
    {"an origin with the default port",
     "",
     NO_VARS,
     {"http.cors_origins=https://a:443"},
     "no default port",
     0,
     NULL},
    {"an origin with an empty port", "", NO_VARS, {"http.cors_origins=https://a:"}, "is no origin", 0, NULL},
    {"an origin with a long port",
     "",
     NO_VARS,
     {"http.cors_origins=https://a:65536"},
     "is no origin",
     0,
     NULL},
    {"an origin with a padded port",
     "",
     NO_VARS,
     {"http.cors_origins=https://a:080"},
     "is no origin",
     0,
     NULL},
    {"null", "", NO_VARS, {"http.cors_origins=null"}, "is no origin", 0, NULL},
    {"any origin and one", "", NO_VARS, {"http.cors_origins=* https://a.example"}, "* stands alone", 0, NULL},
    {"a wildcard in an origin",
     "",
     NO_VARS,
     {"http.cors_origins=https://*.example"},
     "is no origin",
     0,
     NULL},
    {"a comma",
     "",
     NO_VARS,
     {"http.cors_origins=https://a.example,https://b.example"},
     "is no origin",
     0,
     NULL},

    {"an issuer without iss", "\n[issuer a]\njwks = x\naudience = y\nsubject_prefix = z\n", NO_VARS, NO_FLAGS,
     "%:2: [issuer a] lacks `iss`", 0, NULL},
    {"without jwks", "[issuer a]\niss = x\naudience = y\nsubject_prefix = z\n", NO_VARS, NO_FLAGS,
     "%:1: [issuer a] lacks `jwks`", 0, NULL},
    {"without audience", "[issuer a]\niss = x\njwks = y\nsubject_prefix = z\n", NO_VARS, NO_FLAGS,
     "%:1: [issuer a] lacks `audience`", 0, NULL},
    {"without subject_prefix", "[issuer a]\niss = x\njwks = y\naudience = z\n", NO_VARS, NO_FLAGS,
     "%:1: [issuer a] lacks `subject_prefix`: say it, empty if", 0, NULL},
    {"ourselves as an issuer",
     "[issuer a]\niss = https://profiled.invalid\njwks = y\naudience = z\nsubject_prefix =\n", NO_VARS,
     NO_FLAGS, "%:2: [issuer a] iss is our own token.issuer", 0, NULL},
    {"ourselves by flag",
     "[issuer a]\niss = https://b\njwks = y\naudience = z\nsubject_prefix =\n",
     NO_VARS,
     {"token.issuer=https://b"},
     "%:2: [issuer a] iss is our own token.issuer",
     0,
     NULL},
    {"two of one iss",
     "[issuer a]\niss = x\njwks = y\naudience = z\nsubject_prefix = a:\n"
     "[issuer b]\nsubject_prefix = b:\niss = x\njwks = y\naudience = z\n",
     NO_VARS, NO_FLAGS, "%:8: [issuer b] has the iss of [issuer a] on line 2", 0, NULL},
    {"a misspelt scope",
     "[issuer a]\niss = x\njwks = y\naudience = z\nsubject_prefix = a:\nscopes = profile:read "
     "profile:wriet\n",
     NO_VARS, NO_FLAGS, "%:6: [issuer a] scopes: `profile:wriet` is none of", 0, NULL},
};

/* Whether text holds reason, where % stands for the path. */
static bool holds(const char *text, const char *reason)
{
    char whole[512];
    if (reason[0] == '%') {
        snprintf(whole, sizeof whole, "%s%s", path, reason + 1);
        return strncmp(text, whole, strlen(whole)) == 0;
    }
    return strstr(text, reason) != NULL;
}

static void loads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct load_case *c = &cases[i];
        size_t flags = 0;
        while (flags < 3 && c->flags[flags] != NULL)
            flags++;
        const struct config_source source = {path, (char *const *)(uintptr_t)c->variables, c->flags, flags};
        struct config_settings s;
        struct err_detail detail = {0};
        write_file(c->file);
        enum err e = config_load(&source, &s, &detail);
        if (c->reason != NULL) {
            if (e != ERR_INVALID || !holds(detail.text, c->reason))
                fail_msg("%s: %s: %s", c->what, err_name(e), detail.text);
            assert_null(s.path);
            assert_null(s.values[0].text);
            continue;
        }
        if (e != OK || strcmp(config_text(&s, c->id), c->value) != 0)
            fail_msg("%s: %s: %s", c->what, err_name(e), e == OK ? config_text(&s, c->id) : detail.text);
        config_fini(&s);
    }
}

static void origins_are_told(void **state)
{
    (void)state;
    char *variables[] = {(char[]){"PROFILED_CACHE_SIZE=1M"}, NULL};
    const char *flags[] = {"log.level=debug"};
    const struct config_source source = {path, variables, flags, 1};
    static const enum config_id ids[] = {CONFIG_server_workers, CONFIG_cache_size, CONFIG_log_level,
                                         CONFIG_server_backlog};
    struct config_settings s;
    struct err_detail detail = {0};
    struct buf told = {0};
    write_file("\n[server]\nworkers = 2\n");
    assert_int_equal(config_load(&source, &s, &detail), OK);
    for (size_t i = 0; i < 4; i++) {
        config_origin_write(&s, ids[i], &told);
        buf_char(&told, '|');
    }
    char expected[256];
    snprintf(expected, sizeof expected, "%s:3|variable PROFILED_CACHE_SIZE|flag -o log.level|default|", path);
    assert_string_equal(buf_text(&told), expected);
    buf_fini(&told);
    config_fini(&s);
}

static void the_file_is_found(void **state)
{
    (void)state;
    char name[128];
    struct config_settings s;
    struct err_detail detail = {0};
    snprintf(name, sizeof name, "PROFILED_CONFIG=%s", path);
    char *variables[] = {name, NULL};
    struct config_source source = {NULL, variables, NULL, 0};
    write_file("[server]\nworkers = 9\n");
    assert_int_equal(config_load(&source, &s, &detail), OK);
    assert_string_equal(s.path, path);
    assert_int_equal(config_number(&s, CONFIG_server_workers), 9);
    config_fini(&s);

    /* what is named must be there; -c goes before the variable */
    source.path = "/nonexistent/profiled.conf";
    assert_int_equal(config_load(&source, &s, &detail), ERR_NOT_FOUND);
    assert_non_null(strstr(detail.text, "/nonexistent/profiled.conf"));
    source.path = NULL;
    unlink(path);
    detail = (struct err_detail){0};
    assert_int_equal(config_load(&source, &s, &detail), ERR_NOT_FOUND);
    assert_non_null(strstr(detail.text, path));

    /* a folder is no file */
    source.path = folder;
    detail = (struct err_detail){0};
    assert_int_equal(config_load(&source, &s, &detail), ERR_IO);
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    const struct config_source source = {path, NULL, NULL, 0};
    struct config_settings s;
    struct err_detail detail = {0};
    write_file("");
    assert_int_equal(truncate(path, 64 << 20), 0);
    assert_int_equal(config_load(&source, &s, &detail), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads),
        cmocka_unit_test(origins_are_told),
        cmocka_unit_test(the_file_is_found),
        cmocka_unit_test(a_huge_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
