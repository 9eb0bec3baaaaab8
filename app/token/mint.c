#include "token/mint.h"

#include "crypto/base64url.h"
#include "token/paseto.h"
#include "token/scope.h"
#include "token/time.h"
#include "token/verify.h"
#include "json/write.h"

#include <jansson.h>

/* jansson checks that it is UTF-8. */
static bool add_text(json_t *object, const char *name, struct span text)
{
    return json_object_set_new(object, name, json_stringn(text.ptr, text.len)) == 0;
}

static bool add_time(json_t *object, const char *name, enum token_format format, int64_t unix_s)
{
    struct buf text = {0};
    bool added = false;
    switch (format) {
    case TOKEN_JWT:
        added = json_object_set_new(object, name, json_integer(unix_s)) == 0;
        break;
    case TOKEN_PASETO:
        token_time_write(&text, unix_s);
        added = buf_status(&text) == OK && add_text(object, name, buf_span(&text));
        break;
    }
    buf_fini(&text);
    return added;
}

static bool add_claims(json_t *claims, enum token_format format, const struct token_grant *g)
{
    struct buf scope = {0};
    token_scope_write(&scope, g->scopes);
    bool added = buf_status(&scope) == OK && add_text(claims, "iss", g->issuer) &&
                 add_text(claims, "sub", g->subject) &&
                 (g->audience.len == 0 || add_text(claims, "aud", g->audience)) &&
                 add_time(claims, "iat", format, g->issued_s) &&
                 add_time(claims, "exp", format, g->expires_s) &&
                 (g->jti.ptr == NULL || add_text(claims, "jti", g->jti)) &&
                 (scope.len == 0 || add_text(claims, "scope", buf_span(&scope)));
    buf_fini(&scope);
    return added;
}

void token_jws_write(struct buf *out, const struct token_signer *signer, const char *typ, struct span claims)
{
    struct buf header = {0};
    unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN];
    size_t begin = out->len;
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"typ\":\"%s\",\"kid\":", typ);
    json_write_string(&header, span_str(signer->kid));
    buf_char(&header, '}');
    crypto_base64url_write(out, buf_span(&header));
    buf_char(out, '.');
    crypto_base64url_write(out, claims);
    out->failed = out->failed || header.failed;
    crypto_ed25519_sign(signer->secret_key, span_from(buf_span(out), begin), signature);
    buf_char(out, '.');
    crypto_base64url_write(out, span_of((const char *)signature, sizeof signature));
    buf_fini(&header);
}

static void write_paseto(struct buf *out, const struct token_signer *signer, struct span claims)
{
    struct buf footer = {0};
    buf_lit(&footer, "{\"kid\":");
    json_write_string(&footer, span_str(signer->kid));
    buf_char(&footer, '}');
    token_paseto_write(out, signer->secret_key, claims, buf_span(&footer), (struct span){NULL, 0});
    out->failed = out->failed || footer.failed;
    buf_fini(&footer);
}

enum err token_mint(enum token_format format, const struct token_signer *signer,
                    const struct token_grant *grant, struct buf *out, struct err_detail *detail)
{
    struct buf text = {0};
    size_t begin = out->len;
    enum err e = OK;
    json_t *claims = json_object();
    if (claims == NULL || !add_claims(claims, format, grant)) {
        e = err_set(detail, claims == NULL ? ERR_NOMEM : ERR_INVALID, "a claim is not UTF-8");
        goto out;
    }
    json_write_value(&text, claims);
    switch (format) {
    case TOKEN_JWT:
        token_jws_write(out, signer, "JWT", buf_span(&text));
        break;
    case TOKEN_PASETO:
        write_paseto(out, signer, buf_span(&text));
        break;
    }
    if (text.failed || out->failed)
        e = err_set(detail, ERR_NOMEM, "no memory for a token");
    else if (out->len - begin > TOKEN_MAX_LEN)
        e = err_set(detail, ERR_INVALID, "the token would be longer than %d bytes", TOKEN_MAX_LEN);
    if (e != OK)
        buf_truncate(out, begin);
out:
    json_decref(claims);
    buf_fini(&text);
    return e;
}
