/*
 * JSON Web Tokens as JWS in the compact serialization (RFC 7515 section 7.1, RFC 7519), signed with Ed25519
 * (RFC 8037, RFC 9864). Pure.
 */
#pragma once
#include "base/arena.h"
#include "token/parts.h"

#include <jansson.h>

/* Takes header.payload.signature apart; header and payload are decoded into the arena, message is the
 * received bytes. ERR_INVALID, ERR_NOMEM; *out is then zeroed. */
MUST_USE enum err token_jwt_split(struct span token, struct arena *arena, struct token_parts *out,
                                  struct err_detail *detail);
/* Whether the header's JSON asks for nothing but Ed25519: alg is EdDSA or Ed25519 and there is no crit. jwk,
 * jku, x5u and x5c are not looked at: a key is only ever one of the keyring's. ERR_INVALID. */
MUST_USE enum err token_jwt_check_alg(const json_t *header, struct err_detail *detail);
/* Whether typ, when there, is JWT or at+jwt (RFC 9068 section 2.1), as media types without case and with or
 * without "application/" (RFC 7515 section 4.1.9). ERR_INVALID. */
MUST_USE enum err token_jwt_check_typ(const json_t *header, struct err_detail *detail);
