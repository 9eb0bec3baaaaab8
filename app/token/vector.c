#include "token/vector.h"

#include "base/arena.h"
#include "crypto/hex.h"
#include "token/jwt.h"
#include "token/paseto.h"
#include "json/get.h"
#include "json/load.h"

/* A member in hexadecimal that must have exactly size bytes. */
static bool get_hex(const json_t *vector, const char *name, unsigned char *out, size_t size)
{
    struct span text = json_get_text(vector, name);
    size_t len = 0;
    return text.ptr != NULL && crypto_hex_decode(text, out, size, &len) == OK && len == size;
}

static bool ed25519_valid(const json_t *vector, const unsigned char *pk, struct arena *arena)
{
    struct span msg = json_get_text(vector, "msg");
    unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN];
    size_t len = 0;
    if (msg.ptr == NULL || !get_hex(vector, "sig", signature, sizeof signature))
        return false;
    char *bytes = arena_alloc(arena, msg.len / 2);
    return bytes != NULL && crypto_hex_decode(msg, bytes, msg.len / 2, &len) == OK &&
           crypto_ed25519_verify(pk, span_of(bytes, len), signature);
}

static bool jws_valid(const json_t *vector, const unsigned char *pk, struct arena *arena)
{
    struct token_parts parts;
    json_t *header = NULL;
    bool valid = token_jwt_split(json_get_text(vector, "token"), arena, &parts, NULL) == OK &&
                 json_load_strict(parts.header, JSON_MAX_DEPTH, &header, NULL) == OK &&
                 token_jwt_check_alg(header, NULL) == OK &&
                 crypto_ed25519_verify(pk, parts.message, parts.signature);
    json_decref(header);
    return valid;
}

static bool paseto_valid(const json_t *vector, const unsigned char *pk, struct arena *arena)
{
    const json_t *implicit = json_object_get(vector, "implicit");
    struct token_parts parts;
    if (implicit != NULL && !json_is_string(implicit))
        return false;
    return token_paseto_split(json_get_text(vector, "token"), json_text(implicit), arena, &parts, NULL) ==
               OK &&
           crypto_ed25519_verify(pk, parts.message, parts.signature);
}

bool token_vector_valid(struct span line)
{
    unsigned char pk[CRYPTO_ED25519_PUBLIC_LEN];
    struct arena arena = {0};
    json_t *vector = NULL;
    bool valid = false;
    if (json_load_strict(line, JSON_MAX_DEPTH, &vector, NULL) != OK)
        return false;
    struct span kind = json_get_text(vector, "kind");
    if (!get_hex(vector, "pk", pk, sizeof pk))
        valid = false;
    else if (span_eq(kind, SPAN("ed25519")))
        valid = ed25519_valid(vector, pk, &arena);
    else if (span_eq(kind, SPAN("jws")))
        valid = jws_valid(vector, pk, &arena);
    else if (span_eq(kind, SPAN("paseto")))
        valid = paseto_valid(vector, pk, &arena);
    arena_fini(&arena);
    json_decref(vector);
    return valid;
}
