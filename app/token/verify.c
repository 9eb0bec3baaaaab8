#include "token/verify.h"

#include "token/claims.h"
#include "token/jwt.h"
#include "token/paseto.h"
#include "json/get.h"
#include "json/load.h"

/* A piece of the token as a JSON object. What exactly is wrong with one is not told. */
static enum err load_object(struct span text, json_t **out, struct err_detail *detail)
{
    enum err e = json_load_strict(text, JSON_MAX_DEPTH, out, NULL);
    if (e == ERR_NOMEM)
        return err_set(detail, e, "no memory for the token");
    return e != OK || !json_is_object(*out) ? token_malformed(detail) : OK;
}

/*
 * The key that this token must be signed with: the one that its kid names among those of the issuer that its
 * iss names. There is no other way to a key: a token without kid is refused, none is tried in turn, and none
 * comes with the token (RFC 8725 section 3.8).
 */
static enum err find_key(const struct token_keyring *ring, const json_t *header, const json_t *claims,
                         const struct token_issuer **issuer, const unsigned char **public_key,
                         struct err_detail *detail)
{
    struct span kid = json_get_text(header, "kid");
    struct span iss = json_get_text(claims, "iss");
    if (kid.ptr == NULL)
        return err_set(detail, ERR_INVALID, "the token names no key by kid");
    if (iss.ptr == NULL)
        return err_set(detail, ERR_INVALID, "the token has no iss");
    if ((*issuer = token_keyring_issuer(ring, iss)) == NULL)
        return err_set(detail, ERR_INVALID, "the issuer of the token is not trusted here");
    if ((*public_key = token_issuer_key(*issuer, kid)) == NULL)
        return err_set(detail, ERR_INVALID, "the key of the token is not known");
    return OK;
}

enum err token_verify(const struct token_keyring *ring, const struct token_policy *policy, struct span token,
                      int64_t now_s, struct arena *arena, struct token_identity *out,
                      struct err_detail *detail)
{
    bool paseto = token_paseto_is(token);
    const struct token_issuer *issuer = NULL;
    const unsigned char *public_key = NULL;
    json_t *header = NULL, *claims = NULL;
    struct token_parts parts;
    enum err e = OK;
    *out = (struct token_identity){0};
    if (token.len > TOKEN_MAX_LEN)
        return err_set(detail, ERR_INVALID, "the token is longer than %d bytes", TOKEN_MAX_LEN);
    e = paseto ? token_paseto_split(token, (struct span){NULL, 0}, arena, &parts, detail)
               : token_jwt_split(token, arena, &parts, detail);
    /* a PASETO may lack the footer; then it names no key */
    if (e != OK || (parts.header.ptr != NULL && (e = load_object(parts.header, &header, detail)) != OK))
        goto out;
    if (!paseto &&
        ((e = token_jwt_check_alg(header, detail)) != OK || (e = token_jwt_check_typ(header, detail)) != OK))
        goto out;
    if ((e = load_object(parts.payload, &claims, detail)) != OK ||
        (e = find_key(ring, header, claims, &issuer, &public_key, detail)) != OK)
        goto out;
    if (!crypto_ed25519_verify(public_key, parts.message, parts.signature)) {
        e = err_set(detail, ERR_INVALID, "the signature does not verify");
        goto out;
    }
    e = token_claims_judge(claims, paseto ? TOKEN_TIME_TEXT : TOKEN_TIME_NUMERIC,
                           token_issuer_options(issuer), policy, now_s, arena, out, detail);
out:
    json_decref(header);
    json_decref(claims);
    return e;
}
