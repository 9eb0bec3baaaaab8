#include "token/jwt.h"

#include "crypto/base64url.h"
#include "json/get.h"

/* Decodes into the arena. Strict base64url also refuses a further dot. */
static enum err decode(struct span text, struct arena *arena, struct span *out)
{
    size_t size = crypto_base64url_decoded_len(text.len);
    size_t len = 0;
    char *to = arena_alloc(arena, size);
    if (to == NULL)
        return ERR_NOMEM;
    enum err e = crypto_base64url_decode(text, to, size, &len);
    *out = span_of(to, len);
    return e;
}

enum err token_jwt_split(struct span token, struct arena *arena, struct token_parts *out,
                         struct err_detail *detail)
{
    struct span rest = token;
    struct span header = span_cut(&rest, '.');
    struct span payload = span_cut(&rest, '.');
    size_t len = 0;
    enum err e = OK;
    *out = (struct token_parts){0};
    if (rest.ptr == NULL)
        return token_malformed(detail);
    out->message = span_of(token.ptr, header.len + 1 + payload.len);
    if ((e = decode(header, arena, &out->header)) != OK ||
        (e = decode(payload, arena, &out->payload)) != OK ||
        (e = crypto_base64url_decode(rest, out->signature, sizeof out->signature, &len)) != OK ||
        len != sizeof out->signature) {
        *out = (struct token_parts){0};
        return e == ERR_NOMEM ? err_set(detail, e, "no memory for the token") : token_malformed(detail);
    }
    return OK;
}

enum err token_jwt_check_alg(const json_t *header, struct err_detail *detail)
{
    struct span alg = json_get_text(header, "alg");
    if (!json_is_object(header))
        return token_malformed(detail);
    /* compared with case (RFC 7515 section 4.1.1); the key's type decides, not the token (RFC 8725
     * section 3.1) */
    if (!span_eq(alg, SPAN("EdDSA")) && !span_eq(alg, SPAN("Ed25519")))
        return err_set(detail, ERR_INVALID, "the token is not signed with EdDSA");
    /* RFC 7515 section 4.1.11: no extension is understood here, so whatever stands in crit is refused */
    if (json_object_get(header, "crit") != NULL)
        return err_set(detail, ERR_INVALID, "the token uses crit");
    return OK;
}

enum err token_jwt_check_typ(const json_t *header, struct err_detail *detail)
{
    static const struct span application = SPAN_INIT("application/");
    const json_t *typ = json_object_get(header, "typ");
    struct span type = json_text(typ);
    if (typ == NULL)
        return OK;
    if (type.len > application.len && span_eq_nocase(span_of(type.ptr, application.len), application))
        type = span_from(type, application.len);
    if (type.ptr != NULL && (span_eq_nocase(type, SPAN("JWT")) || span_eq_nocase(type, SPAN("at+jwt"))))
        return OK;
    return err_set(detail, ERR_INVALID, "the token is not an access token by its typ");
}
