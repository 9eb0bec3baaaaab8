/*
 * What `profiled token verify` prints: what stands in a token, whether it counts here, and if not, why.
 */
#pragma once
#include "base/span.h"
#include "token/keyring.h"
#include "token/verify.h"

/* Prints on stdout, for a person or as one JSON object. true: the token counts. */
bool cli_explain_token(const struct token_keyring *ring, const struct token_policy *policy, struct span token,
                       int64_t now_s, bool json);
