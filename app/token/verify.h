/*
 * Says whether a bearer token counts, and for whom. Both forms, JWT (RFC 7519, 8037, 8725, 9068) and PASETO
 * v4.public, told apart by the "v4.public." they begin with. Pure: bytes, keyring and time in, verdict out;
 * no I/O, no store (revocation is asked elsewhere).
 *
 * The key is the one that kid names (in a JWT's header, in the JSON of a PASETO's footer) among those of the
 * issuer that iss names; there is no other way to a key, so a token without kid is refused.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "token/keyring.h"
#include "token/scope.h"

enum {
    TOKEN_MAX_LEN = 4096,
    TOKEN_LEEWAY_MAX_S = 600, /* no policy allows for more */
};
#define TOKEN_NO_TIME INT64_MIN

/* Who a verified token speaks for. Spans live in the arena it was verified with. */
struct token_identity {
    struct span subject;  /* prefix and sub; a valid profile id */
    struct span issuer;   /* the iss claim */
    struct span jti;      /* absent when the token has none */
    unsigned scopes;      /* under the issuer's ceiling, expanded by what admin implies */
    int64_t expires_s;    /* exp, Unix time */
    int64_t not_before_s; /* nbf; TOKEN_NO_TIME when absent */
    int64_t issued_s;     /* iat; TOKEN_NO_TIME when absent */
};

struct token_policy {
    int64_t leeway_s; /* on every time */
    int64_t
        max_ttl_s; /* a token that lives longer (exp - iat; without iat exp - now) is refused; 0: no limit */
};

/* Whether an identity's times hold now under this policy: for one that was verified before. OK, ERR_EXPIRED
 * (expired, or not yet valid), ERR_INVALID (it lives too long), with a description as token_verify's. */
MUST_USE enum err token_identity_judge_times(const struct token_identity *identity,
                                             const struct token_policy *policy, int64_t now_s,
                                             struct err_detail *detail);

/*
 * OK: *out is filled. ERR_INVALID: malformed, unknown key, bad signature, wrong issuer or audience.
 * ERR_EXPIRED: expired or not yet valid. ERR_NOMEM. On failure *out is zeroed and detail holds a description
 * that is fit for the holder's eyes: it never tells more than the holder knows (RFC 6750 error_description:
 * ASCII without quotes or backslashes).
 */
MUST_USE enum err token_verify(const struct token_keyring *ring, const struct token_policy *policy,
                               struct span token, int64_t now_s, struct arena *arena,
                               struct token_identity *out, struct err_detail *detail);
