/* Lines of published vectors, good and bad, and lines that are none. */
#include "token/vector.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* RFC 8032 section 7.1, test 2 */
#define PK2 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIG2                                                                                                 \
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2e" \
    "aeb4302aeeb00d291612bb0c00"
/* RFC 8032 section 7.1, test 1, whose message is empty; RFC 8037 has the same key */
#define PK1 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SIG1                                                                                                 \
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5" \
    "f0595bbe24655141438e7a100b"
/* RFC 8037 appendix A.4 */
#define JWS                                                                                                  \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"                  \
    "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
/* PASETO 4-S-1 and 4-S-3 */
#define PKP "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2"
#define S1                                                                                                   \
    "v4.public."                                                                                             \
    "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9bg_"        \
    "XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA"
#define S3                                                                                                   \
    "v4.public."                                                                                             \
    "eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9NPWciuD3d0" \
    "o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ."                          \
    "eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9"

static const struct {
    const char *what;
    struct span line;
    bool valid;
} rows[] = {
    {"ed25519", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK2 "\",\"msg\":\"72\",\"sig\":\"" SIG2 "\"}"),
     true},
    {"an empty message",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"), true},
    {"other members and a newline",
     SPAN_INIT("{\"id\":7,\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}\r\n"),
     true},
    {"jws", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PK1 "\",\"token\":\"" JWS "\"}"), true},
    {"paseto", SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S1 "\"}"), true},
    {"paseto with nothing implicit",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S1 "\",\"implicit\":\"\"}"), true},
    {"paseto with something implicit",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S3
               "\",\"implicit\":\"{\\\"test-vector\\\":\\\"4-S-3\\\"}\"}"),
     true},

    {"another message",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK2 "\",\"msg\":\"73\",\"sig\":\"" SIG2 "\"}"), false},
    {"another key",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"72\",\"sig\":\"" SIG2 "\"}"), false},
    {"no message", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"sig\":\"" SIG1 "\"}"), false},
    {"message null", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":null,\"sig\":\"" SIG1 "\"}"),
     false},
    {"half a byte of message",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK2 "\",\"msg\":\"720\",\"sig\":\"" SIG2 "\"}"), false},
    {"message no hexadecimal",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK2 "\",\"msg\":\"7x\",\"sig\":\"" SIG2 "\"}"), false},
    {"no signature", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\"}"), false},
    {"empty signature", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"\"}"),
     false},
    {"signature too long",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "00\"}"), false},
    {"no key", SPAN_INIT("{\"kind\":\"ed25519\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"), false},
    {"key too short", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"d75a\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"),
     false},
    {"key too long",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "00\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"), false},
    {"a key of order 1 and zeros",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":"
               "\"0100000000000000000000000000000000000000000000000000000000000000\",\"msg\":\"\",\"sig\":\""
               "010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
               "00000000000000000000000000000000000"
               "00\"}"),
     false},
    {"unknown kind", SPAN_INIT("{\"kind\":\"ed448\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"),
     false},
    {"no kind", SPAN_INIT("{\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}"), false},
    {"kind twice",
     SPAN_INIT("{\"kind\":\"ed25519\",\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1
               "\"}"),
     false},

    {"jws by another key", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PK2 "\",\"token\":\"" JWS "\"}"), false},
    {"jws padded", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PK1 "\",\"token\":\"" JWS "==\"}"), false},
    {"no jws", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PK1 "\"}"), false},
    {"jws a list", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PK1 "\",\"token\":[\"" JWS "\"]}"), false},
    {"jws as paseto", SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PK1 "\",\"token\":\"" JWS "\"}"), false},
    {"paseto as jws", SPAN_INIT("{\"kind\":\"jws\",\"pk\":\"" PKP "\",\"token\":\"" S3 "\"}"), false},
    /* the signatures of these are good: by the key whose seed is 32 times 0x01 */
    {"alg none",
     SPAN_INIT(
         "{\"kind\":\"jws\",\"pk\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\","
         "\"token\":\"eyJhbGciOiJub25lIn0.eA.qsShMD5E0d7xML_4d6L-q5MFWAwBH-4HmEnebDHNL_"
         "1Py5ur7qXoOROvUvNq1E5Kk_7HPS3iAU0GALUJcRX1DQ\"}"),
     false},
    {"alg HS256",
     SPAN_INIT(
         "{\"kind\":\"jws\",\"pk\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\","
         "\"token\":\"eyJhbGciOiJIUzI1NiJ9.eA.l9j1Zq1IaPWjJ6mM-gAN_D-7UG5xayJm2y1pVJfl-"
         "ZcTfrJVmQMubTWu1fHbzVP1vgnbFYHuQxk5HdNoqpGqDw\"}"),
     false},
    {"crit",
     SPAN_INIT(
         "{\"kind\":\"jws\",\"pk\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\","
         "\"token\":\"eyJhbGciOiJFZERTQSIsImNyaXQiOlsiYjY0Il19.eA.xl4vdzEJ5SL8yizBkr4qumoidG934kYZ98jI-"
         "KqMrGlv2c3Rrs0HZdRByH-qXbkTGADKACYLpu4fHDbUcIfiDw\"}"),
     false},
    {"alg twice",
     SPAN_INIT(
         "{\"kind\":\"jws\",\"pk\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\","
         "\"token\":\"eyJhbGciOiJFZERTQSIsImFsZyI6IkVkRFNBIn0.eA.jAQNM2IIJVivspZ2s2w7FGuB9BWIDmJBMAVIzKQf_"
         "fYwjREIyDpRYYQQ5VIvq3AwjXUQcpT0uWpSjI9jzVXiAw\"}"),
     false},
    {"Ed25519, to show that the key is right",
     SPAN_INIT(
         "{\"kind\":\"jws\",\"pk\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\","
         "\"token\":\"eyJhbGciOiJFZDI1NTE5In0.eA.1Y_L0HV6jmSHYVkVXbikTV74UlmCoy0UJOFRN__TY9gxW3VxgzPeZAbkmlG-"
         "2fSHn1TS-PGOLiNoM121-_bjCQ\"}"),
     true},

    {"paseto with something else implicit",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S1 "\",\"implicit\":\"x\"}"), false},
    {"paseto without what is implicit",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S3 "\"}"), false},
    {"implicit a number",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S1 "\",\"implicit\":0}"), false},
    {"implicit null",
     SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PKP "\",\"token\":\"" S1 "\",\"implicit\":null}"), false},
    {"paseto by another key", SPAN_INIT("{\"kind\":\"paseto\",\"pk\":\"" PK1 "\",\"token\":\"" S1 "\"}"),
     false},

    {"nothing", SPAN_INIT(""), false},
    {"a newline", SPAN_INIT("\n"), false},
    {"a list", SPAN_INIT("[]"), false},
    {"a string", SPAN_INIT("\"ed25519\""), false},
    {"null", SPAN_INIT("null"), false},
    {"cut off", SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\""),
     false},
    {"something behind it",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"} x"), false},
    {"NUL behind it",
     SPAN_INIT("{\"kind\":\"ed25519\",\"pk\":\"" PK1 "\",\"msg\":\"\",\"sig\":\"" SIG1 "\"}\0"), false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (token_vector_valid(rows[i].line) != rows[i].valid)
            fail_msg("%s", rows[i].what);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
