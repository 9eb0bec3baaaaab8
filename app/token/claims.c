#include "token/claims.h"

#include "base/ident.h"
#include "token/time.h"
#include "json/get.h"

static enum err bad_claim(const char *name, struct err_detail *detail)
{
    return err_set(detail, ERR_INVALID, "the claim %s is malformed", name);
}

/* A time claim: OK with *there false when it is missing. */
static enum err read_time(const json_t *claims, const char *name, enum token_time_form form,
                          struct token_time *out, bool *there, struct err_detail *detail)
{
    const json_t *value = json_object_get(claims, name);
    bool good = false;
    *there = value != NULL;
    if (value == NULL)
        return OK;
    switch (form) {
    case TOKEN_TIME_NUMERIC:
        good = token_time_numeric(value, out);
        break;
    case TOKEN_TIME_TEXT:
        good = token_time_rfc3339(json_text(value), out);
        break;
    }
    return good ? OK : bad_claim(name, detail);
}

/* The times as whole seconds, each rounded to the side on which the token counts less. */
static enum err read_times(const json_t *claims, enum token_time_form form, struct token_identity *out,
                           struct err_detail *detail)
{
    struct token_time exp = {0}, nbf = {0}, iat = {0};
    bool has_exp = false, has_nbf = false, has_iat = false;
    enum err e = OK;
    if ((e = read_time(claims, "exp", form, &exp, &has_exp, detail)) != OK ||
        (e = read_time(claims, "nbf", form, &nbf, &has_nbf, detail)) != OK ||
        (e = read_time(claims, "iat", form, &iat, &has_iat, detail)) != OK)
        return e;
    if (!has_exp)
        return err_set(detail, ERR_INVALID, "the token has no exp");
    out->expires_s = exp.s;
    out->not_before_s = has_nbf ? token_time_ceil(nbf) : TOKEN_NO_TIME;
    out->issued_s = has_iat ? iat.s : TOKEN_NO_TIME;
    return OK;
}

/* RFC 7519 sections 4.1.4 to 4.1.6. All times lie in 1970 to 9999, so nothing here overflows. */
enum err token_identity_judge_times(const struct token_identity *t, const struct token_policy *policy, int64_t now_s,
                            struct err_detail *detail)
{
    int64_t leeway_s = policy->leeway_s;
    bool has_iat = t->issued_s != TOKEN_NO_TIME;
    if (now_s >= t->expires_s + leeway_s)
        return err_set(detail, ERR_EXPIRED, "the token has expired");
    if (t->not_before_s != TOKEN_NO_TIME && now_s + leeway_s < t->not_before_s)
        return err_set(detail, ERR_EXPIRED, "the token is not valid yet");
    if (has_iat && now_s + leeway_s < t->issued_s)
        return err_set(detail, ERR_EXPIRED, "the token was issued in the future");
    if (policy->max_ttl_s == 0)
        return OK;
    /* without iat the clocks of two machines are compared, so leeway counts; with it only the issuer's own */
    int64_t ttl_s = has_iat ? t->expires_s - t->issued_s : t->expires_s - now_s - leeway_s;
    if (ttl_s > policy->max_ttl_s)
        return err_set(detail, ERR_INVALID, "the token lives longer than is allowed here");
    return OK;
}

/* RFC 7519 section 4.1.3: one string or an array of strings, of which one must be us. */
static enum err judge_audience(const json_t *claims, struct span audience, struct err_detail *detail)
{
    const json_t *aud = json_object_get(claims, "aud");
    bool found = false;
    if (aud != NULL && !json_is_string(aud) && !json_is_array(aud))
        return bad_claim("aud", detail);
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const json_t *one = json_array_get(aud, i);
        if (!json_is_string(one))
            return bad_claim("aud", detail);
        found = found || span_eq(json_text(one), audience);
    }
    if (audience.len == 0 || found || (json_is_string(aud) && span_eq(json_text(aud), audience)))
        return OK;
    return aud == NULL ? err_set(detail, ERR_INVALID, "the token has no aud")
                       : err_set(detail, ERR_INVALID, "the token is for another audience");
}

/* The issuer's prefix and sub, which together must be a profile's id. */
static enum err read_subject(const json_t *claims, struct span prefix, struct arena *arena, struct span *out,
                             struct err_detail *detail)
{
    const json_t *value = json_object_get(claims, "sub");
    struct span sub = json_text(value);
    if (value == NULL)
        return err_set(detail, ERR_INVALID, "the token has no sub");
    if (sub.len == 0 || sub.len > IDENT_MAX_LEN)
        return bad_claim("sub", detail);
    char *subject = arena_alloc(arena, prefix.len + sub.len + 1);
    if (subject == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for the token");
    if (prefix.len > 0)
        memcpy(subject, prefix.ptr, prefix.len);
    memcpy(subject + prefix.len, sub.ptr, sub.len);
    subject[prefix.len + sub.len] = '\0';
    *out = span_of(subject, prefix.len + sub.len);
    return ident_valid(*out) ? OK : bad_claim("sub", detail);
}

/* scope and jti, which need not be there (RFC 9068 section 2.2.3, RFC 7519 section 4.1.7). */
static enum err read_rest(const json_t *claims, const struct token_issuer_options *issuer,
                          struct arena *arena, struct token_identity *out, struct err_detail *detail)
{
    const json_t *scope = json_object_get(claims, "scope");
    const json_t *jti = json_object_get(claims, "jti");
    if (scope != NULL && !json_is_string(scope))
        return bad_claim("scope", detail);
    if (jti != NULL && !json_is_string(jti))
        return bad_claim("jti", detail);
    out->scopes = token_scope_expand(token_scope_parse(json_text(scope), NULL) & issuer->scopes);
    out->issuer = arena_copy(arena, issuer->iss);
    out->jti = arena_copy(arena, json_text(jti));
    if (out->issuer.ptr == NULL || (jti != NULL && out->jti.ptr == NULL))
        return err_set(detail, ERR_NOMEM, "no memory for the token");
    return OK;
}

enum err token_claims_judge(const json_t *claims, enum token_time_form form,
                            const struct token_issuer_options *issuer, const struct token_policy *policy,
                            int64_t now_s, struct arena *arena, struct token_identity *out,
                            struct err_detail *detail)
{
    enum err e = OK;
    *out = (struct token_identity){0};
    if ((e = read_times(claims, form, out, detail)) != OK ||
        (e = token_identity_judge_times(out, policy, now_s, detail)) != OK ||
        (e = judge_audience(claims, issuer->audience, detail)) != OK ||
        (e = read_subject(claims, issuer->subject_prefix, arena, &out->subject, detail)) != OK ||
        (e = read_rest(claims, issuer, arena, out, detail)) != OK)
        *out = (struct token_identity){0};
    return e;
}
