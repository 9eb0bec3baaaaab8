#include "guard/list.h"

#include "token/jwt.h"
#include "token/time.h"
#include "json/get.h"
#include "json/load.h"

/* A token of another kind, though signed by the same key, is no list (RFC 8725 section 3.11). */
static bool is_list(const json_t *header)
{
    struct span typ = json_get_text(header, "typ");
    return span_eq_nocase(typ, SPAN("revocations+jwt")) ||
           span_eq_nocase(typ, SPAN("application/revocations+jwt"));
}

static enum err check_header(struct guard_keys *keys, const struct token_parts *parts,
                             struct err_detail *detail)
{
    unsigned char key[CRYPTO_ED25519_PUBLIC_LEN];
    json_t *header = NULL;
    enum err e = json_load_strict(parts->header, JSON_MAX_DEPTH, &header, NULL);
    if (e != OK || !json_is_object(header))
        e = err_set(detail, e == ERR_NOMEM ? e : ERR_INVALID, "the list of revocations is malformed");
    else if (!is_list(header))
        e = err_set(detail, ERR_INVALID, "it is no list of revocations by its typ");
    else if ((e = token_jwt_check_alg(header, detail)) == OK &&
             !guard_keys_own(keys, json_get_text(header, "kid"), key))
        e = err_set(detail, ERR_INVALID, "the list of revocations names no key of our own issuer");
    else if (e == OK && !crypto_ed25519_verify(key, parts->message, parts->signature))
        e = err_set(detail, ERR_INVALID, "the signature of the list of revocations does not verify");
    json_decref(header);
    return e;
}

/* Single tokens; a list of an older origin has none. */
static enum err take_tokens(const json_t *claims, int64_t now_s, struct guard_revoked *table)
{
    const json_t *tokens = json_object_get(claims, "tokens");
    enum err e = tokens == NULL || json_is_array(tokens) ? OK : ERR_INVALID;
    for (size_t i = 0; e == OK && i < json_array_size(tokens); i++) {
        const json_t *row = json_array_get(tokens, i), *until = json_object_get(row, "until");
        struct span name = json_get_text(row, "token");
        char key[1 + TOKEN_NAME_LEN] = "@";
        if (name.len != TOKEN_NAME_LEN || !json_is_integer(until))
            return ERR_INVALID;
        memcpy(key + 1, name.ptr, TOKEN_NAME_LEN);
        e = guard_revoked_put(table, span_of(key, sizeof key), json_integer_value(until), now_s);
    }
    return e;
}

static enum err take(const json_t *claims, int64_t now_s, struct guard_revoked *table,
                     struct err_detail *detail)
{
    const json_t *revoked = json_object_get(claims, "revoked");
    enum err e = json_is_array(revoked) ? OK : ERR_INVALID;
    for (size_t i = 0; e == OK && i < json_array_size(revoked); i++) {
        const json_t *row = json_array_get(revoked, i), *until = json_object_get(row, "until");
        e = json_is_integer(until)
                ? guard_revoked_put(table, json_get_text(row, "subject"), json_integer_value(until), now_s)
                : ERR_INVALID;
    }
    if (e == OK)
        e = take_tokens(claims, now_s, table);
    return e == OK ? OK : err_set(detail, e, "the list of revocations cannot be kept: %s", err_name(e));
}

static enum err check_claims(struct guard_keys *keys, const json_t *claims, const struct token_policy *policy,
                             int64_t now_s, int64_t *position, struct err_detail *detail)
{
    struct token_time expires;
    const json_t *at = json_object_get(claims, "position");
    if (!span_eq(json_get_text(claims, "iss"), guard_keys_own_iss(keys)))
        return err_set(detail, ERR_INVALID, "the list of revocations is not our own issuer's");
    if (!token_time_numeric(json_object_get(claims, "exp"), &expires))
        return err_set(detail, ERR_INVALID, "the list of revocations has no exp");
    if (now_s >= expires.s + policy->leeway_s)
        return err_set(detail, ERR_EXPIRED, "the list of revocations has expired");
    if (!json_is_integer(at) || json_integer_value(at) < 0)
        return err_set(detail, ERR_INVALID, "the list of revocations has no position");
    *position = json_integer_value(at);
    return OK;
}

enum err guard_list_read(struct guard_keys *keys, struct span text, const struct token_policy *policy,
                         int64_t now_s, struct guard_revoked *table, int64_t *position,
                         struct err_detail *detail)
{
    struct arena arena = {0};
    struct token_parts parts;
    json_t *claims = NULL;
    int64_t at = 0;
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--; /* as a hand or curl may leave it */
    enum err e = token_jwt_split(text, &arena, &parts, NULL);
    if (e != OK) {
        err_set(detail, e, "the list of revocations is malformed");
        goto out;
    }
    if ((e = check_header(keys, &parts, detail)) != OK)
        goto out;
    if ((e = json_load_strict(parts.payload, JSON_MAX_DEPTH, &claims, detail)) == OK &&
        (e = check_claims(keys, claims, policy, now_s, &at, detail)) == OK &&
        (e = take(claims, now_s, table, detail)) == OK)
        *position = at;
out:
    json_decref(claims);
    arena_fini(&arena);
    return e;
}
