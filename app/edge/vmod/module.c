/*
 * vmod_profiled: the calls of VCL brought to guard/verifier.h and guard/fence.h. Runs on Varnish's worker
 * threads.
 */
#include "cache/cache.h"

#include "vcc_if.h"

#include "base/clock.h"
#include "base/ident.h"
#include "guard/address.h"
#include "guard/fence.h"
#include "guard/verifier.h"

#include <stdlib.h>

struct vmod_profiled_verifier {
    unsigned magic;
#define VERIFIER_MAGIC 0x70726f66u
    struct guard_verifier *verifier;
};

static int64_t now_s(void)
{
    return clock_now_s(&clock_system);
}

static int64_t microseconds(VCL_DURATION d)
{
    return d > 0 ? (int64_t)(d * 1e6) : 0;
}

static int64_t seconds(VCL_DURATION d)
{
    return d > 0 ? (int64_t)d : 0;
}

VCL_VOID vmod_verifier__init(VRT_CTX, struct vmod_profiled_verifier **out, const char *name,
                             VCL_STRING issuer, VCL_STRING audience, VCL_STRING jwks, VCL_STRING revocations,
                             VCL_DURATION leeway, VCL_DURATION max_ttl, VCL_DURATION max_lag, VCL_INT tokens)
{
    struct err_detail why = {0};
    const struct guard_verifier_options options = {
        .own = {.name = SPAN("token"),
                .iss = span_str(issuer),
                .audience = span_str(audience),
                .scopes = TOKEN_SCOPE_ALL},
        .jwks = jwks == NULL ? "" : jwks,
        .revocations = revocations,
        .policy = {.leeway_s = seconds(leeway), .max_ttl_s = seconds(max_ttl)},
        .max_lag_us = microseconds(max_lag),
        .tokens = tokens > 0 ? (size_t)tokens : 1,
    };
    struct vmod_profiled_verifier *v = calloc(1, sizeof *v);
    if (v == NULL || guard_verifier_new(&options, &v->verifier, &why) != OK) {
        free(v);
        VRT_fail(ctx, "profiled.verifier %s: %s", name, why.text[0] != '\0' ? why.text : "no memory");
        return;
    }
    v->magic = VERIFIER_MAGIC;
    *out = v;
}

VCL_VOID vmod_verifier__fini(struct vmod_profiled_verifier **v)
{
    if (*v == NULL)
        return;
    guard_verifier_free(&(*v)->verifier);
    free(*v);
    *v = NULL;
}

VCL_VOID vmod_verifier_issuer(VRT_CTX, struct vmod_profiled_verifier *v, VCL_STRING name, VCL_STRING iss,
                              VCL_STRING jwks, VCL_STRING audience, VCL_STRING scopes,
                              VCL_STRING subject_prefix)
{
    struct err_detail why = {0};
    struct span unknown = {NULL, 0};
    const struct token_issuer_options options = {
        .name = span_str(name),
        .iss = span_str(iss),
        .audience = span_str(audience),
        .scopes = token_scope_parse(span_str(scopes), &unknown),
        .subject_prefix = span_str(subject_prefix),
    };
    if (unknown.ptr != NULL)
        VRT_fail(ctx, "issuer %s: there is no scope %.*s", name, SPAN_ARG(unknown));
    else if (guard_verifier_add_issuer(v->verifier, &options, jwks == NULL ? "" : jwks, &why) != OK)
        VRT_fail(ctx, "issuer %s: %s", name, why.text[0] != '\0' ? why.text : "no memory");
}

static void tell(VRT_CTX, const struct err_detail *why)
{
    if (why->text[0] != '\0' && ctx->vsl != NULL)
        VSLb(ctx->vsl, SLT_Error, "profiled: %s", why->text);
}

VCL_BOOL vmod_verifier_current(VRT_CTX, struct vmod_profiled_verifier *v)
{
    struct guard_report report = {0};
    bool current = guard_verifier_current(v->verifier, clock_monotonic_us(), now_s(), &report);
    tell(ctx, &report.keys);
    tell(ctx, &report.revocations);
    return current;
}

VCL_BOOL vmod_verifier_authorised(VRT_CTX, struct vmod_profiled_verifier *v, VCL_STRING authorization,
                                  VCL_STRING scope)
{
    struct err_detail why = {0};
    struct span unknown = {NULL, 0}, subject;
    char room[IDENT_MAX_LEN];
    unsigned scopes = token_scope_parse(span_str(scope), &unknown);
    /* a scope that is misspelt would ask for nothing */
    if (unknown.ptr != NULL || scopes == 0) {
        VRT_fail(ctx, "profiled: there is no scope %s", scope == NULL ? "(none)" : scope);
        return 0;
    }
    bool good = guard_verifier_authorised(v->verifier, span_str(authorization), scopes, now_s(), &subject,
                                          room, &why);
    if (!good && ctx->vsl != NULL)
        VSLb(ctx->vsl, SLT_Debug, "profiled: %s", why.text);
    return good;
}

VCL_STRING vmod_verifier_subject(VRT_CTX, struct vmod_profiled_verifier *v, VCL_STRING authorization)
{
    struct err_detail why = {0};
    struct span subject;
    char room[IDENT_MAX_LEN];
    if (!guard_verifier_authorised(v->verifier, span_str(authorization), 0, now_s(), &subject, room, &why))
        return "";
    return WS_Printf(ctx->ws, "%.*s", SPAN_ARG(subject));
}

VCL_BOOL vmod_verifier_hear(VRT_CTX, struct vmod_profiled_verifier *v, VCL_STRING revoked,
                            VCL_STRING position, VCL_BOOL all)
{
    (void)ctx;
    return guard_verifier_hear(v->verifier, span_str(revoked), span_str(position), all != 0,
                               clock_monotonic_us());
}

VCL_DURATION vmod_verifier_lag(VRT_CTX, struct vmod_profiled_verifier *v)
{
    (void)ctx;
    return (VCL_DURATION)guard_verifier_lag_us(v->verifier, clock_monotonic_us()) / 1e6;
}

VCL_INT vmod_verifier_remembered(VRT_CTX, struct vmod_profiled_verifier *v)
{
    (void)ctx;
    return (VCL_INT)guard_verifier_remembered(v->verifier);
}

VCL_STRING vmod_fence(VRT_CTX)
{
    return WS_Printf(ctx->ws, "%jd", (intmax_t)guard_fence_now());
}

VCL_VOID vmod_purged(VRT_CTX, VCL_STRING keys)
{
    (void)ctx;
    guard_fence_purge(span_str(keys));
}

VCL_VOID vmod_purged_all(VRT_CTX)
{
    (void)ctx;
    guard_fence_purge_all();
}

VCL_BOOL vmod_outdated(VRT_CTX, VCL_STRING keys, VCL_STRING fence)
{
    uint64_t since = 0;
    (void)ctx;
    /* an answer that does not say when it was fetched is not to be trusted */
    return !span_to_u64(span_str(fence), INT64_MAX, &since) ||
           guard_fence_outdated(span_str(keys), (int64_t)since);
}

VCL_STRING vmod_address(VRT_CTX, VCL_STRING url)
{
    const struct span given = span_str(url);
    char *out = given.ptr == NULL ? NULL : WS_Alloc(ctx->ws, (unsigned)given.len + 1);
    /* without room for another it stays the same address, which is only ever a miss */
    if (out == NULL)
        return url;
    out[guard_address_write(given, out)] = '\0';
    return out;
}
