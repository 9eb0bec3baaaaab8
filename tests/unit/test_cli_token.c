/* profiled token: what issue prints verify takes; what is refused and how the exit status says so; vectors.
 */
#include "support_cli.h"
#include "support_token.h"

#include "token/keyedit.h"
#include "json/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    struct buf keys; /* token.keys=FOLDER */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char kid[TOKEN_THUMBPRINT_LEN + 1];
    *state = f;
    if (f == NULL || (f->folder = support_folder()) == NULL)
        return -1;
    buf_printf(&f->keys, "token.keys=%s", f->folder);
    return token_key_new(f->folder, 1, NULL, kid, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    support_remove(&f->folder);
    buf_fini(&f->keys);
    free(f);
    return 0;
}

/* profiled token with these arguments behind the common ones. */
static struct support_run run(const struct fixture *f, struct span input, const char *const *arguments)
{
    const char *argv[32] = {"token", "-c", "/dev/null", "-o", buf_text(&f->keys)};
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[5 + i] = arguments[i];
    return support_run_cli(&cli_token, argv, input);
}

#define RUN(f, input, ...) run((f), (input), (const char *const[]){__VA_ARGS__, NULL})

/* What verify --json says of a token from standard input. */
static json_t *explain(const struct fixture *f, struct span token, const char *setting, bool valid)
{
    struct support_run r = RUN(f, token, "verify", "--json", "-", "-o", setting);
    json_t *said = NULL;
    assert_int_equal(r.status, valid ? 0 : 1);
    assert_string_equal(buf_text(&r.err), "");
    assert_int_equal(json_load_strict(buf_span(&r.out), JSON_MAX_DEPTH, &said, NULL), OK);
    assert_int_equal(json_is_true(json_object_get(said, "valid")), valid);
    support_run_fini(&r);
    return said;
}

static const char *text_of(const json_t *said, const char *name)
{
    const char *text = json_string_value(json_object_get(said, name));
    return text == NULL ? "(none)" : text;
}

/* By default: an hour, profile:read, the configured audience. */
static void test_defaults(void **state)
{
    const struct fixture *f = *state;
    struct support_run r = RUN(f, SPAN(""), "issue", "--sub", "ann", "-o", "token.audience=us");
    assert_int_equal(r.status, 0);
    assert_string_equal(buf_text(&r.err), "");
    assert_ptr_equal(strchr(buf_text(&r.out), '\n'), buf_text(&r.out) + r.out.len - 1); /* the token alone */
    json_t *said = explain(f, buf_span(&r.out), "token.audience=us", true);
    const json_t *claims = json_object_get(said, "claims");
    assert_string_equal(text_of(said, "form"), "jwt");
    assert_string_equal(text_of(said, "subject"), "ann");
    assert_string_equal(text_of(said, "scope"), "profile:read");
    assert_string_equal(text_of(claims, "aud"), "us");
    assert_string_equal(text_of(claims, "iss"), "https://profiled.invalid");
    assert_int_equal(strlen(text_of(claims, "jti")), 22);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")) -
                         json_integer_value(json_object_get(claims, "iat")),
                     3600);
    assert_int_equal(strlen(text_of(json_object_get(said, "header"), "kid")), TOKEN_THUMBPRINT_LEN);
    json_decref(said);
    /* for another audience it is not valid, and verify says so */
    said = explain(f, buf_span(&r.out), "token.audience=others", false);
    assert_string_equal(text_of(said, "reason"), "the token is for another audience");
    json_decref(said);
    support_run_fini(&r);
}

static void test_options(void **state)
{
    const struct fixture *f = *state;
    struct support_run r = RUN(f, SPAN(""), "issue", "--format", "paseto", "--ttl", "2m", "--aud", "x",
                               "--scope", "profile:admin metrics:read", "--sub", "a|b");
    assert_int_equal(r.status, 0);
    assert_true(span_starts(buf_span(&r.out), SPAN("v4.public.")));
    json_t *said = explain(f, buf_span(&r.out), "token.audience=x", true);
    assert_string_equal(text_of(said, "form"), "paseto");
    assert_string_equal(text_of(said, "subject"), "a|b");
    assert_string_equal(text_of(said, "scope"),
                        "profile:read profile:list profile:write profile:admin metrics:read");
    assert_string_equal(text_of(json_object_get(said, "claims"), "scope"), "profile:admin metrics:read");
    json_decref(said);
    support_run_fini(&r);
    /* a short longest life shortens the default too */
    r = RUN(f, SPAN(""), "issue", "--sub", "ann", "-o", "token.max_ttl=60s");
    assert_int_equal(r.status, 0);
    said = explain(f, buf_span(&r.out), "token.max_ttl=60s", true);
    json_decref(said);
    support_run_fini(&r);
}

static void test_for_person(void **state)
{
    const struct fixture *f = *state;
    struct support_run r = RUN(f, SPAN(""), "issue", "--sub", "ann");
    buf_truncate(&r.out, r.out.len - 1);
    struct support_run good = RUN(f, SPAN(""), "verify", buf_text(&r.out));
    assert_int_equal(good.status, 0);
    assert_non_null(strstr(buf_text(&good.out), "speaks for: ann"));
    assert_non_null(strstr(buf_text(&good.out), "verdict: valid"));
    r.out.ptr[r.out.len - 10] = r.out.ptr[r.out.len - 10] == 'A' ? 'B' : 'A';
    struct support_run bad = RUN(f, SPAN(""), "verify", buf_text(&r.out));
    assert_int_equal(bad.status, 1);
    assert_non_null(strstr(buf_text(&bad.out), "\"sub\": \"ann\""));
    assert_non_null(strstr(buf_text(&bad.out), "verdict: not valid: the signature does not verify"));
    support_run_fini(&r);
    support_run_fini(&good);
    support_run_fini(&bad);
}

/* What stands in a stranger's token must not steer a terminal. */
static void test_no_control(void **state)
{
    const struct fixture *f = *state;
    struct crypto_ed25519_pair key = support_key(1);
    struct buf token = support_jwt(SPAN("{\"alg\":\"EdDSA\",\"kid\":\"\\u001b[2J\"}"),
                                   SPAN("{\"iss\":\"\xc2\x9b"
                                        "2J\",\"sub\":\"\\u0007\"}"),
                                   &key);
    struct support_run r = RUN(f, SPAN(""), "verify", buf_text(&token));
    assert_int_equal(r.status, 1);
    for (size_t i = 0; i < r.out.len; i++)
        assert_true((r.out.ptr[i] >= 0x20 && r.out.ptr[i] < 0x7f) || r.out.ptr[i] == '\n');
    support_run_fini(&r);
    buf_fini(&token);
}

static void test_malformed(void **state)
{
    static char long_input[70000];
    const struct fixture *f = *state;
    json_t *said = explain(f, SPAN("\n"), "token.audience=", false);
    assert_string_equal(text_of(said, "reason"), "the token is malformed");
    assert_true(json_is_null(json_object_get(said, "header")));
    json_decref(said);
    memset(long_input, 'a', sizeof long_input);
    struct support_run r = RUN(f, span_of(long_input, sizeof long_input), "verify");
    assert_int_equal(r.status, 1);
    assert_int_equal(r.out.len, 0);
    support_run_fini(&r);
}

static void test_no_key(void **state)
{
    const struct fixture *f = *state;
    struct support_run r = RUN(f, SPAN(""), "issue", "--sub", "ann", "-o", "token.keys=/nonexistent");
    assert_int_equal(r.status, 1);
    assert_int_equal(r.out.len, 0);
    assert_non_null(strstr(buf_text(&r.err), "profiled key new"));
    support_run_fini(&r);
    r = RUN(f, SPAN("x.y.z"), "verify", "-o", "token.keys=/nonexistent");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(buf_text(&r.err), "/nonexistent"));
    support_run_fini(&r);
}

struct call {
    int status;
    const char *arguments[8];
};

static const struct call wrong[] = {
    {2, {NULL}},
    {2, {"mint"}},
    {2, {"issue"}},
    {2, {"issue", "--sub"}},
    {2, {"issue", "--sub", ""}},
    {2, {"issue", "--sub", "@ann"}},
    {2, {"issue", "--sub", "a b"}},
    {2, {"issue", "--sub", "query"}},
    {2, {"issue", "--sub", "ann", "more"}},
    {2, {"issue", "--sub", "ann", "--scope", "profile:read openid"}},
    {2, {"issue", "--sub", "ann", "--format", "JWT"}},
    {2, {"issue", "--sub", "ann", "--format", "saml"}},
    {2, {"issue", "--sub", "ann", "--ttl", ""}},
    {2, {"issue", "--sub", "ann", "--ttl", "0"}},
    {2, {"issue", "--sub", "ann", "--ttl", "-1h"}},
    {2, {"issue", "--sub", "ann", "--ttl", "1y"}},
    {2, {"issue", "--sub", "ann", "--ttl", "99999999999999999999"}},
    {2, {"issue", "--sub", "ann", "--json"}},
    {2, {"verify", "a", "b"}},
    {2, {"verify", "a", "--sub", "ann"}},
    {2, {"vectors", "a", "b"}},
    {2, {"vectors", "--json"}},
    {2, {"vectors", "--ttl", "1h"}},
    {2, {"verify", "--nosuch"}},
    {1, {"issue", "--sub", "ann", "--ttl", "31d"}},
    {1, {"issue", "--sub", "ann", "--aud", "\xe4"}},
    {1, {"vectors", "/nonexistent"}},
    {1, {"issue", "--sub", "ann", "-o", "token.nosuch=1"}},
};

static void test_wrong_calls(void **state)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct support_run r = run(*state, SPAN(""), wrong[i].arguments);
        const char *newline = strchr(buf_text(&r.err), '\n');
        if (r.status != wrong[i].status || r.out.len != 0 || newline == NULL || newline[1] != '\0')
            fail_msg("call %zu: %d, %s", i, r.status, buf_text(&r.err));
        support_run_fini(&r);
    }
}

/* A line in, a line out, whatever the lines are; configuration is not needed. */
static void test_vectors(void **state)
{
    static const char lines[] =
        "{\"kind\":\"jws\",\"pk\":\"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\","
        "\"token\":"
        "\"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg\"}\n"
        "\n"
        "no JSON\0at all\n"
        "{\"kind\":\"ed25519\",\"pk\":\"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\","
        "\"msg\":\"\","
        "\"sig\":"
        "\"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd2"
        "5bf5f059"
        "5bbe24655141438e7a100b\"}\r\n"
        "{\"kind\":\"jws\"";
    const struct fixture *f = *state;
    const struct span input = {lines, sizeof lines - 1};
    static const char *const ways[] = {NULL, "-"};
    for (size_t i = 0; i < 2; i++) {
        struct support_run r = RUN(f, input, "vectors", ways[i]);
        assert_int_equal(r.status, 0);
        assert_string_equal(buf_text(&r.out), "valid\ninvalid\ninvalid\nvalid\ninvalid\n");
        support_run_fini(&r);
    }
    struct buf path = {0};
    buf_printf(&path, "%s/lines", f->folder);
    assert_int_equal(support_write(f->folder, "lines", input, 0600), OK);
    struct support_run r = RUN(f, SPAN(""), "vectors", buf_text(&path), "-c", "/nonexistent");
    assert_int_equal(r.status, 0);
    assert_string_equal(buf_text(&r.out), "valid\ninvalid\ninvalid\nvalid\ninvalid\n");
    support_run_fini(&r);
    buf_fini(&path);
}

static void test_help(void **state)
{
    struct support_run r = RUN(*state, SPAN(""), "issue", "--help");
    assert_int_equal(r.status, 0);
    assert_string_equal(buf_text(&r.out), cli_token.help);
    support_run_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_for_person, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_control, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_help, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
