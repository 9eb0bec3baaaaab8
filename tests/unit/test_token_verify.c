/*
 * Which tokens count, and for whom. All rows are judged at one moment by one keyring: our own issuer, and a
 * partner whose key has the same kid as ours.
 */
#include "support_token.h"
#include "token/verify.h"

#include "crypto/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW 1700000000 /* 2023-11-14T22:13:20Z */

enum {
    R = TOKEN_SCOPE_READ,
    L = TOKEN_SCOPE_LIST,
    W = TOKEN_SCOPE_WRITE,
    A = TOKEN_SCOPE_ADMIN,
    M = TOKEN_SCOPE_METRICS,
};

/* Seeds: ours, the partner's, our retired one, and one that nobody trusts. */
enum key { OURS = 1, THEIRS, RETIRED, NOBODYS, KEY_COUNT };

static struct crypto_ed25519_pair keys[KEY_COUNT];
static struct token_keyring *ring;

static const struct token_policy policy = {.leeway_s = 30, .max_ttl_s = 86400};

#define OWN     "https://own.example"
#define PARTNER "https://partner.example"

#define HEADER  "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"k1\"}"
#define ISS     "\"iss\":\"" OWN "\""
#define BASIC   ISS ",\"aud\":\"profiled\",\"sub\":\"ann\""
#define EXP     ",\"exp\":1700003600"
#define GOOD    BASIC EXP
#define FOREIGN "\"iss\":\"" PARTNER "\",\"aud\":\"api\",\"sub\":\"bob\"" EXP

#define ARRAYS_30     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define ARRAYS_30_END "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
#define TEN           "0123456789"
#define HUNDRED       TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

struct row {
    const char *what;
    enum key key;
    const char *header, *claims;
    const char *detail;  /* why it is refused; NULL: it counts */
    const char *subject; /* when it counts */
    unsigned scopes;
};

static const struct row jwts[] = {
    {"the least", OURS, HEADER, "{" GOOD "}", NULL, "ann", 0},
    {"no typ", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\"}", "{" GOOD "}", NULL, "ann", 0},
    {"Ed25519", OURS, "{\"alg\":\"Ed25519\",\"kid\":\"k1\"}", "{" GOOD "}", NULL, "ann", 0},
    {"at+jwt", OURS, "{\"alg\":\"EdDSA\",\"typ\":\"application/AT+JWT\",\"kid\":\"k1\"}", "{" GOOD "}", NULL,
     "ann", 0},
    {"a key of its own is passed by", OURS,
     "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},\"jku\":"
     "\"https://evil.example\"}",
     "{" GOOD "}", NULL, "ann", 0},
    {"all claims", OURS, HEADER,
     "{" GOOD ",\"nbf\":1700000000,\"iat\":1700000000,\"jti\":\"j\",\"scope\":\"profile:read "
     "profile:write\",\"client_id\":\"c\"}",
     NULL, "ann", R | W},
    {"scopes that nobody knows", OURS, HEADER, "{" GOOD ",\"scope\":\"openid profile:list profile\"}", NULL,
     "ann", L},
    {"admin implies three", OURS, HEADER, "{" GOOD ",\"scope\":\"profile:admin\"}", NULL, "ann",
     A | R | L | W},
    {"metrics do not", OURS, HEADER, "{" GOOD ",\"scope\":\"metrics:read\"}", NULL, "ann", M},
    {"aud in a list", OURS, HEADER, "{" ISS ",\"aud\":[\"x\",\"profiled\"],\"sub\":\"ann\"" EXP "}", NULL,
     "ann", 0},
    {"exp with a fraction", OURS, HEADER, "{" BASIC ",\"exp\":1700003600.75}", NULL, "ann", 0},
    {"exp as a power", OURS, HEADER, "{" BASIC ",\"exp\":1.70000001e9}", NULL, "ann", 0},
    {"expired within leeway", OURS, HEADER, "{" BASIC ",\"exp\":1699999971}", NULL, "ann", 0},
    {"expired while it was issued later", OURS, HEADER, "{" BASIC ",\"exp\":1699999990,\"iat\":1700000000}",
     NULL, "ann", 0},
    {"nbf within leeway", OURS, HEADER, "{" GOOD ",\"nbf\":1700000030}", NULL, "ann", 0},
    {"iat within leeway", OURS, HEADER, "{" GOOD ",\"iat\":1700000030}", NULL, "ann", 0},
    {"lives as long as is allowed", OURS, HEADER, "{" BASIC ",\"iat\":1699999000,\"exp\":1700085400}", NULL,
     "ann", 0},
    {"the same without iat", OURS, HEADER, "{" BASIC ",\"exp\":1700086430}", NULL, "ann", 0},
    {"the longest sub", OURS, HEADER,
     "{" ISS ",\"aud\":\"profiled\",\"sub\":\"" HUNDRED TEN TEN "01234567\"" EXP "}", NULL,
     HUNDRED TEN TEN "01234567", 0},
    {"a sub of all kinds", OURS, HEADER,
     "{" ISS ",\"aud\":\"profiled\",\"sub\":\"auth0|a.b_c~d:e@f+g-\"" EXP "}", NULL, "auth0|a.b_c~d:e@f+g-",
     0},
    {"escapes in iss and sub", OURS, "{\"alg\":\"\\u0045dDSA\",\"kid\":\"\\u006b1\"}",
     "{\"iss\":\"https:\\/\\/own.example\",\"aud\":\"profiled\",\"sub\":\"\\u0061nn\"" EXP "}", NULL, "ann",
     0},
    {"32 levels", OURS, HEADER, "{" GOOD ",\"x\":[" ARRAYS_30 ARRAYS_30_END "]}", NULL, "ann", 0},
    {"the partner's", THEIRS, HEADER, "{" FOREIGN ",\"scope\":\"profile:read\"}", NULL, "ext:bob", R},
    {"the partner's, all it may hold", THEIRS, HEADER,
     "{" FOREIGN ",\"scope\":\"profile:write profile:list profile:read\"}", NULL, "ext:bob", R | L | W},
    {"the partner's admin is none", THEIRS, HEADER,
     "{" FOREIGN ",\"scope\":\"profile:admin profile:read metrics:read\"}", NULL, "ext:bob", R},
    {"the partner's sub beginning with an at sign", THEIRS, HEADER,
     "{\"iss\":\"" PARTNER "\",\"aud\":\"api\",\"sub\":\"@bob\"" EXP "}", NULL, "ext:@bob", 0},

    /* the header */
    {"none", OURS, "{\"alg\":\"none\",\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA",
     NULL, 0},
    {"nOnE", OURS, "{\"alg\":\"nOnE\",\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA",
     NULL, 0},
    {"HS256", OURS, "{\"alg\":\"HS256\",\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA",
     NULL, 0},
    {"eddsa", OURS, "{\"alg\":\"eddsa\",\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA",
     NULL, 0},
    {"Ed448", OURS, "{\"alg\":\"Ed448\",\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA",
     NULL, 0},
    {"no alg", OURS, "{\"kid\":\"k1\"}", "{" GOOD "}", "the token is not signed with EdDSA", NULL, 0},
    {"crit", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"crit\":[\"exp\"],\"exp\":1700003600}", "{" GOOD "}",
     "the token uses crit", NULL, 0},
    {"empty crit", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"crit\":[]}", "{" GOOD "}",
     "the token uses crit", NULL, 0},
    {"another typ", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"dpop+jwt\"}", "{" GOOD "}",
     "the token is not an access token by its typ", NULL, 0},
    {"no kid", OURS, "{\"alg\":\"EdDSA\"}", "{" GOOD "}", "the token names no key by kid", NULL, 0},
    {"kid a number", OURS, "{\"alg\":\"EdDSA\",\"kid\":1}", "{" GOOD "}", "the token names no key by kid",
     NULL, 0},
    {"kid null", OURS, "{\"alg\":\"EdDSA\",\"kid\":null}", "{" GOOD "}", "the token names no key by kid",
     NULL, 0},
    {"kid a list", OURS, "{\"alg\":\"EdDSA\",\"kid\":[\"k1\"]}", "{" GOOD "}",
     "the token names no key by kid", NULL, 0},
    {"unknown kid", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k2\"}", "{" GOOD "}",
     "the key of the token is not known", NULL, 0},
    {"kid in other case", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"K1\"}", "{" GOOD "}",
     "the key of the token is not known", NULL, 0},
    {"kid and NUL", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\\u0000\"}", "{" GOOD "}",
     "the key of the token is not known", NULL, 0},
    {"kid a path", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"../../../../dev/null\"}", "{" GOOD "}",
     "the key of the token is not known", NULL, 0},
    {"empty kid", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", "{" GOOD "}", "the key of the token is not known",
     NULL, 0},
    {"the retired key", RETIRED, "{\"alg\":\"EdDSA\",\"kid\":\"old\"}", "{" GOOD "}",
     "the key of the token is not known", NULL, 0},
    {"the retired key under the new kid", RETIRED, HEADER, "{" GOOD "}", "the signature does not verify",
     NULL, 0},
    {"a key of its own", NOBODYS,
     "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
     "\"ypOsFwUYcHHWe4PHpV53_3-QrK3EpyBJQZWw5aPJICs\"}}",
     "{" GOOD "}", "the signature does not verify", NULL, 0},
    {"alg twice", OURS, "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"k1\"}", "{" GOOD "}",
     "the token is malformed", NULL, 0},
    {"kid twice", OURS, "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"kid\":\"k1\"}", "{" GOOD "}",
     "the token is malformed", NULL, 0},
    {"header no object", OURS, "[\"alg\",\"EdDSA\"]", "{" GOOD "}", "the token is malformed", NULL, 0},
    {"header empty", OURS, "", "{" GOOD "}", "the token is malformed", NULL, 0},
    {"header no JSON", OURS, "alg=EdDSA", "{" GOOD "}", "the token is malformed", NULL, 0},
    {"header 33 levels deep", OURS,
     "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"x\":[[" ARRAYS_30 ARRAYS_30_END "]]}", "{" GOOD "}",
     "the token is malformed", NULL, 0},
    {"something behind the header", OURS, HEADER "{}", "{" GOOD "}", "the token is malformed", NULL, 0},

    /* the claims as JSON */
    {"claims empty", OURS, HEADER, "", "the token is malformed", NULL, 0},
    {"claims no object", OURS, HEADER, "[]", "the token is malformed", NULL, 0},
    {"claims a string", OURS, HEADER, "\"ann\"", "the token is malformed", NULL, 0},
    {"claims no JSON", OURS, HEADER, "sub=ann", "the token is malformed", NULL, 0},
    {"a nested token", OURS, HEADER, "eyJhbGciOiJFZERTQSJ9.e30.AA", "the token is malformed", NULL, 0},
    {"a byte order mark", OURS, HEADER, "\xef\xbb\xbf{" GOOD "}", "the token is malformed", NULL, 0},
    {"Latin 1", OURS, HEADER, "{" GOOD ",\"x\":\"\xe4\"}", "the token is malformed", NULL, 0},
    {"sub twice", OURS, HEADER, "{" GOOD ",\"sub\":\"root\"}", "the token is malformed", NULL, 0},
    {"sub twice, once escaped", OURS, HEADER, "{" GOOD ",\"\\u0073ub\":\"ann\"}", "the token is malformed",
     NULL, 0},
    {"a name twice deeper down", OURS, HEADER, "{" GOOD ",\"x\":{\"a\":1,\"a\":1}}", "the token is malformed",
     NULL, 0},
    {"33 levels", OURS, HEADER, "{" GOOD ",\"x\":[[" ARRAYS_30 ARRAYS_30_END "]]}", "the token is malformed",
     NULL, 0},
    {"something behind it", OURS, HEADER, "{" GOOD "} x", "the token is malformed", NULL, 0},
    {"2^63", OURS, HEADER, "{" BASIC ",\"exp\":9223372036854775808}", "the token is malformed", NULL, 0},
    {"1e999", OURS, HEADER, "{" BASIC ",\"exp\":1e999}", "the token is malformed", NULL, 0},
    {"NaN", OURS, HEADER, "{" BASIC ",\"exp\":NaN}", "the token is malformed", NULL, 0},

    /* iss and whose key it is */
    {"no iss", OURS, HEADER, "{\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}", "the token has no iss", NULL,
     0},
    {"iss a number", OURS, HEADER, "{\"iss\":1,\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the token has no iss", NULL, 0},
    {"iss a list", OURS, HEADER, "{\"iss\":[\"" OWN "\"],\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the token has no iss", NULL, 0},
    {"unknown iss", OURS, HEADER,
     "{\"iss\":\"https://evil.example\",\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the issuer of the token is not trusted here", NULL, 0},
    {"iss with a slash more", OURS, HEADER,
     "{\"iss\":\"" OWN "/\",\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the issuer of the token is not trusted here", NULL, 0},
    {"iss and NUL", OURS, HEADER, "{\"iss\":\"" OWN "\\u0000\",\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the issuer of the token is not trusted here", NULL, 0},
    {"iss empty", OURS, HEADER, "{\"iss\":\"\",\"aud\":\"profiled\",\"sub\":\"ann\"" EXP "}",
     "the issuer of the token is not trusted here", NULL, 0},
    {"the partner in our name", THEIRS, HEADER, "{" GOOD ",\"scope\":\"profile:admin\"}",
     "the signature does not verify", NULL, 0},
    {"we in the partner's name", OURS, HEADER, "{" FOREIGN "}", "the signature does not verify", NULL, 0},
    {"nobody's key", NOBODYS, HEADER, "{" GOOD "}", "the signature does not verify", NULL, 0},

    /* times */
    {"no exp", OURS, HEADER, "{" BASIC "}", "the token has no exp", NULL, 0},
    {"exp a string", OURS, HEADER, "{" BASIC ",\"exp\":\"1700003600\"}", "the claim exp is malformed", NULL,
     0},
    {"exp as PASETO has it", OURS, HEADER, "{" BASIC ",\"exp\":\"2023-11-14T23:13:20Z\"}",
     "the claim exp is malformed", NULL, 0},
    {"exp null", OURS, HEADER, "{" BASIC ",\"exp\":null}", "the claim exp is malformed", NULL, 0},
    {"exp true", OURS, HEADER, "{" BASIC ",\"exp\":true}", "the claim exp is malformed", NULL, 0},
    {"exp a list", OURS, HEADER, "{" BASIC ",\"exp\":[1700003600]}", "the claim exp is malformed", NULL, 0},
    {"exp negative", OURS, HEADER, "{" BASIC ",\"exp\":-1}", "the claim exp is malformed", NULL, 0},
    {"exp huge", OURS, HEADER, "{" BASIC ",\"exp\":9223372036854775807}", "the claim exp is malformed", NULL,
     0},
    {"exp a huge real", OURS, HEADER, "{" BASIC ",\"exp\":1e300}", "the claim exp is malformed", NULL, 0},
    {"exp in milliseconds", OURS, HEADER, "{" BASIC ",\"exp\":1700003600000}", "the claim exp is malformed",
     NULL, 0},
    {"exp in the year 9999", OURS, HEADER, "{" BASIC ",\"exp\":253402300799}",
     "the token lives longer than is allowed here", NULL, 0},
    {"expired", OURS, HEADER, "{" BASIC ",\"exp\":1699990000}", "the token has expired", NULL, 0},
    {"expired just past leeway", OURS, HEADER, "{" BASIC ",\"exp\":1699999970}", "the token has expired",
     NULL, 0},
    {"expired by a fraction", OURS, HEADER, "{" BASIC ",\"exp\":1699999970.9}", "the token has expired", NULL,
     0},
    {"expired in 1970", OURS, HEADER, "{" BASIC ",\"exp\":0}", "the token has expired", NULL, 0},
    {"nbf past leeway", OURS, HEADER, "{" GOOD ",\"nbf\":1700000031}", "the token is not valid yet", NULL, 0},
    {"nbf past leeway by a fraction", OURS, HEADER, "{" GOOD ",\"nbf\":1700000030.1}",
     "the token is not valid yet", NULL, 0},
    {"nbf a string", OURS, HEADER, "{" GOOD ",\"nbf\":\"0\"}", "the claim nbf is malformed", NULL, 0},
    {"nbf null", OURS, HEADER, "{" GOOD ",\"nbf\":null}", "the claim nbf is malformed", NULL, 0},
    {"iat past leeway", OURS, HEADER, "{" GOOD ",\"iat\":1700000031}", "the token was issued in the future",
     NULL, 0},
    {"iat a string", OURS, HEADER, "{" GOOD ",\"iat\":\"1700000000\"}", "the claim iat is malformed", NULL,
     0},
    {"iat negative", OURS, HEADER, "{" GOOD ",\"iat\":-5}", "the claim iat is malformed", NULL, 0},
    {"lives a second too long", OURS, HEADER, "{" BASIC ",\"iat\":1699999000,\"exp\":1700085401}",
     "the token lives longer than is allowed here", NULL, 0},
    {"the same without iat", OURS, HEADER, "{" BASIC ",\"exp\":1700086431}",
     "the token lives longer than is allowed here", NULL, 0},

    /* aud */
    {"no aud", OURS, HEADER, "{" ISS ",\"sub\":\"ann\"" EXP "}", "the token has no aud", NULL, 0},
    {"another aud", OURS, HEADER, "{" ISS ",\"aud\":\"api\",\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud in other case", OURS, HEADER, "{" ISS ",\"aud\":\"Profiled\",\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud with more", OURS, HEADER, "{" ISS ",\"aud\":\"profiled api\",\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud and NUL", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\\u0000\",\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud empty", OURS, HEADER, "{" ISS ",\"aud\":\"\",\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud an empty list", OURS, HEADER, "{" ISS ",\"aud\":[],\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud a list of others", OURS, HEADER, "{" ISS ",\"aud\":[\"a\",\"b\"],\"sub\":\"ann\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"aud a list with a number", OURS, HEADER, "{" ISS ",\"aud\":[\"profiled\",1],\"sub\":\"ann\"" EXP "}",
     "the claim aud is malformed", NULL, 0},
    {"aud a list in a list", OURS, HEADER, "{" ISS ",\"aud\":[[\"profiled\"]],\"sub\":\"ann\"" EXP "}",
     "the claim aud is malformed", NULL, 0},
    {"aud an object", OURS, HEADER, "{" ISS ",\"aud\":{\"profiled\":1},\"sub\":\"ann\"" EXP "}",
     "the claim aud is malformed", NULL, 0},
    {"aud null", OURS, HEADER, "{" ISS ",\"aud\":null,\"sub\":\"ann\"" EXP "}", "the claim aud is malformed",
     NULL, 0},
    {"the partner's for us", THEIRS, HEADER,
     "{\"iss\":\"" PARTNER "\",\"aud\":\"profiled\",\"sub\":\"bob\"" EXP "}",
     "the token is for another audience", NULL, 0},
    {"the partner's without aud", THEIRS, HEADER, "{\"iss\":\"" PARTNER "\",\"sub\":\"bob\"" EXP "}",
     "the token has no aud", NULL, 0},

    /* sub */
    {"no sub", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\"" EXP "}", "the token has no sub", NULL, 0},
    {"sub empty", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub a number", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":7" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub null", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":null" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub a handle", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"@ann\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub a dot", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\".\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub two dots", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"..\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub query", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"query\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub a path", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"a/../b\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub and NUL", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"ann\\u0000\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub and a newline", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"ann\\n\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub beyond ASCII", OURS, HEADER, "{" ISS ",\"aud\":\"profiled\",\"sub\":\"\xc3\xa4\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub too long", OURS, HEADER,
     "{" ISS ",\"aud\":\"profiled\",\"sub\":\"" HUNDRED TEN TEN "012345678\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"sub too long with its prefix", THEIRS, HEADER,
     "{\"iss\":\"" PARTNER "\",\"aud\":\"api\",\"sub\":\"" HUNDRED TEN TEN "01234\"" EXP "}",
     "the claim sub is malformed", NULL, 0},
    {"the partner's sub empty", THEIRS, HEADER,
     "{\"iss\":\"" PARTNER "\",\"aud\":\"api\",\"sub\":\"\"" EXP "}", "the claim sub is malformed", NULL, 0},

    /* the rest */
    {"scope a list", OURS, HEADER, "{" GOOD ",\"scope\":[\"profile:read\"]}", "the claim scope is malformed",
     NULL, 0},
    {"scope null", OURS, HEADER, "{" GOOD ",\"scope\":null}", "the claim scope is malformed", NULL, 0},
    {"jti a number", OURS, HEADER, "{" GOOD ",\"jti\":1}", "the claim jti is malformed", NULL, 0},
};

#define FOOTER    "{\"kid\":\"k1\"}"
#define EXP_T     ",\"exp\":\"2023-11-14T23:13:20Z\""
#define FOREIGN_T "\"iss\":\"" PARTNER "\",\"aud\":\"api\",\"sub\":\"bob\"" EXP_T

static const struct row pasetos[] = {
    {"the least", OURS, FOOTER, "{" BASIC EXP_T "}", NULL, "ann", 0},
    {"all claims", OURS, FOOTER,
     "{" BASIC EXP_T ",\"nbf\":\"2023-11-14T22:13:20Z\",\"iat\":\"2023-11-14T22:13:20+00:00\",\"jti\":\"j\","
     "\"scope\":\"profile:admin\"}",
     NULL, "ann", A | R | L | W},
    {"an offset", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-15T04:13:20.5+05:00\"}", NULL, "ann", 0},
    {"other members in the footer", OURS, "{\"kid\":\"k1\",\"wpk\":\"x\",\"alg\":\"none\"}",
     "{" BASIC EXP_T "}", NULL, "ann", 0},
    {"expired within leeway", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-14T22:12:51Z\"}", NULL, "ann", 0},
    {"nbf within leeway", OURS, FOOTER, "{" BASIC EXP_T ",\"nbf\":\"2023-11-14T22:13:50Z\"}", NULL, "ann", 0},
    {"the partner's", THEIRS, FOOTER, "{" FOREIGN_T ",\"scope\":\"profile:read profile:admin\"}", NULL,
     "ext:bob", R},

    {"no footer", OURS, "", "{" BASIC EXP_T "}", "the token names no key by kid", NULL, 0},
    {"no kid", OURS, "{}", "{" BASIC EXP_T "}", "the token names no key by kid", NULL, 0},
    {"kid a number", OURS, "{\"kid\":1}", "{" BASIC EXP_T "}", "the token names no key by kid", NULL, 0},
    {"a bare kid", OURS, "k1", "{" BASIC EXP_T "}", "the token is malformed", NULL, 0},
    {"kid twice", OURS, "{\"kid\":\"k1\",\"kid\":\"k1\"}", "{" BASIC EXP_T "}", "the token is malformed",
     NULL, 0},
    {"footer a list", OURS, "[\"k1\"]", "{" BASIC EXP_T "}", "the token is malformed", NULL, 0},
    {"footer 33 levels deep", OURS, "{\"kid\":\"k1\",\"x\":[[" ARRAYS_30 ARRAYS_30_END "]]}",
     "{" BASIC EXP_T "}", "the token is malformed", NULL, 0},
    {"unknown kid", OURS, "{\"kid\":\"k2\"}", "{" BASIC EXP_T "}", "the key of the token is not known", NULL,
     0},
    {"the retired key", RETIRED, "{\"kid\":\"old\"}", "{" BASIC EXP_T "}",
     "the key of the token is not known", NULL, 0},
    {"the partner in our name", THEIRS, FOOTER, "{" BASIC EXP_T "}", "the signature does not verify", NULL,
     0},
    {"we in the partner's name", OURS, FOOTER, "{" FOREIGN_T "}", "the signature does not verify", NULL, 0},
    {"nobody's key", NOBODYS, FOOTER, "{" BASIC EXP_T "}", "the signature does not verify", NULL, 0},
    {"claims empty", OURS, FOOTER, "", "the token is malformed", NULL, 0},
    {"claims no object", OURS, FOOTER, "[]", "the token is malformed", NULL, 0},
    {"sub twice", OURS, FOOTER, "{" BASIC EXP_T ",\"sub\":\"root\"}", "the token is malformed", NULL, 0},
    {"33 levels", OURS, FOOTER, "{" BASIC EXP_T ",\"x\":[[" ARRAYS_30 ARRAYS_30_END "]]}",
     "the token is malformed", NULL, 0},
    {"no exp", OURS, FOOTER, "{" BASIC "}", "the token has no exp", NULL, 0},
    {"exp a number", OURS, FOOTER, "{" BASIC EXP "}", "the claim exp is malformed", NULL, 0},
    {"exp a number in a string", OURS, FOOTER, "{" BASIC ",\"exp\":\"1700003600\"}",
     "the claim exp is malformed", NULL, 0},
    {"exp without offset", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-14T23:13:20\"}",
     "the claim exp is malformed", NULL, 0},
    {"exp and NUL", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-14T23:13:20Z\\u0000\"}",
     "the claim exp is malformed", NULL, 0},
    {"expired", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-14T22:12:50Z\"}", "the token has expired", NULL,
     0},
    {"expired by its offset", OURS, FOOTER, "{" BASIC ",\"exp\":\"2023-11-14T23:13:20+02:00\"}",
     "the token has expired", NULL, 0},
    {"nbf past leeway", OURS, FOOTER, "{" BASIC EXP_T ",\"nbf\":\"2023-11-14T22:13:50.001Z\"}",
     "the token is not valid yet", NULL, 0},
    {"nbf a number", OURS, FOOTER, "{" BASIC EXP_T ",\"nbf\":0}", "the claim nbf is malformed", NULL, 0},
    {"iat past leeway", OURS, FOOTER, "{" BASIC EXP_T ",\"iat\":\"2023-11-14T22:13:51Z\"}",
     "the token was issued in the future", NULL, 0},
    {"lives too long", OURS, FOOTER, "{" BASIC ",\"exp\":\"2024-11-14T23:13:20Z\"}",
     "the token lives longer than is allowed here", NULL, 0},
    {"another aud", OURS, FOOTER, "{" ISS ",\"aud\":\"api\",\"sub\":\"ann\"" EXP_T "}",
     "the token is for another audience", NULL, 0},
    {"no sub", OURS, FOOTER, "{" ISS ",\"aud\":\"profiled\"" EXP_T "}", "the token has no sub", NULL, 0},
};

/* Fit for an error_description: RFC 6750 section 3. */
static bool fit_to_show(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
            return false;
    return text[0] != '\0';
}

/* Member by member: the bytes between them may be anything. */
static bool is_zeroed(const struct token_identity *id)
{
    return id->subject.ptr == NULL && id->subject.len == 0 && id->issuer.ptr == NULL && id->issuer.len == 0 &&
           id->jti.ptr == NULL && id->jti.len == 0 && id->scopes == 0 && id->expires_s == 0 &&
           id->not_before_s == 0 && id->issued_s == 0;
}

/* Judges a token and holds what comes back against what the header promises. NULL: it counts. */
static const char *judge(struct span token, struct token_identity *out, struct arena *arena)
{
    static struct err_detail detail;
    detail = (struct err_detail){0};
    memset(out, 0xee, sizeof *out);
    enum err e = token_verify(ring, &policy, token, NOW, arena, out, &detail);
    if (e == OK) {
        assert_string_equal(detail.text, "");
        return NULL;
    }
    assert_true(is_zeroed(out));
    assert_true(fit_to_show(detail.text));
    bool by_time = strstr(detail.text, "expired") != NULL || strstr(detail.text, "not valid yet") != NULL ||
                   strstr(detail.text, "in the future") != NULL;
    assert_int_equal(e, by_time ? ERR_EXPIRED : ERR_INVALID);
    return detail.text;
}

static void check_row(const struct row *r, struct span token)
{
    struct arena arena = {0};
    struct token_identity id;
    const char *why = judge(token, &id, &arena);
    if ((why == NULL) != (r->detail == NULL) || (why != NULL && strcmp(why, r->detail) != 0))
        fail_msg("%s: %s", r->what, why == NULL ? "counts" : why);
    if (why == NULL) {
        if (!span_eq(id.subject, span_str(r->subject)) || id.scopes != r->scopes)
            fail_msg("%s: speaks for %.*s with scopes %u", r->what, SPAN_ARG(id.subject), id.scopes);
        assert_true(span_eq(id.issuer, span_str(r->key == OURS ? OWN : PARTNER)));
    }
    arena_fini(&arena);
}

static void test_jwts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof jwts / sizeof jwts[0]; i++) {
        struct buf token =
            support_jwt(span_str(jwts[i].header), span_str(jwts[i].claims), &keys[jwts[i].key]);
        check_row(&jwts[i], buf_span(&token));
        buf_fini(&token);
    }
}

static void test_pasetos(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pasetos / sizeof pasetos[0]; i++) {
        struct buf token =
            support_paseto(span_str(pasetos[i].header), span_str(pasetos[i].claims), &keys[pasetos[i].key]);
        check_row(&pasetos[i], buf_span(&token));
        buf_fini(&token);
    }
}

/* The claims that the identity carries, and what stands there when they are missing. */
static void test_identity(void **state)
{
    struct arena arena = {0};
    struct token_identity id;
    (void)state;
    struct buf token = support_jwt(
        SPAN(HEADER), SPAN("{" GOOD ",\"nbf\":1699999999.5,\"iat\":1699999999.5,\"jti\":\"a\\u0000b\"}"),
        &keys[OURS]);
    assert_null(judge(buf_span(&token), &id, &arena));
    buf_fini(&token); /* nothing of the token is borrowed */
    assert_int_equal(id.expires_s, 1700003600);
    assert_int_equal(id.not_before_s, NOW);    /* rounded up */
    assert_int_equal(id.issued_s, 1699999999); /* rounded down */
    assert_true(span_eq(id.jti, SPAN("a\0b")));
    token = support_paseto(SPAN(FOOTER), SPAN("{" BASIC EXP_T "}"), &keys[OURS]);
    assert_null(judge(buf_span(&token), &id, &arena));
    buf_fini(&token);
    assert_int_equal(id.expires_s, 1700003600);
    assert_true(id.not_before_s == TOKEN_NO_TIME && id.issued_s == TOKEN_NO_TIME);
    assert_null(id.jti.ptr);
    arena_fini(&arena);
}

/* Every character of a good token counts: changed to another, left out, or doubled, it is refused. */
static void check_changes(struct span good)
{
    static const char others[] = "AQgw-_.=+/ \n\"%";
    for (size_t at = 0; at < good.len; at++) {
        struct token_identity id;
        struct arena arena = {0};
        struct buf changed = {0};
        for (size_t i = 0; i < sizeof others; i++) { /* NUL too */
            buf_clear(&changed);
            buf_append(&changed, good);
            changed.ptr[at] = others[i];
            if (!span_eq(buf_span(&changed), good) && judge(buf_span(&changed), &id, &arena) == NULL)
                fail_msg("character %zu changed to %d: %s", at, others[i], buf_text(&changed));
        }
        buf_clear(&changed);
        buf_append(&changed, span_of(good.ptr, at));
        assert_non_null(judge(buf_span(&changed), &id, &arena)); /* all that follows left out */
        buf_append(&changed, span_from(good, at + 1));
        assert_non_null(judge(buf_span(&changed), &id, &arena));
        buf_truncate(&changed, at);
        buf_append(&changed, span_of(good.ptr + at, 1));
        buf_append(&changed, span_from(good, at));
        assert_non_null(judge(buf_span(&changed), &id, &arena));
        buf_fini(&changed);
        arena_fini(&arena);
    }
}

static void test_changes(void **state)
{
    struct arena arena = {0};
    struct token_identity id;
    (void)state;
    struct buf token = support_jwt(SPAN(HEADER), SPAN("{" GOOD "}"), &keys[OURS]);
    assert_null(judge(buf_span(&token), &id, &arena));
    check_changes(buf_span(&token));
    buf_fini(&token);
    token = support_paseto(SPAN(FOOTER), SPAN("{" BASIC EXP_T "}"), &keys[OURS]);
    assert_null(judge(buf_span(&token), &id, &arena));
    check_changes(buf_span(&token));
    buf_fini(&token);
    arena_fini(&arena);
}

/* The signature's S with L added, in both forms: another text for the same token. */
static void test_malleated(void **state)
{
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                            0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct buf token = support_jwt(SPAN(HEADER), SPAN("{" GOOD "}"), &keys[OURS]);
    struct arena arena = {0};
    struct token_identity id;
    unsigned char signature[64];
    unsigned carry = 0;
    size_t len = 0;
    (void)state;
    assert_int_equal(
        crypto_base64url_decode(span_from(buf_span(&token), token.len - 86), signature, 64, &len), OK);
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    buf_truncate(&token, token.len - 86);
    crypto_base64url_write(&token, span_of((char *)signature, 64));
    assert_string_equal(judge(buf_span(&token), &id, &arena), "the signature does not verify");
    buf_fini(&token);
    arena_fini(&arena);
}

/* A good token of exactly len bytes: a header member and a claim are made longer until it fits. */
static struct buf token_of(size_t len)
{
    for (int in_header = 0; in_header < 4; in_header++)
        for (int in_claims = 2600; in_claims < 3000; in_claims++) {
            struct buf header = {0}, claims = {0};
            buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"x\":\"%0*d\"}", in_header + 1, 0);
            buf_printf(&claims, "{" GOOD ",\"x\":\"%0*d\"}", in_claims, 0);
            struct buf token = support_jwt(buf_span(&header), buf_span(&claims), &keys[OURS]);
            buf_fini(&header);
            buf_fini(&claims);
            if (token.len == len)
                return token;
            buf_fini(&token);
        }
    fail_msg("no token of %zu bytes", len);
    return (struct buf){0};
}

static void test_length(void **state)
{
    struct arena arena = {0};
    struct token_identity id;
    (void)state;
    struct buf token = token_of(TOKEN_MAX_LEN);
    assert_null(judge(buf_span(&token), &id, &arena));
    buf_fini(&token);
    token = token_of(TOKEN_MAX_LEN + 1);
    assert_string_equal(judge(buf_span(&token), &id, &arena), "the token is longer than 4096 bytes");
    buf_fini(&token);
    /* before anything else: the bytes are not looked at */
    assert_string_equal(judge(span_of("v4.public.", SIZE_MAX / 2), &id, &arena),
                        "the token is longer than 4096 bytes");
    assert_string_equal(judge(SPAN(""), &id, &arena), "the token is malformed");
    assert_string_equal(judge((struct span){NULL, 0}, &id, &arena), "the token is malformed");
    arena_fini(&arena);
}

/* A JWT's bytes are no PASETO and the other way round, whoever signed them. */
static void test_forms(void **state)
{
    struct arena arena = {0};
    struct token_identity id;
    struct buf relabelled = {0};
    (void)state;
    struct buf jwt = support_jwt(SPAN(HEADER), SPAN("{" GOOD "}"), &keys[OURS]);
    struct buf paseto = support_paseto(SPAN(FOOTER), SPAN("{" BASIC EXP_T "}"), &keys[OURS]);
    buf_printf(&relabelled, "v4.public.%s", buf_text(&jwt));
    assert_non_null(judge(buf_span(&relabelled), &id, &arena));
    assert_non_null(judge(span_from(buf_span(&paseto), 10), &id, &arena));
    paseto.ptr[1] = '3';
    assert_string_equal(judge(buf_span(&paseto), &id, &arena), "the token is malformed");
    buf_fini(&jwt);
    buf_fini(&paseto);
    buf_fini(&relabelled);
    arena_fini(&arena);
}

/* Without an audience of ours none is asked for, and without max_ttl a token may live on. */
static void test_lenient(void **state)
{
    const struct token_policy lenient = {0};
    const struct token_issuer_options options = {.name = SPAN("token"), .iss = SPAN(OWN), .scopes = R};
    char *folder = support_folder();
    struct crypto_ed25519_pair key = support_key(OURS);
    struct buf jwk = support_jwk(&key, "k1", true, "");
    struct token_keyring *other = NULL;
    struct token_identity id;
    struct arena arena = {0};
    (void)state;
    assert_int_equal(support_write(folder, "k1.jwk", buf_span(&jwk), 0600), OK);
    assert_int_equal(token_keyring_new(&other), OK);
    assert_int_equal(token_keyring_add_folder(other, &options, folder, NULL), OK);
    static const struct {
        struct span claims;
        enum err err;
    } rows[] = {
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"exp\":253402300799,\"scope\":\"profile:admin profile:read\"}"),
         OK},
        {SPAN_INIT("{" GOOD "}"), OK},
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"aud\":[\"x\"]" EXP "}"), OK},
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"aud\":[1]" EXP "}"), ERR_INVALID},
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"exp\":1700000000}"), ERR_EXPIRED},
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"exp\":1700000001}"), OK},
        {SPAN_INIT("{" ISS ",\"sub\":\"ann\",\"nbf\":1700000001" EXP "}"), ERR_EXPIRED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf token = support_jwt(SPAN(HEADER), rows[i].claims, &key);
        assert_int_equal(token_verify(other, &lenient, buf_span(&token), NOW, &arena, &id, NULL),
                         rows[i].err);
        if (i == 0)
            assert_int_equal(id.scopes, R); /* the ceiling is there for our own issuer too */
        buf_fini(&token);
    }
    token_keyring_free(&other);
    buf_fini(&jwk);
    support_remove(&folder);
    arena_fini(&arena);
}

static enum err add_own(const char *folder)
{
    const struct token_issuer_options options = {
        .name = SPAN("token"), .iss = SPAN(OWN), .audience = SPAN("profiled"), .scopes = TOKEN_SCOPE_ALL};
    struct buf now = support_jwk(&keys[OURS], "k1", true, "");
    struct buf old = support_jwk(&keys[RETIRED], "old", true, ",\"retired_at\":\"2023-01-01T00:00:00Z\"");
    enum err e = support_write(folder, "k1.jwk", buf_span(&now), 0600);
    if (e == OK)
        e = support_write(folder, "old.jwk", buf_span(&old), 0600);
    if (e == OK)
        e = token_keyring_add_folder(ring, &options, folder, NULL);
    buf_fini(&now);
    buf_fini(&old);
    return e;
}

static enum err add_partner(const char *folder)
{
    const struct token_issuer_options options = {.name = SPAN("partner"),
                                                 .iss = SPAN(PARTNER),
                                                 .audience = SPAN("api"),
                                                 .scopes = R | L | W,
                                                 .subject_prefix = SPAN("ext:")};
    struct buf jwk = support_jwk(&keys[THEIRS], "k1", false, ""), set = {0}, path = {0};
    buf_printf(&set, "{\"keys\":[%s]}", buf_text(&jwk));
    buf_printf(&path, "%s/set.json", folder);
    enum err e = support_write(folder, "set.json", buf_span(&set), 0644);
    if (e == OK)
        e = token_keyring_add_jwks(ring, &options, buf_text(&path), NULL);
    buf_fini(&jwk);
    buf_fini(&set);
    buf_fini(&path);
    return e;
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init() != OK)
        return -1;
    for (int i = OURS; i < KEY_COUNT; i++)
        keys[i] = support_key((unsigned char)i);
    char *folder = support_folder();
    bool good = folder != NULL && token_keyring_new(&ring) == OK && add_own(folder) == OK &&
                add_partner(folder) == OK;
    support_remove(&folder);
    return good ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    token_keyring_free(&ring);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jwts),    cmocka_unit_test(test_pasetos),   cmocka_unit_test(test_identity),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_malleated), cmocka_unit_test(test_length),
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_lenient),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
