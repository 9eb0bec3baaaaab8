#include "cli/doctor_token.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/base64url.h"
#include "crypto/ed25519.h"
#include "token/mint.h"
#include "token/verify.h"
#include "json/get.h"
#include "json/load.h"

#include <stdlib.h>

enum { LIFE_S = 300 };

enum err doctor_token_take(const char *given, const char *variable, struct buf *out,
                           struct err_detail *detail)
{
    const char *text = given != NULL ? given : getenv(variable);
    struct buf file = {0};
    enum err e = OK;
    if (text == NULL)
        return OK;
    if (text[0] == '@' && (e = file_read(text + 1, (size_t)TOKEN_MAX_LEN + 64, &file, detail)) != OK)
        return e;
    struct span token = text[0] == '@' ? buf_span(&file) : span_str(text);
    while (token.len > 0 && strchr(" \t\r\n", token.ptr[token.len - 1]) != NULL)
        token.len--;
    token = span_trim(token);
    for (size_t i = 0; e == OK && i < token.len; i++)
        if ((unsigned char)token.ptr[i] <= ' ' || (unsigned char)token.ptr[i] >= 0x7f)
            e = err_set(detail, ERR_INVALID, "what is given as a token is none: it holds other characters");
    if (e == OK && token.len > TOKEN_MAX_LEN)
        e = err_set(detail, ERR_INVALID, "what is given as a token is too long for one");
    if (e == OK && token.len == 0)
        e = err_set(detail, ERR_INVALID, "what is given as a token is empty");
    if (e == OK)
        buf_append(out, token);
    buf_fini(&file);
    return e != OK ? e : buf_status(out);
}

void doctor_token_subject(struct span token, struct buf *out)
{
    static const struct span paseto = SPAN_INIT("v4.public.");
    bool is_paseto = span_starts(token, paseto);
    struct span rest = is_paseto ? span_from(token, paseto.len) : token;
    unsigned char bytes[TOKEN_MAX_LEN];
    size_t len = 0;
    json_t *claims = NULL;
    if (!is_paseto)
        span_cut(&rest, '.');
    struct span payload = rest.ptr == NULL ? (struct span){"", 0} : span_cut(&rest, '.');
    if (crypto_base64url_decode(payload, bytes, sizeof bytes, &len) != OK)
        return;
    if (is_paseto)
        len = len > CRYPTO_ED25519_SIGNATURE_LEN ? len - CRYPTO_ED25519_SIGNATURE_LEN : 0;
    if (json_load_strict(span_of((const char *)bytes, len), JSON_MAX_DEPTH, &claims, NULL) == OK)
        buf_append(out, json_get_text(claims, "sub"));
    json_decref(claims);
}

enum err doctor_token_mint(const struct config_settings *s, const char *subject, unsigned scopes,
                           struct buf *out, struct err_detail *detail)
{
    struct token_signer signer;
    enum err e = token_signer_load(config_text(s, CONFIG_token_keys), &signer, detail);
    if (e != OK)
        return e;
    int64_t now_s = clock_now_s(&clock_system), max_s = config_number(s, CONFIG_token_max_ttl);
    struct token_grant grant = {
        .issuer = span_str(config_text(s, CONFIG_token_issuer)),
        .subject = span_str(subject),
        .audience = span_str(config_text(s, CONFIG_token_audience)),
        .scopes = scopes,
        .issued_s = now_s,
        .expires_s = now_s + (max_s != 0 && max_s < LIFE_S ? max_s : LIFE_S),
    };
    e = token_mint(TOKEN_JWT, &signer, &grant, out, detail);
    token_signer_wipe(&signer);
    return e;
}
