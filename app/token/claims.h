/*
 * What a token claims, held against what its issuer may claim and against the time (RFC 7519 section 4.1, RFC
 * 9068 section 2.2). The two forms differ only in how times are written. Pure; called once the signature is
 * found good.
 */
#pragma once
#include "base/arena.h"
#include "token/keyring.h"
#include "token/verify.h"

#include <jansson.h>

enum token_time_form {
    TOKEN_TIME_NUMERIC, /* JWT: NumericDate */
    TOKEN_TIME_TEXT,    /* PASETO: RFC 3339 */
};

/* Fills *out. Codes, detail and leaving on failure as token_verify. */
MUST_USE enum err token_claims_judge(const json_t *claims, enum token_time_form form,
                                     const struct token_issuer_options *issuer,
                                     const struct token_policy *policy, int64_t now_s, struct arena *arena,
                                     struct token_identity *out, struct err_detail *detail);
