#include "cli/keyring.h"

static enum err add_own(const struct config_settings *s, struct token_keyring *ring,
                        struct err_detail *detail)
{
    struct token_issuer_options own = {
        .name = SPAN("token"),
        .iss = span_str(config_text(s, CONFIG_token_issuer)),
        .audience = span_str(config_text(s, CONFIG_token_audience)),
        .scopes = TOKEN_SCOPE_ALL,
        .subject_prefix = SPAN(""),
    };
    return token_keyring_add_folder(ring, &own, config_text(s, CONFIG_token_keys), detail);
}

static enum err missing(const struct config_issuer *i, const char *key, struct err_detail *detail)
{
    return err_set(detail, ERR_INVALID, "section [issuer %s] must say %s", i->name, key);
}

static enum err add_foreign(const struct config_issuer *i, struct token_keyring *ring,
                            struct err_detail *detail)
{
    static const char default_scopes[] = "profile:read profile:list profile:write";
    struct span unknown;
    if (i->iss == NULL || i->iss[0] == '\0')
        return missing(i, "iss", detail);
    if (i->jwks == NULL || i->jwks[0] == '\0')
        return missing(i, "jwks", detail);
    if (i->audience == NULL || i->audience[0] == '\0')
        return missing(i, "audience", detail);
    if (i->subject_prefix == NULL) /* an empty one is an answer too, but it has to be given */
        return missing(i, "subject_prefix", detail);
    struct token_issuer_options foreign = {
        .name = span_str(i->name),
        .iss = span_str(i->iss),
        .audience = span_str(i->audience),
        .scopes = token_scope_parse(span_str(i->scopes == NULL ? default_scopes : i->scopes), &unknown),
        .subject_prefix = span_str(i->subject_prefix),
    };
    if (unknown.ptr != NULL)
        return err_set(detail, ERR_INVALID, "section [issuer %s]: there is no scope %.*s", i->name,
                       SPAN_ARG(unknown));
    return token_keyring_add_jwks(ring, &foreign, i->jwks, detail);
}

enum err cli_keyring_load(const struct config_settings *s, struct token_keyring **out,
                          struct err_detail *detail)
{
    enum err e = token_keyring_new(out);
    if (e != OK)
        return err_set(detail, e, "no memory for the keys");
    e = add_own(s, *out, detail);
    for (size_t i = 0; e == OK && i < s->issuer_count; i++)
        e = add_foreign(&s->issuers[i], *out, detail);
    if (e != OK)
        token_keyring_free(out);
    return e;
}

struct token_policy cli_token_policy(const struct config_settings *s)
{
    return (struct token_policy){
        .leeway_s = config_number(s, CONFIG_token_leeway),
        .max_ttl_s = config_number(s, CONFIG_token_max_ttl),
    };
}
