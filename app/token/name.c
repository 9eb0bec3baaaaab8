#include "token/name.h"

#include "crypto/base64url.h"
#include "crypto/hash.h"

enum { HASH_LEN = 24 }; /* base64url leaves no bits over */

void token_name(const struct token_identity *who, struct span token, char out[TOKEN_NAME_LEN])
{
    unsigned char issuer[CRYPTO_BLAKE2B_MAX_LEN], hash[HASH_LEN];
    const struct span no_key = {NULL, 0};
    /* an issuer that gives all of its tokens an empty one names none of them */
    if (who->jti.len == 0) {
        crypto_blake2b(token, no_key, hash, sizeof hash);
    } else {
        crypto_blake2b(who->issuer, no_key, issuer, sizeof issuer);
        crypto_blake2b(who->jti, span_of((const char *)issuer, sizeof issuer), hash, sizeof hash);
    }
    crypto_base64url_encode(hash, sizeof hash, out);
}
