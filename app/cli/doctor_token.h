/* The tokens that the doctor goes with: where they come from, whom they speak for, and, with the keys at
 * hand, short-lived ones of its own. They are secrets: none is ever printed. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "config/settings.h"

/*
 * Reads a token: as given, out of the file where it begins with "@", or out of the environment's variable
 * when given is NULL. White space at both ends is dropped. OK: *out holds it, and is empty when there is
 * none. ERR_INVALID: it holds what no token may (a header would be broken by it), or is too long;
 * ERR_NOT_FOUND, ERR_IO: the file. detail never holds the token.
 */
MUST_USE enum err doctor_token_take(const char *given, const char *variable, struct buf *out,
                                    struct err_detail *detail);

/* Appends the sub that a token claims, which is not verified here; nothing where it cannot be read. */
void doctor_token_subject(struct span token, struct buf *out);

/* Mints a token with the configured issuer's key, for some minutes. Errors as token_signer_load's and
 * token_mint's; ERR_NOT_FOUND: there is no key. */
MUST_USE enum err doctor_token_mint(const struct config_settings *s, const char *subject, unsigned scopes,
                                    struct buf *out, struct err_detail *detail);
