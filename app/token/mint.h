/*
 * Making tokens in either form. Pure but for what the caller hands in: identifiers and times come from
 * outside.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "token/keyfolder.h"

enum token_format { TOKEN_JWT, TOKEN_PASETO };

/* What a token shall say. All text is UTF-8. */
struct token_grant {
    struct span issuer;
    struct span subject;
    struct span audience; /* absent or empty: no aud */
    struct span jti;      /* absent: no jti */
    unsigned scopes;      /* as they shall stand there, nothing added; 0: no scope */
    int64_t issued_s;
    int64_t expires_s;
};

/*
 * Appends claims (JSON) as a JWS in the compact serialization (RFC 7515 section 7.1) with this typ, which is
 * plain ASCII: for statements that are no tokens, and whose typ no verifier of tokens takes (RFC 8725 section
 * 3.11). No limit to its length. ERR_NOMEM sticks in out.
 */
void token_jws_write(struct buf *out, const struct token_signer *signer, const char *typ, struct span claims);

/* Appends the token, with the signer's kid. ERR_INVALID: text that is not UTF-8, or a token longer than any
 * verifier here takes (TOKEN_MAX_LEN); ERR_NOMEM. out is then as before. */
MUST_USE enum err token_mint(enum token_format format, const struct token_signer *signer,
                             const struct token_grant *grant, struct buf *out, struct err_detail *detail);
