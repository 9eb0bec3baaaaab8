/* From a configuration to the keyring: what a section must say, and whose keys are there then. */
#include "cli/keyring.h"
#include "config/load.h"
#include "support_token.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    struct buf own; /* a [token] section with a key of ours */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f == NULL || (f->folder = support_folder()) == NULL)
        return -1;
    struct crypto_ed25519_pair ours = support_key(1), theirs = support_key(2);
    struct buf jwk = support_jwk(&ours, "k", true, ""), public = support_jwk(&theirs, "k", false, ""),
               set = {0};
    buf_printf(&set, "{\"keys\":[%s]}", buf_text(&public));
    buf_printf(&f->own,
               "[token]\nkeys = %s\nissuer = https://own.example\naudience = us\nleeway = 5s\nmax_ttl = 1h\n",
               f->folder);
    enum err e = support_write(f->folder, "k.jwk", buf_span(&jwk), 0600);
    if (e == OK)
        e = support_write(f->folder, "set.json", buf_span(&set), 0644);
    buf_fini(&jwk);
    buf_fini(&public);
    buf_fini(&set);
    return e;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    support_remove(&f->folder);
    buf_fini(&f->own);
    free(f);
    return 0;
}

/* Loads "own section, then this"; @ in it stands for the folder. */
static enum err load(const struct fixture *f, struct span own, const char *more, struct token_keyring **ring,
                     struct err_detail *detail)
{
    struct buf text = {0}, path = {0};
    struct config_settings s = {0};
    buf_append(&text, own);
    for (; *more != '\0'; more++)
        buf_append(&text, *more == '@' ? span_str(f->folder) : span_of(more, 1));
    assert_int_equal(support_write(f->folder, "conf", buf_span(&text), 0600), OK);
    buf_printf(&path, "%s/conf", f->folder);
    const struct config_source source = {.path = buf_text(&path)};
    enum err e = config_load(&source, &s, detail);
    if (e == OK)
        e = cli_keyring_load(&s, ring, detail);
    if (e != OK)
        assert_null(*ring);
    config_fini(&s);
    buf_fini(&text);
    buf_fini(&path);
    return e;
}

#define PARTNER "[issuer partner]\n"
#define ISS     "iss = https://partner.example\n"
#define JWKS    "jwks = @/set.json\n"
#define AUD     "audience = api\n"
#define PREFIX  "subject_prefix = partner:\n"

static void test_good(void **state)
{
    const struct fixture *f = *state;
    struct token_keyring *ring = NULL;
    struct err_detail detail = {0};
    if (load(f, buf_span(&f->own), PARTNER ISS JWKS AUD PREFIX, &ring, &detail) != OK)
        fail_msg("%s", detail.text);
    assert_int_equal(token_keyring_count(ring), 2);
    const struct token_issuer_options *own =
        token_issuer_options(token_keyring_issuer(ring, SPAN("https://own.example")));
    assert_true(span_eq(own->audience, SPAN("us")));
    assert_int_equal(own->scopes, TOKEN_SCOPE_ALL);
    assert_int_equal(own->subject_prefix.len, 0);
    const struct token_issuer_options *partner =
        token_issuer_options(token_keyring_issuer(ring, SPAN("https://partner.example")));
    assert_true(span_eq(partner->audience, SPAN("api")));
    assert_true(span_eq(partner->subject_prefix, SPAN("partner:")));
    /* never admin, never metrics, unless said */
    assert_int_equal(partner->scopes, TOKEN_SCOPE_READ | TOKEN_SCOPE_LIST | TOKEN_SCOPE_WRITE);
    token_keyring_free(&ring);

    if (load(f, buf_span(&f->own),
             PARTNER ISS JWKS AUD "subject_prefix =\nscopes = metrics:read profile:read\n", &ring,
             &detail) != OK)
        fail_msg("%s", detail.text);
    partner = token_issuer_options(token_keyring_issuer(ring, SPAN("https://partner.example")));
    assert_int_equal(partner->subject_prefix.len, 0);
    assert_int_equal(partner->scopes, TOKEN_SCOPE_READ | TOKEN_SCOPE_METRICS);
    token_keyring_free(&ring);
}

/* Foreign issuers alone; but the folder must be there. */
static void test_no_own(void **state)
{
    const struct fixture *f = *state;
    struct token_keyring *ring = NULL;
    struct err_detail detail = {0};
    struct buf own = {0};
    buf_printf(&own, "[token]\nkeys = %s\n", f->folder);
    support_unlink(f->folder, "k.jwk");
    if (load(f, buf_span(&own), PARTNER ISS JWKS AUD PREFIX, &ring, &detail) != OK)
        fail_msg("%s", detail.text);
    assert_int_equal(token_keyring_count(ring), 1);
    token_keyring_free(&ring);
    buf_fini(&own);
    assert_int_equal(
        load(f, SPAN(""), "[token]\nkeys = @/none\n" PARTNER ISS JWKS AUD PREFIX, &ring, &detail),
        ERR_NOT_FOUND);
}

static const struct {
    const char *what, *text;
} refused[] = {
    {"no iss", PARTNER JWKS AUD PREFIX},
    {"empty iss", PARTNER "iss =\n" JWKS AUD PREFIX},
    {"no jwks", PARTNER ISS AUD PREFIX},
    {"no audience", PARTNER ISS JWKS PREFIX},
    {"empty audience", PARTNER ISS JWKS "audience =\n" PREFIX},
    {"no subject_prefix", PARTNER ISS JWKS AUD},
    {"a prefix no id has", PARTNER ISS JWKS AUD "subject_prefix = a/b\n"},
    {"an unknown scope", PARTNER ISS JWKS AUD PREFIX "scopes = profile:read openid\n"},
    {"our own iss", PARTNER "iss = https://own.example\n" JWKS AUD PREFIX},
    {"the iss of another",
     PARTNER ISS JWKS AUD PREFIX "[issuer two]\n" ISS JWKS AUD "subject_prefix = two:\n"},
    {"a file that is not there", PARTNER ISS "jwks = @/none.json\n" AUD PREFIX},
    {"a file that is no set", PARTNER ISS "jwks = @/k.jwk\n" AUD PREFIX},
};

static void test_refused(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct token_keyring *ring = NULL;
        struct err_detail detail = {0};
        if (load(f, buf_span(&f->own), refused[i].text, &ring, &detail) == OK || detail.text[0] == '\0')
            fail_msg("%s was let in", refused[i].what);
        token_keyring_free(&ring);
    }
}

/* As settings that no file check stood before: the keyring does not rely on one. */
static void test_unchecked(void **state)
{
    const struct fixture *f = *state;
    struct token_keyring *ring = NULL;
    struct config_settings s = {0};
    const struct config_source source = {.path = "/dev/null"};
    char name[] = "partner", iss[] = "i", jwks[] = "/nonexistent", audience[] = "a", prefix[] = "",
         scopes[] = "profile:read openid";
    static const char *const expected[] = {"say iss", "say jwks", "say audience", "say subject_prefix",
                                           "no scope openid"};
    assert_int_equal(config_load(&source, &s, NULL), OK);
    free(s.values[CONFIG_token_keys].text);
    s.values[CONFIG_token_keys].text = strdup(f->folder);
    for (size_t i = 0; i < 5; i++) {
        struct err_detail detail = {0};
        s.issuers[0] = (struct config_issuer){.name = name,
                                              .iss = i > 0 ? iss : NULL,
                                              .jwks = i > 1 ? jwks : NULL,
                                              .audience = i > 2 ? audience : NULL,
                                              .subject_prefix = i > 3 ? prefix : NULL,
                                              .scopes = scopes};
        s.issuer_count = 1;
        assert_int_equal(cli_keyring_load(&s, &ring, &detail), ERR_INVALID);
        assert_non_null(strstr(detail.text, "[issuer partner]"));
        assert_non_null(strstr(detail.text, expected[i]));
    }
    s.issuer_count = 0;
    s.issuers[0] = (struct config_issuer){0};
    config_fini(&s);
}

static void test_policy(void **state)
{
    struct config_settings s = {0};
    const struct config_source source = {
        .flags = (const char *const[]){"token.leeway=7s", "token.max_ttl=2h"}, .flag_count = 2};
    (void)state;
    assert_int_equal(config_load(&source, &s, NULL), OK);
    assert_int_equal(cli_token_policy(&s).leeway_s, 7);
    assert_int_equal(cli_token_policy(&s).max_ttl_s, 7200);
    config_fini(&s);
}

static int set_up_all(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unchecked, set_up, tear_down),
        cmocka_unit_test(test_policy),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
