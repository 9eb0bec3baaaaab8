/*
 * PASETO v4.public: "v4.public." payload and signature, and perhaps a footer, in base64url
 * (https://github.com/paseto-standard/paseto-spec, docs/01-Protocol-Versions/Version4.md). Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "token/parts.h"

/* Whether the token says that it is one; all others are taken for JWTs. */
bool token_paseto_is(struct span token);
/*
 * Takes it apart; all of it is decoded into the arena. message is the pre-authentication encoding of header,
 * payload, footer and the implicit assertion. ERR_INVALID, ERR_NOMEM; *out is then zeroed.
 */
MUST_USE enum err token_paseto_split(struct span token, struct span implicit, struct arena *arena,
                                     struct token_parts *out, struct err_detail *detail);
/* Appends the token for these bytes. footer and implicit may be empty. A failure sticks in out. */
void token_paseto_write(struct buf *out, const unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN],
                        struct span payload, struct span footer, struct span implicit);
