#include "token/paseto.h"

#include "crypto/base64url.h"

static const struct span HEADER = SPAN_INIT("v4.public.");

/*
 * PAE (docs/01-Protocol-Versions/Common.md, "PAE Definition"): the number of pieces, then each with its
 * length before it, all numbers 64 bits with the lowest byte first. The pieces of v4.public are header,
 * payload, footer, implicit assertion.
 */
enum { PIECES = 4, LE64_LEN = 8 };

static char *put_le64(char *to, uint64_t n)
{
    for (int i = 0; i < LE64_LEN; i++)
        *to++ = (char)(unsigned char)(n >> (8 * i));
    return to;
}

/* The length, and the bytes unless they stand there already (from.ptr NULL). */
static char *put_piece(char *to, struct span from)
{
    to = put_le64(to, from.len);
    if (from.ptr != NULL && from.len > 0)
        memcpy(to, from.ptr, from.len);
    return to + from.len;
}

bool token_paseto_is(struct span token)
{
    return span_starts(token, HEADER);
}

/*
 * Decodes payload and signature right into their place in the encoding, so that nothing is copied but the
 * signature, and writes the rest round them. All lengths are fractions of what was received, so their sum
 * does not overflow.
 */
static enum err encode_received(struct span body, struct span footer, struct span implicit,
                                struct arena *arena, struct token_parts *out)
{
    const size_t signature_len = sizeof out->signature;
    size_t body_len = crypto_base64url_decoded_len(body.len);
    size_t footer_len = crypto_base64url_decoded_len(footer.len);
    size_t len = 0;
    if (body_len < signature_len)
        return ERR_INVALID;
    char *begin =
        arena_alloc(arena, (PIECES + 1) * LE64_LEN + HEADER.len + body_len + footer_len + implicit.len);
    if (begin == NULL)
        return ERR_NOMEM;
    char *at = put_piece(put_le64(begin, PIECES), HEADER);
    char *payload = at + LE64_LEN;
    size_t payload_len = body_len - signature_len;
    if (crypto_base64url_decode(body, payload, body_len, &len) != OK)
        return ERR_INVALID;
    memcpy(out->signature, payload + payload_len, signature_len);
    at = put_piece(at, span_of(NULL, payload_len));
    char *foot = at + LE64_LEN;
    if (crypto_base64url_decode(footer, foot, footer_len, &len) != OK)
        return ERR_INVALID;
    at = put_piece(at, span_of(NULL, footer_len));
    at = put_piece(at, implicit);
    out->payload = span_of(payload, payload_len);
    out->header = footer.ptr == NULL ? footer : span_of(foot, footer_len);
    out->message = span_of(begin, (size_t)(at - begin));
    return OK;
}

enum err token_paseto_split(struct span token, struct span implicit, struct arena *arena,
                            struct token_parts *out, struct err_detail *detail)
{
    *out = (struct token_parts){0};
    if (!token_paseto_is(token))
        return token_malformed(detail);
    struct span footer = span_from(token, HEADER.len);
    struct span body = span_cut(&footer, '.');
    /* a token without footer has no second dot; strict base64url refuses a third one */
    if (footer.ptr != NULL && footer.len == 0)
        return token_malformed(detail);
    enum err e = encode_received(body, footer, implicit, arena, out);
    if (e == OK)
        return OK;
    *out = (struct token_parts){0};
    return e == ERR_NOMEM ? err_set(detail, e, "no memory for the token") : token_malformed(detail);
}

void token_paseto_write(struct buf *out, const unsigned char secret_key[CRYPTO_ED25519_SECRET_LEN],
                        struct span payload, struct span footer, struct span implicit)
{
    struct buf encoding = {0}, body = {0};
    unsigned char signature[CRYPTO_ED25519_SIGNATURE_LEN];
    struct span s = {(const char *)signature, sizeof signature};
    size_t room = (PIECES + 1) * LE64_LEN + HEADER.len + payload.len + footer.len + implicit.len;
    char *begin = buf_reserve(&encoding, room);
    if (begin == NULL) {
        out->failed = true;
        return;
    }
    char *at = put_piece(put_le64(begin, PIECES), HEADER);
    at = put_piece(put_piece(put_piece(at, payload), footer), implicit);
    crypto_ed25519_sign(secret_key, span_of(begin, (size_t)(at - begin)), signature);
    buf_append(&body, payload);
    buf_append(&body, s);
    buf_append(out, HEADER);
    crypto_base64url_write(out, buf_span(&body));
    if (footer.len > 0) {
        buf_char(out, '.');
        crypto_base64url_write(out, footer);
    }
    out->failed = out->failed || body.failed;
    buf_fini(&encoding);
    buf_fini(&body);
}
