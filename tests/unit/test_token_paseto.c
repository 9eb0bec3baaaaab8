/* PASETO v4.public: the specification's own vectors, made and taken apart, and what is refused. */
#include "token/paseto.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Of https://github.com/paseto-standard/test-vectors, v4.json: the key of all 4-S vectors. */
static const unsigned char seed[32] = {0xb4, 0xcb, 0xfb, 0x43, 0xdf, 0x4c, 0xe2, 0x10, 0x72, 0x7d, 0x95,
                                       0x3e, 0x4a, 0x71, 0x33, 0x07, 0xfa, 0x19, 0xbb, 0x7d, 0x9f, 0x85,
                                       0x04, 0x14, 0x38, 0xd9, 0xe1, 0x1b, 0x94, 0x2a, 0x37, 0x74};

static const struct {
    const char *name;
    struct span token, payload, footer, implicit;
} vectors[] = {
    {"4-S-1",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}"),
     SPAN_INIT(""), SPAN_INIT("")},
    {"4-S-2",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}"),
     SPAN_INIT("{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}"), SPAN_INIT("")},
    {"4-S-3",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9N"
               "PWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}"),
     SPAN_INIT("{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}"),
     SPAN_INIT("{\"test-vector\":\"4-S-3\"}")},
};

/* Ed25519 is deterministic, so the token that we make must be the published one. */
static void test_vectors(void **state)
{
    struct crypto_ed25519_pair pair;
    (void)state;
    crypto_ed25519_from_seed(seed, &pair);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct arena arena = {0};
        struct buf token = {0};
        struct token_parts parts;
        assert_true(token_paseto_is(vectors[i].token));
        assert_int_equal(token_paseto_split(vectors[i].token, vectors[i].implicit, &arena, &parts, NULL), OK);
        assert_true(span_eq(parts.payload, vectors[i].payload));
        assert_true(span_eq(parts.header, vectors[i].footer));
        assert_int_equal(parts.header.ptr == NULL, vectors[i].footer.len == 0);
        assert_true(crypto_ed25519_verify(pair.public_key, parts.message, parts.signature));
        token_paseto_write(&token, pair.secret_key, vectors[i].payload, vectors[i].footer,
                           vectors[i].implicit);
        assert_true(span_eq(buf_span(&token), vectors[i].token));
        buf_fini(&token);
        arena_fini(&arena);
    }
}

/* The specification's failing vectors, and the good ones changed: refused when taken apart or when verified.
 */
static const struct {
    const char *what;
    struct span token, implicit;
} refused[] = {
    {"4-F-1",
     SPAN_INIT(
         "v4.local.vngXfCISbnKgiP6VWGuOSlYrFYU300fy9ijW33rznDYgxHNPwWluAY2Bgb0z54CUs6aYYkIJ-bOOOmJHPuX_34Agt_"
         "IPlNdGDpRdGNnBz2MpWJvB3cttheEc1uyCEYltj7wBQQYX.YXJiaXRyYXJ5LXN0cmluZy10aGF0LWlzbid0LWpzb24"),
     SPAN_INIT("{\"test-vector\":\"4-F-1\"}")},
    {"4-F-2",
     SPAN_INIT("v4.public.eyJpbnZhbGlkIjoidGhpcyBzaG91bGQgbmV2ZXIgZGVjb2RlIn22Sp4gjCaUw0c7EH84ZSm_jN_"
               "Qr41MrgLNu5LIBCzUr1pn3Z-Wukg9h3ceplWigpoHaTLcwxj0NsI1vjTh67YB."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("{\"test-vector\":\"4-F-2\"}")},
    {"4-F-3",
     SPAN_INIT("v3.local.23e_2PiqpQBPvRFKzB0zHhjmxK3sKo2grFZRRLM-"
               "U7L0a8uHxuF9RlVz3Ic6WmdUUWTxCaYycwWV1yM8gKbZB2JhygDMKvHQ7eBf8GtF0r3K0Q_"
               "gF1PXOxcOgztak1eD1dPe9rLVMSgR0nHJXeIGYVuVrVoLWQ.YXJiaXRyYXJ5LXN0cmluZy10aGF0LWlzbid0LWpzb24"),
     SPAN_INIT("{\"test-vector\":\"4-F-3\"}")},
    {"4-F-4",
     SPAN_INIT("v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAr68PS4AXe7If_"
               "ZgesdkUMvSwscFlAl1pk5HC0e8kApeaqMfGo_7OpBnwJOAbY9V7WU6abu74MmcUE8YWAiaArVI8XJ5hOb_"
               "4v9RmDkneN0S92dx0OW4pgy7omxgf3S8c3LlQh"),
     SPAN_INIT("")},
    {"4-F-5",
     SPAN_INIT(
         "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw6FSNb_"
         "UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t4x-RMNXtQNbz7FvFZ_G-lFpk5RG3EOrwDL6CgDqcerSQ=="
         ".eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"absent footer behind its dot",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA."),
     SPAN_INIT("")},
    {"footer left out",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw"),
     SPAN_INIT("")},
    {"footer added",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"footer changed",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJA"),
     SPAN_INIT("")},
    {"footer padded",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9="),
     SPAN_INIT("")},
    {"stray bits in the footer",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA.eyJ"),
     SPAN_INIT("")},
    {"payload padded",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw=."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"a dot more",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9."),
     SPAN_INIT("")},
    {"a piece more",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v"
               "3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"stray bits",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDB"),
     SPAN_INIT("")},
    {"first character changed",
     SPAN_INIT("v4.public."
               "fyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"first signature byte changed",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9A"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"last byte lost",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQE"),
     SPAN_INIT("")},
    {"signature of nothing else",
     SPAN_INIT(
         "v4.public.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
     SPAN_INIT("")},
    {"63 bytes",
     SPAN_INIT(
         "v4.public.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
     SPAN_INIT("")},
    {"no body", SPAN_INIT("v4.public."), SPAN_INIT("")},
    {"header alone", SPAN_INIT("v4.public"), SPAN_INIT("")},
    {"no body, a footer",
     SPAN_INIT("v4.public..eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"capitals",
     SPAN_INIT("V4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"version 2",
     SPAN_INIT("v2.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"version 3",
     SPAN_INIT("v3.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"local",
     SPAN_INIT("v4.local."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"another encoding",
     SPAN_INIT("v4c.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"a space behind",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA "),
     SPAN_INIT("")},
    {"a newline behind",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA\n"),
     SPAN_INIT("")},
    {"the other alphabet",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g/XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("")},
    {"a JWT",
     SPAN_INIT("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
               "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
     SPAN_INIT("")},
    {"an implicit assertion that was not there",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9b"
               "g_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"),
     SPAN_INIT("x")},
    {"its implicit assertion left out",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9N"
               "PWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ."
               "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"),
     SPAN_INIT("")},
    {"footer and implicit assertion exchanged",
     SPAN_INIT("v4.public."
               "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9N"
               "PWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ."
               "eyJ0ZXN0LXZlY3RvciI6IjQtUy0zIn0"),
     SPAN_INIT("{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}")},
    {"absent", {NULL, 0}, SPAN_INIT("")},
    {"empty", SPAN_INIT(""), SPAN_INIT("")},
};

static void test_refused(void **state)
{
    static const struct token_parts nothing;
    struct crypto_ed25519_pair pair;
    (void)state;
    crypto_ed25519_from_seed(seed, &pair);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct err_detail detail = {0};
        struct arena arena = {0};
        struct token_parts parts;
        enum err e = token_paseto_split(refused[i].token, refused[i].implicit, &arena, &parts, &detail);
        if (e == OK && crypto_ed25519_verify(pair.public_key, parts.message, parts.signature))
            fail_msg("%s was let in", refused[i].what);
        if (e != OK) {
            assert_int_equal(e, ERR_INVALID);
            assert_memory_equal(&parts, &nothing, sizeof parts);
            assert_string_equal(detail.text, "the token is malformed");
        }
        arena_fini(&arena);
    }
}

/* The encoding of the pieces, byte for byte (docs/01-Protocol-Versions/Common.md). */
static void test_encoding(void **state)
{
    static const char expected[] = "\4\0\0\0\0\0\0\0"
                                   "\12\0\0\0\0\0\0\0v4.public."
                                   "\3\0\0\0\0\0\0\0abc"
                                   "\2\0\0\0\0\0\0\0de"
                                   "\1\0\0\0\0\0\0\0f";
    struct crypto_ed25519_pair pair;
    struct arena arena = {0};
    struct buf token = {0};
    struct token_parts parts;
    (void)state;
    crypto_ed25519_from_seed(seed, &pair);
    token_paseto_write(&token, pair.secret_key, SPAN("abc"), SPAN("de"), SPAN("f"));
    assert_int_equal(token_paseto_split(buf_span(&token), SPAN("f"), &arena, &parts, NULL), OK);
    assert_true(span_eq(parts.message, span_of(expected, sizeof expected - 1)));
    assert_true(crypto_ed25519_verify(pair.public_key, parts.message, parts.signature));
    buf_fini(&token);
    arena_fini(&arena);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_encoding),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
