/* The file's text: what is read, and each thing that is refused, with its line. */
#include "config/load.h"
#include "config/parse.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct refusal {
    const char *what;
    const char *text;
    const char *reason; /* what the detail begins with */
};

static const struct refusal refusals[] = {
    {"a misspelt key", "[server]\nlisten = unix:/x\n\nwrokers = 2\n",
     "f.conf:4: unknown key `wrokers` in [server]; did you mean `workers`?"},
    {"a key of another section", "[server]\nissuer = x\n",
     "f.conf:2: unknown key `issuer` in [server]; it belongs to [token]"},
    {"a key like no other", "[server]\nabracadabra = 1\n", "f.conf:2: unknown key `abracadabra` in [server]"},
    {"a key in capitals", "[server]\nWORKERS = 1\n", "f.conf:2: unknown key `WORKERS` in [server]"},
    {"no key", "[server]\n= 1\n", "f.conf:2: unknown key `` in [server]"},
    {"a misspelt section", "[sevrer]\n", "f.conf:1: unknown section [sevrer]; did you mean [server]?"},
    {"a section like no other", "[abracadabra]\nworkers = 1\n", "f.conf:1: unknown section [abracadabra]"},
    {"an empty section", "[]\n", "f.conf:1: unknown section []"},
    {"a section with blanks", "[ server ]\n", "f.conf:1: unknown section [ server ]; did you mean [server]?"},
    {"a section in capitals", "[Server]\n", "f.conf:1: unknown section [Server]; did you mean [server]?"},
    {"a misspelt issuer", "[isuer x]\n", "f.conf:1: unknown section [isuer x]; did you mean [issuer NAME]?"},
    {"a section that is not closed", "[server\nworkers = 1\n", "f.conf:1: no ] closes"},
    {"a key behind the section", "[server] workers = 3\n", "f.conf:1: nothing may stand behind the ]"},
    {"a key outside any section", "workers = 3\n[server]\n",
     "f.conf:1: the key `workers` stands before any [section]"},
    {"no key and no section", "[server]\nworkers\n", "f.conf:2: neither [section] nor key = value"},
    {"that, and another fault below", "[server]\nworkers\nwrokers = 1\n",
     "f.conf:2: neither [section] nor key = value"},
    {"a fault above that", "[server]\nwrokers = 1\nworkers\n", "f.conf:2: unknown key `wrokers`"},
    {"a bad number", "[server]\nworkers = many\n",
     "f.conf:2: server.workers: `many` is not a whole number from 1 to 1024"},
    {"a bad size", "[cache]\nsize = 64Q\n", "f.conf:2: cache.size: `64Q` is not a size (such as"},
    {"a bad time", "[server]\nrequest_timeout = 2d\n",
     "f.conf:2: server.request_timeout: `2d` is not a time"},
    {"a bad word", "[store]\nsynchronous = ful\n",
     "f.conf:2: store.synchronous: `ful` is none of: full normal; did you mean `full`?"},
    {"an empty number", "[server]\nworkers =\n", "f.conf:2: server.workers: `` is not"},
    {"a key twice", "[server]\nworkers = 1\n[log]\nlevel = info\n[server]\nworkers = 1\n",
     "f.conf:6: `workers` is given twice; first on line 2"},
    {"quotes", "[server]\nlisten = \"unix:/x\"\n", "f.conf:2: a value is written without quotes"},
    {"a comment with #", "[server]\nlisten = unix:/x # here\n",
     "f.conf:2: a comment behind a value begins with ;"},
    {"an indented key", "[server]\nlisten = unix:/x\n  workers = 2\n", "f.conf:3: the line is indented"},
    {"an indented key at first", "[server]\n workers = 2\n", "f.conf:2: the line is indented"},
    {"an indented section", "[server]\nlisten = unix:/x\n [log]\n", "f.conf:3: the line is indented"},
    {"a tab before it", "\t[server]\n", "f.conf:1: the line is indented"},
    {"an indented line behind a section behind a list", "[http]\ncors_origins = *\n[log]\n  level = info\n",
     "f.conf:4: the line is indented"},
    {"a line too long", "[server]\nlisten = unix:/" X50 X50 X50 X50 "\nworkers = 1\n",
     "f.conf:2: the line has 215 bytes, no more than 198 are read"},
    {"a comment too long", "[server]\n;" X50 X50 X50 X50 "\n", "f.conf:2: the line has 201 bytes"},
    {"a control character", "[server]\nlisten = unix:/a\x01\n",
     "f.conf:2: the line holds control characters"},
    {"a carriage return inside", "[server]\rworkers = 1\n", "f.conf:1: the line holds control characters"},
    {"not UTF-8", "[token]\naudience = M\xfcller\n",
     "f.conf:2: the line holds control characters, or is not"},
    {"a mark of UTF-8 further down", "\n\xef\xbb\xbf[server]\n", "f.conf:2: "},
    {"an issuer without a name", "[issuer]\n", "f.conf:1: an issuer's section is [issuer NAME]"},
    {"an issuer with an empty name", "[issuer ]\n", "f.conf:1: an issuer's section is [issuer NAME]"},
    {"an issuer with a bad name", "[issuer a b]\n", "f.conf:1: an issuer's section is [issuer NAME]"},
    {"an issuer with a long name", "[issuer " X50 "]\n", "f.conf:1: an issuer's section is [issuer NAME]"},
    {"an issuer twice", "[issuer a]\niss = x\n\n[issuer a]\n",
     "f.conf:4: a second section [issuer a]; the first is on line 1"},
    {"an issuer's misspelt key", "[issuer a]\naudiense = x\n",
     "f.conf:2: unknown key `audiense` in [issuer a]; did you mean `audience`?"},
    {"a plain key at an issuer", "[issuer a]\nworkers = 1\n",
     "f.conf:2: unknown key `workers` in [issuer a]"},
    {"an issuer's key twice", "[issuer a]\nsubject_prefix =\nsubject_prefix =\n",
     "f.conf:3: `subject_prefix` is given twice; first on line 2"},
    {"an empty iss", "[issuer a]\niss =\n", "f.conf:2: `iss` must not be empty"},
    {"an empty audience", "[issuer a]\naudience =\n", "f.conf:2: `audience` must not be empty"},
    {"an empty jwks", "[issuer a]\njwks =  ; none\n", "f.conf:2: `jwks` must not be empty"},
    {"no scopes", "[issuer a]\nscopes =\n", "f.conf:2: `scopes` must not be empty"},
    {"an indented line behind an issuer's iss", "[issuer a]\niss = x\n  y\n",
     "f.conf:3: the line is indented"},
};

static enum err parse(struct span text, struct config_settings *s, struct err_detail *detail)
{
    *s = (struct config_settings){0};
    assert_int_equal(config_defaults(s), OK);
    return config_parse(text, "f.conf", s, detail);
}

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct config_settings s;
        struct err_detail detail = {0};
        enum err e = parse(span_str(refusals[i].text), &s, &detail);
        if (e != ERR_INVALID || strncmp(detail.text, refusals[i].reason, strlen(refusals[i].reason)) != 0)
            fail_msg("%s: %s: %s", refusals[i].what, err_name(e), detail.text);
        config_fini(&s);
    }
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    static const char text[] = "[server]\nworkers = 1\nuser = a\0b\n";
    struct config_settings s;
    struct err_detail detail = {0};
    assert_int_equal(parse(span_of(text, sizeof text - 1), &s, &detail), ERR_INVALID);
    assert_non_null(strstr(detail.text, "f.conf:3: "));
    config_fini(&s);
}

struct reading {
    const char *what;
    const char *text;
    enum config_id id;
    const char *value;
    int line;
};

static const struct reading readings[] = {
    {"plain", "[server]\nworkers = 3\n", CONFIG_server_workers, "3", 2},
    {"without blanks", "[server]\nworkers=3", CONFIG_server_workers, "3", 2},
    {"with many", "[server]\nworkers   =\t 3  \t\n", CONFIG_server_workers, "3", 2},
    {"a colon", "[server]\nworkers: 3\n", CONFIG_server_workers, "3", 2},
    {"lines of another system", "[server]\r\nworkers = 3\r\n", CONFIG_server_workers, "3", 2},
    {"a mark of UTF-8", "\xef\xbb\xbf[server]\nworkers = 3\n", CONFIG_server_workers, "3", 2},
    {"comments", "; a\n# b\n  ; c\n[server] ; d\n\n  \nworkers = 3 ; e\n", CONFIG_server_workers, "3", 7},
    {"a section again", "[server]\n[log]\n[server]\nworkers = 3\n", CONFIG_server_workers, "3", 4},
    {"an equals sign inside", "[token]\naudience = a=b\n", CONFIG_token_audience, "a=b", 2},
    {"a number sign inside", "[token]\naudience = a#b\n", CONFIG_token_audience, "a#b", 2},
    {"an empty text", "[server]\ngroup =\n", CONFIG_server_group, "", 2},
    {"a list", "[http]\ncors_origins = https://a  https://b\n", CONFIG_http_cors_origins,
     "https://a  https://b", 2},
    {"a list over lines",
     "[http]\ncors_origins =\n  https://a\n\n  ; between\n\thttps://b https://c\nmax_age = 1\n",
     CONFIG_http_cors_origins, "https://a https://b https://c", 2},
    {"nothing", "", CONFIG_server_workers, "4", 0},
    {"the longest line", "[token]\naudience = " X50 X50 X50 "12345678901234567890123456789012345\n",
     CONFIG_token_audience, X50 X50 X50 "12345678901234567890123456789012345", 2},
    {"the longest line, of another system",
     "[token]\naudience = " X50 X50 X50 "12345678901234567890123456789012345\r\n", CONFIG_token_audience,
     X50 X50 X50 "12345678901234567890123456789012345", 2},
};

static void read_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        const struct reading *c = &readings[i];
        struct config_settings s;
        struct err_detail detail = {0};
        if (parse(span_str(c->text), &s, &detail) != OK)
            fail_msg("%s: %s", c->what, detail.text);
        if (strcmp(config_text(&s, c->id), c->value) != 0 || s.values[c->id].line != c->line)
            fail_msg("%s: `%s`, line %d", c->what, config_text(&s, c->id), s.values[c->id].line);
        assert_int_equal(s.values[c->id].origin, c->line == 0 ? CONFIG_FROM_DEFAULT : CONFIG_FROM_FILE);
        config_fini(&s);
    }
}

static void issuers(void **state)
{
    (void)state;
    static const char text[] =
        "[issuer one]\niss = https://one\njwks = /one.json\naudience = us\nsubject_prefix =\n"
        "[log]\nlevel = debug\n"
        "[issuer two.2]\nscopes = profile:read\n  profile:list\nsubject_prefix = two:\n";
    struct config_settings s;
    struct err_detail detail = {0};
    if (parse(span_str(text), &s, &detail) != OK)
        fail_msg("%s", detail.text);
    assert_int_equal(s.issuer_count, 2);
    assert_string_equal(s.issuers[0].name, "one");
    assert_string_equal(s.issuers[0].iss, "https://one");
    assert_string_equal(s.issuers[0].jwks, "/one.json");
    assert_string_equal(s.issuers[0].audience, "us");
    assert_string_equal(s.issuers[0].scopes, CONFIG_ISSUER_SCOPES);
    assert_string_equal(s.issuers[0].subject_prefix, "");
    assert_int_equal(s.issuers[0].line, 1);
    assert_int_equal(s.issuers[0].lines[CONFIG_ISSUER_audience], 4);
    assert_int_equal(s.issuers[0].lines[CONFIG_ISSUER_scopes], 0);
    assert_string_equal(s.issuers[1].name, "two.2");
    assert_string_equal(s.issuers[1].scopes, "profile:read profile:list");
    assert_string_equal(s.issuers[1].subject_prefix, "two:");
    assert_null(s.issuers[1].iss);
    assert_int_equal(s.issuers[1].line, 8);
    config_fini(&s);
}

static void too_many_issuers(void **state)
{
    (void)state;
    struct buf text = {0};
    struct config_settings s;
    struct err_detail detail = {0};
    for (int i = 0; i <= CONFIG_MAX_ISSUERS; i++)
        buf_printf(&text, "[issuer n%d]\n", i);
    assert_int_equal(parse(buf_span(&text), &s, &detail), ERR_INVALID);
    assert_string_equal(detail.text, "f.conf:17: more than 16 issuers");
    config_fini(&s);
    buf_fini(&text);
}

/* Whatever the bytes: no crash, and what is refused names a line. */
static void any_bytes(void **state)
{
    (void)state;
    static const char letters[] = "[]=;#: \t\n\n\rserver workers issuer a\xc3\xa9\xff";
    unsigned seed = 12345;
    for (int round = 0; round < 20000; round++) {
        char text[64];
        struct config_settings s;
        struct err_detail detail = {0};
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = letters[(seed >> 16) % (sizeof letters)];
        }
        enum err e = parse(span_of(text, seed % sizeof text), &s, &detail);
        if (e != OK && strncmp(detail.text, "f.conf:", 7) != 0)
            fail_msg("%s", detail.text);
        config_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused), cmocka_unit_test(a_nul_is_refused), cmocka_unit_test(read_right),
        cmocka_unit_test(issuers), cmocka_unit_test(too_many_issuers), cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
