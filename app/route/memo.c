#include "route/memo.h"

#include <string.h>

/* A verdict as it is kept: this, and behind it subject, issuer and jti. */
struct verdict {
    uint64_t keys_epoch;
    int64_t expires_s;
    int64_t not_before_s;
    int64_t issued_s;
    uint32_t scopes;
    uint16_t subject_len;
    uint16_t issuer_len;
    uint16_t jti_len;
    uint16_t has_jti;
    uint32_t unused;
};

static struct span take(struct span *rest, size_t len)
{
    struct span s = span_of(rest->ptr, len);
    *rest = span_from(*rest, len);
    return s;
}

static bool unpack(struct span value, uint64_t keys_epoch, struct token_identity *out)
{
    struct verdict v;
    if (value.len < sizeof v)
        return false;
    memcpy(&v, value.ptr, sizeof v);
    struct span rest = span_from(value, sizeof v);
    if (v.keys_epoch != keys_epoch || rest.len != (size_t)v.subject_len + v.issuer_len + v.jti_len)
        return false;
    out->subject = take(&rest, v.subject_len);
    out->issuer = take(&rest, v.issuer_len);
    out->jti = v.has_jti != 0 ? take(&rest, v.jti_len) : (struct span){NULL, 0};
    out->scopes = v.scopes;
    out->expires_s = v.expires_s;
    out->not_before_s = v.not_before_s;
    out->issued_s = v.issued_s;
    return true;
}

enum err route_memo_find(const struct route_memo *memo, struct span token, const struct token_policy *policy,
                         int64_t now_s, struct arena *arena, struct token_identity *out,
                         unsigned char hash[CACHE_TOKEN_HASH_LEN])
{
    struct err_detail ignored;
    struct span value;
    *out = (struct token_identity){0};
    if (!cache_has_verdicts(memo->cache) || token.len > TOKEN_MAX_LEN)
        return ERR_NOT_FOUND;
    cache_token_hash(memo->cache, token, hash);
    char *room = arena_alloc(arena, CACHE_VERDICT_MAX);
    if (room == NULL)
        return ERR_NOMEM;
    if (cache_verdict_get(memo->cache, hash, room, &value) != OK || !unpack(value, memo->keys_epoch, out) ||
        token_identity_judge_times(out, policy, now_s, &ignored) != OK) {
        *out = (struct token_identity){0};
        return ERR_NOT_FOUND;
    }
    return OK;
}

void route_memo_remember(const struct route_memo *memo, const unsigned char hash[CACHE_TOKEN_HASH_LEN],
                         const struct token_policy *policy, const struct token_identity *identity,
                         struct cache_state state)
{
    const struct verdict v = {
        .keys_epoch = memo->keys_epoch,
        .expires_s = identity->expires_s,
        .not_before_s = identity->not_before_s,
        .issued_s = identity->issued_s,
        .scopes = identity->scopes,
        .subject_len = (uint16_t)identity->subject.len,
        .issuer_len = (uint16_t)identity->issuer.len,
        .jti_len = (uint16_t)identity->jti.len,
        .has_jti = identity->jti.ptr != NULL,
    };
    char record[CACHE_VERDICT_MAX];
    struct cache_key revocations;
    size_t len = sizeof v + identity->subject.len + identity->issuer.len + identity->jti.len;
    /* a token has 4 KiB at most, so that its parts fit; but who knows what an issuer is called */
    if (!cache_has_verdicts(memo->cache) || len > sizeof record ||
        !cache_key_make(memo->cache, CACHE_SUBJECT, identity->subject, &revocations))
        return;
    memcpy(record, &v, sizeof v);
    memcpy(record + sizeof v, identity->subject.ptr, identity->subject.len);
    memcpy(record + sizeof v + v.subject_len, identity->issuer.ptr, identity->issuer.len);
    if (v.jti_len > 0)
        memcpy(record + sizeof v + v.subject_len + v.issuer_len, identity->jti.ptr, identity->jti.len);
    cache_verdict_put(memo->cache, hash, span_of(record, len), state,
                      (identity->expires_s + policy->leeway_s) * 1000, &revocations);
}
