/* A bearer token of any bytes, in both forms: taken apart, and its claims judged as if its signature were
 * good, so that what lies behind the signature is reached too. Nothing of a refused one is left over. */
#include "support_fuzz.h"

#include "crypto/init.h"
#include "token/claims.h"
#include "token/jwt.h"
#include "token/paseto.h"
#include "json/load.h"

static const struct token_issuer_options issuer = {
    .name = SPAN_INIT("fuzz"), .iss = SPAN_INIT("a"), .audience = SPAN_INIT("b"), .scopes = ~0U};
static const struct token_policy policy = {.leeway_s = 30, .max_ttl_s = 3600};

/* What would be believed if the signature verified: the claims are judged whatever it is. */
static void judge(struct span payload, enum token_time_form form, struct arena *arena)
{
    struct token_identity identity;
    struct err_detail detail = {0};
    json_t *claims = NULL;
    if (json_load_strict(payload, JSON_MAX_DEPTH, &claims, NULL) == OK && json_is_object(claims) &&
        token_claims_judge(claims, form, &issuer, &policy, 1300819380, arena, &identity, &detail) != OK &&
        identity.subject.ptr != NULL)
        __builtin_trap(); /* zeroed on failure */
    json_decref(claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span token = span_of((const char *)data, size);
    struct arena arena = {0};
    struct token_parts parts;
    struct err_detail detail = {0};
    if (crypto_init() != OK)
        return 0;
    if (token_jwt_split(token, &arena, &parts, &detail) == OK) {
        json_t *header = NULL;
        if (json_load_strict(parts.header, JSON_MAX_DEPTH, &header, NULL) == OK && json_is_object(header)) {
            struct err_detail why = {0};
            enum err e = token_jwt_check_alg(header, &why);
            if (e == OK)
                e = token_jwt_check_typ(header, &why);
            (void)e;
        }
        json_decref(header);
        judge(parts.payload, TOKEN_TIME_NUMERIC, &arena);
    }
    detail = (struct err_detail){0};
    if (token_paseto_split(token, (struct span){NULL, 0}, &arena, &parts, &detail) == OK)
        judge(parts.payload, TOKEN_TIME_TEXT, &arena);
    judge(token, TOKEN_TIME_NUMERIC, &arena);
    judge(token, TOKEN_TIME_TEXT, &arena);
    arena_fini(&arena);
    return 0;
}
