/*
 * From settings to the keyring: which issuers are trusted, with which keys. The pool's start and the token
 * subcommand both come here, so that what the one explains is what the other does.
 */
#pragma once
#include "config/settings.h"
#include "token/keyring.h"
#include "token/verify.h"

/*
 * Our own issuer from [token], whose folder must be there and may be empty, and each foreign one from its
 * [issuer NAME] section, of which iss, jwks, audience and subject_prefix must be said. Reads key files. OK:
 * *out is the caller's, to be given to token_keyring_free. Else *out is NULL and detail names the section or
 * the file: ERR_INVALID, ERR_DENIED (modes), ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
 */
MUST_USE enum err cli_keyring_load(const struct config_settings *s, struct token_keyring **out,
                                   struct err_detail *detail);
/* What is asked of every token's times. */
struct token_policy cli_token_policy(const struct config_settings *s);
