#include "token/jwk.h"

#include "crypto/base64url.h"
#include "crypto/hash.h"
#include "json/get.h"
#include "json/write.h"

/* Whether it is meant for verifying with Ed25519, as far as it says (RFC 7517 sections 4.1 to 4.4, RFC 9864).
 */
static bool is_ours(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use");
    const json_t *alg = json_object_get(jwk, "alg");
    const json_t *ops = json_object_get(jwk, "key_ops");
    if (!span_eq(json_get_text(jwk, "kty"), SPAN("OKP")) ||
        !span_eq(json_get_text(jwk, "crv"), SPAN("Ed25519")))
        return false;
    if (use != NULL && !span_eq(json_text(use), SPAN("sig")))
        return false;
    if (alg != NULL && !span_eq(json_text(alg), SPAN("EdDSA")) && !span_eq(json_text(alg), SPAN("Ed25519")))
        return false;
    if (ops == NULL)
        return true;
    for (size_t i = 0; i < json_array_size(ops); i++)
        if (span_eq(json_text(json_array_get(ops, i)), SPAN("verify")) ||
            span_eq(json_text(json_array_get(ops, i)), SPAN("sign")))
            return true;
    return false;
}

enum err token_jwk_read(const json_t *jwk, struct token_jwk *out, struct err_detail *detail)
{
    const json_t *kid = json_object_get(jwk, "kid");
    struct span x = json_get_text(jwk, "x");
    size_t len = 0;
    *out = (struct token_jwk){0};
    if (!json_is_object(jwk))
        return err_set(detail, ERR_INVALID, "a key is not a JSON object");
    if (!is_ours(jwk))
        return ERR_NOT_FOUND;
    if (kid != NULL) {
        struct span text = json_text(kid);
        if (text.len == 0 || text.len > TOKEN_KID_MAX_LEN || memchr(text.ptr, 0, text.len) != NULL)
            return err_set(detail, ERR_INVALID, "a kid is not a string of 1 to %d characters",
                           TOKEN_KID_MAX_LEN);
    }
    if (x.ptr == NULL || crypto_base64url_decode(x, out->public_key, sizeof out->public_key, &len) != OK ||
        len != sizeof out->public_key)
        return err_set(detail, ERR_INVALID, "x is not 32 bytes in base64url without padding");
    if (!crypto_ed25519_key_valid(out->public_key))
        return err_set(detail, ERR_INVALID, "x is not a point that Ed25519 allows as a key");
    out->kid = json_text(kid);
    return OK;
}

/* The end of the string that begins at text[at], a quote: the place of the closing quote, or len. */
static size_t string_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < len ? at : len;
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        at++;
    return at;
}

/* Finds the value of the object's own member "d": its first character in *begin, the closing quote's place in
 * *end. */
static bool find_secret(const char *text, size_t len, size_t *begin, size_t *end)
{
    int depth = 0;
    for (size_t at = 0; at < len; at++) {
        if (text[at] == '{' || text[at] == '[') {
            depth++;
        } else if (text[at] == '}' || text[at] == ']') {
            depth--;
        } else if (text[at] == '"') {
            size_t close = string_end(text, len, at);
            bool named_d = depth == 1 && close == at + 2 && close < len && text[at + 1] == 'd';
            size_t next = skip_space(text, len, close + 1);
            if (named_d && next < len && text[next] == ':') {
                next = skip_space(text, len, next + 1);
                if (next >= len || text[next] != '"')
                    return false;
                *begin = next + 1;
                *end = string_end(text, len, next);
                return *end < len;
            }
            at = close;
        }
    }
    return false;
}

bool token_jwk_take_seed(char *text, size_t len, unsigned char seed[CRYPTO_ED25519_SEED_LEN])
{
    size_t begin = 0, end = 0;
    memset(seed, 0, CRYPTO_ED25519_SEED_LEN);
    if (!find_secret(text, len, &begin, &end))
        return false;
    enum err e =
        crypto_base64url_decode_secret(span_of(text + begin, end - begin), seed, CRYPTO_ED25519_SEED_LEN);
    memset(text + begin, 'A', end - begin);
    return e == OK;
}

void token_jwk_thumbprint(const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN],
                          char out[TOKEN_THUMBPRINT_LEN + 1])
{
    /* the required members in the order of their names, nothing else (RFC 7638 section 3.2) */
    static const char begin[] = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"";
    enum { BEGIN_LEN = sizeof begin - 1, X_LEN = 43 };
    unsigned char hash[CRYPTO_SHA256_LEN];
    char json[BEGIN_LEN + X_LEN + 2];
    memcpy(json, begin, BEGIN_LEN);
    crypto_base64url_encode(public_key, CRYPTO_ED25519_PUBLIC_LEN, json + BEGIN_LEN);
    memcpy(json + BEGIN_LEN + X_LEN, "\"}", 2);
    crypto_sha256(span_of(json, sizeof json), hash);
    crypto_base64url_encode(hash, sizeof hash, out);
    out[TOKEN_THUMBPRINT_LEN] = '\0';
}

void token_jwk_write_open(struct buf *out, struct span kid,
                          const unsigned char public_key[CRYPTO_ED25519_PUBLIC_LEN])
{
    buf_lit(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":");
    json_write_string(out, kid);
    buf_lit(out, ",\"x\":\"");
    crypto_base64url_write(out, span_of((const char *)public_key, CRYPTO_ED25519_PUBLIC_LEN));
    buf_lit(out, "\",\"use\":\"sig\",\"alg\":\"EdDSA\"");
}
